"""Progress, cancelling and partial curves of a running simulation, without a word in its signature.

A simulation that takes long calls ``check(fraction)`` between its pieces; whoever runs it listens with `listen`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from replicon.core.errors import Cancelled


class Listener(Protocol):
    """Called with the fraction done and what is already measured; returns True to cancel."""

    def __call__(self, fraction: float, partial: dict[str, Any] | None, /) -> bool | None:
        """Hear of progress."""
        ...


_listener: ContextVar[Listener | None] = ContextVar("replicon_listener", default=None)


def check(fraction: float, partial: dict[str, Any] | None = None) -> None:
    """Report progress of the simulation under way and stop it if its listener asks.

    Parameters
    ----------
    fraction : float
        Part done, in [0, 1].
    partial : dict, optional
        Observables measured so far, by name.

    Raises
    ------
    Cancelled
        When the listener returned True.
    """
    listener = _listener.get()
    if listener is not None and listener(fraction, partial):
        raise Cancelled(f"cancelled at {fraction:.0%}")


@contextmanager
def listen(listener: Listener | None) -> Iterator[None]:
    """Let `listener` hear, and cancel, the simulations run inside this block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)

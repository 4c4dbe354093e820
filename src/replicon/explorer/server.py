"""Serving the page: this machine only unless told otherwise, and nothing that comes from elsewhere."""

import errno
import ipaddress
from collections.abc import Sequence
from typing import Any

from replicon.core.errors import ParameterError, RepliconError
from replicon.explorer.limits import Limits


def explore(
    system: str | None = None,
    *,
    stores: Sequence[str] = (),
    host: str = "127.0.0.1",
    port: int = 5006,
    origins: Sequence[str] = (),
    browse: bool = False,
    max_size: int = Limits.size,
    max_seconds: float = Limits.seconds,
    max_memory: float = Limits.memory,
) -> None:
    """Serve the explorer, a web page on which theory and simulation move together, until the process is ended.

    Parameters
    ----------
    system : str, optional
        The system that opens: a name of the catalogue, or ``module:Class``.
    stores : sequence of str
        Stored sweeps that the page can open.
    host, port : str, int
        Where to listen. Port 0 takes a free one.
    origins : sequence of str
        Further names, as HOST:PORT, by which browsers reach the page, behind a proxy for instance.
    browse : bool
        Open the page in the browser.
    max_size, max_seconds, max_memory : int, float, float
        Largest system size that may be simulated, time of one simulation run, and bytes of a simulating process.

    Raises
    ------
    RepliconError
        Where Panel is not installed, or the port is taken.
    """
    if isinstance(port, bool) or not 0 <= port < 65536:
        raise ParameterError(f"port is {port!r}; give a whole number in [0, 65535]")
    try:
        import panel as pn
        from bokeh.server.server import Server  # noqa: F401
    except ImportError as error:
        raise RepliconError(
            f"the explorer needs Panel and Bokeh ({error}); install them with: pip install 'replicon[explorer]'"
        ) from error
    from replicon.explorer import style
    from replicon.explorer.session import Session
    from replicon.explorer.shared import Shared

    limits = Limits(size=max_size, seconds=max_seconds, memory=max_memory)
    shared = Shared(limits, system, stores)
    pn.extension(raw_css=[style.PAGE])

    def page() -> Any:
        document = pn.state.curdoc
        query = {key: values[0].decode(errors="replace") for key, values in pn.state.session_args.items() if values}
        return Session(shared, document, query).layout()

    try:
        port = port or _free_port(host)
        allowed = list(dict.fromkeys([*_own_names(host, port), *origins]))
        server: Any = pn.serve(
            {"/": page}, address=host, port=port, websocket_origin=allowed, show=False, start=False, title="Replicon",
            verbose=False, unused_session_lifetime_milliseconds=10_000,
            check_unused_sessions_milliseconds=3_000,
        )  # fmt: skip
    except ValueError as error:
        raise ParameterError(f"{error}; give origins as HOST:PORT") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RepliconError(f"port {port} is taken; give another one, such as --port {port + 1}") from error
        raise RepliconError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    shown = f"http://{'localhost' if _is_local(host) else host}:{server.port}/"
    print(f"The explorer is at {shown} (Ctrl-C ends it)", flush=True)
    try:
        if browse:
            server.io_loop.add_callback(server.show, "/")
        server.run_until_shutdown() if _in_main_thread() else server.start()
    except KeyboardInterrupt:
        pass
    finally:
        shared.places.close()


def _free_port(host: str) -> int:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.bind((host, 0))
        return trial.getsockname()[1]


def _own_names(host: str, port: int) -> list[str]:
    """By which names browsers reach the page. Bokeh takes no numbers of IPv6, whose pages are reached by a name."""
    names = ["localhost", "127.0.0.1"] if _is_local(host) or _is_any(host) else []
    return [f"{name}:{port}" for name in [*names, host] if not _is_any(name) and ":" not in name]


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")


def _in_main_thread() -> bool:
    import threading

    return threading.current_thread() is threading.main_thread()

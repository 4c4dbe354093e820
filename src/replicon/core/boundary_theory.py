"""Where a theory changes its phase along one parameter: a coarse scan, then every crossing halved at once."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.core.system import System

NO_CROSSING = 2
"""Status of a line of points along which the phase does not change."""
SECTIONS = 16
"""Parts into which a step of the continuation cuts its bracket: one compiled grid for each step."""
WIDENINGS = 12

Predicate = Callable[[System], np.ndarray]


def phase_of(observable: Any, threshold: float | None) -> Predicate:
    """Whether each point of an array-valued system is in the phase: the theory predicts, and enough of it.

    Parameters
    ----------
    observable : str or callable
        An observable's name, or a function of the system that returns an array or a `Solution`.
    threshold : float or None
        In the phase from this value on; None asks only whether the theory makes a prediction.
    """

    def inside(system: System) -> np.ndarray:
        if callable(observable):
            values, status = np.asarray(observable(system), dtype=float), 0
            fine = np.isfinite(values) & (np.asarray(status) == 0)
        else:
            record = system.theory()
            fine = ~np.asarray(record.declined)
            values = getattr(record, observable)
            if values is None:
                raise DataError(f"{type(system).__name__}: the theory predicts no {observable}")
        return fine if threshold is None else fine & (np.asarray(values) >= threshold)

    return inside


def bisect(
    make: Callable[..., System],
    parameter: str,
    along: Mapping[str, np.ndarray],
    between: tuple[float, float],
    inside: Predicate,
    tolerance: float,
    scan: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bisect all lines at once: one compiled grid over the points of `along` at each step.

    Returns
    -------
    location, status, crossings : arrays (points,)
        The first change of phase counted from ``between[0]``, and how many the scan saw.
    """
    count = len(next(iter(along.values()))) if along else 1
    scanned = np.linspace(*between, scan)
    columns = {name: np.repeat(values, scan) for name, values in along.items()}
    phase = inside(make(**columns, **{parameter: np.tile(scanned, count)})).reshape(count, scan)
    changes = phase[:, 1:] != phase[:, :-1]
    crossings = changes.sum(axis=1)
    first = changes.argmax(axis=1)
    low, high = scanned[first], scanned[first + 1]
    start = phase[np.arange(count), first]
    for _ in range(max(0, int(np.ceil(np.log2(abs(scanned[1] - scanned[0]) / tolerance))))):
        middle = 0.5 * (low + high)
        same = inside(make(**along, **{parameter: middle})) == start
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    found = crossings > 0
    return np.where(found, 0.5 * (low + high), np.nan), np.where(found, 0, NO_CROSSING), crossings


def follow(
    make: Callable[..., System],
    parameter: str,
    along: Mapping[str, np.ndarray],
    between: tuple[float, float],
    inside: Predicate,
    tolerance: float,
    scan: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Continue the line from point to point: each starts in a small bracket about where the last two lead.

    Keeps to one branch where a scan would meet several, and evaluates the theory only near the line.
    """
    if len(along) != 1:
        raise ParameterError("continuation follows a line along one parameter; bisection takes several")
    ((name, values),) = along.items()
    location, status = np.full(len(values), np.nan), np.full(len(values), NO_CROSSING)
    crossings = np.zeros(len(values), dtype=int)

    def phases(k: int, points: np.ndarray) -> np.ndarray:
        return inside(make(**{name: np.full(len(points), values[k]), parameter: points}))

    def narrow(k: int, low: float, high: float, start: bool) -> float:
        while abs(high - low) > tolerance:
            points = np.linspace(low, high, SECTIONS + 1)
            same = phases(k, points[1:-1]) == start
            last = len(same) if same.all() else int(np.argmin(same))
            low, high = points[last], points[last + 1]
        return 0.5 * (low + high)

    for k in range(len(values)):
        known = np.flatnonzero(np.isfinite(location[:k]))[-2:]
        bracket = None
        if len(known) == 2 and known[1] == k - 1:
            a, b = known
            slope = (location[b] - location[a]) / (values[b] - values[a])
            guess = location[b] + slope * (values[k] - values[b])
            bracket = _around(lambda points, k=k: phases(k, points), guess, abs(guess - location[b]) / 4, between)
        if bracket is None:
            _, _, seen = scanned = bisect(
                make, parameter, {name: values[k : k + 1]}, between, inside, abs(between[1] - between[0]), scan
            )
            if seen[0] == 0:
                continue
            crossings[k] = seen[0]
            half = abs(between[1] - between[0]) / (scan - 1) / 2
            low, high = scanned[0][0] - half, scanned[0][0] + half
            bracket = low, high, bool(phases(k, np.full(SECTIONS - 1, low))[0])
        crossings[k] = max(crossings[k], 1)
        location[k], status[k] = narrow(k, *bracket), 0
    return location, status, crossings


def _around(
    phases: Callable[[np.ndarray], np.ndarray], guess: float, width: float, between: tuple[float, float]
) -> tuple[float, float, bool] | None:
    """A bracket about the guess, widened until the phase changes in it; None where it does not."""
    ends = min(between), max(between)
    width = max(width, 1e-4 * (ends[1] - ends[0]))
    for _ in range(WIDENINGS):
        low, high = max(guess - width, ends[0]), min(guess + width, ends[1])
        phase = phases(np.linspace(low, high, SECTIONS - 1))
        if phase[0] != phase[-1]:
            return low, high, bool(phase[0])
        if (low, high) == ends:
            return None
        width *= 2
    return None

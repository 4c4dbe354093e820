"""The parameter at which half of the draws succeed, found by placing draws where they tell most.

Draws are placed in rounds: first over the whole range, then at the fitted threshold and one width to either side.
The likelihood of a binomial outcome does not depend on why it was drawn where it was, so the fit of all rounds
together is the ordinary one.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.core.execution import Executor
from replicon.core.realization import realize
from replicon.core.seeds import canonical
from replicon.core.system import System
from replicon.maths.finite_size import Threshold, bootstrap_threshold, fit_threshold, no_threshold

COARSE_LEVELS, COARSE_DRAWS = 9, 4
"""The first round."""
NOTHING = no_threshold()
OFFSETS = (-1.0, 0.0, 1.0)
"""Later rounds, in widths from the threshold: the outer ones carry the width, the middle one the location."""
SMALLEST_ROUND = 24
TASK_DRAWS = 8
"""Draws in one task of an executor."""


@dataclass
class Search:
    """Outcomes at one size, and the fit to them.

    Attributes
    ----------
    counts : dict of float to (successes, trials)
    drawn : dict of float to int
        Draws made at each level, failed ones included.
    failed : int
        Draws that raised an error.
    fit : Threshold
    bootstrap_error : float
        Standard deviation of the location over resampled outcomes.
    """

    counts: dict[float, tuple[int, int]] = field(default_factory=dict)
    drawn: dict[float, int] = field(default_factory=dict)
    failed: int = 0
    fit: Threshold = NOTHING
    bootstrap_error: float = np.nan

    def table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Levels in order, successes and trials."""
        levels = sorted(self.counts)
        return (
            np.array(levels),
            np.array([self.counts[x][0] for x in levels], dtype=float),
            np.array([self.counts[x][1] for x in levels], dtype=float),
        )


def outcomes(
    system: System, size: int, first: int, last: int, seed: int, observable: Any, threshold: float
) -> tuple[int, int, int]:
    """Successes, trials and failures among the draws numbered from `first` to `last` - 1."""
    values = realize(system, size, range(first, last), seed=seed).values
    if not values:
        return 0, 0, last - first
    if not callable(observable) and observable not in values:
        raise DataError(f"{type(system).__name__}: the simulation measures no {observable}")
    measured = np.asarray(observable(values) if callable(observable) else values[observable], dtype=float)
    usable = np.isfinite(measured)
    return int(np.sum(measured[usable] >= threshold)), int(usable.sum()), int(last - first - usable.sum())


def search(
    make: Callable[[float], System],
    size: int,
    between: tuple[float, float],
    observable: Any,
    threshold: float,
    *,
    realizations: int,
    target_error: float | None,
    step: float | None,
    seed: int,
    executor: Executor,
    resamples: int = 400,
    progress: Callable[[int], Any] | None = None,
) -> Search:
    """Locate the threshold at one size.

    Parameters
    ----------
    make : callable
        The system at a value of the parameter.
    realizations : int
        Draws at most.
    target_error : float, optional
        Stop when the standard error of the location is this small.
    step : float, optional
        Spacing of the values that the parameter takes at this size.
    """
    low, high = sorted(between)
    grid = step or (high - low) / 4096
    if (high - low) / grid < 2:
        raise ParameterError(f"between {low:g} and {high:g} the parameter takes fewer than three values at size {size}")
    found = Search()
    _round(found, make, size, {_snap(x, grid, low, high): COARSE_DRAWS for x in np.linspace(low, high, COARSE_LEVELS)},
           observable, threshold, realizations, seed, executor, progress)  # fmt: skip
    while (left := realizations - sum(found.drawn.values())) > 0:
        found.fit = fit_threshold(*found.table())
        total = sum(found.drawn.values())
        if np.isnan(found.fit.location):
            if total > realizations // 2:
                break
            wanted = {x: COARSE_DRAWS for x in found.drawn}
        else:
            enough = target_error is not None and found.fit.location_error <= target_error
            if enough and not found.fit.separated:
                break
            wanted = _placed(found, grid, low, high, min(left, max(SMALLEST_ROUND, total // 2)))
        _round(found, make, size, wanted, observable, threshold, left, seed, executor, progress)
    found.fit = fit_threshold(*found.table())
    if resamples:
        stream = np.random.default_rng(zlib.crc32(canonical([seed, size, "bootstrap"]).encode()))
        drawn = bootstrap_threshold(*found.table(), stream, resamples)
        found.bootstrap_error = float(np.nanstd(drawn, ddof=1)) if np.isfinite(drawn).sum() > 1 else np.nan
    return found


def _placed(found: Search, grid: float, low: float, high: float, count: int) -> dict[float, int]:
    """Levels of the next round with their draws."""
    levels = np.array(sorted(found.counts))
    width = max(abs(found.fit.width), grid, 0.25 * np.min(np.diff(levels)) if found.fit.separated else 0.0)
    width = min(width, (high - low) / 3)
    wanted: dict[float, int] = {}
    for offset in OFFSETS:
        level = _snap(found.fit.location + offset * width, grid, low, high)
        wanted[level] = wanted.get(level, 0) + -(-count // len(OFFSETS))
    return wanted


def _snap(x: float, grid: float, low: float, high: float) -> float:
    first, last = np.ceil(low / grid - 1e-9), np.floor(high / grid + 1e-9)
    return float(np.clip(np.round(x / grid), first, last) * grid)


def _round(
    found: Search,
    make: Callable[[float], System],
    size: int,
    wanted: dict[float, int],
    observable: Any,
    threshold: float,
    left: int,
    seed: int,
    executor: Executor,
    progress: Callable[[int], Any] | None,
) -> None:
    """Make the draws and add their outcomes; which worker made which does not matter."""
    tasks, levels = [], []
    for level, count in wanted.items():
        count = min(count, left)
        left -= count
        begin = found.drawn.get(level, 0)
        found.drawn[level] = begin + count
        for first in range(begin, begin + count, TASK_DRAWS):
            tasks.append(
                (make(level), size, first, min(first + TASK_DRAWS, begin + count), seed, observable, threshold)
            )
            levels.append(level)
    for number, (won, tried, failed) in executor.run(outcomes, tasks):
        before = found.counts.get(levels[number], (0, 0))
        found.counts[levels[number]] = before[0] + won, before[1] + tried
        found.failed += failed
        if progress is not None:
            progress(tried + failed)

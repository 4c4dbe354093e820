"""Theory beside simulation: error bars, z-scores, extrapolation to infinite size and one verdict."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import stats

from replicon.core.comparison import Comparison, SizeResult, build
from replicon.core.errors import ConvergenceError, DataError, ParameterError, RunFailedError
from replicon.core.execution import Executor, make_executor
from replicon.core.realization import Draws, check_memory, realize, require_realizations
from replicon.core.system import System, check_seed, check_size

if TYPE_CHECKING:
    from replicon.core.observables import Observables

DEFAULT_SIZES = (500, 1000, 2000)
BLOCK = 8
"""Realisations handed to a worker process at once."""


def compare(
    system: System,
    sizes: Sequence[int] = DEFAULT_SIZES,
    realizations: int = 16,
    *,
    seed: int = 0,
    theory: Literal["infinite", "finite", "instance"] = "finite",
    target_se: float | dict[str, float] | None = None,
    max_realizations: int = 10_000,
    exponent: float | None = None,
    level: float = 0.05,
    workers: int | None = 1,
    progress: Callable[[int, int], Any] | None = None,
) -> Comparison:
    """Measure a system at several sizes and lay its theory beside it.

    Parameters
    ----------
    system : System
        A single point of parameter space.
    sizes : sequence of int
        System sizes; two or more give an extrapolation.
    realizations : int
        Draws at each size.
    seed : int
        Seed of the study: the same seed gives the same bits, whatever the number of workers.
    theory : {"infinite", "finite", "instance"}
        Which of the three theories each size is compared with: at infinite size, with the known corrections of
        that size, or given each draw. One that does not exist falls back to the next, and the result says so.
    target_se : float or dict of str to float, optional
        Draw more until the standard error of every scalar (or of those named) is at most this, or until
        `max_realizations`.
    exponent : float, optional
        Exponent of the leading finite-size correction; by default the system's own.
    level : float
        Family-wise error of the verdict.
    workers : int or None
        Processes; 1 computes here, None takes every core.
    progress : callable, optional
        Called with (realisations finished, realisations planned).

    Returns
    -------
    Comparison
        An `xarray.Dataset` that prints as a table and draws itself with ``.plot()``.

    Raises
    ------
    ParameterError, DataError
        For parameters that are arrays, sizes or counts that make no sense.
    RunFailedError
        When every draw of a size failed.
    """
    sizes, realizations, seed = _check(system, sizes, realizations, seed, theory)
    targets = _check_target(system, target_se)
    executor = make_executor(workers)
    began = time.perf_counter()
    report = _Progress(progress, len(sizes) * realizations)
    results = []
    for size in sizes:
        draws = _collect(system, size, realizations, seed, theory, executor, targets, max_realizations, report)
        if len(draws.errors) == len(draws.seeds):
            first = next(iter(draws.errors.values()))
            raise RunFailedError(
                f"{type(system).__name__}: every realisation at size {size} failed; the first with {first}"
            )
        results.append(SizeResult(size, draws, _predict(system, size, "finite" if theory == "instance" else theory)))
    return build(
        system,
        results,
        infinite=_predict(system, None, "infinite"),
        kind=theory,
        exponent=system.finite_size_exponent if exponent is None else exponent,
        level=level,
        seed=seed,
        wall_time=time.perf_counter() - began,
    )


class _Progress:
    def __init__(self, listener: Callable[[int, int], Any] | None, planned: int) -> None:
        self.listener, self.planned, self.done = listener, planned, 0

    def __call__(self, finished: int) -> None:
        self.done += finished
        self.planned = max(self.planned, self.done)
        if self.listener is not None:
            self.listener(self.done, self.planned)


def _check(system: System, sizes: Any, realizations: Any, seed: Any, theory: str) -> tuple[list[int], int, int]:
    if not isinstance(system, System):
        raise ParameterError(f"compare was given {type(system).__name__}; give a system such as Hopfield(load=0.1)")
    if any(isinstance(value, np.ndarray) for value in system.values().values()):
        raise ParameterError(f"{type(system).__name__}: compare takes a single point; use sweep for a grid")
    if theory not in ("infinite", "finite", "instance"):
        raise ParameterError(f"theory is {theory!r}; choose infinite, finite or instance")
    sizes = [sizes] if isinstance(sizes, (int, np.integer)) else list(sizes)
    if not sizes:
        raise DataError("sizes is empty; give at least one size")
    checked = sorted({check_size(system, size) for size in sizes})
    for size in checked:
        check_memory(system, size)
    return checked, require_realizations(realizations), check_seed(seed)


def _check_target(system: System, target: float | dict[str, float] | None) -> dict[str, float]:
    table = system.Observables.table()
    scalars = [name for name, entry in table.items() if not entry.dims and entry.face != "predicted"]
    if target is None:
        return {}
    if not isinstance(target, dict):
        target = dict.fromkeys(scalars, target)
    for name, value in target.items():
        if name not in scalars:
            raise ParameterError(f"target_se names {name!r}; the measured scalars are: {', '.join(scalars)}")
        if not value > 0:
            raise ParameterError(f"target_se of {name} is {value!r}; give a positive standard error")
    return target


def _collect(
    system: System,
    size: int,
    realizations: int,
    seed: int,
    theory: str,
    executor: Executor,
    targets: dict[str, float],
    limit: int,
    report: "_Progress",
) -> Draws:
    """Draw until the count and, where asked, the error bars are reached."""
    draws = _draw(system, size, range(realizations), seed, theory, executor, report)
    while targets and len(draws.seeds) < limit and (wanted := _wanted(draws, targets)) > len(draws.seeds):
        start = len(draws.seeds)
        stop = min(limit, max(start + system.batch, wanted))
        draws = _join([draws, _draw(system, size, range(start, stop), seed, theory, executor, report)])
    return draws


def _wanted(draws: Draws, targets: dict[str, float]) -> int:
    """How many draws the targets take; at most doubled at a time.

    Judged by the upper 95 % limit of the spread so far: stopping at the first error bar that happens to be small would
    make error bars too small on average.
    """
    wanted = 0
    for name, target in targets.items():
        values = draws.values.get(name, np.array([]))
        values = values[np.isfinite(values)]
        if len(values) < 2:
            return len(draws.seeds) + 2
        freedom = len(values) - 1
        variance = freedom * values.var(ddof=1) / stats.chi2.ppf(0.05, freedom)
        wanted = max(wanted, int(np.ceil(variance / target**2)))
    return min(wanted, 2 * len(draws.seeds))


def _draw(
    system: System, size: int, indices: range, seed: int, theory: str, executor: Executor, report: "_Progress"
) -> Draws:
    per_instance = theory == "instance" and "instance" in system.theory_kinds
    if executor.workers == 1:
        return realize(system, size, indices, seed=seed, per_instance_theory=per_instance, progress=report)
    width = max(BLOCK // system.batch, 1) * system.batch
    starts = range(indices.start, indices.stop, width)

    def tasks() -> Iterator[tuple[Any, ...]]:
        for start in starts:
            yield system, size, list(range(start, min(start + width, indices.stop))), seed, per_instance

    parts: dict[int, Draws] = {}
    for number, part in executor.run(_remote, tasks()):
        parts[number] = part
        report(len(part.seeds))
    return _join([parts[number] for number in sorted(parts)])


def _remote(system: System, size: int, indices: list[int], seed: int, per_instance: bool) -> Draws:
    return realize(system, size, indices, seed=seed, per_instance_theory=per_instance)


def _join(parts: list[Draws]) -> Draws:
    """Draws of consecutive index ranges as one."""
    joined = Draws(seeds=np.concatenate([part.seeds for part in parts]))
    offset = 0
    for part in parts:
        joined.errors.update({offset + index: text for index, text in part.errors.items()})
        offset += len(part.seeds)
    for target, columns in (("values", [p.values for p in parts]), ("predictions", [p.predictions for p in parts])):
        names = dict.fromkeys(name for column in columns for name in column)
        merged = {}
        for name in names:
            shape = next(column[name].shape[1:] for column in columns if name in column)
            blanks = [np.full((len(part.seeds), *shape), np.nan) for part in parts]
            merged[name] = np.concatenate([c.get(name, b) for c, b in zip(columns, blanks, strict=True)])
        setattr(joined, target, merged)
    return joined


def _predict(system: System, size: int | None, kind: str) -> "Observables | None":
    """The prediction, or None where the system has none or it did not converge."""
    try:
        return system.theory(size=size if kind == "finite" else None)
    except (ConvergenceError, NotImplementedError):
        return None

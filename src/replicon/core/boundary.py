"""`boundary`: a phase boundary traced where it is, instead of seen on a full grid."""

import itertools
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from replicon.core.boundary_simulation import Search, search
from replicon.core.boundary_theory import NO_CROSSING, bisect, follow, phase_of
from replicon.core.errors import ParameterError
from replicon.core.execution import Executor, make_executor
from replicon.core.parameters import unknown_name
from replicon.core.provenance import provenance
from replicon.core.realization import require_realizations
from replicon.core.seeds import canonical
from replicon.core.system import System, check_seed, check_size
from replicon.maths.extrapolation import extrapolate
from replicon.maths.solution import NOT_CONVERGED, Solution

SEPARATED = 4
"""Status of a threshold so sharp that no level has both outcomes: the error is that of the gap."""
FLAGS = f"0: found; {NOT_CONVERGED}: not converged; {NO_CROSSING}: no crossing; {SEPARATED}: sharper than the levels"


class Boundary(xr.Dataset):
    """A phase boundary, as an `xarray.Dataset` with the dims of `along`, and ``size`` for what was measured.

    ``theory`` with ``theory_status`` and ``crossings`` (changes of phase that the scan saw); for a simulation
    ``boundary``, ``boundary_error`` (Fisher information), ``bootstrap_error``, ``width``, ``width_error``,
    ``chi_square``, ``degrees_of_freedom``, ``draws``, ``failed``, ``status``; the outcomes themselves with a dim
    ``level``: ``levels`` of the parameter, ``successes``, ``trials``; and over the sizes ``extrapolated``,
    ``extrapolated_error``, ``slope``, ``slope_error``, ``extrapolation_chi_square``.
    """

    __slots__ = ()

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, commit, machine, seed and wall time."""
        return json.loads(self.attrs["provenance"])

    def plot(self, axes: Any = None) -> Any:  # type: ignore[override]
        """Draw the boundary against the other parameter, or its finite-size thresholds against size**-exponent."""
        from replicon.core.finite_size_plots import plot_boundary

        return plot_boundary(self, axes)


def boundary(
    system: type[System] | System,
    parameter: str,
    observable: str | Callable[..., Any] | None = None,
    threshold: float | None = None,
    *,
    between: tuple[float, float] | None = None,
    along: Mapping[str, Sequence[float] | np.ndarray] | None = None,
    method: Literal["bisection", "continuation"] = "bisection",
    function: Callable[..., Any] | None = None,
    tolerance: float = 1e-10,
    scan: int = 33,
    theory: bool | None = None,
    simulation: bool = False,
    sizes: Sequence[int] | None = None,
    realizations: int = 400,
    target_error: float | None = None,
    step: float | Callable[[int], float] | None = None,
    exponent: float = 0.5,
    seed: int = 0,
    workers: int | None = 1,
    executor: Executor | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> Boundary:
    """Trace a phase boundary: the value of one parameter at which the phase changes, along the others.

    A point of the theory is in the phase where the theory makes a prediction (its status does not decline, "no
    retrieval state" say) and, with a `threshold`, the observable is at least that. A draw of a simulation is in the
    phase where its observable is at least the threshold; the boundary at a size is where half of the draws are, by
    maximum likelihood for draws placed where they tell most, and is extrapolated as ``a + b size**-exponent``.

    Parameters
    ----------
    system : System or System class
        Gives the values of the parameters not named here.
    parameter : str
        Along which the boundary is searched.
    observable : str or callable, optional
        By default the first observable that declares a success threshold, else the first. A callable takes, for a
        theory, a system whose parameters are arrays and returns an array; for a simulation the dict of measured
        arrays (realization,) by name, and must then be importable when there are several workers.
    threshold : float, optional
        Without one a theory is only asked whether it predicts, and a simulation counts by the observable's own
        success threshold.
    between : (float, float), optional
        Range searched; by default the parameter's own range, which must then be finite.
    along : mapping of parameter to values, optional
        Grids of other parameters; several make their product.
    method : {"bisection", "continuation"}
        Of the theory: scan the whole range and halve, all points at once; or follow the line from point to point.
    function : callable, optional
        The theory's own function of the `along` parameters (by name), taken as it is instead of being searched for.
    tolerance : float
        Of the theory's boundary, in units of the parameter.
    scan : int
        Points of the coarse scan, which finds the first change of phase counted from ``between[0]``.
    theory : bool, optional
        Also search the theory; by default unless a simulation's observable is not predicted.
    simulation : bool
        Also measure, at `sizes`.
    sizes : sequence of int
    realizations : int
        Draws at most, at each point and size.
    target_error : float, optional
        Stop earlier, when the standard error is this small.
    step : float or callable of size, optional
        Spacing of the values that the parameter really takes at a size; by default 1/size for a `load`, which is
        a whole number over the size.
    exponent : float
        Of the leading finite-size correction: 1/2 where the threshold of a draw fluctuates with its disorder.
    seed : int
        Seed of the study; the draws are those of every other study with this seed.
    workers, executor
        Processes, or where to run; the numbers do not depend on it.
    progress : callable, optional
        Called with (draws made, draws at most).

    Returns
    -------
    Boundary
        An `xarray.Dataset`; see its class.

    Raises
    ------
    ParameterError
        For unknown names, an open range, or a simulation without sizes.

    Examples
    --------
    >>> from replicon.memory import Hopfield
    >>> line = boundary(Hopfield, "load", between=(0.01, 0.2), along={"temperature": [0.0, 0.3]}, tolerance=1e-6)
    >>> line["theory"].values.round(4).tolist()
    [0.1379, 0.1036]

    References
    ----------
    Finney, Probit Analysis (Cambridge University Press, 1947).
    """
    begin = time.perf_counter()
    owner = system if isinstance(system, type) else type(system)
    fixed = {} if isinstance(system, type) else system.values()
    grids = {name: np.atleast_1d(np.asarray(values, dtype=float)) for name, values in (along or {}).items()}
    low_high = _checked(owner, parameter, grids, between, method)
    observable, asked, threshold = _observable(owner, observable, threshold)
    fixed = {name: value for name, value in fixed.items() if name != parameter and name not in grids}
    if theory is None:
        theory = not simulation or _predicts(owner, observable)
    points = list(itertools.product(*grids.values()))
    dims = tuple(grids)
    shape = tuple(len(values) for values in grids.values())
    data: dict[str, Any] = {}

    if theory or function is not None:
        columns = {name: np.array([point[k] for point in points]) for k, name in enumerate(grids)}
        if function is not None:
            solution = function(**columns)
            status = solution.status if isinstance(solution, Solution) else 0
            line = np.asarray(solution, dtype=float), np.asarray(status), np.ones(len(points), dtype=int)
        else:
            trace = follow if method == "continuation" else bisect
            inside = phase_of(observable, asked)
            make = lambda **values: owner(**fixed | values)  # noqa: E731
            line = trace(make, parameter, columns, low_high, inside, tolerance, scan)
        for name, values in zip(("theory", "theory_status", "crossings"), line, strict=True):
            data[name] = (dims, np.broadcast_to(values, len(points)).reshape(shape))

    if simulation:
        if not sizes:
            raise ParameterError("a simulation takes sizes=[...]")
        if threshold is None:
            raise ParameterError("a simulation takes a threshold: which values of the observable count as success?")
        checked = [check_size(owner(**fixed | {parameter: max(low_high)}), size) for size in sizes]
        require_realizations(realizations)
        runner = make_executor(workers) if executor is None else executor
        planned = realizations * len(points) * len(checked)
        made = 0

        def advance(count: int) -> None:
            nonlocal made
            made += count
            if progress is not None:
                progress(made, planned)

        def at_point(point: tuple[float, ...]) -> Callable[[float], System]:
            values = fixed | {name: float(value) for name, value in zip(grids, point, strict=True)}
            return lambda x: owner(**values | {parameter: x})

        searches = [
            search(
                at_point(point), size, low_high, observable, threshold, realizations=realizations,
                target_error=target_error, step=_step(step, parameter, size), seed=check_seed(seed), executor=runner,
                progress=advance,
            )
            for point in points
            for size in checked
        ]  # fmt: skip
        data |= _measured(searches, dims, shape, checked, exponent)

    known = owner.parameters()
    coords: dict[str, Any] = {
        name: (name, values, {"symbol": known[name].symbol, "units": known[name].unit, "long_name": known[name].doc})
        for name, values in grids.items()
    }
    if simulation:
        coords["size"] = [int(size) for size in sizes or ()]
    attrs = {
        "system": owner.__name__,
        "parameter": parameter,
        "symbol": known[parameter].symbol,
        "observable": getattr(observable, "__name__", observable or "prediction exists"),
        "threshold": math.nan if threshold is None else float(threshold),
        "method": "function" if function is not None else method,
        "exponent": exponent,
        "fixed": canonical(fixed),
        "flags": FLAGS,
        "provenance": canonical(provenance(seed=seed, seconds=round(time.perf_counter() - begin, 3))),
    }
    return Boundary(data, coords=coords, attrs=attrs)


def _measured(
    searches: list[Search], dims: tuple[str, ...], shape: tuple[int, ...], sizes: list[int], exponent: float
) -> dict[str, Any]:
    """Variables of the simulation from one search per point and size."""
    outer, full = (*dims, "size"), (*shape, len(sizes))
    fits = [found.fit for found in searches]
    columns = {
        "boundary": [fit.location for fit in fits],
        "boundary_error": [fit.location_error for fit in fits],
        "bootstrap_error": [found.bootstrap_error for found in searches],
        "width": [fit.width for fit in fits],
        "width_error": [fit.width_error for fit in fits],
        "chi_square": [fit.chi_square for fit in fits],
        "degrees_of_freedom": [fit.degrees_of_freedom for fit in fits],
        "draws": [sum(found.drawn.values()) for found in searches],
        "failed": [found.failed for found in searches],
        "status": [NO_CROSSING if np.isnan(fit.location) else SEPARATED if fit.separated else 0 for fit in fits],
    }
    data: dict[str, Any] = {name: (outer, np.reshape(values, full)) for name, values in columns.items()}
    longest = max(len(found.counts) for found in searches)
    tables = [found.table() for found in searches]
    for k, name in enumerate(("levels", "successes", "trials")):
        padded = [np.pad(table[k], (0, longest - len(table[k])), constant_values=np.nan) for table in tables]
        data[name] = ((*outer, "level"), np.reshape(padded, (*full, longest)))
    location, error = (np.reshape(columns[name], (-1, len(sizes))) for name in ("boundary", "boundary_error"))
    lines = [extrapolate(sizes, *row, exponent=exponent) for row in zip(location, error, strict=True)]
    for name, field in (
        ("extrapolated", "intercept"), ("extrapolated_error", "intercept_error"), ("slope", "slope"),
        ("slope_error", "slope_error"), ("extrapolation_chi_square", "chi_square"),
    ):  # fmt: skip
        data[name] = (dims, np.reshape([getattr(line, field) for line in lines], shape))
    return data


def _checked(
    owner: type[System],
    parameter: str,
    grids: dict[str, np.ndarray],
    between: tuple[float, float] | None,
    method: str,
) -> tuple[float, float]:
    known = owner.parameters()
    for name in (parameter, *grids):
        if name not in known:
            raise unknown_name(name, known, "parameter", owner.__name__)
        if known[name].static:
            raise ParameterError(f"{owner.__name__}: {name} is no number that varies continuously")
    if parameter in grids:
        raise ParameterError(f"{parameter} is searched for, so it cannot be an axis as well")
    if any(values.ndim != 1 or not len(values) for values in grids.values()):
        raise ParameterError("along takes one-dimensional sequences of numbers")
    if method not in ("bisection", "continuation"):
        raise ParameterError(f"method is {method!r}; choose one of: bisection, continuation")
    low, high = (known[parameter].low, known[parameter].high) if between is None else map(float, between)
    if not (math.isfinite(low) and math.isfinite(high) and low != high):
        raise ParameterError(f"{owner.__name__}: give between=(low, high), the range of {parameter} to search")
    return low, high


def _observable(
    owner: type[System], observable: Any, threshold: float | None
) -> tuple[Any, float | None, float | None]:
    """The observable, the threshold for the theory, and that for the simulation."""
    table = owner.Observables.table()
    if callable(observable):
        threshold = 0.0 if threshold is None else threshold
        return observable, threshold, threshold
    if observable is None:
        declared = (name for name, info in table.items() if info.success is not None)
        observable = next(declared, next(iter(table)))
    if observable not in table:
        raise unknown_name(observable, table, "observable", owner.__name__)
    return observable, threshold, table[observable].success if threshold is None else threshold


def _predicts(owner: type[System], observable: Any) -> bool:
    """Whether the theory of a simulated boundary can be searched for with the same observable."""
    return isinstance(observable, str) and owner.Observables.table()[observable].face != "measured"


def _step(step: Any, parameter: str, size: int) -> float | None:
    if step is None:
        return 1.0 / size if parameter == "load" else None
    spacing: Any = step(size) if callable(step) else step
    return float(spacing)

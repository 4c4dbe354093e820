"""`collapse`: measurements at several sizes drawn onto one curve, and the critical point and exponents that do it."""

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from replicon.core.errors import DataError, ParameterError
from replicon.core.provenance import provenance
from replicon.core.seeds import canonical
from replicon.core.statistics import fraction_error
from replicon.core.tables import with_error
from replicon.maths.data_collapse import Scaling, fit_collapse


class Collapse(xr.Dataset):
    """A finite-size scaling collapse ``y = N**(-beta/nu) f((x - critical_point) N**(1/nu))``, as an `xarray.Dataset`.

    Numbers: ``critical_point``, ``inverse_nu``, ``beta_over_nu``, ``nu``, ``beta``, each with ``..._error`` (the
    larger of the two that follow), ``..._curvature_error`` (of chi square) and ``..._bootstrap_error``;
    ``chi_square``, ``degrees_of_freedom``, ``quality`` (their ratio), ``p_value``, ``knots``. Points, with a dim
    ``point``: ``x``, ``size``, ``y``, ``y_error``, ``scaled_x``, ``scaled_y``, ``scaled_error``, ``residual``, and the
    ``master_curve`` there, scaled like y.
    """

    __slots__ = ()

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, commit, machine, seed and wall time."""
        return json.loads(self.attrs["provenance"])

    def __repr__(self) -> str:
        if "quality" not in self:
            return super().__repr__()
        numbers = [
            f"{name} = {with_error(float(self[name]), float(self[f'{name}_error']))}"
            for name in ("critical_point", "nu", "beta")
        ]
        return (
            f"Collapse of {self.attrs['y']} against {self.attrs['x']}: {', '.join(numbers)}, chi square / dof = "
            f"{float(self['chi_square']):.1f} / {int(self['degrees_of_freedom'])} (p = {float(self['p_value']):.2g})"
        )

    __str__ = __repr__

    def plot(self, axes: Any = None) -> Any:  # type: ignore[override]
        """Draw the scaled points of all sizes."""
        from replicon.core.finite_size_plots import plot_collapse

        return plot_collapse(self, axes)


def collapse(
    dataset: xr.Dataset,
    x: str | None = None,
    y: str | None = None,
    *,
    sizes: Sequence[int] | None = None,
    success: float | None = None,
    between: tuple[float, float] | None = None,
    critical_point: float | None = None,
    inverse_nu: float | None = None,
    beta_over_nu: float | None = None,
    knots: int | None = None,
    bootstrap: int = 100,
    seed: int = 0,
) -> Collapse:
    """Fit a critical point and exponents by finite-size scaling, ``y = N**(-beta/nu) f((x - x_c) N**(1/nu))``.

    The master curve f is a free cubic spline; for fractions of draws their probit is one, and the fit is by
    likelihood. Exponents are those of the number N that the system calls its size.

    Parameters
    ----------
    dataset : xarray.Dataset
        Draws with dims (x, size, realization), as `sweep` returns them, or a measured `boundary`, whose outcomes are
        collapsed as success fractions. Other dims must be selected away before.
    x : str, optional
        The control parameter; that of a `boundary` by default.
    y : str, optional
        The observable; the success of a `boundary` by default.
    sizes : sequence of int, optional
        Which sizes take part; all by default. The smallest often spoil a collapse.
    success : float, optional
        Collapse the fraction of draws with y of at least this, instead of the mean of y.
    between : (float, float), optional
        Range of x that takes part.
    critical_point, inverse_nu, beta_over_nu : float, optional
        Given instead of fitted; for fractions beta_over_nu is 0.
    knots : int, optional
        Inner knots of the master curve; by Akaike's criterion unless given.
    bootstrap : int
        Resamples of the draws for the errors; 0 leaves those from the curvature of chi square.
    seed : int
        Of the resampling.

    Returns
    -------
    Collapse
        An `xarray.Dataset`; see its class. A quality (chi square per degree of freedom) well above 1 says that the
        sizes do not collapse: corrections to scaling, or no such transition.

    Raises
    ------
    ParameterError
        For names that are not in the dataset.
    DataError
        For fewer than two sizes, or no more points than fitted numbers.

    References
    ----------
    Bhattacharjee and Seno, J. Phys. A 34, 6375 (2001); Houdayer and Hartmann, Phys. Rev. B 70, 014418 (2004).
    """
    begin = time.perf_counter()
    counted = "trials" in dataset and y is None
    x = dataset.attrs.get("parameter") if x is None else x
    if x is None or (y is None and not counted):
        raise ParameterError("give x, the control parameter, and y, the observable to collapse")
    cells = _counts(dataset, sizes) if counted else _draws(dataset, x, str(y), sizes)
    if between is not None:
        cells = [cell for cell in cells if min(between) <= cell[1] <= max(between)]
    fraction = counted or success is not None
    if fraction:
        if beta_over_nu not in (None, 0.0):
            raise ParameterError(f"beta_over_nu is {beta_over_nu}; a fraction of draws has no amplitude that scales")
        beta_over_nu = 0.0
    samples = [np.asarray(cell[2] if counted or success is None else cell[2] >= success, float) for cell in cells]
    size, position = (np.array([cell[k] for cell in cells], dtype=float) for k in (0, 1))
    trials = np.array([len(sample) for sample in samples], dtype=float)
    given = {"critical": critical_point, "inverse_nu": inverse_nu, "shift": beta_over_nu}

    def fit(drawn: list[np.ndarray], start: Scaling | None) -> tuple[Scaling, np.ndarray, np.ndarray]:
        mean = np.array([sample.mean() for sample in drawn])
        error = _errors(drawn, fraction)
        first = None if start is None else (start.critical, start.inverse_nu, start.shift)
        chosen = knots if start is None else start.knots
        found = fit_collapse(
            size, position, mean, error, **given, start=first, knots=chosen, trials=trials if fraction else None
        )
        return found, mean, error

    try:
        best, mean, error = fit(samples, None)
    except ValueError as problem:
        raise DataError(f"collapse: {problem}") from problem
    generator = np.random.default_rng(seed)
    again = []
    for _ in range(bootstrap):
        drawn = [generator.choice(sample, len(sample)) for sample in samples]
        if all(fraction or sample.std() > 0 for sample in drawn):
            again.append(_numbers(fit(drawn, best)[0]))
    return Collapse(
        _variables(best, np.array(again)) | _points(best, size, position, mean, error),
        attrs={
            "x": x,
            "y": "success" if counted else f"{y} >= {success:g}" if success is not None else str(y),
            "system": dataset.attrs.get("system", ""),
            "symbol": dataset.attrs.get("symbol", ""),
            "provenance": canonical(provenance(seed=seed, seconds=round(time.perf_counter() - begin, 3))),
        },
    )


NUMBERS = ("critical_point", "inverse_nu", "beta_over_nu", "nu", "beta")


def _numbers(fit: Scaling) -> np.ndarray:
    """The five numbers of `NUMBERS`."""
    return np.array([fit.critical, fit.inverse_nu, fit.shift, 1 / fit.inverse_nu, fit.shift / fit.inverse_nu])


def _variables(fit: Scaling, again: np.ndarray) -> dict[str, Any]:
    """Numbers with both errors, and how good the collapse is."""
    slopes = np.zeros((5, 3))
    slopes[:3] = np.eye(3)
    slopes[3, 1] = -1 / fit.inverse_nu**2
    slopes[4, 1:] = -fit.shift / fit.inverse_nu**2, 1 / fit.inverse_nu
    curvature = np.sqrt(np.einsum("ij,jk,ik->i", slopes, fit.covariance, slopes))
    resampled = again.std(axis=0, ddof=1) if len(again) > 1 else np.full(5, np.nan)
    freedom = fit.degrees_of_freedom
    data: dict[str, Any] = {}
    for k, name in enumerate(NUMBERS):
        data[name] = float(_numbers(fit)[k])
        data[f"{name}_error"] = float(np.fmax(curvature[k], resampled[k]))
        data[f"{name}_curvature_error"] = float(curvature[k])
        data[f"{name}_bootstrap_error"] = float(resampled[k])
    return data | {
        "chi_square": fit.chi_square,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "quality": fit.chi_square / freedom if freedom > 0 else np.nan,
        "p_value": float(stats.chi2.sf(fit.chi_square, fit.degrees_of_freedom))
        if fit.degrees_of_freedom > 0
        else np.nan,
        "knots": fit.knots,
        "converged": fit.converged,
    }


def _points(fit: Scaling, size: np.ndarray, x: np.ndarray, y: np.ndarray, error: np.ndarray) -> dict[str, Any]:
    growth = size**fit.shift
    columns = {
        "x": x,
        "size": size.astype(int),
        "y": y,
        "y_error": error,
        "scaled_x": (x - fit.critical) * size**fit.inverse_nu,
        "scaled_y": y * growth,
        "scaled_error": error * growth,
        "residual": fit.residuals,
        "master_curve": fit.curve * growth,
    }
    return {name: (("point",), values) for name, values in columns.items()}


def _errors(samples: list[np.ndarray], fraction: bool) -> np.ndarray:
    if fraction:
        return np.array([fraction_error(int(sample.sum()), len(sample))[1] for sample in samples])
    return np.array([sample.std(ddof=1) / np.sqrt(len(sample)) for sample in samples])


def _draws(dataset: xr.Dataset, x: str, y: str, sizes: Sequence[int] | None) -> list[tuple[int, float, np.ndarray]]:
    """(size, x, draws) of each cell of a sweep that has at least two draws with some spread."""
    for name in (x, y):
        if name not in dataset.variables:
            raise ParameterError(f"the dataset has no {name!r}; it has: {', '.join(map(str, dataset.variables))}")
    others = set(dataset[y].dims) - {x, "size", "realization"}
    if others or set(dataset[y].dims) != {x, "size", "realization"}:
        raise DataError(f"{y} has dims {dataset[y].dims}; collapse takes ({x}, size, realization): select the others")
    cells = []
    for size in _sizes(dataset, sizes):
        block = dataset[y].sel(size=size).transpose(x, "realization")
        for position, row in zip(block[x].values, block.values, strict=True):
            row = row[np.isfinite(row)]
            if len(row) > 1:
                cells.append((size, float(position), row))
    return cells


def _counts(dataset: xr.Dataset, sizes: Sequence[int] | None) -> list[tuple[int, float, np.ndarray]]:
    """(size, level, outcomes) of each level of a measured boundary."""
    if dataset["trials"].ndim != 2:
        raise DataError(
            f"the outcomes have dims {dataset['trials'].dims}; collapse takes (size, level): select the others"
        )
    cells = []
    for size in _sizes(dataset, sizes):
        at = dataset.sel(size=size)
        for level, won, tried in zip(at["levels"].values, at["successes"].values, at["trials"].values, strict=True):
            if tried > 0:
                cells.append((size, float(level), np.arange(int(tried)) < won))
    return cells


def _sizes(dataset: xr.Dataset, sizes: Sequence[int] | None) -> list[int]:
    known = [int(size) for size in dataset["size"].values]
    chosen = known if sizes is None else [int(size) for size in sizes]
    missing = sorted(set(chosen) - set(known))
    if missing:
        raise ParameterError(f"the dataset has no size {missing[0]}; it has: {', '.join(map(str, known))}")
    return chosen

"""Error bars, z-scores and one verdict for many of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
EXACT = 1e-9
"""Relative difference below which numbers without spread are equal."""


class Summary(NamedTuple):
    """Mean, standard error of the mean, standard deviation, number of finite draws and quantiles over draws."""

    mean: np.ndarray
    standard_error: np.ndarray
    spread: np.ndarray
    count: np.ndarray
    quantiles: np.ndarray


def summarize(draws: np.ndarray) -> Summary:
    """Summary over the first axis, ignoring nan.

    Parameters
    ----------
    draws : array (realization, ...)

    Returns
    -------
    Summary
        nan where there is no draw; the standard error is nan for a single draw.
    """
    draws = np.asarray(draws, dtype=float)
    count = np.isfinite(draws).sum(axis=0)
    total = np.where(np.isfinite(draws), draws, 0.0).sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    squares = np.where(np.isfinite(draws), (draws - mean) ** 2, 0.0).sum(axis=0)
    spread = np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)
    quantiles = np.full((len(QUANTILES), *draws.shape[1:]), np.nan)
    if draws.size and np.all(count > 0):
        quantiles = np.nanquantile(draws, QUANTILES, axis=0)
    return Summary(mean, spread / np.sqrt(np.maximum(count, 1)), spread, count, quantiles)


def trusted_errors(sizes: list[int], summaries: list[Summary | None], quantum: float = 0.0) -> list[np.ndarray]:
    """Standard error at each size, not smaller than the spread at all sizes together makes it.

    A few draws of an observable that is moved by rare events often show hardly any spread. The variances of all sizes
    are pooled under the spread's fall as size**-1/2 that self-averaging gives, and the larger error bar counts.

    Parameters
    ----------
    sizes : list of int
    summaries : list of Summary or None
        None where there is nothing at that size.
    quantum : float
        Smallest change of a draw, times the size. With no event seen in n draws the error of their number is one
        event, so that no error bar is smaller than ``quantum / (size n)``.

    Returns
    -------
    list of array
        nan for None.
    """
    usable = [(n, s) for n, s in zip(sizes, summaries, strict=True) if s is not None and np.all(s.count > 1)]
    if not usable:
        return [np.asarray(np.nan) if s is None else s.standard_error for s in summaries]
    freedom = sum(s.count - 1 for _, s in usable)
    pooled = sum(n * s.spread**2 * (s.count - 1) for n, s in usable) / freedom
    return [
        np.asarray(np.nan)
        if s is None
        else np.fmax(s.standard_error, np.sqrt(pooled / (n * np.fmax(s.count, 1)))).clip(
            quantum / (n * np.fmax(s.count, 1))
        )
        for n, s in zip(sizes, summaries, strict=True)
    ]


def excess(difference: ArrayLike, scale: ArrayLike, prediction: str, tolerance: float) -> np.ndarray:
    """Part of measurement minus prediction that the prediction does not allow.

    Parameters
    ----------
    difference : array
        Measurement minus prediction.
    scale : array
        Magnitude of the numbers, below whose rounding a difference is none.
    prediction : {"equal", "approximation", "upper", "lower"}
        An upper bound allows any negative difference, a lower bound any positive one.
    tolerance : float
        Systematic error allowed on either side.
    """
    difference = np.asarray(difference, dtype=float)
    outside = np.sign(difference) * np.maximum(np.abs(difference) - tolerance, 0.0)
    if prediction == "upper":
        outside = np.maximum(outside, 0.0)
    if prediction == "lower":
        outside = np.minimum(outside, 0.0)
    return np.where(np.abs(outside) <= EXACT * np.maximum(np.asarray(scale), 1e-300), 0.0, outside)


def z_score(outside: ArrayLike, standard_error: ArrayLike) -> np.ndarray:
    """Excess in units of its standard error; 0 where there is none, infinite where a difference has no error bar."""
    outside, standard_error = (np.asarray(part, dtype=float) for part in np.broadcast_arrays(outside, standard_error))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = outside / standard_error
    exact = (standard_error == 0) | ((outside == 0) & np.isfinite(standard_error))
    return np.where(exact, np.where(outside == 0, 0.0, np.copysign(np.inf, outside)), z)


def p_value(z: float, degrees_of_freedom: float) -> float:
    """Two-sided Student p-value: error bars from few draws have heavier tails than a Gaussian."""
    if np.isnan(z):
        return float("nan")
    return float(2 * stats.t.sf(abs(z), max(degrees_of_freedom, 1)))


def holm(p_values: dict[str, float], level: float = 0.05) -> dict[str, bool]:
    """Holm's step-down test: which hypotheses are rejected with family-wise error at most `level`.

    References
    ----------
    Holm, Scand. J. Statist. 6, 65 (1979).
    """
    known = sorted((p, name) for name, p in p_values.items() if not np.isnan(p))
    rejected = dict.fromkeys(p_values, False)
    for rank, (p, name) in enumerate(known):
        if p > level / (len(known) - rank):
            break
        rejected[name] = True
    return rejected


def fraction_error(successes: int, count: int) -> tuple[float, float]:
    """Success fraction and its standard error by Agresti and Coull (never zero, also at 0 and 1)."""
    if count == 0:
        return float("nan"), float("nan")
    shrunk = (successes + 2) / (count + 4)
    return successes / count, float(np.sqrt(shrunk * (1 - shrunk) / (count + 4)))

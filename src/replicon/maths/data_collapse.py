"""Collapse of measurements at several sizes onto one master curve, by least squares or by likelihood of counts.

References
----------
.. [1] S. M. Bhattacharjee, F. Seno, J. Phys. A 34, 6375 (2001): a measure of data collapse.
.. [2] J. Houdayer, A. K. Hartmann, Phys. Rev. B 70, 014418 (2004): its statistics as a chi square.
.. [3] G. H. Golub, V. Pereyra, SIAM J. Numer. Anal. 10, 413 (1973): linear parameters eliminated.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import BSpline
from scipy.optimize import OptimizeResult, least_squares
from scipy.special import log_ndtr, ndtr, ndtri, xlogy

STARTS = 5
"""Starting values of the inverse exponent, from which the collapse is optimised."""
KNOTS = (0, 1, 2, 4, 6, 8)


class Scaling(NamedTuple):
    """Fit of ``y = N**-shift f((x - critical) N**inverse_nu)`` with a free master curve f.

    Attributes
    ----------
    critical, inverse_nu, shift : float
        Critical point, 1/nu and beta/nu.
    covariance : array (3, 3)
        Of these three, from the curvature of chi square; zero rows for those that were given.
    chi_square : float
    degrees_of_freedom : int
        Points less fitted numbers, those of the master curve included; of fractions, points where both outcomes are
        expected at least once.
    residuals : array (points,)
        Normalised deviations of the points from the master curve; 0 where a fraction could hardly come out otherwise.
    curve : array (points,)
        The master curve at the points, in units of y.
    knots : int
        Inner knots of the master curve.
    converged : bool
    """

    critical: float
    inverse_nu: float
    shift: float
    covariance: np.ndarray
    chi_square: float
    degrees_of_freedom: int
    residuals: np.ndarray
    curve: np.ndarray
    knots: int
    converged: bool

    @property
    def errors(self) -> np.ndarray:
        """Standard errors of critical, inverse_nu and shift."""
        return np.sqrt(np.diag(self.covariance))


def fit_collapse(
    sizes: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    errors: ArrayLike,
    *,
    critical: float | None = None,
    inverse_nu: float | None = None,
    shift: float | None = None,
    start: tuple[float, float, float] | None = None,
    knots: int | None = None,
    trials: np.ndarray | None = None,
) -> Scaling:
    """Find the critical point and exponents for which points of several sizes fall onto one curve.

    The master curve is a cubic spline in the scaled variable; for fractions the spline gives their probit.

    Parameters
    ----------
    sizes, x, y, errors : arrays (points,)
        Sizes, control parameter, measured means and their standard errors.
    critical, inverse_nu, shift : float, optional
        Given instead of fitted.
    start : (float, float, float), optional
        First guess of critical, inverse_nu and shift; by default the middle of the x with several inverse_nu.
    knots : int, optional
        Inner knots of the spline, which has knots + 4 coefficients; by default as many of 0, 1, 2, 4, 6 or 8 as make
        chi square plus twice the number of coefficients smallest (Akaike).
    trials : array (points,), optional
        The y are fractions of so many draws, and shift must be given as 0: exponents and curve are then those of
        largest likelihood, and `errors` are not used.

    Returns
    -------
    Scaling

    Raises
    ------
    ValueError
        For fewer than two sizes, or no more points than fitted numbers.
    """
    sizes, x, y, errors = (np.asarray(part, dtype=float) for part in (sizes, x, y, errors))
    given = np.array([np.nan if part is None else part for part in (critical, inverse_nu, shift)], dtype=float)
    free = np.isnan(given)
    if trials is not None and shift != 0:
        raise ValueError("fractions have no amplitude that scales: give shift = 0")
    room = len(y) - int(free.sum()) - 4 - 1
    if len(np.unique(sizes)) < 2:
        raise ValueError("a collapse takes at least two sizes")
    if room < (knots or 0):
        raise ValueError(f"{len(y)} points are too few for {int(free.sum())} exponents and a master curve")
    unit = np.array([max(float(np.ptp(x)), 1e-300), 1.0, 1.0])

    def full(free_values: np.ndarray) -> np.ndarray:
        values = given.copy()
        values[free] = free_values * unit[free]
        return values

    guesses = np.linspace(0.2, 1.4, STARTS) if free[1] else given[1:2]
    first = [start] if start is not None else [(float(np.median(x)), float(guess), 0.0) for guess in guesses]
    starts = [(np.array(values) / unit)[free] for values in first]
    solve = _solve_means if trials is None else _solve_counts
    best, chosen = None, 0
    for number in KNOTS if knots is None else (knots,):
        if number > room:
            break
        fits = [solve(begin, (sizes, x, y, errors if trials is None else trials), full, number) for begin in starts]
        fit = min(fits, key=lambda found: found.cost)
        if best is None or 2 * fit.cost + 2 * number < 2 * best.cost + 2 * chosen:
            best, chosen = fit, number
        starts = [fit.x[: int(free.sum())]]
    assert best is not None
    count = int(free.sum())
    covariance = np.zeros((3, 3))
    if count:
        inner = np.linalg.pinv(best.jac.T @ best.jac)[:count, :count]
        covariance[np.ix_(free, free)] = inner * np.outer(unit[free], unit[free])
    values = full(best.x[:count])
    residuals, informative = best.fun, np.ones(len(y), dtype=bool)
    curve = y - residuals * errors
    if trials is not None:
        curve = p = ndtr(_basis(sizes, x, values, chosen) @ best.x[count:])
        informative = trials * np.minimum(p, 1 - p) >= 1
        residuals = (y - p) * np.sqrt(trials / np.where(informative, p * (1 - p), np.inf))
    freedom = int(informative.sum()) - (chosen + 4) - count
    critical, inverse_nu, shift = map(float, values)
    chi_square = float(residuals @ residuals)
    return Scaling(
        critical, inverse_nu, shift, covariance, chi_square, freedom, residuals, curve, chosen, bool(best.success)
    )


def _solve_means(
    first: np.ndarray, points: tuple[np.ndarray, ...], full: Callable[[np.ndarray], np.ndarray], knots: int
) -> OptimizeResult:
    """Least squares in the exponents, the master curve eliminated at each trial."""
    sizes, x, y, errors = points
    growth = sizes / sizes.min()

    def residuals(free_values: np.ndarray) -> np.ndarray:
        values = full(free_values)
        design = _basis(sizes, x, values, knots) * (growth ** -values[2] / errors)[:, None]
        return y / errors - design @ np.linalg.lstsq(design, y / errors, rcond=None)[0]

    return least_squares(residuals, first, x_scale="jac")


def _solve_counts(
    first: np.ndarray, points: tuple[np.ndarray, ...], full: Callable[[np.ndarray], np.ndarray], knots: int
) -> OptimizeResult:
    """Maximum likelihood of binomial counts, exponents and curve together, with the curve in probits.

    In probits a sigmoid is nearly straight, so that few knots serve however far the points reach into its tails.
    """
    sizes, x, y, trials = points
    won = y * trials
    count = len(first)
    constant = xlogy(won, y) + xlogy(trials - won, 1 - y)

    def residuals(free_values: np.ndarray) -> np.ndarray:
        values = full(free_values[:count])
        probit = _basis(sizes, x, values, knots) @ free_values[count:]
        deviance = 2 * (constant - won * log_ndtr(probit) - (trials - won) * log_ndtr(-probit))
        return np.sign(y - ndtr(probit)) * np.sqrt(np.maximum(deviance, 0.0) + 1e-300)

    shrunk = (won + 0.5) / (trials + 1)
    weight = np.sqrt(trials * shrunk * (1 - shrunk))[:, None]
    basis = _basis(sizes, x, full(first), knots)
    curve = np.linalg.lstsq(basis * weight, ndtri(shrunk) * weight[:, 0], rcond=None)[0]
    return least_squares(residuals, np.concatenate([first, curve]), x_scale="jac")


def _basis(sizes: np.ndarray, x: np.ndarray, values: np.ndarray, knots: int) -> np.ndarray:
    """Cubic B-splines at the scaled points, over their range, shape (points, knots + 4)."""
    critical, inverse_nu, _ = values
    scaled = (x - critical) * (sizes / sizes.min()) ** inverse_nu
    low, high = scaled.min(), scaled.max()
    u = np.clip((scaled - low) / max(high - low, 1e-300), 0.0, 1.0)
    ends = np.r_[[0.0] * 3, np.linspace(0, 1, knots + 2), [1.0] * 3]
    return BSpline.design_matrix(u, ends, 3).toarray()

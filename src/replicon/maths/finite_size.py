"""Transitions in finite systems: where successes give way to failures, and the collapse of several sizes onto one curve.

References
----------
.. [1] D. J. Finney, Probit Analysis (Cambridge University Press, 1947): maximum likelihood by Fisher scoring.
.. [2] S. M. Bhattacharjee, F. Seno, J. Phys. A 34, 6375 (2001): a measure of data collapse.
.. [3] J. Houdayer, A. K. Hartmann, Phys. Rev. B 70, 014418 (2004): its statistics as a chi square.
.. [4] G. H. Golub, V. Pereyra, SIAM J. Numer. Anal. 10, 413 (1973): linear parameters eliminated.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.interpolate import BSpline
from scipy.optimize import OptimizeResult, least_squares
from scipy.special import log_ndtr, ndtr

FURTHEST = 8.0
"""Standard deviations from the threshold beyond which a success is as good as certain."""
NEWTON_STEPS = 60
STARTS = 5
"""Starting values of the inverse exponent, from which the collapse is optimised."""
KNOTS = (0, 1, 2, 4, 6, 8)
REWEIGHTINGS = 3


class Threshold(NamedTuple):
    """Where the success fraction is one half, by the fit ``p(x) = Phi((location - x) / width)``.

    Attributes
    ----------
    location, location_error : float
        x of success fraction 1/2, and its standard error from the Fisher information.
    width, width_error : float
        Negative where successes become more frequent with x.
    chi_square : float
        Pearson's, of the fractions against the curve.
    degrees_of_freedom : int
        Distinct x with draws, less two.
    separated : bool
        No x range with both outcomes: the location is the middle of the gap, its error that of a uniform
        distribution over the gap, and the width is zero.
    """

    location: float
    location_error: float
    width: float
    width_error: float
    chi_square: float
    degrees_of_freedom: int
    separated: bool


def fit_threshold(x: np.ndarray, successes: np.ndarray, trials: np.ndarray) -> Threshold:
    """Fit the success fraction of binomial counts by a cumulative normal distribution, by maximum likelihood.

    Parameters
    ----------
    x, successes, trials : arrays (levels,)
        Where, how many successes, of how many draws.

    Returns
    -------
    Threshold
        nan where all draws have the same outcome.
    """
    x, successes, trials = (np.asarray(part, dtype=float) for part in (x, successes, trials))
    used = trials > 0
    x, successes, trials = x[used], successes[used], trials[used]
    if not (0 < successes.sum() < trials.sum()):
        return Threshold(*[np.nan] * 5, 0, False)
    gap = _gap(x, successes, trials)
    if gap is not None:
        return Threshold(float(np.mean(gap)), abs(gap[1] - gap[0]) / np.sqrt(12), 0.0, np.nan, np.nan, 0, True)
    centre, scale = np.average(x, weights=trials), max(float(np.ptp(x)), 1e-300)
    design = np.stack([np.ones_like(x), (x - centre) / scale], axis=1)
    (intercept, slope), information = (part[0] for part in _score(design, successes[None], trials))
    covariance = np.linalg.inv(information)
    gradient = np.array([-1 / slope, intercept / slope**2])
    location_error = scale * np.sqrt(gradient @ covariance @ gradient)
    p = ndtr(design @ [intercept, slope])
    chi_square = float(np.sum((successes - trials * p) ** 2 / np.maximum(trials * p * (1 - p), 1e-12)))
    return Threshold(
        float(centre - scale * intercept / slope),
        float(location_error),
        float(-scale / slope),
        float(scale * np.sqrt(covariance[1, 1]) / slope**2),
        chi_square,
        max(len(np.unique(x)) - 2, 0),
        False,
    )


def bootstrap_threshold(
    x: np.ndarray, successes: np.ndarray, trials: np.ndarray, generator: np.random.Generator, resamples: int = 400
) -> np.ndarray:
    """Locations of `fit_threshold` for outcomes drawn again, level by level, from the fitted curve.

    Parameters
    ----------
    x, successes, trials : arrays (levels,)
    generator : numpy.random.Generator
    resamples : int

    Returns
    -------
    array (resamples,)
        nan where a resample has one outcome only, or where the data are separated.
    """
    fit = fit_threshold(x, successes, trials)
    if fit.separated or not np.isfinite(fit.location):
        return np.full(resamples, np.nan)
    x, trials = np.asarray(x, dtype=float), np.asarray(trials, dtype=int)
    drawn = generator.binomial(trials, ndtr((fit.location - x) / fit.width), size=(resamples, len(x)))
    return np.array([fit_threshold(x, row, trials).location for row in drawn])


def _gap(x: np.ndarray, successes: np.ndarray, trials: np.ndarray) -> tuple[float, float] | None:
    """The interval between successes and failures where they do not overlap, which no slope can fit."""
    won, lost = x[successes > 0], x[successes < trials]
    if won.max() <= lost.min():
        return float(won.max()), float(lost.min())
    if lost.max() <= won.min():
        return float(lost.max()), float(won.min())
    return None


def _score(design: np.ndarray, successes: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (sets, 2) and Fisher information (sets, 2, 2) of probit regressions, by Fisher scoring."""
    shrunk = (successes.sum(axis=1) + 0.5) / (trials.sum() + 1.0)
    coefficients = np.stack([stats.norm.ppf(shrunk), np.zeros_like(shrunk)], axis=1)
    information = np.empty((len(successes), 2, 2))
    for _ in range(NEWTON_STEPS):
        eta = np.clip(coefficients @ design.T, -FURTHEST, FURTHEST)
        density = np.exp(-0.5 * eta**2) / np.sqrt(2 * np.pi)
        won, lost = density / np.exp(log_ndtr(eta)), density / np.exp(log_ndtr(-eta))
        gradient = (successes * won - (trials - successes) * lost) @ design
        information = np.einsum("sl,li,lj->sij", trials * won * lost, design, design)
        step = np.linalg.solve(information, gradient[..., None])[..., 0]
        step *= np.minimum(1.0, 3.0 / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-300))
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-10:
            break
    return coefficients, information


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
        Points less fitted numbers, those of the master curve included.
    residuals : array (points,)
        Normalised deviations of the points from the master curve.
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
    knots: int
    converged: bool

    @property
    def errors(self) -> np.ndarray:
        """Standard errors of critical, inverse_nu and shift."""
        return np.sqrt(np.diag(self.covariance))


def fit_collapse(
    sizes: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    errors: np.ndarray,
    *,
    critical: float | None = None,
    inverse_nu: float | None = None,
    shift: float | None = None,
    start: float | None = None,
    knots: int | None = None,
    trials: np.ndarray | None = None,
) -> Scaling:
    """Find the critical point and exponents for which points of several sizes fall onto one curve.

    The master curve is a cubic spline in the scaled variable, eliminated by linear least squares at each trial of
    the exponents.

    Parameters
    ----------
    sizes, x, y, errors : arrays (points,)
        Sizes, control parameter, measured means and their standard errors.
    critical, inverse_nu, shift : float, optional
        Given instead of fitted.
    start : float, optional
        First guess of the critical point; by default the middle of the x.
    knots : int, optional
        Inner knots of the spline, which has knots + 4 coefficients; by default as many of 0, 1, 2, 4, 6 or 8 as make
        chi square plus twice the number of coefficients smallest (Akaike).
    trials : array (points,), optional
        The y are fractions of so many draws: their variances then come from the master curve itself, since those
        of single counts pull a fit towards 0 and 1.

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
    room = len(y) - int(free.sum()) - 4 - 1
    if len(np.unique(sizes)) < 2:
        raise ValueError("a collapse takes at least two sizes")
    if room < (knots or 0):
        raise ValueError(f"{len(y)} points are too few for {int(free.sum())} exponents and a master curve")
    unit = np.array([max(float(np.ptp(x)), 1e-300), 1.0, 1.0])
    middle = float(np.median(x)) if start is None else start

    def full(free_values: np.ndarray) -> np.ndarray:
        values = given.copy()
        values[free] = free_values * unit[free]
        return values

    guesses = np.linspace(0.2, 1.4, STARTS) if free[1] else given[1:2]
    starts = [(np.array([middle, guess, 0.0]) / unit)[free] for guess in guesses]
    best, chosen = None, 0
    for number in KNOTS if knots is None else (knots,):
        if number > room:
            break
        fits = [_relaxed(first, (sizes, x, y), errors, full, number, trials) for first in starts]
        fit = min(fits, key=lambda found: found.cost)
        if best is None or 2 * fit.cost + 2 * number < 2 * best.cost + 2 * chosen:
            best, chosen = fit, number
        starts = [fit.x]
    assert best is not None
    covariance = np.zeros((3, 3))
    if free.any():
        covariance[np.ix_(free, free)] = np.linalg.pinv(best.jac.T @ best.jac) * np.outer(unit[free], unit[free])
    critical, inverse_nu, shift = map(float, full(best.x))
    return Scaling(
        critical, inverse_nu, shift, covariance, float(2 * best.cost), room + 1 - chosen, best.fun, chosen,
        bool(best.success),
    )  # fmt: skip


def _relaxed(
    first: np.ndarray,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    errors: np.ndarray,
    full: Callable[[np.ndarray], np.ndarray],
    knots: int,
    trials: np.ndarray | None,
) -> OptimizeResult:
    """Least squares; for fractions repeated with the variances of the curve found, until they settle."""

    def residuals(free_values: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        return _deviations(*points, sigma, full(free_values), knots)[0]

    fit = least_squares(residuals, first, args=(errors,), x_scale="jac")
    sigma = errors
    for _ in range(REWEIGHTINGS if trials is not None else 0):
        curve = np.clip(_deviations(*points, sigma, full(fit.x), knots)[1], 0.0, 1.0)
        p = (curve * trials + 1) / (trials + 2)
        sigma = np.sqrt(p * (1 - p) / trials)
        fit = least_squares(residuals, fit.x, args=(sigma,), x_scale="jac")
    return fit


def _deviations(
    sizes: np.ndarray, x: np.ndarray, y: np.ndarray, sigma: np.ndarray, values: np.ndarray, knots: int
) -> tuple[np.ndarray, np.ndarray]:
    """Normalised deviations from the best master curve at these exponents, and the curve at the points."""
    critical, inverse_nu, shift = values
    scaled = (x - critical) * (sizes / sizes.min()) ** inverse_nu
    low, high = scaled.min(), scaled.max()
    u = (scaled - low) / max(high - low, 1e-300)
    inner = np.linspace(0, 1, knots + 2)
    basis = BSpline.design_matrix(np.clip(u, 0, 1), np.r_[[0.0] * 3, inner, [1.0] * 3], 3).toarray()
    amplitude = (sizes / sizes.min()) ** -shift
    design = basis * (amplitude / sigma)[:, None]
    coefficients = np.linalg.lstsq(design, y / sigma, rcond=None)[0]
    deviation = y / sigma - design @ coefficients
    return deviation, (y / sigma - deviation) * sigma

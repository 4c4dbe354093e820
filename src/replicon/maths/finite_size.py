"""Where successes give way to failures in a finite system: binomial counts fitted by maximum likelihood.

References
----------
.. [1] D. J. Finney, Probit Analysis (Cambridge University Press, 1947): maximum likelihood by Fisher scoring.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import log_ndtr, ndtr

FURTHEST = 8.0
"""Standard deviations from the threshold beyond which a success is as good as certain."""
NEWTON_STEPS = 60


class Threshold(NamedTuple):
    """Where the success fraction is one half, by the fit ``p(x) = Phi((location - x) / width)``.

    Attributes
    ----------
    location, location_error : float
        x of success fraction 1/2, and its standard error from the Fisher information.
    width, width_error : float
        Negative where successes become more frequent with x.
    chi_square : float
        Pearson's, of the fractions against the curve, where both outcomes are expected at least once.
    degrees_of_freedom : int
        Number of such x, less two.
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


def no_threshold() -> Threshold:
    """The fit to outcomes that are all alike: nan."""
    nan = float("nan")
    return Threshold(nan, nan, nan, nan, nan, 0, False)


def fit_threshold(x: ArrayLike, successes: ArrayLike, trials: ArrayLike) -> Threshold:
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
        return no_threshold()
    gap = _gap(x, successes, trials)
    if gap is not None:
        return Threshold(float(np.mean(gap)), abs(gap[1] - gap[0]) / np.sqrt(12), 0.0, np.nan, np.nan, 0, True)
    design, centre, scale = _design(x, trials)
    (intercept, slope), information = (part[0] for part in _score(design, successes[None], trials))
    covariance = np.linalg.inv(information)
    gradient = np.array([-1 / slope, intercept / slope**2])
    location_error = scale * np.sqrt(gradient @ covariance @ gradient)
    p = ndtr(design @ [intercept, slope])
    # Levels where one outcome is not even expected once add nothing to chi square, and must not count as points.
    tells = trials * np.minimum(p, 1 - p) >= 1
    variance = np.where(tells, trials * p * (1 - p), np.inf)
    chi_square = float(np.sum((successes - trials * p) ** 2 / variance))
    return Threshold(
        float(centre - scale * intercept / slope),
        float(location_error),
        float(-scale / slope),
        float(scale * np.sqrt(covariance[1, 1]) / slope**2),
        chi_square,
        max(int(tells.sum()) - 2, 0),
        False,
    )


def bootstrap_threshold(
    x: ArrayLike, successes: ArrayLike, trials: ArrayLike, generator: np.random.Generator, resamples: int = 400
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
        nan where a resample, or the data themselves, have no x range with both outcomes.
    """
    fit = fit_threshold(x, successes, trials)
    if fit.separated or not np.isfinite(fit.location):
        return np.full(resamples, np.nan)
    x, trials = np.asarray(x, dtype=float), np.asarray(trials, dtype=int)
    used = trials > 0
    x, trials = x[used], trials[used]
    drawn = generator.binomial(trials, ndtr((fit.location - x) / fit.width), size=(resamples, len(x)))
    mixed = [0 < row.sum() < trials.sum() and _gap(x, row, trials) is None for row in drawn]
    design, centre, scale = _design(x, trials)
    coefficients, _ = _score(design, drawn[mixed].astype(float), trials.astype(float))
    found = np.full(resamples, np.nan)
    found[mixed] = centre - scale * coefficients[:, 0] / coefficients[:, 1]
    return found


def _design(x: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Columns of the regression, with x centred and scaled."""
    centre, scale = float(np.average(x, weights=trials)), max(float(np.ptp(x)), 1e-300)
    return np.stack([np.ones_like(x), (x - centre) / scale], axis=1), centre, scale


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

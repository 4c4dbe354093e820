r"""A density from what a Gaussian channel shows of it, by averaging over families of scale mixtures.

The data are ``x = s + sqrt(q) z`` with q known, and the density of s is wanted only as seen through such a channel.
Each family is a mixture of zero-mean Gaussians over one common grid of variances: a Laplace variable is a Gaussian of
exponential variance, Student's of inverse-gamma variance, Bernoulli-Gauss of two variances, one of them zero. So the
likelihood of every family at every scale is one matrix product, and the estimate is their average by posterior
probability: it is as simple as the data leave it, and always smooth.

References
----------
.. [1] J. Vila, P. Schniter, IEEE Trans. Signal Process. 61, 4658 (2013): densities learned within message passing.
.. [2] D. Andrews, C. Mallows, J. R. Stat. Soc. B 36, 99 (1974): scale mixtures of normal distributions.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from replicon.maths.scalar_channel import GaussianMixture

_STEP = 0.1
"""Step in the logarithm of the variance: half of it in the variance costs a ten-thousandth of the error."""
_RANGE = 8.0
"""Logarithm of the largest variance of a component over the variance of the density."""
_SCALES = np.arange(-40, 21)
"""Scales tried, in steps, about the variance that the second moment asks for: mostly below, as outliers raise it."""
_DEGREES = (2.3, 2.7, 3.3, 4.2, 6.0, 10.0)
"""Degrees of freedom of Student's density that are tried; its variance exists above 2."""
_SHARES = tuple(0.02 * 1.5 ** np.arange(9))
"""Fractions of non-zeros that are tried."""
_BLOCK = 2048
"""Data taken at a time, which bounds the memory."""


class EstimatedDensity(NamedTuple):
    """A density with the evidence for its shape.

    Attributes
    ----------
    density : GaussianMixture
        Zero-mean components on a fixed number of variances, the first of them zero.
    probabilities : dict of str to float
        Posterior probability of each family, summed over its scales and shapes.
    """

    density: GaussianMixture
    probabilities: dict[str, float]


def estimate_density(x: np.ndarray, q: float, families: Sequence[str]) -> EstimatedDensity:
    """Estimate the density of s from independent ``x = s + N(0, q)``.

    Parameters
    ----------
    x : array (size,)
    q : float
        Variance of the channel, positive.
    families : sequence of {"gaussian", "laplace", "student", "bernoulli_gauss"}
        Equally probable a priori, and so are the scales of each.

    Returns
    -------
    EstimatedDensity
    """
    square = float(np.mean(x**2))
    # The channel alone may explain x: then the second moment of s is known to be small, but not how small.
    centre = max(square - q, 0.05 * max(square, q))
    place = np.arange(-_RANGE, _RANGE + _STEP / 2, _STEP)
    components = place.size + _SCALES.size - 1
    # Scale k of the tables puts their middle at entry k + half of the grid; the entry of scale 0 is the centre.
    middle = place.size // 2 - int(_SCALES[0])
    variances: Any = np.append(0.0, centre * np.exp(_STEP * (np.arange(components) - middle)))
    names, rows = [], []
    log_prior = []
    for family in families:
        shapes = _shapes(family, place)
        for atom, weights in shapes:
            for first in range(_SCALES.size):
                row = np.zeros(components + 1)
                row[0] = atom
                row[1 + first : 1 + first + place.size] = weights
                names.append(family)
                rows.append(row)
                log_prior.append(-np.log(len(shapes)))
    models = np.array(rows)
    width = variances + q
    log_posterior = np.array(log_prior)
    for begin in range(0, x.size, _BLOCK):
        block = x[begin : begin + _BLOCK, None]
        exponent = -0.5 * (block**2 / width + np.log(width))
        # Relative to the likeliest component of each, so that no outlier underflows.
        exponent -= exponent.max(axis=1, keepdims=True)
        log_posterior += np.log(np.maximum(np.exp(exponent) @ models.T, 1e-300)).sum(axis=0)
    posterior = np.exp(log_posterior - log_posterior.max())
    posterior /= posterior.sum()
    weights = posterior @ models
    probabilities = {family: 0.0 for family in families}
    for name, probability in zip(names, posterior, strict=True):
        probabilities[name] += float(probability)
    # NumPy arrays serve in both precisions.
    parts: dict[str, Any] = {"weights": weights / weights.sum(), "means": np.zeros(weights.size)}
    mixture = GaussianMixture(**parts, variances=variances)
    return EstimatedDensity(mixture, probabilities)


def _shapes(family: str, place: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Weight of the atom at zero and weights of the variances ``exp(place)``, of second moment one, per shape."""

    def point(log_variance: float) -> np.ndarray:
        return (np.arange(place.size) == np.argmin(np.abs(place - log_variance))).astype(float)

    if family == "gaussian":
        return [(0.0, point(0.0))]
    if family == "laplace":
        weights = np.exp(place - np.exp(place))
        return [(0.0, weights / weights.sum())]
    if family == "student":
        found = []
        for degrees in _DEGREES:
            half = degrees / 2
            weights = np.exp(-half * place - (half - 1) * np.exp(-place))
            found.append((0.0, weights / weights.sum()))
        return found
    return [(1 - share, share * point(-np.log(share))) for share in _SHARES]

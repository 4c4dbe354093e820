r"""Couplings of a confocal cavity at Gaussian positions: density, moments, spectrum, stability of the ferromagnet.

Positions :math:`r_i` have standard deviation w per coordinate, in units of the mode waist, and
:math:`J_{ij} = \cos(2 r_i \cdot r_j)`. Then :math:`r_i \cdot r_j / w^2` has the Laplace density
:math:`e^{-|u|}/2`, so that with :math:`\theta = 2 w^2` the coupling is the cosine of a Laplace variable of scale
:math:`\theta`. As an integral operator over the positions J has a discrete spectrum, by Mehler's formula at an
imaginary argument.

References
----------
.. [1] B. P. Marsh et al., Phys. Rev. X 11, 021048 (2021) (the model).
.. [2] F. G. Mehler, J. reine angew. Math. 66, 161 (1866) (the kernel).
.. [3] V. Koltchinskii, E. Gine, Bernoulli 6, 113 (2000) (spectra of random kernel matrices).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import erfc

from replicon.core.errors import ParameterError
from replicon.maths.grids import pointwise
from replicon.maths.solution import CONVERGED, Solution

OUT_OF_RANGE = 2
UNRESOLVED = 4

LEVELS = 4
"""Levels n = 0, 2, 4, 6 for which sampling corrections are computed."""

_HIGHEST = 48
"""Highest Hermite function in the sums over levels; the terms fall as sigma^(2 n)."""

_GRID = np.linspace(-15.0, 15.0, 801)


@pointwise()
def coupling_density(J: Array | float, width: Array | float) -> tuple[Array, Array]:
    r"""Probability density of the coupling of two spins.

    :math:`p(J) = \cosh[(\pi - \arccos J)/\theta] / [\theta \sinh(\pi/\theta) \sqrt{1 - J^2}]`, :math:`\theta = 2 w^2`.

    Parameters
    ----------
    J : float or array
        Between -1 and 1; the density is infinite at both ends and 0 beyond.
    width : float or array
        w > 0, in mode waists.

    Returns
    -------
    Solution
    """
    inside = jnp.abs(J) < 1
    angle = jnp.arccos(jnp.where(inside, J, 0.0))
    theta, status = _scale(width)
    # cosh(a) / sinh(b), 0 <= a <= b, without overflow at small width.
    ratio = (jnp.exp(-angle / theta) + jnp.exp((angle - 2 * jnp.pi) / theta)) / -jnp.expm1(-2 * jnp.pi / theta)
    density = ratio / (theta * jnp.sqrt(jnp.where(inside, 1 - J**2, 1.0)))
    return jnp.where(inside, density, jnp.where(jnp.abs(J) == 1, jnp.inf, 0.0)) + _blank(status), status


@pointwise()
def coupling_distribution(J: Array | float, width: Array | float) -> tuple[Array, Array]:
    r"""Probability that the coupling of two spins is at most J.

    :math:`\sinh[(\pi - \arccos J)/\theta] / \sinh(\pi/\theta)`, :math:`\theta = 2 w^2`.

    Parameters
    ----------
    J : float or array
    width : float or array
        w > 0, in mode waists.

    Returns
    -------
    Solution
    """
    theta, status = _scale(width)
    clipped = jnp.clip(J, -1.0, 1.0)
    angle = jnp.arccos(clipped)
    ratio = (jnp.exp(-angle / theta) - jnp.exp((angle - 2 * jnp.pi) / theta)) / -jnp.expm1(-2 * jnp.pi / theta)
    return jnp.clip(ratio, 0.0, 1.0) + _blank(status), status


@pointwise()
def coupling_moments(width: Array | float) -> tuple[dict[str, Array], Array]:
    r"""Moments of the coupling, :math:`E J = 1/(1 + \theta^2)` and :math:`E J^2 = 1/2 + 1/(2 (1 + 4 \theta^2))`.

    Parameters
    ----------
    width : float or array
        w > 0, in mode waists.

    Returns
    -------
    Solution
        `values`: dict of `mean` and `mean_square`.
    """
    theta, status = _scale(width)
    values = dict(mean=1 / (1 + theta**2), mean_square=0.5 + 0.5 / (1 + 4 * theta**2))
    return {name: value + _blank(status) for name, value in values.items()}, status


def spectrum(width: Array | float, levels: int = LEVELS) -> Solution:
    r"""Eigenvalues of J/N for many spins, with their multiplicities.

    :math:`\lambda_n = (-1)^{n/2} c\, \sigma^{1+n}`, n = 0, 2, 4, ..., each n + 1 times, with
    :math:`c = 1/(2 w^2)` and :math:`\sigma = (\sqrt{c^2 + 4} - c)/2`.

    Parameters
    ----------
    width : float or array
        w > 0, in mode waists.
    levels : int
        How many levels, from the largest.

    Returns
    -------
    Solution
        `values`: dict of `eigenvalue` and `multiplicity`, each of shape (..., levels).

    Raises
    ------
    ParameterError
        `levels` no whole number of at least 1.
    """
    if isinstance(levels, bool) or not isinstance(levels, (int, np.integer)) or levels < 1:
        raise ParameterError(f"levels is {levels!r}; give a whole number of at least 1")
    return _spectrum(width, int(levels))


@pointwise("levels")
def _spectrum(width: Array | float, levels: int) -> tuple[dict[str, Array], Array]:
    theta, status = _scale(width)
    n = 2 * jnp.arange(levels)
    return dict(eigenvalue=_eigenvalues(theta, n) + _blank(status), multiplicity=n + 1.0), status


@pointwise()
def sampled_spectrum(width: Array | float, size: Array | float) -> tuple[Array, Array]:
    r"""Mean eigenvalue of J/N, :math:`J_{ii} = 0`, of each level n = 0, 2, 4, 6 for N random positions.

    To order 1/N. With :math:`S_n(r)` the sum of the squared eigenfunctions of level n, second-order perturbation in
    the sampling noise and first order in the missing diagonal give

    .. math:: \langle\hat\lambda_n\rangle = \lambda_n + \frac{1}{N (n + 1)} \Big[ \sum_{m \ne n}
        \frac{\lambda_m^2\, E[S_n S_m]}{\lambda_n - \lambda_m} - \lambda_n\, E[S_n S_n] \Big] .

    Parameters
    ----------
    width : float or array
        w > 0, in mode waists.
    size : float or array
        Number of spins N.

    Returns
    -------
    Solution
        `values` of shape (..., 4). Bit 4 of the status, and nan, where N times the eigenvalue of a level is below
        twice the edge sqrt(2 N) of the noise's semicircle: the level is then lost in the noise. The bit is set by
        the largest eigenvalue alone.
    """
    theta, status = _scale(width)
    n = 2 * jnp.arange(_HIGHEST // 2)
    eigenvalues = _eigenvalues(theta, n)
    products = _products(theta)
    here = eigenvalues[:LEVELS, None]
    other = jnp.arange(LEVELS)[:, None] != jnp.arange(n.size)[None, :]
    gap = jnp.where(other, here - eigenvalues[None, :], 1.0)
    terms = jnp.where(other, eigenvalues[None, :] ** 2 / gap, -here) * products
    means = eigenvalues[:LEVELS] + terms.sum(axis=1) / (size * (n[:LEVELS] + 1))
    resolved = jnp.abs(eigenvalues[:LEVELS]) * jnp.sqrt(size) >= 2 * jnp.sqrt(2.0)
    bit = jnp.where(resolved[0], CONVERGED, UNRESOLVED)
    return jnp.where(resolved, means, jnp.nan) + _blank(status), jnp.where(status == CONVERGED, bit, status)


@pointwise()
def ferromagnet_error(width: Array | float, size: Array | float) -> tuple[Array, Array]:
    r"""Expected fraction of spins whose field opposes them when all N spins are up.

    A spin at distance r feels N - 1 couplings of mean :math:`\mu = e^{-2 w^2 r^2}` and variance
    :math:`v = (1 + \mu^4)/2 - \mu^2`; taken as Gaussian their sum is negative with probability
    :math:`\mathrm{erfc}[\mu \sqrt{(N - 1)/(2 v)}]/2`. With :math:`r^2 = 2 w^2 x` and x exponentially distributed,
    :math:`\mu = e^{-\theta^2 x}`: the periphery is lost first. For large N the fraction falls as
    :math:`N^{-1/(2 \theta^2)}`.

    Parameters
    ----------
    width : float or array
        w > 0, in mode waists.
    size : float or array
        Number of spins N; infinite gives 0.

    Returns
    -------
    Solution
    """
    theta, status = _scale(width)
    # x = ln(1/y)/theta^2 makes mu = y; the weight y^(1/theta^2) is smooth on a logarithmic grid of y.
    log_mean = jnp.linspace(-60.0, 0.0, 4001)
    mean = jnp.exp(log_mean)
    variance = 0.5 * (1 - mean**2) ** 2
    ratio = mean * jnp.sqrt(jnp.maximum(size - 1.0, 0.0) / jnp.maximum(2 * variance, 1e-300))
    weight = jnp.exp(log_mean / theta**2) / theta**2
    inner = jax.scipy.integrate.trapezoid(weight * 0.5 * erfc(ratio), log_mean)
    tail = 0.5 * jnp.exp(-60.0 / theta**2)
    return jnp.where(jnp.isinf(size), 0.0, inner + tail) + _blank(status), status


def ferromagnet_width() -> float:
    r"""Width below which all spins up is a fixed point for :math:`N \to \infty`, :math:`2^{-3/4}` mode waists.

    The number of unstable spins grows as :math:`N^{1 - 1/(2 \theta^2)}` (see `ferromagnet_error`), hence vanishes
    for :math:`\theta^2 < 1/2`. The approach is slow, with powers of ln N.
    """
    return 2.0**-0.75


def _scale(width: Array | float) -> tuple[Array, Array]:
    width = jnp.asarray(width)
    valid = (width > 0) & jnp.isfinite(width)
    return jnp.where(valid, 2 * width**2, 1.0), jnp.where(valid, CONVERGED, OUT_OF_RANGE)


def _blank(status: Array) -> Array:
    return jnp.where(status == OUT_OF_RANGE, jnp.nan, 0.0)


def _sigma(theta: Array) -> Array:
    # (sqrt(c^2 + 4) - c)/2 with c = 1/theta, without cancellation at small theta.
    return 2 * theta / (1 + jnp.sqrt(1 + 4 * theta**2))


def _eigenvalues(theta: Array, n: Array) -> Array:
    return (1 - 2 * ((n // 2) % 2)) * _sigma(theta) ** (1 + n) / theta


def _hermite_squares() -> np.ndarray:
    """Squares of the orthonormal Hermite functions 0 ... on the grid."""
    values = np.empty((_HIGHEST, _GRID.size))
    values[0] = np.pi**-0.25 * np.exp(-(_GRID**2) / 2)
    values[1] = np.sqrt(2.0) * _GRID * values[0]
    for k in range(2, _HIGHEST):
        values[k] = np.sqrt(2 / k) * _GRID * values[k - 1] - np.sqrt((k - 1) / k) * values[k - 2]
    return values**2


_SQUARES = _hermite_squares()


def _products(theta: Array) -> Array:
    """E[S_n S_m] for n = 0, 2, 4, 6 (rows) and m = 0, 2, 4, ... (columns).

    The eigenfunctions in one coordinate are Hermite functions of x/l, l^2 = sigma/(1 + sigma^2), over the root of
    the density of the positions.
    """
    sigma = _sigma(theta)
    growth = (1 - sigma**2) / (1 + sigma**2)
    step = _GRID[1] - _GRID[0]
    scale = jnp.sqrt(jnp.pi * theta * (1 + sigma**2) / sigma)
    one = scale * step * (_SQUARES[: 2 * LEVELS] * jnp.exp(growth * _GRID**2)) @ _SQUARES.T
    rows = []
    for level in range(LEVELS):
        pairs = [jnp.convolve(one[a], one[2 * level - a])[:_HIGHEST:2] for a in range(2 * level + 1)]
        rows.append(sum(pairs))
    return jnp.stack(rows)

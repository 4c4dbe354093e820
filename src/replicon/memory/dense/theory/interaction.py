r"""The noise of the other memories: correlations of its field for ``F(x) = x^n`` and ``max(x, 0)^n``.

For K = alpha N^(n-1) random memories the energy of a configuration far from all of them is Gaussian, with covariance
``N xi(q) = N alpha E[F(x) F(x')]`` (up to a constant) between configurations of overlap q, where x and x' are unit
Gaussians of correlation q. Its field has covariance ``xi'(q) = alpha n^2 E[f_{n-1}(x) f_{n-1}(x')]``, f_k the same
kind of power of degree k: that is a mixed spin glass with interactions of n spins and fewer.

All functions take ``p = 1 - q``, which keeps the digits that q loses when spins freeze.

References
----------
.. [1] E. Gardner, J. Phys. A 20, 3453 (1987).
.. [2] Y. Cho, L. K. Saul, NeurIPS 22 (2009), eqs. 3-6: the rectified averages.
"""

from functools import cache
from math import prod

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.polynomial import polynomial

from replicon.core.errors import ParameterError

INTERACTIONS = ("power", "rectified")


def known_interaction(degree: int, interaction: str) -> None:
    """Refuse a degree that is no whole number of at least 2, and an interaction that is not known."""
    if isinstance(degree, bool) or not isinstance(degree, (int, np.integer)) or degree < 2:
        raise ParameterError(f"degree is {degree!r}; give a whole number of at least 2")
    if interaction not in INTERACTIONS:
        raise ParameterError(f"interaction is {interaction!r}; choose one of: {', '.join(INTERACTIONS)}")


def double_factorial(k: int) -> int:
    """``k!! = k (k - 2) (k - 4) ...`` of an odd k, 1 for k = -1."""
    return prod(range(k, 0, -2))


def noise_strength(degree: int, interaction: str) -> float:
    """``(2n-3)!! c`` with c = 1 (power) or 1/2 (rectified): alpha times it is noise variance over signal^2."""
    return double_factorial(2 * degree - 3) * (0.5 if interaction == "rectified" else 1.0)


def field_correlation(p: Array, degree: int, interaction: str) -> Array:
    """``xi'(1 - p) / alpha``, the covariance of the noise field in two configurations of overlap 1 - p."""
    return degree**2 * _average(p, degree - 1, interaction)


def field_correlation_slope(p: Array, degree: int, interaction: str) -> Array:
    """``xi''(1 - p) / alpha``, what decides on the stability against replicas; degree at least 2."""
    return (degree * (degree - 1)) ** 2 * _average(p, degree - 2, interaction)


def energy_decrement(p: Array, degree: int, interaction: str) -> Array:
    """``[xi(1) - xi(1 - p)] / alpha``, accurate also for small p."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    u = 0.5 * (nodes + 1)
    return p * jnp.sum(0.5 * weights * field_correlation(p * u, degree, interaction))


def _average(p: Array, k: int, interaction: str) -> Array:
    """``E[f_k(x) f_k(x')]`` for unit Gaussians of correlation 1 - p."""
    plain, edge = _polynomials(k)
    q = 1 - p
    if interaction == "power":
        return jnp.polyval(jnp.asarray(plain[::-1]), q)
    # sin and cos of the angle from p, which stays exact where the angle vanishes.
    safe = jnp.where(p > 0, p, 1.0)
    half = jnp.where(p > 0, jnp.sqrt(0.5 * safe), 0.0)
    angle = 2 * jnp.arcsin(half)
    sine = 2 * half * jnp.sqrt(jnp.maximum(1 - 0.5 * p, 0.0))
    turned = jnp.polyval(jnp.asarray(edge[::-1]), q) * sine + (np.pi - angle) * jnp.polyval(jnp.asarray(plain[::-1]), q)
    return turned / (2 * np.pi)


@cache
def _polynomials(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of Q_k and P_k, with ``E[max(x,0)^k max(x',0)^k] = [P_k(q) sin + (pi - angle) Q_k(q)] / (2 pi)``.

    ``Q_k = E[x^k x'^k]``. Both follow from ``d/dq E_k = k^2 E_{k-1}``: Q_k by integration from q = 0, P_k from
    ``(1 - q^2) P_k' - q P_k + Q_k = k^2 (1 - q^2) P_{k-1}``.
    """
    if k == 0:
        return np.ones(1), np.zeros(1)
    plain, edge = _polynomials(k - 1)
    mean = 0 if k % 2 else double_factorial(k - 1)
    plain = polynomial.polyint(k**2 * plain, k=mean**2)
    right = polynomial.polysub(polynomial.polymul([1.0, 0.0, -1.0], k**2 * edge), plain)
    right = np.pad(right, (0, max(0, k + 1 - right.size)))
    found = np.zeros(k + 2)
    for power in range(k, 0, -1):
        found[power - 1] = ((power + 1) * found[power + 1] - right[power]) / power
    return plain, found[:k]

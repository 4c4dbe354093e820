r"""Signal to noise: what one parallel update at T = 0 does, at infinite and at finite size.

A memory with overlap m drives every spin with ``n m^(n-1)``, the K - 1 others add Gaussian noise; the exact
variance at N spins is a polynomial in N. A spin does not act on itself: both its values are compared.

References
----------
.. [1] D. Krotov, J. J. Hopfield, NeurIPS 29 (2016), arXiv:1606.01164, section 3.
"""

from functools import cache
from math import comb

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import erfc, gammaln

from replicon.maths.grids import pointwise
from replicon.maths.solution import CONVERGED
from replicon.memory.dense.theory.interaction import noise_strength
from replicon.memory.dense.theory.statuses import OUT_OF_RANGE


@pointwise("degree", "interaction")
def one_step_error(
    load: Array | float, degree: int = 3, interaction: str = "power", overlap: Array | float = 1.0
) -> tuple[Array, Array]:
    r"""Fraction of wrong spins after one parallel update at T = 0, at infinite size.

    ``erfc(m^(n-1) / sqrt(2 alpha (2n-3)!! c)) / 2`` with c = 1 (power) or 1/2 (rectified).

    Parameters
    ----------
    load : float or array
        alpha = K / N^(n-1), > 0.
    degree : int
        n, at least 2.
    interaction : {"power", "rectified"}
    overlap : float or array
        Overlap m with the memory before the update, the wrong spins chosen at random, from 0 to 1.

    Returns
    -------
    Solution
    """
    load, overlap = jnp.asarray(load), jnp.asarray(overlap)
    valid = (load > 0) & (overlap >= 0) & (overlap <= 1)
    noise = jnp.where(valid, load, 1.0) * noise_strength(degree, interaction)
    return _checked(0.5 * erfc(jnp.where(valid, overlap, 1.0) ** (degree - 1) / jnp.sqrt(2 * noise)), valid)


@pointwise("degree", "interaction")
def finite_one_step_error(
    size: Array | float,
    patterns: Array | float,
    degree: int = 3,
    interaction: str = "power",
    overlap: Array | float = 1.0,
) -> tuple[Array, Array]:
    """`one_step_error` with the exact signal and the exact variance of the noise at N spins and K memories.

    Parameters
    ----------
    size, patterns : int or array
        N, at least 3, and K, at least 1.
    degree, interaction
        As in `one_step_error`.
    overlap : float or array
        Overlap before the update; right and wrong spins then see sums of the other spins that differ by 2.

    Returns
    -------
    Solution
        The noise is taken as Gaussian of that variance; for few memories it is not quite.
    """
    size, patterns, overlap = jnp.asarray(size), jnp.asarray(patterns), jnp.asarray(overlap)
    valid = (size >= 3) & (patterns >= 1) & (overlap >= 0) & (overlap <= 1)
    size, overlap = jnp.where(valid, size, 100.0), jnp.where(valid, overlap, 1.0)
    others = jnp.where(valid, patterns, 2.0) - 1
    spread = jnp.sqrt(2 * jnp.maximum(others, 1e-30) * noise_variance(size, degree, interaction))

    def error(field: Array) -> Array:
        return 0.5 * erfc(_difference(field, degree, interaction) / spread)

    right = 0.5 * (1 + overlap)
    return _checked(right * error(size * overlap - 1) + (1 - right) * error(size * overlap + 1), valid)


@pointwise("degree", "interaction")
def effective_load(
    size: Array | float, patterns: Array | float, degree: int = 3, interaction: str = "power"
) -> tuple[Array, Array]:
    """Load at which infinitely many spins have the ratio of noise to signal that N spins with K memories have exactly.

    Returns
    -------
    Solution
        ``(K - 1) V / (S^2 (2n-3)!! c)`` with signal S = N^n - (N-2)^n and variance V of one memory's noise; it tends
        to K / N^(n-1).
    """
    size, patterns = jnp.asarray(size), jnp.asarray(patterns)
    valid = (size >= 3) & (patterns >= 1)
    size, others = jnp.where(valid, size, 100.0), jnp.where(valid, patterns, 2.0) - 1
    signal = _difference(size - 1, degree, interaction)
    noise = others * noise_variance(size, degree, interaction)
    return _checked(noise / (signal**2 * noise_strength(degree, interaction)), valid)


@pointwise("degree", "interaction")
def error_free_patterns(size: Array | float, degree: int = 3, interaction: str = "power") -> tuple[Array, Array]:
    """Number of memories up to which a given one is a fixed point: ``N^(n-1) / (2 (2n-3)!! c ln N)`` to leading order.

    References
    ----------
    .. [1] D. Krotov, J. J. Hopfield, NeurIPS 29 (2016), eq. 6.
    """
    size = jnp.asarray(size)
    valid = size > 1
    safe = jnp.where(valid, size, 2.0)
    return _checked(safe ** (degree - 1) / (2 * noise_strength(degree, interaction) * jnp.log(safe)), valid)


def noise_variance(size: Array, degree: int, interaction: str) -> Array:
    """``E[(F(b + 1) - F(b - 1))^2]``, b a sum of N - 1 random signs, exact."""
    moments = sign_moments(size - 1, 2 * degree - 2)
    square = _squared_difference(degree)
    plain = sum(float(square[k]) * moments[k] for k in range(0, 2 * degree - 1, 2))
    if interaction == "power":
        return jnp.asarray(plain)
    # Rectified: the same for b > 0, nothing for b < 0, and F(1) - F(-1) = 1 at b = 0.
    count = size - 1
    even = jnp.abs(count - 2 * jnp.round(0.5 * count)) < 0.25
    level = jnp.exp(gammaln(count + 1) - 2 * gammaln(0.5 * count + 1) - count * np.log(2.0))
    return 0.5 * plain + jnp.where(even, level, 0.0) * (1 - 0.5 * float(square[0]))


def sign_moments(count: Array, highest: int) -> list[Array]:
    """Moments 0 .. `highest` of a sum of `count` random signs, from its cumulants (count times those of one sign)."""
    cumulants = _sign_cumulants(highest)
    moments = [jnp.ones_like(count)]
    for order in range(1, highest + 1):
        terms = [
            comb(order - 1, k - 1) * float(cumulants[k]) * count * moments[order - k] for k in range(2, order + 1, 2)
        ]
        moments.append(sum(terms, jnp.zeros_like(count)))
    return moments


def _difference(field: Array, degree: int, interaction: str) -> Array:
    """F(b + 1) - F(b - 1)."""
    above, below = field + 1, field - 1
    if interaction == "rectified":
        above, below = jnp.maximum(above, 0.0), jnp.maximum(below, 0.0)
    return above**degree - below**degree


@cache
def _squared_difference(degree: int) -> np.ndarray:
    """Coefficients of ``((b + 1)^n - (b - 1)^n)^2`` in powers of b."""
    difference = np.array([2.0 * comb(degree, k) if (degree - k) % 2 else 0.0 for k in range(degree + 1)])
    return np.convolve(difference, difference)


@cache
def _sign_cumulants(highest: int) -> tuple[int, ...]:
    """Cumulants of one random sign, whose moments are 1, 0, 1, 0, ..."""
    found = [0] * (highest + 1)
    for order in range(2, highest + 1, 2):
        found[order] = 1 - sum(comb(order - 1, k - 1) * found[k] for k in range(2, order, 2))
    return tuple(found)


def _checked(value: Array, valid: Array) -> tuple[Array, Array]:
    return jnp.where(valid, value, jnp.nan), jnp.where(valid, CONVERGED, OUT_OF_RANGE)

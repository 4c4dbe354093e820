r"""Exponential associative memory, ``E = -sum_mu exp(lambda xi^mu . s)`` with ``K = exp(alpha N)`` random memories.

A spin compares the energies of its two values: in units of the recalled memory's part the field of the others is a sum
S of K - 1 independent terms ``+- exp(-2 lambda (j - d))``, j the number of the other N - 1 bits in which a memory
differs from the cue and d in which the recalled one does. The bit is wrong when S < -1.

References
----------
.. [1] M. Demircigil et al., J. Stat. Phys. 168, 288 (2017), theorem 3.
.. [2] C. Lucibello, M. Mezard, Phys. Rev. Lett. 132, 077301 (2024): such sums as random energy models.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.special import gammaln

from replicon.maths.grids import pointwise
from replicon.maths.solution import CONVERGED

OUT_OF_RANGE = 2

_SMOOTHING = 5e-3
"""Width by which the law of S is smeared: its atoms next to -1 lie symmetrically around it, so the rate stays."""


def rate_function(x: Array | float) -> Array:
    """``I(x) = [(1+x) ln(1+x) + (1-x) ln(1-x)] / 2``: random spins have overlap x with probability exp(-N I(x))."""
    x = jnp.asarray(x)

    def part(y: Array) -> Array:
        return jnp.where(y > 0, y * jnp.log(jnp.where(y > 0, y, 1.0)), 0.0)

    return 0.5 * (part(1 + x) + part(1 - x))


@pointwise()
def bit_threshold(sharpness: Array | float, cue_error: Array | float = 0.0) -> tuple[Array, Array]:
    r"""Load ln K / N up to which a typical bit is right after one update.

    ``2 lambda (1 - 2 rho) - ln cosh 2 lambda`` where ``tanh 2 lambda <= 1 - 2 rho``: many memories make the noise, and
    their random signs leave its second moment. Otherwise ``I(1 - 2 rho)``: the noise is that of the nearest memories,
    and the bit is wrong as soon as there are some nearer to the cue than the recalled one.

    Parameters
    ----------
    sharpness : float or array
        lambda > 0.
    cue_error : float or array
        Fraction rho of wrong bits in the cue, from 0 to below 1/2.

    Returns
    -------
    Solution
        Below ln 2, its limit for large lambda at rho = 0; 0 where no load is small enough.
    """
    sharpness, cue = jnp.asarray(sharpness), jnp.asarray(cue_error)
    valid = (sharpness > 0) & (cue >= 0) & (cue < 0.5) & jnp.isfinite(sharpness)
    strength, overlap = jnp.where(valid, sharpness, 1.0), jnp.where(valid, 1 - 2 * cue, 1.0)
    many = 2 * strength * overlap - (jnp.logaddexp(2 * strength, -2 * strength) - np.log(2))
    value = jnp.where(jnp.tanh(2 * strength) <= overlap, jnp.maximum(many, 0.0), rate_function(overlap))
    return jnp.where(valid, value, jnp.nan), jnp.where(valid, CONVERGED, OUT_OF_RANGE)


@pointwise()
def all_patterns_threshold(sharpness: Array | float, cue_error: Array | float = 0.0) -> tuple[Array, Array]:
    """Load up to which one update restores all K memories at once, each from a damaged cue.

    ``I(1 - 2 rho) / 2``, (ln 2) / 2 at rho = 0, where `bit_threshold` is not smaller: somewhere among the K^2 pairs two
    memories are so close that the cue of one is nearer to the other. At lambda = 1 below I(1 - 2 rho)/2 this is the
    theorem of Demircigil et al.

    Parameters
    ----------
    sharpness, cue_error
        As in `bit_threshold`.

    Returns
    -------
    Solution
    """
    bit, status = bit_threshold(sharpness, cue_error)
    half = 0.5 * rate_function(jnp.where(status == CONVERGED, 1 - 2 * jnp.asarray(cue_error), 1.0))
    return jnp.where(status == CONVERGED, jnp.minimum(bit, half), jnp.nan), jnp.asarray(status)


@pointwise()
def infinite_bit_error(
    load: Array | float, sharpness: Array | float, cue_error: Array | float = 0.0
) -> tuple[Array, Array]:
    """Fraction of wrong bits after one update at infinite size: 0 below the `bit_threshold`, 1/2 above."""
    threshold, status = bit_threshold(sharpness, cue_error)
    load = jnp.asarray(load)
    valid = (status == CONVERGED) & (load > 0)
    value = jnp.where(load > threshold, 0.5, 0.0)
    return jnp.where(valid, value, jnp.nan), jnp.where(valid, CONVERGED, OUT_OF_RANGE)


@pointwise("size")
def finite_bit_error(
    size: int, memories: Array | float, sharpness: Array | float, cue_error: Array | float = 0.0
) -> tuple[Array, Array]:
    """Fraction of wrong bits after one parallel update at N bits and K memories.

    The numbers of memories at each distance are taken as independent Poisson variables (their joint law for large K),
    so the characteristic function of S is a product and its inversion (Gil-Pelaez) one integral.

    Parameters
    ----------
    size : int
        N, at least 2.
    memories : float or array
        K, at least 1.
    sharpness : float or array
        lambda > 0.
    cue_error : float or array
        Fraction of wrong bits in the cue, rounded to a whole number of them.

    Returns
    -------
    Solution
        Absolute error about 1e-4: the law of S is smeared over a width of 5e-3.
    """
    memories, sharpness, cue = jnp.asarray(memories), jnp.asarray(sharpness), jnp.asarray(cue_error)
    valid = (memories >= 1) & (sharpness > 0) & (cue >= 0) & (cue < 0.5)
    others = jnp.where(valid, memories, 2.0) - 1
    strength = jnp.where(valid, sharpness, 1.0)
    wrong = jnp.round(jnp.where(valid, cue, 0.0) * size)
    # The other wrong bits of the cue are one fewer for a bit that is itself wrong.
    both = jax.vmap(lambda d: _below(others, strength, size, d))(jnp.stack([wrong, jnp.maximum(wrong - 1, 0.0)]))
    error = (1 - wrong / size) * both[0] + wrong / size * both[1]
    return jnp.where(valid, error, jnp.nan), jnp.where(valid, CONVERGED, OUT_OF_RANGE)


def _below(others: Array, sharpness: Array, size: int, wrong: Array) -> Array:
    """P(S < -1) for a bit whose recalled memory differs from the cue in `wrong` of the other bits."""
    distance = np.arange(size)
    log_share = gammaln(size) - gammaln(distance + 1.0) - gammaln(size - distance) - (size - 1) * np.log(2)
    count = others * jnp.exp(log_share)
    # A term far above 1 decides by its sign alone, whatever its size.
    step, top = 0.35, 6 / _SMOOTHING
    t = (np.arange(int(top / step)) + 0.5) * step
    terms = jnp.exp(jnp.minimum(-2 * sharpness * (distance - wrong), np.log(50.0)))

    def exponent(carry: Array, row: tuple[Array, Array]) -> tuple[Array, None]:
        number, term = row
        return carry - number * (1 - jnp.cos(t * term)), None

    logarithm, _ = lax.scan(exponent, jnp.asarray(-0.5 * (_SMOOTHING * t) ** 2), (count, terms))
    return 0.5 - jnp.sum(jnp.exp(logarithm) * jnp.sin(t) / t) * step / np.pi

r"""Averages over a standard Gaussian variable, ``Dz = exp(-z^2/2) dz / sqrt(2 pi)``.

Gauss-Hermite rules fail once the integrand turns on a scale much below one, which every tanh of a low
temperature does. Two replacements:

- `tanh_averages`, for the thermal averages of one +-1 spin in a Gaussian field, exact to rounding at every
  temperature with 161 nodes;
- `gaussian_average`, for any integrand with a known kink: Gauss-Legendre panels that shrink towards it.

References
----------
.. [1] L. N. Trefethen, J. A. C. Weideman, SIAM Rev. 56, 385 (2014): the trapezoidal rule converges like
   ``exp(-2 pi d / h)`` with d the distance of the nearest pole from the real axis.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import erfc

_SHARP = 2.0
"""Spread of the field above which the nodes follow the spin's response instead of the Gaussian.

There the poles of tanh, at distance pi/2 of the real axis, allow a step 1/4 with error exp(-4 pi^2); below it the
same holds for the half step in z."""

_FAR = 15.0
"""Beyond it ten terms of the asymptotic series of the Gaussian tail are exact to 1e-14."""


class TanhAverages(NamedTuple):
    """Gaussian averages of the response t = tanh(mean + spread z) of one spin.

    Attributes
    ----------
    tanh, sech2, sech4 : arrays
        Averages of t, of 1 - t^2 and of (1 - t^2)^2.
    tanh2 : array
        Average of t^2, accurate also where it is tiny.
    tanh_sech2 : array
        Average of t (1 - t^2).
    curvature : array
        Average of the derivative of t (1 - t^2), that is of 3 (1 - t^2)^2 - 2 (1 - t^2).
    wrong : array
        Average of (1 - t)/2, the probability of the spin against `mean`; accurate also where it is tiny.
    entropy : array
        Average entropy of the spin, ln 2cosh(v) - v tanh(v), in nats.
    """

    tanh: Array
    sech2: Array
    sech4: Array
    tanh2: Array
    tanh_sech2: Array
    curvature: Array
    wrong: Array
    entropy: Array


def tanh_averages(mean: Array, spread: Array, refinement: int = 1) -> TanhAverages:
    r"""Averages of functions of ``tanh(mean + spread z)`` over a standard Gaussian z.

    The step function smeared by the logistic density ``sech^2(v)/2`` is tanh, so that
    ``int Dz tanh(mean + spread z) = int dv sech^2(v)/2 erf((mean - v) / (sqrt2 spread))``: where the left side
    is sharp the right side is smooth. Either side is summed with the trapezoidal rule, which converges
    exponentially for both.

    Parameters
    ----------
    mean, spread : scalars, dimensionless
        Mean and standard deviation of the field over the temperature; ``spread >= 0``.
    refinement : int
        Divides the step; 2 gives the second resolution of an error check.

    Returns
    -------
    TanhAverages
        Absolute error of about 1e-15 each.
    """
    count = 80 * refinement
    step = 0.25 / refinement
    v_nodes = np.arange(-count, count + 1) * step
    sharp = spread > _SHARP
    safe = jnp.where(sharp, spread, 1.0)
    z = jnp.where(sharp, (v_nodes - mean) / safe, 0.5 * v_nodes)
    v = jnp.where(sharp, v_nodes, mean + 0.5 * spread * v_nodes)
    weight = jnp.exp(-0.5 * z * z) * jnp.where(sharp, step / safe, 0.5 * step) / np.sqrt(2 * np.pi)

    decay = jnp.exp(-2 * jnp.abs(v))
    t = jnp.sign(v) * (1 - decay) / (1 + decay)
    s = 4 * decay / (1 + decay) ** 2
    against = jnp.where(v > 0, decay, 1.0) / (1 + decay)
    spin_entropy = jnp.log1p(decay) + 2 * jnp.abs(v) * decay / (1 + decay)

    ws = weight * s
    sech2 = jnp.sum(ws)
    wrong = jnp.sum(jnp.where(sharp, 0.25 * step * s * erfc(-z / np.sqrt(2)), weight * against))
    return TanhAverages(
        tanh=1 - 2 * wrong,
        sech2=sech2,
        sech4=jnp.sum(ws * s),
        tanh2=jnp.where(sharp, 1 - sech2, jnp.sum(weight * t * t)),
        # Integrated by parts where the response is sharp: the plain sums cancel to the order 1/spread there.
        tanh_sech2=jnp.where(sharp, -jnp.sum(ws * z) / (2 * safe), jnp.sum(ws * t)),
        curvature=jnp.where(sharp, -jnp.sum(ws * (z * z - 1)) / (2 * safe**2), jnp.sum(ws * (3 * s - 2))),
        wrong=wrong,
        entropy=jnp.sum(weight * spin_entropy),
    )


def gaussian_average(
    function: Callable[[Array], Array], kink: Array | float = 0.0, width: Array | float = 1.0, refinement: int = 1
) -> Array:
    """``int Dz function(z)`` for an integrand that turns within `width` of `kink` and is smooth elsewhere.

    Gauss-Legendre panels of 16 nodes cover ``|z| <= 12``; from the kink outwards they start at `width` and grow
    geometrically up to one.

    Parameters
    ----------
    function : callable
        Elementwise on an array of z.
    kink : scalar
        Where the integrand turns; a corner or a jump exactly there costs no accuracy. Far outside it is ignored.
    width : scalar
        Scale of the turn, from 1e-12 to 1 (larger counts as 1).
    refinement : int
        Number of pieces into which each panel is cut.

    Returns
    -------
    scalar array
    """
    reach = 12.0
    kink = jnp.clip(jnp.asarray(kink, dtype=float), -reach, reach)
    width = jnp.clip(jnp.asarray(width, dtype=float), 1e-13, 1.0)
    geometric = 4 * refinement
    # Distances from the kink: zero, then a geometric ladder from the width to one, then unit steps.
    ladder = width ** (1 - np.arange(geometric * 8 + 1) / (geometric * 8))
    near = width * np.arange(1, geometric) / geometric
    far = 1 + np.arange(1, int(2 * reach) * refinement + 1) / refinement
    edges = jnp.concatenate([jnp.zeros(1), near, ladder, far])
    edges = jnp.concatenate([-edges[::-1], edges[1:]])
    edges = jnp.clip(kink + edges, -reach, reach)
    nodes, weights = np.polynomial.legendre.leggauss(16)
    centre, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * (edges[1:] - edges[:-1])
    z = centre[:, None] + half[:, None] * nodes
    return jnp.sum(function(z) * jnp.exp(-0.5 * z * z) * half[:, None] * weights) / np.sqrt(2 * np.pi)


def gaussian_average_with_error(
    function: Callable[[Array], Array], kink: Array | float = 0.0, width: Array | float = 1.0
) -> tuple[Array, Array]:
    """`gaussian_average` on halved panels, and the difference from the plain ones as its error estimate."""
    coarse = gaussian_average(function, kink, width)
    fine = gaussian_average(function, kink, width, refinement=2)
    return fine, jnp.abs(fine - coarse)


def normal_density(x: Array) -> Array:
    """Density of the standard normal distribution."""
    return jnp.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


def ramp_average(shift: Array) -> Array:
    """``int Dz max(z + shift, 0)``, with full relative accuracy also for large negative shifts."""
    return jnp.exp(log_ramp_average(shift))


def log_ramp_average(shift: Array) -> Array:
    """Logarithm of `ramp_average`; it falls like ``-shift^2/2`` to the left without underflow."""
    positive = jnp.maximum(shift, 0.0)
    upper = jnp.log(positive * 0.5 * erfc(-positive / np.sqrt(2)) + normal_density(positive))

    moderate = jnp.clip(shift, -_FAR, 0.0)
    mills = 0.5 * erfc(-moderate / np.sqrt(2)) / normal_density(moderate)
    far = jnp.maximum(-shift, _FAR) ** -2
    # Asymptotic series of 1 - k R(k), R the Mills ratio, which cancels beyond moderate k.
    series = jnp.ones_like(far)
    for odd in range(19, 1, -2):
        series = 1 - odd * far * series
    series = far * series
    tail = jnp.where(shift < -_FAR, jnp.log(series), jnp.log1p(moderate * mills))
    lower = tail - 0.5 * jnp.minimum(shift, 0.0) ** 2 - 0.5 * np.log(2 * np.pi)
    return jnp.where(shift > 0, upper, lower)


def squared_ramp_average(shift: Array) -> Array:
    """``int Dz max(z + shift, 0)^2 = (1 + shift^2) Phi(shift) + shift phi(shift)``."""
    return (1 + shift**2) * 0.5 * erfc(-shift / np.sqrt(2)) + shift * normal_density(shift)

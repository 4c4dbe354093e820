r"""The optimal loss and penalty, and the test whether they are convex.

Their fixed point is ``q_d = 1 / (alpha J[e_{q_s}])``, ``q_s = MMSE(s0 | s0 + sqrt(q_d) z)``: the Bayes error. The
functions are ``rho = -M_q[log p_q]`` of the smoothed densities, which have an explicit parametrisation by x::

    u = x + q psi_q(x)      rho(u) = -log p_q(x) - (x - u)^2 / (2 q)      rho'(u) = -psi_q(x)

so that ``prox_{l rho}(u + l rho'(u)) = u`` for every step l. They are convex where psi_q decreases, that is where the
smoothed density is log-concave. (Advani and Ganguli 2016, eqs. 32-43; Bean et al. 2013 for the loss alone.)
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from replicon.maths.scalar_channel import Density
from replicon.maths.scalar_channel.expectations import bayes, channel, fisher_information
from replicon.maths.scalar_channel.fixed_point import FixedPoint, extreme_fixed_points, fixed_point

_ROUNDING = 1e-9
"""Rise of the score between two nodes, relative to its size, that counts as rounding."""


class Table(NamedTuple):
    """A convex function on a grid.

    Attributes
    ----------
    argument, slope, value : arrays (points,)
        u increasing, f'(u), and f(u) - f(0). For any step l, ``prox_{l f}(argument + l slope) = argument``.
    """

    argument: Array
    slope: Array
    value: Array


def optimal_errors(
    load: Array, noise: Density, signal: Density, points: int = 64
) -> tuple[FixedPoint, FixedPoint, Array]:
    """Smallest and largest Bayes error of the linear problem, and whether the two differ."""

    def update(error: Array) -> Array:
        return bayes(signal, effective_noise(load, noise, error)).error

    # The map increases, so every fixed point lies above its value for the perfectly known signal. Fisher information
    # of the noise alone may be infinite; that of noise of variance q is at most 1/q.
    variance = signal.variance()
    floor = bayes(signal, effective_noise(load, noise, 1e-12 * variance)).error
    return extreme_fixed_points(update, floor, variance, points)


def unregularised_error(load: Array, noise: Density) -> FixedPoint:
    """Smallest error of any loss without penalty, q = 1 / (alpha J[e_q]), for loads above one."""
    # Gaussian noise of this variance is the worst there is, and has this solution.
    start = noise.variance() / (load - 1)
    return fixed_point(lambda values: effective_noise(load, noise, values[0])[None], start[None])


def effective_noise(load: Array, noise: Density, error: Array) -> Array:
    """``q_d = 1 / (alpha J[e_{q_s}])``."""
    return 1 / (load * fisher_information(noise, error))


def is_convex(density: Density, q: Array) -> Array:
    """Whether ``-M_q[log p_q]`` is convex: the score decreases over the range that carries the probability."""
    score = channel(density, q).score
    return jnp.all(jnp.diff(score) <= _ROUNDING * jnp.max(jnp.abs(score)))


def train_averages(noise: Density, q: Array) -> tuple[Array, Array]:
    """Mean square ``E[(x + q psi)^2]`` and mean loss of the residuals of the optimal loss at its own step q."""
    over = channel(noise, q)
    residual_square = over.variance - 2 * q + q**2 * over.fisher()
    loss = -over.average(over.log_density) - 0.5 * q * over.fisher()
    return residual_square, loss + noise.log_density(jnp.zeros(()), q)


def tabulate(density: Density, q: Array, points: int = 4001) -> Table:
    """The optimal function of an even density on a grid that reaches six decades of its smallest length."""
    finest, reach = density.scales(q)
    # Even steps in asinh: linear on the scale on which the density turns, geometric in the tail.
    top = jnp.arcsinh(4.0 * reach / finest)
    half = 0.25 * finest * jnp.sinh(top * jnp.linspace(0.0, 1.0, points // 2 + 1))
    x = jnp.concatenate([-half[:0:-1], half])
    log_density, score, _ = density.smoothed(x, q)
    value = -log_density - 0.5 * q * score**2 + density.log_density(jnp.zeros(()), q)
    return Table(x + q * score, -score, value)

r"""The convex loss and penalty of least error for given densities, also where the Bayes-optimal ones are not convex.

A convex function enters the fixed point of M-estimation by ``G = M'[f]``, its Moreau slope on the smoothed density p_q,
which must not decrease, and the variance that it leaves is least for the largest ``E[G psi_q]^2 / E[G^2]``. Without the
constraint G is minus the score psi_q; with it G is the projection of -psi_q onto the non-decreasing functions in
L2(p_q), and its square takes the place of the Fisher information::

    q_d = 1 / (load E[G_noise^2])      q_s = MMSE(q_d) + q_d^2 E[(G_prior + psi)^2]

at ``residual_step = q_s`` and ``coefficient_step = q_d``, as for the optimal functions themselves. As these,
``f'(x - q G(x)) = G(x)``. The projection is one isotonic regression on the nodes of a quadrature.

References
----------
.. [1] M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016), eqs. 32-43.
.. [2] O. Feng, Y.-C. Kao, M. Xu, R. Samworth, arXiv:2403.16688 (2024): convex M-estimation by score matching.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import isotonic_regression

from replicon.core.errors import ConvergenceError, ParameterError
from replicon.inference.algorithms.functions import TabulatedFunction
from replicon.maths.scalar_channel import Density
from replicon.maths.scalar_channel.expectations import channel

_POINTS = 1001
_NEGLIGIBLE = 1e-4
"""Part of the Fisher information that may be lost to convexity in a function that counts as optimal."""


class ConvexOptimum(NamedTuple):
    """Least error of convex functions for two densities.

    Attributes
    ----------
    estimation_error : float
        q_s, and step of the loss.
    effective_noise : float
        q_d, and step of the penalty.
    is_bayes : bool
        Whether next to nothing is lost to convexity, so that q_s is the Bayes error.
    """

    estimation_error: float
    effective_noise: float
    is_bayes: bool


def convex_optimum(load: float, noise: Density, prior: Density | None) -> ConvexOptimum:
    """Solve the fixed point from no knowledge of the coefficients.

    Parameters
    ----------
    load : float
        Samples per feature, above one without prior.
    noise, prior : Density
        No prior is no penalty: q_s = q_d.

    Raises
    ------
    ParameterError
        For noise of infinite Fisher information (with an atom, say) at loads where the error then vanishes.
    ConvergenceError
        Should the iteration, which decreases, not come to its end.
    """
    least = 1e-13 * _second_moment(noise)
    error = _second_moment(noise) / (load - 1) if prior is None else _second_moment(prior)
    for _ in range(2000):
        information, lost = _information(noise, error)
        channel_noise = 1 / (load * information)
        if prior is None:
            new, missed = channel_noise, 0.0
        else:
            new, missed = _error(prior, channel_noise)
        if abs(new - error) <= 1e-9 * error:
            return ConvexOptimum(float(new), float(channel_noise), max(lost, missed) <= _NEGLIGIBLE)
        if not new > least:
            raise ParameterError(
                f"the noise has infinite Fisher information (an atom or a jump), so that at {load:g} samples per "
                "feature the least error is zero and no loss attains it; give a density without atoms"
            )
        error = new
    raise ConvergenceError(f"the error of the optimal functions was not found at {load:g} samples per feature")


def best_convex(density: Density, q: float) -> TabulatedFunction:
    """The convex function of least error for a density seen through a channel of variance q, which is its step."""
    with jax.enable_x64(True):
        nodes = _grid(density, np.float64(q))
        x, mass, score = (np.asarray(part) for part in nodes)
    slope = _projected(x, mass, score, density.symmetric)
    argument = x - q * slope
    if density.symmetric:
        argument, slope = (np.concatenate([-part[:0:-1], part]) for part in (argument, slope))
    # It increases in exact arithmetic.
    return TabulatedFunction(np.maximum.accumulate(argument), slope)


def _projected(x: np.ndarray, mass: np.ndarray, score: np.ndarray, symmetric: bool) -> np.ndarray:
    """Non-decreasing G nearest to minus the score; of an even density, the half with x > 0 of an odd function."""
    order = np.argsort(x, kind="stable")
    # Far out where the mass underflows G only has to be defined.
    found = isotonic_regression(-score[order], weights=np.maximum(mass[order], 1e-290)).x
    slope = np.empty_like(found)
    slope[order] = np.maximum(found, 0.0) if symmetric else found
    return slope


def _information(noise: Density, q: float) -> tuple[float, float]:
    """``E[G^2]``, and the part of the Fisher information that is lost."""
    x, mass, score, _ = _seen(noise, q)
    slope = _projected(x, mass, score, noise.symmetric)
    return float(mass @ slope**2), float(mass @ (slope + score) ** 2) / float(mass @ score**2)


def _error(prior: Density, q: float) -> tuple[float, float]:
    """Error of the best convex denoiser, and the part of the Fisher information that is lost."""
    x, mass, score, variance = _seen(prior, q)
    slope = _projected(x, mass, score, prior.symmetric)
    missed = float(mass @ (slope + score) ** 2)
    return float(mass @ variance) + q**2 * missed, missed / float(mass @ score**2)


def _seen(density: Density, q: float) -> tuple[np.ndarray, ...]:
    with jax.enable_x64(True):
        return tuple(np.asarray(part) for part in _quadrature(density, np.float64(q)))


@jax.jit
def _quadrature(density: Density, q: Any) -> tuple[Any, ...]:
    over = channel(density, q)
    return over.x, over.weight, over.score, over.posterior_variance


@jax.jit
def _grid(density: Density, q: Any) -> tuple[Any, ...]:
    """Nodes (the right half for an even density) with mass and score: far into the tails, where residuals may be."""
    finest, reach = density.scales(q)
    # Even steps in asinh: linear on the scale on which the density turns, geometric in the tail.
    ladder = 0.25 * finest * jnp.sinh(jnp.arcsinh(4.0 * reach / finest) * jnp.linspace(0.0, 1.0, _POINTS))
    x = ladder if density.symmetric else jnp.concatenate([-ladder[:0:-1], ladder])
    smoothed = density.smoothed(x, q)
    return x, jnp.gradient(x) * jnp.exp(smoothed.log_density), smoothed.score


def _second_moment(density: Density) -> float:
    with jax.enable_x64(True):
        return float(np.asarray(density.second_moment()))

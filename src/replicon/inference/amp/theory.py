r"""State evolution: what message passing does, iterate by iterate, in the limit of infinite size.

X has independent entries of variance 1 / features (GAMP, Bayes-AMP) or is right-rotationally invariant with given
singular values (VAMP). The estimate before each denoising is the truth plus Gaussian noise of a variance that follows
scalar equations; every average is one-dimensional.

References
----------
.. [1] M. Bayati, A. Montanari, IEEE Trans. Inf. Theory 57, 764 (2011).
.. [2] S. Rangan, P. Schniter, A. Fletcher, IEEE Trans. Inf. Theory 65, 6664 (2019), eqs. 41-45.
.. [3] M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016): the fixed point of GAMP is the replica-symmetric solution.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from replicon.core.errors import ParameterError
from replicon.core.precision import in_float64
from replicon.inference.families import noise_density, signal_density
from replicon.inference.m_estimation.theory.equations import (
    coefficient_averages,
    effective_channel,
    residual_averages,
)
from replicon.maths.grids import pointwise
from replicon.maths.scalar_channel import Density
from replicon.maths.scalar_channel.expectations import bayes
from replicon.maths.solution import CONVERGED, NOT_CONVERGED, Solution

DENOISERS = ("bayes", "lasso")
_LOSSES = ("square", "absolute", "huber")
_PENALTIES = ("none", "ridge", "lasso")

Step = Callable[[Array, Array], tuple[Array, Array]]


@pointwise("signal", "denoiser", "iterations")
def state_evolution(
    load: Array | float,
    noise_variance: Array | float,
    signal: str = "bernoulli_gauss",
    signal_variance: Array | float = 1.0,
    sparsity: Array | float = 1.0,
    denoiser: str = "bayes",
    penalty_level: Array | float = 0.0,
    iterations: int = 20,
    start_ratio: Array | float = 1.0,
) -> tuple[dict[str, Array], Array]:
    r"""Message passing under Gaussian noise with square loss, from s = 0 and V = the signal's second moment.

    ``q_d = (v + q_s) / load`` and, for posterior means, ``q_s = mmse(q_d)``; for soft thresholds
    ``l = (1 + V) / load``, ``q_s = E (soft(r, level l) - s0)^2`` and ``V = l P(|r| > level l)``.

    Parameters
    ----------
    load : float or array
        Samples per feature.
    noise_variance : float or array
        v.
    signal : {"gaussian", "laplace", "bernoulli_gauss"}
    signal_variance, sparsity : float or array
        Variance of the non-zero entries and their fraction.
    denoiser : {"bayes", "lasso"}
    penalty_level : float or array
        Of the LASSO: losses ``u^2/2`` plus ``level |s|``.
    iterations : int
    start_ratio : float or array
        V at the start over the signal's second moment: one where the algorithm knows it.

    Returns
    -------
    Solution
        Dict of arrays over iterations 0 .. `iterations`, 0 being the start: ``estimation_error`` q_s and
        ``residual_step`` V of the estimate, ``effective_noise`` q_d and ``coefficient_step`` l of the channel that is
        made from it. Not converged means not finite.

    Raises
    ------
    ParameterError
        For an unknown denoiser.
    """
    prior = signal_density(signal, signal_variance, sparsity)
    if denoiser == "bayes":

        def output(error: Array, spread: Array) -> tuple[Array, Array]:
            return (noise_variance + error) / load, (noise_variance + spread) / load

        def denoise(q: Array, step: Array) -> tuple[Array, Array]:
            error = bayes(prior, q).error
            return error, error

    elif denoiser == "lasso":

        def output(error: Array, spread: Array) -> tuple[Array, Array]:
            return (noise_variance + error) / load, (1 + spread) / load

        def denoise(q: Array, step: Array) -> tuple[Array, Array]:
            found = coefficient_averages("lasso", jnp.asarray(penalty_level), prior, q, step)
            return found.error, step * found.slope

    else:
        raise ParameterError(f"denoiser is {denoiser!r}; choose one of: {', '.join(DENOISERS)}")
    return _iterate(output, denoise, prior, iterations, start_ratio)


@pointwise("loss", "penalty", "noise", "signal", "iterations")
def gamp_state_evolution(
    load: Array | float,
    loss: str = "square",
    penalty: str = "none",
    noise: str = "gaussian",
    signal: str = "gaussian",
    noise_variance: Array | float = 1.0,
    signal_variance: Array | float = 1.0,
    sparsity: Array | float = 1.0,
    loss_scale: Array | float = 1.0,
    penalty_level: Array | float = 1.0,
    iterations: int = 20,
) -> tuple[dict[str, Array], Array]:
    r"""GAMP of any loss and penalty, from s = 0 and V = the signal's second moment.

    It is the iteration of the replica-symmetric equations: ``1/l = load E M''_V(e)``, ``q_d = l^2 load E M'_V(e)^2``
    over e = noise + sqrt(q_s) z, then ``V = l E prox'_l(r)`` and ``q_s = E (prox_l(r) - s0)^2`` over
    r = s0 + sqrt(q_d) z.

    Parameters
    ----------
    load : float or array
        Samples per feature.
    loss : {"square", "absolute", "huber"}
    penalty : {"none", "ridge", "lasso"}
    noise : {"gaussian", "laplace", "student"}
    signal : {"gaussian", "laplace", "bernoulli_gauss"}
    noise_variance, signal_variance, sparsity, loss_scale, penalty_level : float or array
        As in `replicon.inference.m_estimation`.
    iterations : int

    Returns
    -------
    Solution
        As `state_evolution`.

    Raises
    ------
    ParameterError
        For an unknown loss or penalty.
    """
    if loss not in _LOSSES or penalty not in _PENALTIES:
        raise ParameterError(
            f"loss is {loss!r} and penalty {penalty!r}; choose a loss of {', '.join(_LOSSES)} and a penalty of "
            f"{', '.join(_PENALTIES)}"
        )
    noise_of, prior = noise_density(noise, noise_variance), signal_density(signal, signal_variance, sparsity)

    ratio, scale, level = (jnp.asarray(number, dtype=float) for number in (load, loss_scale, penalty_level))

    def output(error: Array, spread: Array) -> tuple[Array, Array]:
        return effective_channel(ratio, residual_averages(loss, scale, noise_of, error, spread))

    def denoise(q: Array, step: Array) -> tuple[Array, Array]:
        found = coefficient_averages(penalty, level, prior, q, step)
        return found.error, step * found.slope

    return _iterate(output, denoise, prior, iterations)


@in_float64
def vector_state_evolution(
    singular_values: Any,
    features: Any,
    noise_variance: Any,
    signal: str = "bernoulli_gauss",
    signal_variance: Any = 1.0,
    sparsity: Any = 1.0,
    start_variance: Any = 1.0,
    iterations: int = 20,
    weights: Any = 1.0,
) -> Solution:
    r"""VAMP from r1 = s0 + N(0, start_variance), the start for which these equations are exact.

    ``m = mmse(1/g1)``, ``g2 = 1/m - g1``, ``1/eta2 = (1/P) [(P - N)/g2 + sum_k 1 / (sv_k^2/v + g2)]`` and then
    ``g1 = eta2 - g2``.

    Parameters
    ----------
    singular_values : array (k,)
        Of X, or nodes of a quadrature over their distribution.
    features : scalar
        P, in the unit of the weights.
    noise_variance : scalar
        v, positive.
    signal, signal_variance, sparsity
        As in `state_evolution`.
    start_variance : scalar
        1 / g1 at the start.
    iterations : int
    weights : scalar or array (k,)
        How many singular values each one stands for.

    Returns
    -------
    Solution
        Dict of arrays over iterations 0 .. `iterations`: ``estimation_error`` of the denoised estimate and
        ``effective_noise`` 1/g1 before it. Not converged means not finite.
    """
    counts = jnp.broadcast_to(jnp.asarray(weights, dtype=float), jnp.shape(singular_values))
    errors, noises = _vector_iterates(
        jnp.asarray(singular_values), features, noise_variance, signal, signal_variance, sparsity,
        jnp.asarray(start_variance, dtype=float), iterations, counts,
    )  # fmt: skip
    return Solution({"estimation_error": errors, "effective_noise": noises}, _status(errors))


@functools.partial(jax.jit, static_argnames=("signal", "iterations"))
def _vector_iterates(
    singular_values: Array, features: Any, noise_variance: Any, signal: str, signal_variance: Any, sparsity: Any,
    start_variance: Array, iterations: int, counts: Array,
) -> tuple[Array, Array]:  # fmt: skip
    prior = signal_density(signal, signal_variance, sparsity)
    energies = singular_values**2 / noise_variance
    hidden = features - jnp.sum(counts)

    def step(q: Array, _: None) -> tuple[Array, tuple[Array, Array]]:
        error = bayes(prior, q).error
        g2 = 1 / error - 1 / q
        eta2 = features / (hidden / g2 + jnp.sum(counts / (energies + g2)))
        return 1 / (eta2 - g2), (error, q)

    return lax.scan(step, start_variance, None, length=iterations + 1)[1]


@pointwise("signal", "iterations")
def geometric_state_evolution(
    load: Array | float,
    condition_number: Array | float,
    noise_variance: Array | float,
    signal: str = "bernoulli_gauss",
    signal_variance: Array | float = 1.0,
    sparsity: Array | float = 1.0,
    start_variance: Array | float = 1.0,
    iterations: int = 20,
) -> tuple[dict[str, Array], Array]:
    """`vector_state_evolution` for the singular values of `geometric_spectrum`.

    Parameters
    ----------
    load, condition_number, noise_variance, signal_variance, sparsity, start_variance : float or array
    signal : {"gaussian", "laplace", "bernoulli_gauss"}
    iterations : int

    Returns
    -------
    Solution
    """
    values, weights = geometric_spectrum(load, condition_number)
    return vector_state_evolution(
        values, 1.0, noise_variance, signal, signal_variance, sparsity, start_variance, iterations, weights
    )


@in_float64
def geometric_spectrum(load: Any, condition_number: Any, nodes: int = 32) -> tuple[Array, Array]:
    """Singular values between c and c / condition_number, evenly spaced in the logarithm, with sum of squares N.

    Parameters
    ----------
    load : scalar
        Samples per feature N / P.
    condition_number : scalar
        At least 1.
    nodes : int
        Gauss-Legendre nodes in the logarithm.

    Returns
    -------
    values, weights : arrays (nodes,)
        Weights are per feature: they sum to min(load, 1), the fraction of directions that are seen.
    """
    x, w = np.polynomial.legendre.leggauss(nodes)
    weights = jnp.minimum(load, 1.0) * w / 2
    shape = jnp.exp(-jnp.log(condition_number) * (1 - x) / 2)
    return shape * jnp.sqrt(load / jnp.sum(weights * shape**2)), weights


def _iterate(
    output: Step, denoise: Step, prior: Density, iterations: int, start_ratio: Array | float = 1.0
) -> tuple[dict[str, Array], Array]:
    def step(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], tuple[Array, ...]]:
        noise, inverse = output(*state)
        return denoise(noise, inverse), (*state, noise, inverse)

    start = prior.second_moment()
    _, (errors, spreads, noises, steps) = lax.scan(step, (start, start_ratio * start), None, length=iterations + 1)
    values = {
        "estimation_error": errors,
        "residual_step": spreads,
        "effective_noise": noises,
        "coefficient_step": steps,
    }
    return values, _status(errors)


def _status(errors: Array) -> Array:
    return jnp.where(jnp.all(jnp.isfinite(errors)), CONVERGED, NOT_CONVERGED)

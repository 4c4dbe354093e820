r"""Bayes-optimal error of the linear problem: two branches, the free energy that chooses, and the hard phase.

The error q_s of the posterior mean solves ``q_s = MMSE(s0 | s0 + sqrt(q_d) z)`` with the effective noise
``q_d = 1 / (alpha J[eps + sqrt(q_s) z])``. The solutions are the stationary points of

    F(q) = I(s0; s0 + sqrt(q_d) z) + alpha (h[eps + sqrt(q) z] - h[eps]) - q / (2 q_d(q)) ,

I mutual information and h differential entropy, in nats per coefficient; for Gaussian noise of variance v the last two
terms are ``(alpha/2) [log(1 + q/v) - q/(q + v)]``. The global minimum is the Bayes error. Message passing from no
knowledge reaches the largest solution (algorithmic branch), from full knowledge the smallest (informed branch); where
they differ and the Bayes error is the smaller one, estimation is hard.

References
----------
.. [1] M. Advani, S. Ganguli, NeurIPS 29 (2016): Bayes-optimal inference and M-estimation.
.. [2] J. Barbier, F. Krzakala, N. Macris, L. Miolane, L. Zdeborova, PNAS 116, 5451 (2019).
"""

import jax
import jax.numpy as jnp
from jax import Array

from replicon.core.precision import in_float64
from replicon.inference.families import noise_density, signal_density
from replicon.maths.grids import pointwise
from replicon.maths.scalar_channel import Density
from replicon.maths.scalar_channel.expectations import bayes, entropy, fisher_information, information
from replicon.maths.scalar_channel.fixed_point import extreme_fixed_points
from replicon.maths.solution import NOT_CONVERGED, Solution

BRANCHES = ("bayes", "algorithmic", "informed")
HARD = 2
"""The Bayes error is below that of every known fast algorithm."""
STATUS_TEXTS = {HARD: "hard phase: message passing ends on the algorithmic branch"}


def effective_noise(load: Array, noise: Density, error: Array) -> Array:
    """``q_d = 1 / (alpha J[eps + sqrt(q_s) z])``."""
    return 1 / (load * fisher_information(noise, error))


def free_energy(load: Array, noise: Density, signal: Density, error: Array) -> Array:
    """F(q) in nats per coefficient, with q_d taken at its stationary value for this q."""
    q_d = effective_noise(load, noise, error)
    return information(signal, q_d) + load * (entropy(noise, error) - noise.entropy()) - error / (2 * q_d)


@in_float64
def bayes_linear(
    load: Array | float,
    noise: str = "gaussian",
    signal: str = "bernoulli_gauss",
    noise_variance: Array | float = 1.0,
    signal_variance: Array | float = 1.0,
    sparsity: Array | float = 1.0,
    branch: str = "bayes",
) -> Solution:
    """Error of the posterior mean of s0 given ``y = X s0 + eps``, for samples and features to infinity.

    Parameters
    ----------
    load : float or array
        alpha = samples / features, positive; X has entries of variance 1 / features.
    noise : {"gaussian", "laplace", "student"}
    signal : {"gaussian", "laplace", "bernoulli_gauss"}
    noise_variance, signal_variance : float or array
        Variances of eps and of the non-zero entries of s0, positive.
    sparsity : float or array
        Fraction of non-zero entries, for "bernoulli_gauss" only.
    branch : {"bayes", "algorithmic", "informed"}
        The branch of least free energy, that of largest error, or that of smallest error.

    Returns
    -------
    Solution
        `values`: dict of `estimation_error` (q_s), `effective_noise` (q_d), `test_error` (q_s + noise variance),
        `free_energy` (nats per coefficient) of the branch, `algorithmic_error`, `informed_error` and `bayes_error`, and
        `residual`. `status`: bits of ``STATUS_TEXTS``; ``HARD`` is set where the branch "bayes"
        is asked for and lies below the algorithmic one.
    """
    found, status = branches(load, noise, signal, noise_variance, signal_variance, sparsity)
    each = found["estimation_error"]
    best = jnp.argmin(found["free_energy"], axis=-1)
    values = {name: _of_branch(array, branch, best) for name, array in found.items()}
    values |= {
        "informed_error": each[..., 0],
        "algorithmic_error": each[..., 1],
        "bayes_error": _of_branch(each, "bayes", best),
        "residual": found["residual"].max(-1),
    }
    hard = (best == 0) & (each[..., 0] < each[..., 1]) & (branch == "bayes")
    return Solution(values, status + jnp.where(hard, HARD, 0))


def _of_branch(values: Array, branch: str, best: Array) -> Array:
    """What belongs to the branch, of the values on the informed (0) and algorithmic one (1)."""
    informed = best == 0 if branch == "bayes" else branch == "informed"
    return jnp.where(informed, values[..., 0], values[..., 1])


@pointwise("noise", "signal")
def branches(
    load: Array | float,
    noise: str,
    signal: str,
    noise_variance: Array | float,
    signal_variance: Array | float,
    sparsity: Array | float,
) -> tuple[dict[str, Array], Array]:
    """The informed and the algorithmic branch, in this order along the last axis; arguments as `bayes_linear`.

    Where there is one fixed point only both are that one, to the bit.

    Returns
    -------
    Solution
        `values`: dict of `estimation_error`, `effective_noise`, `test_error`, `free_energy` and `residual` (relative,
        of the fixed point), each of shape (..., 2).
    """
    noise_of = noise_density(noise, noise_variance)
    signal_of = signal_density(signal, signal_variance, sparsity)
    load = jnp.asarray(load, dtype=float)

    def update(error: Array) -> Array:
        return bayes(signal_of, effective_noise(load, noise_of, error)).error

    # The map increases: every fixed point lies above its value for a signal that is already known.
    variance = signal_of.variance()
    informed, algorithmic, several = extreme_fixed_points(update, update(1e-12 * variance), variance)
    errors = jnp.stack([informed.values, jnp.where(several, algorithmic.values, informed.values)])

    def describe(error: Array) -> dict[str, Array]:
        q_d = effective_noise(load, noise_of, error)
        return {
            "estimation_error": error,
            "effective_noise": q_d,
            "test_error": error + noise_of.variance(),
            "free_energy": free_energy(load, noise_of, signal_of, error),
            "residual": jnp.abs(bayes(signal_of, q_d).error / error - 1),
        }

    return jax.vmap(describe)(errors), jnp.maximum(informed.status, algorithmic.status) * NOT_CONVERGED

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

from replicon.inference.families import noise_density, signal_density
from replicon.maths.grids import pointwise
from replicon.maths.scalar_channel import Density
from replicon.maths.scalar_channel.expectations import bayes, entropy, fisher_information, information
from replicon.maths.scalar_channel.fixed_point import extreme_fixed_points
from replicon.maths.solution import NOT_CONVERGED

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


@pointwise("noise", "signal", "branch")
def bayes_linear(
    load: Array | float,
    noise: str = "gaussian",
    signal: str = "bernoulli_gauss",
    noise_variance: Array | float = 1.0,
    signal_variance: Array | float = 1.0,
    sparsity: Array | float = 1.0,
    branch: str = "bayes",
) -> tuple[dict[str, Array], Array]:
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
    noise_of = noise_density(noise, noise_variance)
    signal_of = signal_density(signal, signal_variance, sparsity)
    load = jnp.asarray(load, dtype=float)

    def update(error: Array) -> Array:
        return bayes(signal_of, effective_noise(load, noise_of, error)).error

    # The map increases: every fixed point lies above its value for a signal that is already known.
    variance = signal_of.variance()
    floor = update(1e-12 * variance)
    informed, algorithmic, several = extreme_fixed_points(update, floor, variance)
    errors = jnp.stack([informed.values, algorithmic.values])
    energies = jax.vmap(lambda error: free_energy(load, noise_of, signal_of, error))(errors)
    best = jnp.argmin(energies)
    chosen = {"bayes": best, "algorithmic": 1, "informed": 0}[branch]
    error = errors[chosen]
    values = {
        "estimation_error": error,
        "effective_noise": effective_noise(load, noise_of, error),
        "test_error": error + noise_of.variance(),
        "free_energy": energies[chosen],
        "algorithmic_error": errors[1],
        "informed_error": errors[0],
        "bayes_error": errors[best],
        "residual": jnp.maximum(informed.residual, algorithmic.residual),
    }
    failed = jnp.maximum(informed.status, algorithmic.status)
    hard = several & (best == 0) & (branch == "bayes")
    return values, failed * NOT_CONVERGED + jnp.where(hard, HARD, 0)

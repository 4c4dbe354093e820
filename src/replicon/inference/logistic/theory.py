r"""Unregularised logistic regression in many dimensions: bias, spread and existence of the maximum-likelihood estimate.

n samples with p = kappa n features, ``x_ij ~ N(0, 1/n)``, ``P(y = 1) = 1 / (1 + exp(-x.beta))``, ``|beta|^2 / n =
gamma^2``. Asymptotically ``beta_hat_j ~ N(a beta_j, s^2)``. The three equations for a, s and the step l are those of
penalised estimation at penalty 0 with load 1/kappa and teacher strength gamma^2: ``a = m / gamma^2``,
``kappa s^2 = q - m^2 / gamma^2``, ``l = V``.

References
----------
.. [1] P. Sur, E. J. Candes, PNAS 116, 14516 (2019), arXiv:1803.06964, eq. 5 and theorem 4.
.. [2] E. J. Candes, P. Sur, Ann. Stat. 48, 27 (2020), arXiv:1804.09753, theorem 2.1.
"""

import jax
import jax.numpy as jnp
from jax import Array

from replicon.inference.generalized_linear.theory import channel, erm
from replicon.maths.gaussian import normal_density, squared_ramp_average
from replicon.maths.grids import pointwise
from replicon.maths.roots import bracketed_root
from replicon.maths.solution import CONVERGED, NOT_CONVERGED

NO_ESTIMATE = 2
OUT_OF_RANGE = 4

_SMALLEST_STRENGTH = 1e-12
"""Below it the signal is zero for all that the equations say; a keeps its limit."""


def threshold(signal_strength: Array) -> tuple[Array, Array]:
    """`mle_threshold` at one point: ``min_t E[(Z - t V)_+^2]``, V of density ``2 sigmoid(gamma v) phi(v)``."""
    nodes, weights = channel.panels(jnp.stack([1 / jnp.maximum(signal_strength, 1.0)]))
    weights = 2 * weights * normal_density(nodes) * jax.nn.sigmoid(signal_strength * nodes)

    def average(t: Array) -> Array:
        return jnp.sum(weights * squared_ramp_average(-t * nodes))

    # Larger gamma sends the minimum out like gamma; the function is convex in t, so its slope has one root.
    best, status = bracketed_root(jax.grad(average), -1.0, 4.0 + 4.0 * signal_strength)
    return average(best), status


def maximum_likelihood(aspect: Array, signal_strength: Array) -> tuple[dict[str, Array], Array]:
    """`sur_candes` at one point."""
    limit, found = threshold(signal_strength)
    valid = (aspect > 0) & (aspect < 1) & jnp.isfinite(signal_strength) & (signal_strength >= 0)
    exists = valid & (aspect < limit)
    kappa = jnp.where(exists, aspect, 0.1)
    strength = jnp.maximum(jnp.where(exists, signal_strength, 1.0) ** 2, _SMALLEST_STRENGTH)
    solution, solved = erm.erm(1 / kappa, jnp.zeros(()), "logistic", channel.Teacher("logistic", strength=strength))
    bias = solution["teacher_overlap"] / strength
    spread = jnp.sqrt((solution["weight_norm"] - bias**2 * strength) / kappa)
    step = solution["response"]
    good = exists & (solved == CONVERGED) & (found == CONVERGED)
    values = dict(
        bias=bias,
        spread=spread,
        step=step,
        likelihood_ratio_factor=kappa * spread**2 / step,
        test_error_01=solution["test_error_01"],
        train_loss=solution["train_loss"],
    )
    values = {name: jnp.where(good, value, jnp.nan) for name, value in values.items()}
    status = jnp.where(exists, jnp.where(good, CONVERGED, NOT_CONVERGED), NO_ESTIMATE)
    values |= dict(threshold=limit, residual=jnp.where(exists, solution["residual"], 0.0))
    return values, jnp.where(valid, status, OUT_OF_RANGE)


@pointwise()
def sur_candes_grid(aspect: Array | float, signal_strength: Array | float) -> tuple[dict[str, Array], Array]:
    """`replicon.inference.sur_candes` that never raises: nan with ``NO_ESTIMATE`` where the estimate does not exist."""
    return maximum_likelihood(jnp.asarray(aspect), jnp.asarray(signal_strength))


@pointwise()
def mle_threshold(signal_strength: Array | float) -> tuple[Array, Array]:
    """Largest features / samples at which the logistic maximum-likelihood estimate exists; 1/2 without signal.

    Parameters
    ----------
    signal_strength : float or array
        gamma >= 0, the standard deviation of ``x.beta``.

    Returns
    -------
    Solution
        h(gamma), for a model without intercept.

    References
    ----------
    .. [1] E. J. Candes, P. Sur, Ann. Stat. 48, 27 (2020), theorem 2.1.
    """
    strength = jnp.asarray(signal_strength)
    valid = jnp.isfinite(strength) & (strength >= 0)
    value, status = threshold(jnp.where(valid, strength, 0.0))
    return jnp.where(valid, value, jnp.nan), jnp.where(valid, status, OUT_OF_RANGE)

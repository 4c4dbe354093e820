r"""Bayes-optimal estimation of a generalised linear model: the posterior mean.

    q_hat = alpha E[P'^2 / P^2]  at omega_0 = sqrt(q) xi, V_0 = 1 - q,     q = E[w_star <w>] of the scalar channel,

with q = q_hat / (1 + q_hat) for Gaussian weights and ``q = E tanh(q_hat + sqrt(q_hat) z)`` for weights +-1. On the
Nishimori line overlap and squared norm are equal.

References
----------
.. [1] J. Barbier, F. Krzakala, N. Macris, L. Miolane, L. Zdeborova, PNAS 116, 5451 (2019), arXiv:1708.03395.
.. [2] G. Gyorgyi, Phys. Rev. A 41, 7097 (1990): the transition of the binary perceptron.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from replicon.inference.generalized_linear.theory import channel
from replicon.inference.generalized_linear.theory.erm import Values, mass_below
from replicon.maths.gaussian import normal_density, tanh_averages
from replicon.maths.roots import bracketed_root
from replicon.maths.solution import CONVERGED


def information(teacher: str, odds: Array) -> Array:
    """``(1 - q) E[P'^2 / P^2]`` at ``q = 1 / (1 + odds)``, that is ``odds = (1 - q) / q``."""
    width = jnp.sqrt(odds)
    nodes, weights = channel.panels(jnp.stack([width]))
    weights = 2 * weights * normal_density(nodes)
    if teacher == "sign":
        t = nodes / width
        return jnp.sum(weights * jnp.exp(-t * t - channel.log_probability_of_sign(t))) / (2 * np.pi)
    overlap = 1 / (1 + odds)
    label = channel.label_given(teacher, jnp.sqrt(overlap) * nodes, odds * overlap)
    return odds * overlap * jnp.sum(weights * label.slope**2 / label.probability)


def bayes_optimal(load: Array, teacher: str) -> tuple[Values, Array]:
    """Posterior mean for standard normal weights.

    Parameters
    ----------
    load : scalar
        alpha = samples / features.
    teacher : {"sign", "logistic", "linear"}

    Returns
    -------
    values : dict
        `teacher_overlap`, `weight_norm`, `response`, `test_error_01`, `train_error_01`, `residual`.
    status : int array
    """
    if teacher == "linear":
        overlap, status, residual = jnp.minimum(load, 1.0), jnp.zeros((), jnp.int32), jnp.zeros(())
    else:
        # q = q_hat / (1 + q_hat) says q_hat odds = 1; q_hat (1 - q) = load * information.
        def equation(log_odds: Array) -> Array:
            odds = jnp.exp(log_odds)
            return jnp.log(load * information(teacher, odds) * (1 + odds))

        log_odds, status = bracketed_root(equation, -60.0, 40.0)
        overlap, residual = 1 / (1 + jnp.exp(log_odds)), jnp.abs(equation(log_odds))
    return (
        dict(
            teacher_overlap=overlap,
            weight_norm=overlap,
            response=1 - overlap,
            train_error_01=_train_error(teacher, overlap),
            test_error_01=channel.classification_error(teacher, jnp.sqrt(overlap)),
            residual=residual,
        ),
        status,
    )


def _train_error(teacher: str, overlap: Array) -> Array:
    """The posterior mean of a trained field has the sign of its label, unless labels are noisy."""
    if teacher != "logistic":
        # The linear teacher's labels are met exactly too: the posterior knows every field that it was shown.
        return jnp.zeros_like(overlap)

    def fitted(xi: Array) -> Array:
        mean, variance = jnp.sqrt(overlap) * xi, 1 - overlap
        label = channel.label_given(teacher, mean[None], variance)
        return (mean + variance * label.slope / label.probability)[0]

    threshold, _ = bracketed_root(fitted, -400.0 / jnp.sqrt(overlap), 0.0)
    return mass_below(teacher, threshold, jnp.sqrt(overlap))


def binary_branch(field: Array) -> dict[str, Array]:
    """The sign perceptron with weights +-1, parametrised by ``q_hat = field``: overlap, load and free entropy.

    Every solution of the equations with q < 1 is on this curve; a load may be met more than once.
    """
    averages = tanh_averages(field, jnp.sqrt(field))
    overlap = averages.tanh
    # 1 - q without cancellation: twice the probability of the spin against its field.
    missing = 2 * averages.wrong
    load = field * missing / information("sign", missing / overlap)
    nodes, weights = channel.panels(jnp.stack([jnp.sqrt(missing / overlap)]))
    t = nodes * jnp.sqrt(overlap / missing)
    log_probability = channel.log_probability_of_sign(t)
    labels = jnp.sum(2 * weights * normal_density(nodes) * jnp.exp(log_probability) * log_probability)
    # E log 2cosh(h) = E[entropy of the spin + h tanh h], and E[h tanh h] = q_hat (q + 1 - E tanh^2) = q_hat.
    weight_part = averages.entropy + field - field / 2 - overlap * field / 2
    return dict(teacher_overlap=overlap, load=load, free_entropy=weight_part + load * labels)


def binary_thresholds() -> tuple[dict[str, Array], Array]:
    """Loads at which the sign perceptron with weights +-1 can be learnt: in principle, and by message passing.

    Returns
    -------
    values : dict
        `information`: beyond it the teacher is the most likely solution (1.2447); `algorithm`: beyond it no other
        fixed point is left (1.4927).
    status : int array
    """
    zero, first = bracketed_root(lambda f: binary_branch(f)["free_entropy"], 1.0, 3.2)
    slope = jax.grad(lambda f: binary_branch(f)["load"])
    top, second = bracketed_root(slope, 1.0, 8.0)
    values = dict(information=binary_branch(zero)["load"], algorithm=binary_branch(lax.stop_gradient(top))["load"])
    return values, first | second | CONVERGED

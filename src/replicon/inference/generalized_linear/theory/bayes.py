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
from jax.scipy.special import xlogy

from replicon.inference.generalized_linear.theory import channel
from replicon.inference.generalized_linear.theory.channel import Teacher
from replicon.inference.generalized_linear.theory.erm import Values, mass_below, mixture_error
from replicon.inference.generalized_linear.theory.statuses import HARD
from replicon.maths.gaussian import normal_density, tanh_averages
from replicon.maths.roots import bracketed_root
from replicon.maths.solution import CONVERGED, NOT_CONVERGED

_FIELDS = np.linspace(-14.0, 9.0, 185)
"""Logarithms of q_hat between which the solutions for weights +-1 are looked for."""

_KNOWN = 1e-9
"""Fraction of wrong weights below which the teacher counts as found: further digits are those of rounding."""


def information(teacher: Teacher, odds: Array) -> Array:
    """``(1 - q) E[P'^2 / P^2]`` at ``q = 1 / (1 + odds)``, that is ``odds = (1 - q) / q``."""
    overlap = 1 / (1 + odds)
    label, weights = _at_optimum(teacher, overlap, odds * overlap)
    # Where P is that small its slope squared is smaller still; the bound keeps derivatives from dividing by zero.
    return odds * overlap * jnp.sum(weights * label.slope**2 / jnp.maximum(label.probability, 1e-150))


def bayes_optimal(load: Array, teacher: Teacher, weights: str = "gaussian") -> tuple[Values, Array]:
    """Posterior mean; for weights +-1 what message passing finds of it, with ``HARD`` where that is not the optimum.

    Parameters
    ----------
    load : scalar
        alpha = samples / features.
    teacher : Teacher
        Of strength 1.
    weights : {"gaussian", "binary"}
        Prior of the teacher's weights, known to the student.

    Returns
    -------
    values : dict
        `teacher_overlap`, `weight_norm`, `response`, `test_error_01`, `train_error_01`, `residual`.
    status : int array
    """
    if weights == "binary":
        overlap, missing, residual, status = _binary(load, teacher)
    elif teacher.kind == "linear":
        missing, residual, status = _linear(load, teacher), jnp.zeros(()), jnp.zeros((), jnp.int32)
        overlap = 1 - missing
    else:
        # q = q_hat / (1 + q_hat) says q_hat odds = 1; q_hat (1 - q) = load * information.
        def equation(log_odds: Array) -> Array:
            odds = jnp.exp(log_odds)
            return jnp.log(load * information(teacher, odds) * (1 + odds))

        log_odds, status = bracketed_root(equation, -60.0, 40.0)
        overlap, missing = jax.nn.sigmoid(-log_odds), jax.nn.sigmoid(log_odds)
        residual = jnp.abs(equation(log_odds))
    return (
        dict(
            teacher_overlap=overlap,
            weight_norm=overlap,
            response=missing,
            train_error_01=_train_error(teacher, overlap, missing),
            test_error_01=channel.classification_error(teacher, jnp.sqrt(overlap)),
            residual=residual,
        ),
        status,
    )


def _linear(load: Array, teacher: Teacher) -> Array:
    """1 - q for labels ``z + noise``: the smaller of the two ways to write e^2 + (noise + load - 1) e - noise = 0."""
    noise = jnp.asarray(teacher.noise, dtype=float)
    excess = load + noise - 1
    root = jnp.sqrt(excess**2 + 4 * noise)
    return jnp.where(excess > 0, 2 * noise / jnp.where(excess > 0, excess + root, 1.0), 0.5 * (root - excess))


def _train_error(teacher: Teacher, overlap: Array, missing: Array) -> Array:
    """Trained fields have the sign of their labels unless these are noisy: the posterior then doubts what it saw."""
    if teacher.kind == "linear":
        noise = jnp.asarray(teacher.noise, dtype=float)
        shrink = jnp.where(noise > 0, missing / jnp.where(noise > 0, missing + noise, 1.0), 1.0)
        return mixture_error(overlap, overlap, shrink, channel.label_power(teacher))

    def fitted(xi: Array) -> Array:
        mean = jnp.sqrt(overlap) * xi
        return (mean + missing * channel.score(teacher, mean[None], missing))[0]

    # Where even the most misplaced sample is put right, the root is left at the end of the range.
    low = -channel.REACH
    doubts = lax.stop_gradient(fitted(jnp.asarray(low))) < 0
    threshold, _ = bracketed_root(lambda xi: jnp.where(doubts, fitted(xi), xi - low), low, 0.5)
    return jnp.where(doubts, mass_below(teacher, threshold, jnp.sqrt(overlap)), 0.0)


def binary_branch(field: Array, teacher: Teacher) -> dict[str, Array]:
    """Solutions for weights +-1, parametrised by ``q_hat = field``: overlap, load and free entropy.

    Every solution of the equations with q < 1 is on this curve; a load may be met more than once.
    """
    overlap, missing, weight_part = _binary_weights(field)
    load = field * missing / information(teacher, missing / overlap)
    return dict(
        teacher_overlap=overlap,
        missing=missing,
        load=load,
        free_entropy=weight_part + load * _label_entropy(teacher, overlap, missing),
    )


def binary_thresholds() -> tuple[dict[str, Array], Array]:
    """Loads at which the sign perceptron with weights +-1 can be learnt: in principle, and by message passing.

    Returns
    -------
    values : dict
        `information`: beyond it the teacher is the most likely solution (1.2447); `algorithm`: beyond it no other
        fixed point is left (1.4927).
    status : int array
    """
    sign = Teacher("sign")
    zero, first = bracketed_root(lambda f: binary_branch(f, sign)["free_entropy"], 1.0, 3.2)
    slope = jax.grad(lambda f: binary_branch(f, sign)["load"])
    top, second = bracketed_root(slope, 1.0, 8.0)
    values = dict(
        information=binary_branch(zero, sign)["load"], algorithm=binary_branch(lax.stop_gradient(top), sign)["load"]
    )
    return values, first | second | CONVERGED


def _binary(load: Array, teacher: Teacher) -> tuple[Array, Array, Array, Array]:
    """Overlap, 1 - overlap, residual and status of the solution that message passing reaches from no overlap."""

    def distance(log_field: Array) -> Array:
        return jnp.log(binary_branch(jnp.exp(log_field), teacher)["load"] / load)

    def potential(log_field: Array) -> tuple[Array, Array, Array]:
        overlap, missing, weight_part = _binary_weights(jnp.exp(log_field))
        on_branch = jnp.exp(log_field) * missing / information(teacher, missing / overlap)
        return jnp.log(on_branch / load), weight_part + load * _label_entropy(teacher, overlap, missing), missing

    # Message passing goes up from the left and stops where the branch first reaches the load. The stationary points
    # of the potential are the solutions, the highest of them is the optimum.
    grid = jnp.asarray(_FIELDS)
    heights, entropies, left = lax.stop_gradient(lax.map(potential, grid))
    reached = (heights >= 0) & (left > _KNOWN)
    place = jnp.maximum(jnp.argmax(reached), 1)
    found = jnp.any(reached)
    cell = jnp.where(found, place, 1)
    log_field, solved = bracketed_root(lambda x: jnp.where(found, distance(x), x - grid[0]), grid[cell - 1], grid[cell])
    overlap, missing, _ = _binary_weights(jnp.exp(log_field))
    # At the far end nothing is left to learn and the potential has reached its limit, or become nan.
    better = found & (jnp.argmax(jnp.where(jnp.isnan(entropies), -jnp.inf, entropies)) > place)
    status = jnp.where(solved == CONVERGED, jnp.where(better, HARD, CONVERGED), NOT_CONVERGED)
    return (
        jnp.where(found, overlap, 1.0),
        jnp.where(found, missing, 0.0),
        jnp.where(found, jnp.abs(distance(log_field)), 0.0),
        jnp.where(found, status, CONVERGED),
    )


def _binary_weights(field: Array) -> tuple[Array, Array, Array]:
    """Overlap q, 1 - q and the free entropy of the weights +-1 at q_hat = field."""
    averages = tanh_averages(field, jnp.sqrt(field))
    overlap = averages.tanh
    # E log 2cosh(h) = E[entropy of the spin + h tanh h], and E[h tanh h] = q_hat (q + 1 - E tanh^2) = q_hat; 1 - q
    # without cancellation is twice the probability of the spin against its field.
    return overlap, 2 * averages.wrong, averages.entropy + field - field / 2 - overlap * field / 2


def _label_entropy(teacher: Teacher, overlap: Array, missing: Array) -> Array:
    """``E sum_y P log P``."""
    label, weights = _at_optimum(teacher, overlap, missing)
    return jnp.sum(weights * xlogy(label.probability, label.probability))


def _at_optimum(teacher: Teacher, overlap: Array, missing: Array) -> tuple[channel.Label, Array]:
    """Label given the optimal student's field, and weights of ``2 phi``."""
    nodes, weights = channel.panels(jnp.stack([channel.sharpness(teacher, jnp.sqrt(overlap), missing)]))
    label = channel.label_given(teacher, jnp.sqrt(overlap) * nodes, missing)
    return label, 2 * weights * normal_density(nodes)

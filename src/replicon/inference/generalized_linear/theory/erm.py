r"""State evolution of penalised empirical risk minimisation at infinite size.

    w_hat = argmin_w sum_i l(y_i, w.x_i) + (lambda / 2) |w|^2

Unknown are the overlap ``m = w_hat.w_star / d``, the squared norm ``q = |w_hat|^2 / d`` and the response V. With the
aligned field a of `channel`, the proximal operator u = prox_{V l}(a) and g = (u - a) / V,

    m_hat = alpha E[P'/P g],  q_hat = alpha E[g^2],  V_hat = -alpha E[dg/da]        (averages with density 2 phi P)
    V = 1 / (lambda + V_hat),  m = r m_hat V,  q = (r m_hat^2 + q_hat) V^2.

The unknowns of the solver are the logarithms of m/r, of ``q - m^2/r`` and of V, which are free; panels end at the kinks
of the proximal operator, so its derivative is used as it is, piece by piece.

References
----------
.. [1] B. Aubin, F. Krzakala, Y. M. Lu, L. Zdeborova, NeurIPS 2020, arXiv:2006.06560, theorem 1 and section 3.
.. [2] P. Sur, E. J. Candes, PNAS 116, 14516 (2019): the same equations at lambda = 0, logistic loss and teacher.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from replicon.inference.generalized_linear.theory import channel
from replicon.inference.generalized_linear.theory.channel import Teacher
from replicon.inference.generalized_linear.theory.statuses import DIVERGES
from replicon.maths import proximal
from replicon.maths.gaussian import normal_density
from replicon.maths.roots import implicit_root
from replicon.maths.solution import CONVERGED, NOT_CONVERGED

TOLERANCE = 1e-12
"""Largest change of a logarithm by the last step of the solver."""

_DIFFERENCE = 2e-6
"""Step of the differences that stand for derivatives of the equations, in a logarithm."""

_CLOSE = 1e-3
"""Largest step after which the next one takes the same Jacobian."""

_SLOPE_AT_ZERO = {"hinge": 1.0, "logistic": 0.5}
"""-l'(0) of the losses."""

_ROUNDING, _ENLARGED = 1e-14, 1e-8
"""Residual that cannot be told from rounding, and the largest step that such a residual may cause."""

Values = dict[str, Array]


def square_loss(load: Array, penalty: Array, teacher: Teacher) -> tuple[Values, Array]:
    """Closed form for the loss (y - w.x)^2 / 2; penalty 0 is the interpolator of least norm below load 1.

    With s = V / (1 + V): ``load s^2 - (penalty + load + 1) s + 1 = 0``, smaller root.
    """
    strength = jnp.asarray(teacher.strength, dtype=float)
    signal, power = channel.teacher_correlation(teacher), channel.label_power(teacher)
    total = penalty + load + 1
    # The difference of squares written as a product: at penalty 0 it is |load - 1| to rounding.
    root = jnp.sqrt(penalty * (penalty + 2 * (load + 1)) + (load - 1) ** 2)
    shrink = 2 / (total + root)
    left = 1 - load * shrink**2
    safe = jnp.where(left > 0, left, jnp.nan)
    overlap = load * signal * shrink
    norm = (overlap**2 / strength + load * shrink**2 * (power - 2 * signal * overlap / strength)) / safe
    misfit = power + norm - 2 * signal * overlap / strength
    return (
        dict(
            teacher_overlap=overlap,
            weight_norm=norm,
            response=shrink / (1 - shrink),
            train_error_01=_square_train_error(teacher, overlap, norm, shrink),
            test_error_01=channel.classification_error(teacher, overlap / jnp.sqrt(norm * strength)),
            train_loss=0.5 * misfit * (1 - shrink) ** 2,
            residual=jnp.zeros(()),
        ),
        jnp.where(left > 0, CONVERGED, DIVERGES),
    )


def _square_train_error(teacher: Teacher, overlap: Array, norm: Array, shrink: Array) -> Array:
    if teacher.kind == "linear":
        return mixture_error(overlap, norm, shrink, channel.label_power(teacher))
    threshold = -shrink / jnp.maximum((1 - shrink) * jnp.sqrt(norm), 1e-300)
    return mass_below(teacher, threshold, overlap / jnp.sqrt(norm * teacher.strength))


def mixture_error(overlap: Array, norm: Array, shrink: Array, power: Array) -> Array:
    """Probability that a normal label y and the fitted value ``(1 - s) a + s y`` have different signs."""
    keep = 1 - shrink
    fitted = keep**2 * norm + 2 * keep * shrink * overlap + shrink**2 * power
    both = (keep * overlap + shrink * power) / jnp.sqrt(power * fitted)
    return jnp.arccos(jnp.clip(both, -1.0, 1.0)) / jnp.pi


def mass_below(teacher: Teacher, threshold: Array, correlation: Array) -> Array:
    """Probability that the aligned field, in units of its standard deviation, is below `threshold`."""
    high = jnp.clip(threshold, -channel.REACH, channel.REACH)
    scale = jnp.stack([channel.sharpness(teacher, correlation)])
    nodes, weights = channel.panels(scale, high=high)
    probability = channel.aligned_field(teacher, correlation)(nodes).probability
    return jnp.sum(2 * weights * normal_density(nodes) * probability)


def erm(load: Array, penalty: Array, loss: str, teacher: Teacher) -> tuple[Values, Array]:
    """Order parameters and errors of a regularised margin loss, "hinge" or "logistic".

    Parameters
    ----------
    load : scalar
        alpha = samples / features.
    penalty : scalar
        lambda; 0 only where the minimum exists.
    loss : {"square", "hinge", "logistic"}
    teacher : Teacher
        A linear one only with the square loss.

    Returns
    -------
    values : dict
        `teacher_overlap`, `weight_norm`, `response`, `test_error_01`, `train_error_01`, `train_loss`, `residual`.
    status : int array
    """
    if loss == "square":
        return square_loss(load, penalty, teacher)
    strength = jnp.asarray(teacher.strength, dtype=float)
    guess, _ = square_loss(load, jnp.maximum(penalty, 0.1), teacher)
    start = jnp.log(
        jnp.stack(
            [
                guess["teacher_overlap"] / strength,
                jnp.maximum(guess["weight_norm"] - guess["teacher_overlap"] ** 2 / strength, 1e-8),
                jnp.minimum(guess["response"], 1 / jnp.maximum(penalty, 1e-3)),
            ]
        )
    )
    given = (load, penalty, teacher[1:])

    def step(x: Array, given: tuple[Any, Any, Any]) -> Array:
        return state_evolution(x, given[0], given[1], loss, Teacher(teacher.kind, *given[2]))

    # The search carries no derivative; the equations at its end do.
    unknowns, residual, good = solve(functools.partial(step, given=lax.stop_gradient(given)), lax.stop_gradient(start))
    unknowns = implicit_root(lambda x: step(x, given) - x, unknowns)
    ratio, spread, response = jnp.exp(unknowns)
    overlap, norm = ratio * strength, spread + ratio**2 * strength
    correlation = ratio * jnp.sqrt(strength / norm)
    measure, _, field = _average(norm, correlation, response, loss, teacher)
    fitted = proximal.prox(loss, field, response)
    values = dict(
        teacher_overlap=overlap,
        weight_norm=norm,
        response=response,
        train_error_01=jnp.sum(jnp.where(field < -_SLOPE_AT_ZERO[loss] * response, measure, 0.0)),
        test_error_01=channel.classification_error(teacher, correlation),
        train_loss=jnp.sum(measure * proximal.value(loss, fitted)),
        residual=residual,
    )
    values = {name: jnp.where(good, value, jnp.nan) for name, value in values.items()} | {"residual": residual}
    return values, jnp.where(good, CONVERGED, NOT_CONVERGED)


def state_evolution(unknowns: Array, load: Array, penalty: Array, loss: str, teacher: Teacher) -> Array:
    """One step of the equations, in the unknowns log(m / r), log(q - m^2 / r), log V."""
    ratio, spread, response = jnp.exp(unknowns)
    norm = spread + ratio**2 * teacher.strength
    correlation = ratio * jnp.sqrt(teacher.strength / norm)
    measure, slope_measure, field = _average(norm, correlation, response, loss, teacher)
    pull = -proximal.moreau_derivative(loss, field, response)
    if loss == "logistic":
        # From the slope of the loss at the fitted field, without solving for that field again.
        bend = pull * (1 - pull)
        bend = bend / (1 + response * bend)
    else:
        bend = proximal.moreau_curvature(loss, field, response)
    overlap_hat = load * jnp.sum(slope_measure * pull)
    spread_hat = load * jnp.sum(measure * pull**2)
    response_hat = load * jnp.sum(measure * bend)
    new_response = 1 / (penalty + response_hat)
    return jnp.log(jnp.stack([overlap_hat * new_response, spread_hat * new_response**2, new_response]))


def _average(norm: Array, correlation: Array, response: Array, loss: str, teacher: Teacher) -> tuple[Array, ...]:
    """Weights of the nodes with the densities 2 phi P and 2 phi P', and the aligned field there."""
    width = jnp.sqrt(norm)
    # Where the fitted field changes sign, and where the proximal operator has its kinks or turns.
    corners = [-_SLOPE_AT_ZERO[loss] * response / width]
    corners += [kink / width for kink in proximal.kinks(loss, response)]
    if loss == "logistic":
        corners += [turn / width for turn in _logistic_turns(response)]
    scale = jnp.stack([channel.sharpness(teacher, correlation)])
    nodes, weights = channel.panels(scale, tuple(corners))
    label = channel.aligned_field(teacher, correlation)(nodes)
    weights = 2 * weights * normal_density(nodes)
    return weights * label.probability, weights * label.slope, width * nodes


def _logistic_turns(response: Array) -> list[Array]:
    """Fields between which the proximal operator of the logistic loss is smooth on the scale of their distance.

    With ``x = V sigmoid(-u)`` it is ``a = log V - log x - x`` for large V, which has a branch point at x = -1, that is
    at ``a = log V + 1 +- i pi``: there the operator turns, exponentially to the right and like 1 / a to the left. It is
    its own mirror image about a = -V / 2.
    """
    turn = jnp.log1p(response)
    half = jnp.maximum(turn + 0.5 * response, 4.0)
    ladder = [4.0 * (half / 4.0) ** (rung / 4) for rung in range(4)]
    right = [turn + distance for distance in (0.0, 4.0, 12.0, 36.0)] + [turn - distance for distance in ladder]
    return [*right, *(-response - place for place in right)]


def solve(
    update: Callable[[Array], Array], start: Array, warm: int = 10, evaluations: int = 500
) -> tuple[Array, Array, Array]:
    """Fixed point of `update`: a few plain steps, then Newton's method with steps bounded in the logarithms.

    Returns the unknowns, the residual before the last step and whether it converged. No derivative is attached.
    """
    size = len(start)
    # Row 0 is the point itself, the others are moved in one unknown each, up and then down.
    shift = _DIFFERENCE * np.eye(size)
    shifts = jnp.asarray(np.vstack([np.zeros(size), shift, -shift]))

    def unfinished(state: tuple[Array, ...]) -> Array:
        return (state[-3] > TOLERANCE) & (state[-1] < evaluations)

    def evaluate(state: tuple[Array, ...]) -> tuple[Array, ...]:
        # One evaluation each time round, so that the quadrature is compiled once. Differences instead of tangents: an
        # error of 1e-10 in the Jacobian costs at most a step.
        x, left, jacobian, last, row, count = state
        moved = x + shifts[row]
        found = update(moved) - moved
        left = jnp.where(row == 0, found, left)
        column = (row > 0) & (jnp.arange(size) == (row - 1) % size)
        above = found[:, None]
        jacobian = jnp.where(column, jnp.where(row > size, (jacobian - above) / (2 * _DIFFERENCE), above), jacobian)
        # The Jacobian -1 of the start makes plain steps; that of a point serves the next ones while they shrink fast.
        ready = (count < warm) | (row == 2 * size) | ((row == 0) & (last < _CLOSE))
        newton = -jnp.linalg.solve(jacobian, left)
        usable = jnp.all(jnp.isfinite(newton))
        step = jnp.where(usable, newton, jnp.where(jnp.isfinite(left), left, 0.0))
        largest = jnp.max(jnp.abs(step))
        step = step * jnp.minimum(1.0, 0.7 / jnp.maximum(largest, 1e-300))
        slow = (row == 0) & (largest > 0.1 * last)
        judged = jnp.where((count >= warm) & usable & ~slow | (largest == 0), largest, 1.0)
        # Near a singular Jacobian the last steps are of rounding errors, enlarged.
        rounding = (largest < _ENLARGED) & (jnp.max(jnp.abs(left)) < _ROUNDING) & (count >= warm)
        judged = jnp.where(rounding, 0.0, judged)
        return (
            jnp.where(ready, x + step, x),
            left,
            jacobian,
            jnp.where(ready, judged, last),
            jnp.where(ready, 0, row + 1),
            count + 1,
        )

    none = jnp.zeros((), jnp.int32)
    state = (start, jnp.full_like(start, jnp.inf), -jnp.eye(size), jnp.ones(()), none, none)
    x, left, _, last, _, _ = lax.while_loop(unfinished, evaluate, state)
    residual = jnp.max(jnp.abs(left))
    return x, residual, (last <= TOLERANCE) & (residual < 1e-8)

r"""The largest margin: the limit penalty -> 0+ of every decreasing margin loss on separable data.

With R the cosine between student and teacher, a margin kappa is reached at load alpha as long as

    min_R { sqrt(alpha E[(kappa - x)_+^2]) - sqrt(1 - R^2) } <= 0,

x being the aligned field of a unit student, of density ``2 phi(x) P(x)`` (``P = Phi(R x / sqrt(1 - R^2))`` for a sign
teacher). The hard-margin classifier, min |w|^2 with all ``y w.x >= 1``, has the norm ``q = 1 / kappa^2``.

References
----------
.. [1] A. Montanari, F. Ruan, Y. Sohn, J. Yan, arXiv:1911.01544, theorem 3.
.. [2] B. Aubin, F. Krzakala, Y. M. Lu, L. Zdeborova, NeurIPS 2020, arXiv:2006.06560, section 4.
"""

import jax.numpy as jnp
from jax import Array

from replicon.inference.generalized_linear.theory import channel
from replicon.inference.generalized_linear.theory.channel import Teacher
from replicon.inference.generalized_linear.theory.erm import Values
from replicon.inference.generalized_linear.theory.statuses import NOT_SEPARABLE
from replicon.maths.gaussian import normal_density
from replicon.maths.roots import implicit_root, locate
from replicon.maths.solution import CONVERGED, NOT_CONVERGED


def excess(angle: Array, margin: Array, load: Array, teacher: Teacher) -> tuple[Array, Array]:
    """The function above at ``R = cos(angle)``, and its derivative in the angle.

    The margin can be reached where it is not positive. With labels averaged over the teacher's field, E[f(x)] changes
    with R at the rate E[f'(x) P'(x) / P(x)] (Price's theorem).
    """
    correlation, sine = jnp.cos(angle), jnp.sin(angle)
    scale = jnp.stack([channel.sharpness(teacher, correlation)])
    nodes, weights = channel.panels(scale, high=jnp.clip(margin, -channel.REACH + 0.1, channel.REACH))
    label = channel.aligned_field(teacher, correlation)(nodes)
    weights, lack = 2 * weights * normal_density(nodes), margin - nodes
    missing = jnp.sqrt(load * jnp.sum(weights * label.probability * lack**2))
    rate = -2 * load * jnp.sqrt(teacher.strength) * jnp.sum(weights * label.slope * lack)
    return missing - sine, -0.5 * rate * sine / missing - correlation


def max_margin(load: Array, teacher: Teacher) -> tuple[Values, Array]:
    """Order parameters of the hard-margin classifier.

    Parameters
    ----------
    load : scalar
        alpha = samples / features.
    teacher : Teacher
        Not linear.

    Returns
    -------
    values : dict
        `teacher_overlap`, `weight_norm`, `test_error_01`, `train_error_01`, `margin`, `residual`; nan with
        ``NOT_SEPARABLE`` where no margin is positive.
    status : int array
    """

    def largest(angle: Array) -> Array:
        # E[(kappa - x)_+^2] >= kappa^2 / 2 for kappa > 0 bounds the root.
        return locate(lambda kappa: excess(angle, kappa, load, teacher)[0], -9.3, jnp.sqrt(2 / load) + 1e-9)[0]

    def slope(angle: Array) -> Array:
        return excess(angle, largest(angle), load, teacher)[1]

    smallest = 1e-3 / (1 + load)
    angle, status = locate(slope, smallest, 0.5 * jnp.pi - 1e-9)
    point = jnp.stack([angle, largest(angle)])

    def equations(x: Array) -> Array:
        return jnp.stack(excess(x[0], x[1], load, teacher))

    residual = jnp.max(jnp.abs(equations(point)))
    angle, margin = implicit_root(equations, point)
    separable = margin > 0
    good = (status == CONVERGED) & separable
    correlation, kappa = jnp.cos(angle), jnp.where(separable, margin, 1.0)
    values = dict(
        teacher_overlap=correlation * jnp.sqrt(teacher.strength) / kappa,
        weight_norm=1 / kappa**2,
        test_error_01=channel.classification_error(teacher, correlation),
        train_error_01=jnp.zeros_like(kappa),
        margin=margin,
    )
    code = jnp.where(status == CONVERGED, jnp.where(separable, CONVERGED, NOT_SEPARABLE), NOT_CONVERGED)
    return {name: jnp.where(good, value, jnp.nan) for name, value in values.items()} | {"residual": residual}, code

"""Theory of generalised linear estimation at infinite size: convex losses, the Bayes optimum, the largest margin.

Every public function takes numbers or arrays, which are broadcast, and returns a `Solution` of values and an integer
status. All can be used inside ``jax.jit``, ``vmap`` and ``grad``.
"""

import jax.numpy as jnp
from jax import Array

from replicon.inference.generalized_linear.theory import bayes, erm
from replicon.inference.generalized_linear.theory.channel import Teacher
from replicon.inference.generalized_linear.theory.max_margin import max_margin as _max_margin
from replicon.inference.generalized_linear.theory.statuses import DIVERGES, HARD, NOT_SEPARABLE
from replicon.maths.grids import pointwise

LOSSES = ("square", "hinge", "logistic", "max_margin", "bayes")
TEACHERS = ("sign", "probit", "logistic", "linear")
WEIGHTS = ("gaussian", "binary")

__all__ = [
    "DIVERGES",
    "HARD",
    "LOSSES",
    "NOT_SEPARABLE",
    "TEACHERS",
    "WEIGHTS",
    "Teacher",
    "bayes_optimal",
    "binary_branch",
    "binary_thresholds",
    "estimate",
    "estimation",
    "max_margin",
]


def estimation(
    load: Array, penalty_level: Array, loss: str, teacher: Teacher, weights: str = "gaussian"
) -> tuple[dict[str, Array], Array]:
    """`estimate` at one point, for use inside a trace."""
    if loss == "bayes":
        return bayes.bayes_optimal(load, teacher, weights)
    if loss == "max_margin":
        return _max_margin(load, teacher)
    return erm.erm(load, penalty_level, loss, teacher)


@pointwise("loss", "teacher", "weights")
def estimate(
    load: Array | float,
    penalty_level: Array | float = 0.0,
    loss: str = "logistic",
    teacher: str = "sign",
    teacher_noise: Array | float = 0.0,
    flip_probability: Array | float = 0.0,
    weights: str = "gaussian",
    strength: Array | float = 1.0,
) -> tuple[dict[str, Array], Array]:
    """Overlap, norm, response and errors of one estimator at infinite size.

    Parameters
    ----------
    load : float or array
        alpha = samples / features.
    penalty_level : float or array
        lambda of the penalty ``lambda |w|^2 / 2``, added to the sum of the losses; not used by "max_margin" and
        "bayes".
    loss : {"square", "hinge", "logistic", "max_margin", "bayes"}
    teacher : {"sign", "probit", "logistic", "linear"}
        Features are normal with variance 1/d.
    teacher_noise : float or array
        Variance of the normal noise on the teacher's field, for "probit" and "linear".
    flip_probability : float or array
        Probability that a binary label is turned round, below 1/2.
    weights : {"gaussian", "binary"}
        The teacher's weights, of variance one; only "bayes" depends on more than their variance.
    strength : float or array
        ``|w_star|^2 / d`` where it is known better; "bayes" is for 1 only.

    Returns
    -------
    Solution
        `values`: dict of `teacher_overlap`, `weight_norm`, `response` (not for "max_margin"), `test_error_01`,
        `train_error_01`, `train_loss` (mean over samples; not for "max_margin" and "bayes"), `residual`, and `margin`
        for "max_margin".

    References
    ----------
    .. [1] B. Aubin, F. Krzakala, Y. M. Lu, L. Zdeborova, NeurIPS 2020, arXiv:2006.06560.
    """
    noisy = Teacher(teacher, jnp.asarray(teacher_noise), jnp.asarray(flip_probability), jnp.asarray(strength))
    return estimation(jnp.asarray(load), jnp.asarray(penalty_level), loss, noisy, weights)


@pointwise("teacher", "weights")
def bayes_optimal(
    load: Array | float, teacher: str = "sign", weights: str = "gaussian"
) -> tuple[dict[str, Array], Array]:
    """The posterior mean for weights that are standard normal or +-1; see `estimate`."""
    return bayes.bayes_optimal(jnp.asarray(load), Teacher(teacher), weights)


@pointwise("teacher")
def max_margin(load: Array | float, teacher: str = "sign") -> tuple[dict[str, Array], Array]:
    """The hard-margin classifier and its `margin` kappa, for features of variance 1/d and ``|w|^2 = d``."""
    return _max_margin(jnp.asarray(load), Teacher(teacher))


@pointwise()
def binary_thresholds() -> tuple[dict[str, Array], Array]:
    """Loads at which a sign perceptron with weights +-1 can be learnt.

    Returns
    -------
    Solution
        `information`: beyond it the free entropy prefers the teacher (1.2447); `algorithm`: beyond it message passing
        from nothing finds the teacher (1.4927).

    References
    ----------
    .. [1] G. Gyorgyi, Phys. Rev. A 41, 7097 (1990).
    .. [2] J. Barbier et al., PNAS 116, 5451 (2019), figure 1.
    """
    return bayes.binary_thresholds()


@pointwise()
def binary_branch(field: Array | float) -> tuple[dict[str, Array], Array]:
    """All solutions for the sign perceptron with weights +-1, along ``q_hat = field``.

    Parameters
    ----------
    field : float or array
        q_hat, positive.

    Returns
    -------
    Solution
        `values`: dict of `teacher_overlap`, `load` and `free_entropy` per feature (that of the teacher itself is 0).
    """
    field = jnp.asarray(field)
    values = bayes.binary_branch(field, Teacher("sign"))
    values.pop("missing")
    return values, jnp.where(field > 0, 0, 1)

r"""The scalar channel of a binary classification problem, and the quadrature on it.

With x ~ N(0, I/d), a teacher of squared norm r and labels that depend on the teacher's field only, everything at
infinite size is an average over the *aligned* field ``a = y w.x`` that a sample would have had it not been trained on:
``a = sqrt(q) xi`` has density ``2 phi(xi) P(xi)``, where P is the probability that the label is +1 given the student's
field, that is ``P = E_z sigma(omega_0 + sqrt(V_0) z)``, ``omega_0 = (m / sqrt q) xi``, ``V_0 = r - m^2 / q``. The
factor 2 is the sum over the two labels, which are each other's mirror image.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import log_ndtr, ndtr

from replicon.maths.gaussian import normal_density

REACH = 9.5
"""Standard deviations covered; the Gaussian mass beyond is 2e-21."""

_COARSE = np.array([-9.5, -6.5, -4.5, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.5, 6.5, 9.5])
_FINE = np.array([-8.0, -5.0, -3.0, -1.5, 1.5, 3.0, 5.0, 8.0])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


class Teacher(NamedTuple):
    """How labels come about from the teacher's field.

    Attributes
    ----------
    kind : {"sign", "probit", "logistic", "linear"}
        Never traced: functions that are mapped or differentiated close over the teacher.
    noise : scalar
        Variance of the normal noise on the field, for "probit" and "linear".
    flip : scalar
        Probability that a binary label is turned round afterwards, below 1/2.
    strength : scalar
        r, the variance of the field.
    """

    kind: str
    noise: Array | float = 0.0
    flip: Array | float = 0.0
    strength: Array | float = 1.0


class Label(NamedTuple):
    """Probability of the label +1 given the student's field, and its derivative in the mean of the teacher's field."""

    probability: Array
    slope: Array


def panels(
    scale: Array, kinks: tuple[Array, ...] = (), low: float | Array = -REACH, high: float | Array = REACH
) -> tuple[Array, Array]:
    """Nodes and weights of ``int_low^high dxi``: 12-point Gauss-Legendre panels between sorted edges.

    Parameters
    ----------
    scale : array, shape (k,)
        Widths on which the integrand may turn around xi = 0; panels are refined there.
    kinks : tuple of scalars
        Where the integrand has a corner or a jump: always edges of panels.
    low, high : scalars
        Ends of the interval.

    Returns
    -------
    nodes, weights : arrays
    """
    edges = [jnp.asarray(_COARSE), (jnp.minimum(scale, 1.0)[:, None] * _FINE).ravel()]
    edges += [jnp.stack([jnp.asarray(k, dtype=float) for k in kinks])] if kinks else []
    edges = jnp.sort(jnp.clip(jnp.concatenate(edges), low, high))
    centre, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * (edges[1:] - edges[:-1])
    return (centre[:, None] + half[:, None] * _NODES).ravel(), (half[:, None] * _WEIGHTS).ravel()


def label_given(teacher: Teacher, mean: Array, variance: Array | float) -> Label:
    """Label +1 given that the teacher's field is normal with this mean and variance; for binary labels.

    Parameters
    ----------
    teacher : Teacher
    mean : array
    variance : scalar
        Positive.
    """
    kept = 1 - 2 * teacher.flip
    if teacher.kind == "logistic":
        # The trapezoidal rule converges like exp(-2 pi d / h), d = pi / sqrt(variance) being the distance of the poles.
        step = 0.25
        z = np.arange(-34, 35) * step
        weight = step * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
        up = jax.nn.sigmoid(mean[..., None] + jnp.sqrt(variance) * z)
        return Label(teacher.flip + kept * (up @ weight), kept * ((up * (1 - up)) @ weight))
    deviation = jnp.sqrt(variance + _noise(teacher))
    t = mean / deviation
    return Label(teacher.flip + kept * ndtr(t), kept * normal_density(t) / deviation)


def score(teacher: Teacher, mean: Array, variance: Array | float) -> Array:
    """Derivative of the log-probability of the label +1 in the mean of the field, also where that has underflown."""
    if teacher.kind == "logistic":
        label = label_given(teacher, mean, variance)
        return label.slope / label.probability
    deviation = jnp.sqrt(variance + _noise(teacher))
    t = mean / deviation
    log_up = log_ndtr(t)
    flipped = jnp.where(teacher.flip > 0, jnp.exp(jnp.minimum(-log_up, 600.0)) * teacher.flip, 0.0)
    kept = 1 - 2 * teacher.flip
    return kept * jnp.exp(-0.5 * t * t - log_up) / (np.sqrt(2 * np.pi) * deviation * (kept + flipped))


def sharpness(teacher: Teacher, correlation: Array, missing: Array | None = None) -> Array:
    """Width in xi on which the label depends on the student; `missing` is 1 - correlation^2 if known better."""
    left = (1 - correlation) * (1 + correlation) if missing is None else missing
    # The logistic function turns as slowly as the normal distribution function of its own variance.
    noise = np.pi**2 / 3 if teacher.kind == "logistic" else _noise(teacher)
    return jnp.sqrt(left + noise / teacher.strength) / jnp.maximum(correlation, 1e-12)


def aligned_field(teacher: Teacher, correlation: Array) -> Callable[[Array], Label]:
    """P as a function of xi alone, for a student whose direction has this correlation with the teacher's."""

    def label(xi: Array) -> Label:
        mean = jnp.sqrt(teacher.strength) * correlation * xi
        return label_given(teacher, mean, teacher.strength * (1 - correlation) * (1 + correlation))

    return label


def classification_error(teacher: Teacher, correlation: Array) -> Array:
    """Probability that the sign of the student's field is not the label, or its sign, of a new sample."""
    if teacher.kind == "logistic":
        nodes, weights = panels(jnp.ones(1), high=0.0)
        label = aligned_field(teacher, correlation)(nodes)
        return jnp.sum(2 * weights * normal_density(nodes) * label.probability)
    seen = correlation / jnp.sqrt(1 + _noise(teacher) / teacher.strength)
    return teacher.flip + (1 - 2 * teacher.flip) * jnp.arccos(jnp.clip(seen, -1.0, 1.0)) / np.pi


def teacher_correlation(teacher: Teacher) -> Array:
    """``E[y z]`` of label and teacher's field."""
    strength = jnp.asarray(teacher.strength, dtype=float)
    if teacher.kind == "linear":
        return strength
    # By parts: r times the mean slope of E[y | z], of which the label +1 is one half.
    return 2 * strength * label_given(teacher, jnp.zeros(1), strength).slope[0]


def label_power(teacher: Teacher) -> Array:
    """``E[y^2]``."""
    return jnp.asarray(teacher.strength + teacher.noise if teacher.kind == "linear" else 1.0)


def _noise(teacher: Teacher) -> Array | float:
    return teacher.noise if teacher.kind in ("probit", "linear") else 0.0

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
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


class Label(NamedTuple):
    """Probability of the label +1 given the student's field, and its derivative in the mean of the teacher's field."""

    probability: Array
    slope: Array


def panels(
    scale: Array, kinks: tuple[Array, ...] = (), low: float | Array = -REACH, high: float | Array = REACH
) -> tuple[Array, Array]:
    """Nodes and weights of ``int_low^high dxi``: 16-point Gauss-Legendre panels between sorted edges.

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


def label_given(teacher: str, mean: Array, variance: Array | float) -> Label:
    """Label +1 given that the teacher's field is normal with this mean and variance.

    Parameters
    ----------
    teacher : {"sign", "logistic"}
    mean : array
    variance : scalar
        Positive.
    """
    if teacher == "sign":
        deviation = jnp.sqrt(variance)
        return Label(ndtr(mean / deviation), normal_density(mean / deviation) / deviation)
    # The trapezoidal rule converges like exp(-2 pi d / h), d = pi / sqrt(variance) being the distance of the poles.
    step = 0.25
    z = np.arange(-34, 35) * step
    weight = step * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    up = jax.nn.sigmoid(mean[..., None] + jnp.sqrt(variance) * z)
    return Label(up @ weight, (up * (1 - up)) @ weight)


def sharpness(teacher: str, correlation: Array) -> Array:
    """Width in xi on which the label depends on the student's field."""
    if teacher == "sign":
        return jnp.sqrt((1 - correlation) * (1 + correlation)) / jnp.maximum(correlation, 1e-12)
    return jnp.ones_like(correlation)


def log_probability_of_sign(t: Array) -> Array:
    """Logarithm of the normal distribution function, without underflow."""
    return log_ndtr(t)


def aligned_field(teacher: str, correlation: Array, strength: Array | float = 1.0) -> Callable[[Array], Label]:
    """P as a function of xi alone, for a student whose direction has this correlation with the teacher's."""

    def label(xi: Array) -> Label:
        mean = jnp.sqrt(strength) * correlation * xi
        return label_given(teacher, mean, strength * (1 - correlation) * (1 + correlation))

    return label


def classification_error(teacher: str, correlation: Array, strength: Array | float = 1.0) -> Array:
    """Probability that the sign of the student's field is not the label of a new sample."""
    if teacher in ("sign", "linear"):
        return jnp.arccos(jnp.clip(correlation, -1.0, 1.0)) / np.pi
    nodes, weights = panels(jnp.ones(1), high=0.0)
    label = aligned_field(teacher, correlation, strength)(nodes)
    return jnp.sum(2 * weights * normal_density(nodes) * label.probability)


def teacher_correlation(teacher: str, strength: Array | float = 1.0) -> Array:
    """``E[y z]`` of label and teacher's field."""
    strength = jnp.asarray(strength, dtype=float)
    if teacher == "sign":
        return jnp.sqrt(2 * strength / np.pi)
    if teacher == "linear":
        return strength
    # Integrated by parts: E[z tanh(z / 2)] = r E[sech^2(z / 2)] / 2.
    return 2 * strength * label_given("logistic", jnp.zeros(1), strength).slope[0]

r"""Densities smoothed by Gaussian noise, ``p_q = p * N(0, q)``: what every scalar channel needs of a prior or a noise.

A density is a frozen pytree, its numbers traced, so it can be handed to compiled functions and differentiated. From the
score ``psi_q = (log p_q)'`` everything else follows: the posterior mean of s given x = s + sqrt(q) z is
``x + q psi_q(x)`` (Tweedie), the Fisher information is ``J_q = E[psi_q^2]`` and the smallest mean squared error is
``q - q^2 J_q``.

References
----------
.. [1] M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016), sections IV and V.
.. [2] B. Efron, J. Am. Stat. Assoc. 106, 1602 (2011): Tweedie's formula.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import erfcx

from replicon.core.errors import ParameterError

_LOG_STEP = 0.3
"""Step in the logarithm of the precision of Student's mixture: the trapezoidal rule errs by exp(-pi^2 / step)."""


class Smoothed(NamedTuple):
    """What is known of a smoothed density at points x; arrays of the shape of x.

    Attributes
    ----------
    log_density, score : array
        ``log p_q(x)`` and ``psi_q(x) = d log p_q / dx``.
    posterior_variance : array
        Variance of s given x = s + sqrt(q) z.
    """

    log_density: Array
    score: Array
    posterior_variance: Array


class Density(eqx.Module):
    """Base of the densities: a probability density on the line, as seen through Gaussian noise of variance q.

    Attributes
    ----------
    symmetric : bool
        Even densities are integrated over the positive half-line only.
    """

    symmetric: eqx.AbstractVar[bool]

    def smoothed(self, x: Array, q: Array | float) -> Smoothed:
        """All at once, elementwise in x; `q` a scalar, positive (or zero where p has no atom)."""
        raise NotImplementedError

    def log_density(self, x: Array, q: Array | float) -> Array:
        """``log p_q(x)``."""
        return self.smoothed(x, q).log_density

    def score(self, x: Array, q: Array | float) -> Array:
        """``psi_q(x) = d log p_q / dx``."""
        return self.smoothed(x, q).score

    def posterior_variance(self, x: Array, q: Array | float) -> Array:
        """Variance of s given x = s + sqrt(q) z."""
        return self.smoothed(x, q).posterior_variance

    def normal_variance(self) -> Array | None:
        """The variance of a normal density, for which averages are known in closed form; None for any other."""
        return None

    def entropy(self) -> Array:
        """Differential entropy of p itself in nats; minus infinity with an atom."""
        raise NotImplementedError

    def mean(self) -> Array:
        """Mean of p itself."""
        raise NotImplementedError

    def variance(self) -> Array:
        """Variance of p itself; exact, also where tails are heavy."""
        raise NotImplementedError

    def scales(self, q: Array | float) -> tuple[Array, Array]:
        """The finest length on which p_q turns and the distance beyond which it carries nothing."""
        raise NotImplementedError

    def centres(self) -> Array:
        """Points at or around which p_q may be peaked, shape (k,)."""
        return jnp.zeros(1)

    def second_moment(self) -> Array:
        """``E[s^2]``."""
        return self.variance() + self.mean() ** 2

    def posterior_mean(self, x: Array, q: Array | float) -> Array:
        """Mean of s given x = s + sqrt(q) z."""
        return x + q * self.score(x, q)


class GaussianMixture(Density):
    """Mixture of Gaussians; variance zero makes a component an atom.

    Attributes
    ----------
    weights, means, variances : arrays (components,)
        Weights sum to one.
    tail_variance : scalar
        Variance that a heavy tail, cut off with the last component, adds to that of the components.
    symmetric : bool
        Whether the density is even.
    peaked : bool
        Whether components away from zero may be narrow, so that a quadrature must look around each mean.
    """

    weights: Array
    means: Array
    variances: Array
    tail_variance: Array | float = 0.0
    symmetric: bool = eqx.field(default=True, static=True)
    peaked: bool = eqx.field(default=False, static=True)

    def smoothed(self, x: Array, q: Array | float) -> Smoothed:
        """Sums over the components, from their shares of the density; no digits are lost for small q."""
        x = jnp.asarray(x)[..., None]
        variances = self.variances + q
        distance = x - self.means
        exponent = -0.5 * (distance**2 / variances + jnp.log(2 * np.pi * variances))
        # A component of weight zero must not set the scale.
        largest = jnp.max(jnp.where(self.weights > 0, exponent, -jnp.inf), axis=-1, keepdims=True)
        terms = self.weights * jnp.exp(jnp.minimum(exponent - largest, 600.0))
        total = jnp.sum(terms, axis=-1, keepdims=True)
        share = terms / total
        means = distance * (self.variances / variances) + self.means
        centre = jnp.sum(share * means, axis=-1, keepdims=True)
        return Smoothed(
            log_density=(largest + jnp.log(total))[..., 0],
            score=-jnp.sum(share * (distance / variances), axis=-1),
            posterior_variance=jnp.sum(share * (q * self.variances / variances + (means - centre) ** 2), axis=-1),
        )

    def normal_variance(self) -> Array | None:
        """That of the only component, where there is one."""
        return self.variances[0] if self.weights.shape[0] == 1 else None

    def entropy(self) -> Array:
        """Differential entropy of p in nats, by quadrature."""
        from replicon.maths.scalar_channel.expectations import entropy

        return entropy(self, 0.0)

    def mean(self) -> Array:
        """Mean of p."""
        return jnp.sum(self.weights * self.means)

    def variance(self) -> Array:
        """Variance of p."""
        centred = self.means - self.mean()
        return jnp.sum(self.weights * (self.variances + centred**2)) + self.tail_variance

    def scales(self, q: Array | float) -> tuple[Array, Array]:
        """Narrowest width, and ten standard deviations beyond the furthest mean."""
        least = jnp.sqrt(jnp.min(self.variances) + q)
        return least, jnp.max(jnp.abs(self.means) + 10.5 * jnp.sqrt(self.variances + q))

    def centres(self) -> Array:
        """The means where narrow components sit, else zero."""
        return self.means if self.peaked else jnp.zeros(1)


class Laplace(Density):
    """``p(x) = exp(-|x| / scale) / (2 scale)``, variance 2 scale^2.

    The smoothed density is ``exp(-x^2/2q) [erfcx(u_-) + erfcx(u_+)] / (4 scale)`` with
    ``u_-+ = (sqrt(q)/scale -+ x/sqrt(q)) / sqrt(2)``, which is handled in logarithms: neither tail overflows.
    """

    scale: Array | float
    symmetric: bool = eqx.field(default=True, static=True)

    def smoothed(self, x: Array, q: Array | float) -> Smoothed:
        """The two sides of the kink, from one evaluation of the error function."""
        root = jnp.sqrt(q)
        ratio, place = root / self.scale, jnp.asarray(x) / root
        signed = jnp.stack([place, -place])
        u = (ratio - signed) / np.sqrt(2)
        far, near = _error_functions(u)
        # On the near side u^2 - x^2/2q is written out: both are huge for x far above sqrt(q).
        right, left = jnp.where(u < 0, ratio * (0.5 * ratio - signed) + near, far - 0.5 * signed**2)
        log_density = jnp.logaddexp(right, left) - jnp.log(4 * self.scale)
        # In the ratio of the sides the Gaussian cancels.
        right, left = jnp.where(u < 0, u**2 + near, far)
        difference = jnp.tanh(0.5 * (left - right))
        # psi' = 1/scale^2 - N_q(x) / (scale^2 p_q(x)) - psi^2
        ratio = 4 * self.scale * jnp.exp(-jnp.logaddexp(right, left)) / jnp.sqrt(2 * np.pi * q)
        variance = q + (q / self.scale) ** 2 * (1 - difference**2 - ratio)
        return Smoothed(log_density, difference / self.scale, variance)

    def entropy(self) -> Array:
        """``1 + log(2 scale)``."""
        return 1.0 + jnp.log(2.0 * jnp.asarray(self.scale, dtype=float))

    def mean(self) -> Array:
        """Zero."""
        return jnp.zeros_like(jnp.asarray(self.scale, dtype=float))

    def variance(self) -> Array:
        """``2 scale^2``."""
        return 2.0 * jnp.asarray(self.scale, dtype=float) ** 2

    def scales(self, q: Array | float) -> tuple[Array, Array]:
        """The smoothing width, and forty scales beyond ten of it."""
        root = jnp.sqrt(q)
        return root, 10.5 * root + 38.0 * self.scale


def gaussian(variance: Array | float) -> GaussianMixture:
    """Normal density of mean zero."""
    variance = jnp.reshape(jnp.asarray(variance, dtype=float), (1,))
    return GaussianMixture(weights=jnp.ones(1), means=jnp.zeros(1), variances=variance)


def laplace(variance: Array | float) -> Laplace:
    """Laplace density of this variance; its scale is sqrt(variance / 2)."""
    return Laplace(scale=jnp.sqrt(jnp.asarray(variance, dtype=float) / 2))


def bernoulli_gauss(sparsity: Array | float, variance: Array | float) -> GaussianMixture:
    """Zero with probability 1 - sparsity, else normal of this variance.

    Parameters
    ----------
    sparsity : scalar
        Fraction of non-zero entries, in (0, 1].
    variance : scalar
        Variance of the non-zero entries.
    """
    sparsity, variance = jnp.asarray(sparsity, dtype=float), jnp.asarray(variance, dtype=float)
    return GaussianMixture(
        weights=jnp.stack([1 - sparsity, sparsity]),
        means=jnp.zeros(2),
        variances=jnp.stack([jnp.zeros_like(variance), variance]),
    )


def student(variance: Array | float, degrees_of_freedom: float = 3.0) -> GaussianMixture:
    r"""Student's t density of mean zero and this variance, as a scale mixture of Gaussians.

    A t variable is ``s z / sqrt(tau)`` with ``nu tau`` chi-squared of nu degrees of freedom. The integral over
    ``log tau`` is the trapezoidal rule with about 90 nodes (error 1e-12 where the density counts); precisions that
    occur with probability below 1e-14 are left out, and what they add to the variance is carried exactly.

    Parameters
    ----------
    variance : scalar
        ``s^2 nu / (nu - 2)``.
    degrees_of_freedom : float
        nu, above 2: the variance is infinite otherwise.

    Raises
    ------
    ParameterError
        For nu of 2 or less.
    """
    if not degrees_of_freedom > 2:
        raise ParameterError(f"degrees_of_freedom is {degrees_of_freedom}; Student's t has a variance above 2 only")
    shape = degrees_of_freedom / 2
    low = (np.log(1e-14) + math.lgamma(shape + 1.0)) / shape - np.log(shape)
    high = np.log(1.0 + 40.0 / shape)
    log_tau = np.arange(low, high, _LOG_STEP)
    tau = np.exp(log_tau)
    log_weight = shape * np.log(shape) - math.lgamma(shape) + shape * log_tau - shape * tau
    weights = _LOG_STEP * np.exp(log_weight)
    weights = weights / weights.sum()
    scale_squared = jnp.asarray(variance, dtype=float) * (degrees_of_freedom - 2) / degrees_of_freedom
    kept = float(np.sum(weights / tau)) * scale_squared
    return GaussianMixture(
        weights=jnp.asarray(weights),
        means=jnp.zeros(tau.size),
        variances=scale_squared / tau,
        tail_variance=variance - kept,
    )


def from_function(
    density: Callable[[np.ndarray], np.ndarray],
    low: float,
    high: float,
    breaks: Sequence[float] = (),
    panels: int = 60,
    tolerance: float = 1e-6,
) -> GaussianMixture:
    """A user's density by quadrature: a mixture of atoms on Gauss-Legendre nodes.

    It is accurate for smoothing widths sqrt(q) above twice the distance between neighbouring nodes, which is
    ``(high - low) / (8 panels)``; more panels reach smaller q.

    Parameters
    ----------
    density : callable
        Maps an array of x to p(x) >= 0; called once.
    low, high : float
        Interval that carries the probability.
    breaks : sequence of float
        Kinks and jumps of the density inside the interval.
    panels : int
        Panels of 8 nodes.
    tolerance : float
        Largest deviation of the total probability from one.

    Raises
    ------
    ParameterError
        For an empty interval, or a density that is negative, not finite or not normalised.
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ParameterError(f"the interval of the density is [{low}, {high}]; give finite ends with low < high")
    edges = np.union1d(np.linspace(low, high, panels + 1), [b for b in breaks if low < b < high])
    nodes, weights = np.polynomial.legendre.leggauss(8)
    half = 0.5 * np.diff(edges)[:, None]
    x = (0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes).ravel()
    values = np.asarray(density(x), dtype=float)
    if values.shape != x.shape or not np.all(np.isfinite(values)) or np.any(values < 0):
        raise ParameterError("the density must map an array of x to as many finite values that are not negative")
    mass = values * (half * weights).ravel()
    total = mass.sum()
    if not abs(total - 1) <= tolerance:
        raise ParameterError(
            f"the density integrates to {total:.8g} over [{low:g}, {high:g}]; normalise it, widen the interval, or "
            "name its breaks"
        )
    kept = mass > 0
    symmetric = bool(np.allclose(x, -x[::-1], atol=1e-12) and np.allclose(mass, mass[::-1], rtol=1e-9, atol=1e-15))
    return GaussianMixture(
        weights=jnp.asarray(mass[kept] / total),
        means=jnp.asarray(x[kept]),
        variances=jnp.zeros(int(kept.sum())),
        symmetric=symmetric,
    )


def log_erfcx(u: Array) -> Array:
    """Logarithm of the scaled complementary error function exp(u^2) erfc(u), without overflow on either side."""
    u = jnp.asarray(u)
    far, near = _error_functions(u)
    return jnp.where(u < 0, u**2 + near, far)


def _error_functions(u: Array) -> tuple[Array, Array]:
    """``log erfcx(|u|)`` and ``log erfc(-|u|)``, from one evaluation."""
    size = jnp.where(u < 0, -u, u)
    # The library's erfcx gives out where exp(u^2) erfc(u) underflows; ten terms of the series are exact from 10 on.
    far = jnp.maximum(size, 10.0)
    term = 0.5 / far**2
    series = jnp.ones_like(far)
    for odd in range(19, 0, -2):
        series = 1 - odd * term * series
    middle = jnp.log(erfcx(jnp.minimum(size, 10.0)))
    scaled = jnp.where(size > 10.0, jnp.log(series / far) - 0.5 * np.log(np.pi), middle)
    return scaled, jnp.log1p(1 - jnp.exp(scaled - size**2))

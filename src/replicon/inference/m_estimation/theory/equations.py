r"""The replica-symmetric equations of convex M-estimation, for any separable loss and penalty.

With e_q = eps + sqrt(q) z and r_q = s0 + sqrt(q) z the two scalar problems are (Advani and Ganguli 2016, eqs. 15-18)::

    1 / lam_sig = alpha E[M''(e_{q_s})]            lam_rho = lam_sig E[prox'(r_{q_d})]
    q_d = lam_sig^2 alpha E[M'(e_{q_s})^2]         q_s     = E[(prox(r_{q_d}) - s0)^2]

M the Moreau envelope of the loss at step lam_rho, prox that of the penalty at step lam_sig. The design has independent
entries of variance 1/P, so q_s is also the variance of the prediction on a new row.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import erfc

from replicon.maths import proximal
from replicon.maths.scalar_channel import Density
from replicon.maths.scalar_channel.expectations import Denoised, bayes, channel, denoised
from replicon.maths.scalar_channel.fixed_point import FixedPoint, fixed_point

_NOTHING = 1e-100


class Residuals(NamedTuple):
    """Averages over the residual channel at (q_s, lam_rho).

    Attributes
    ----------
    curvature, square : scalars
        ``E[M'']`` and ``E[M'^2]``.
    train_error, train_loss : scalars
        ``E[prox^2]`` and ``E[rho(prox)]``, the residuals of the fit.
    """

    curvature: Array
    square: Array
    train_error: Array
    train_loss: Array


def residual_averages(loss: str, scale: Array, noise: Density, error: Array, step: Array) -> Residuals:
    """Averages of a loss of `replicon.maths.proximal`, at estimation error q_s and residual step lam_rho."""
    if loss == "square":
        # Linear: closed in the variance, which is exact for heavy tails.
        total = noise.second_moment() + error
        fit = total / (1 + step) ** 2
        return Residuals(1 / (1 + step), fit, fit, 0.5 * fit)
    over = channel(noise, error, proximal.kinks(loss, step, scale))
    slope = proximal.moreau_derivative(loss, over.x, step, scale)
    square = over.average(slope**2)
    fit = over.x - step * slope
    return Residuals(
        curvature=over.slope(slope),
        square=square,
        # prox = x - lam M', with the second moment of x exact where the tail outreaches the nodes.
        train_error=over.variance - 2 * step * over.average(over.x * slope) + step**2 * square,
        train_loss=over.average(proximal.value(loss, fit, scale)),
    )


def coefficient_averages(penalty: str, level: Array, signal: Density, noise: Array, step: Array) -> Denoised:
    """Error and mean slope of the penalty's prox at effective noise q_d and step lam_sig.

    "optimal" is the posterior mean, the prox of the penalty that is best for this channel.
    """
    if penalty == "none":
        return Denoised(jnp.asarray(noise), jnp.ones_like(noise))
    if penalty == "ridge":
        slope = 1 / (1 + step * level)
        return Denoised(slope**2 * noise + (1 - slope) ** 2 * signal.second_moment(), slope)
    if penalty == "optimal":
        return bayes(signal, noise)
    over = channel(signal, noise, proximal.kinks(penalty, step, level))
    found = denoised(over, proximal.prox(penalty, over.x, step, level))
    # Where the penalty leaves nothing the slope is exponentially small: no number, but still positive.
    return Denoised(found.error, jnp.maximum(found.slope, _NOTHING))


def effective_channel(load: Array, residuals: Residuals) -> tuple[Array, Array]:
    """Effective noise q_d and coefficient step lam_sig that the residual averages lead to."""
    return residuals.square / (load * residuals.curvature**2), 1 / (load * residuals.curvature)


def solve(
    load: Array, loss: str, scale: Array, penalty: str, level: Array, noise: Density, signal: Density
) -> FixedPoint:
    """The fixed point (q_s, lam_rho); `load` must exceed one where there is no penalty."""

    def update(values: Array) -> Array:
        residuals = residual_averages(loss, scale, noise, values[0], values[1])
        effective_noise, step = effective_channel(load, residuals)
        found = coefficient_averages(penalty, level, signal, effective_noise, step)
        return jnp.stack([found.error, step * found.slope])

    if penalty == "none":
        # Least squares, which has this solution in closed form.
        start = jnp.stack([noise.variance() / (load - 1), 1 / (load - 1)])
    else:
        start = jnp.stack([signal.second_moment(), jnp.ones(())])
    return fixed_point(update, start)


def describe(
    load: Array, loss: str, scale: Array, noise: Density, error: Array, residual_step: Array
) -> dict[str, Array]:
    """Observables at a fixed point (q_s, lam_rho) of `solve`."""
    residuals = residual_averages(loss, scale, noise, error, residual_step)
    effective_noise, coefficient_step = effective_channel(load, residuals)
    return {
        "estimation_error": error,
        "effective_noise": effective_noise,
        "residual_step": residual_step,
        "coefficient_step": coefficient_step,
        "train_error": residuals.train_error,
        "train_loss": residuals.train_loss,
        "test_error": error + noise.second_moment(),
    }


def support(level: Array, variance: Array | float, effective_noise: Array, step: Array) -> dict[str, Array]:
    """Fractions of zeros and of Gaussian non-zeros that the lasso leaves non-zero."""
    threshold = step * level
    return {
        "false_positive_rate": erfc(threshold / jnp.sqrt(2 * effective_noise)),
        "true_positive_rate": erfc(threshold / jnp.sqrt(2 * (effective_noise + variance))),
    }

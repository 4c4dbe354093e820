r"""The risk of ridge regression with many features: one for the whole library.

n samples ``x ~ N(0, S)``, ``y = x.b + noise``, ``b_hat = argmin sum_i (y_i - x_i.b)^2 / 2 + lambda |b|^2 / 2``, p / n =
aspect. The effective ridge k solves ``k = lambda / n + (k / n) sum_i S_i / (S_i + k)`` and everything follows from it:

    excess risk = [k^2 sum_i b_i^2 S_i / (S_i + k)^2 + v d_2] / (1 - d_2),   d_2 = (1/n) sum_i (S_i / (S_i + k))^2.

Loss (1/n) |y - X b|^2 + lambda' |b|^2 of other texts is lambda = n lambda'.

References
----------
.. [1] T. Hastie, A. Montanari, S. Rosset, R. J. Tibshirani, Ann. Stat. 50, 949 (2022), arXiv:1903.08560, theorems 2 and
5.
.. [2] P. Patil, Y. Wei, A. Rinaldo, R. J. Tibshirani, AISTATS 2021: generalised and leave-one-out cross-validation.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from replicon.core.errors import ParameterError
from replicon.core.precision import in_float64, is_traced
from replicon.maths.roots import bracketed_root
from replicon.maths.solution import CONVERGED, NOT_CONVERGED, Solution

DIVERGES = 2
"""Status bit: without penalty the risk diverges where samples and features are equal in number."""


def spectral_risk(
    eigenvalues: Array, weights: Array, signal: Array, noise: Array, aspect: Array, penalty: Array
) -> tuple[dict[str, Array], Array]:
    """Risk of an infinite population given by a spectrum.

    Parameters
    ----------
    eigenvalues, weights : arrays, shape (k,)
        Eigenvalues of the covariance and the fraction of the features that has them.
    signal : array, shape (k,)
        Sum of the squared coefficients of all features with that eigenvalue.
    noise : scalar
        Variance of the noise.
    aspect : scalar
        features / samples.
    penalty : scalar
        lambda / n.

    Returns
    -------
    values : dict of scalars
        See `ridge_risk`.
    status : int array
    """
    # Between lambda/n and lambda/n + tr S/n, since k S/(S+k) <= S; written so that k = 0 is no root.
    high = penalty + aspect * jnp.sum(weights * eigenvalues)

    def equation(k: Array) -> Array:
        share = jnp.where(penalty > 0, penalty / jnp.where(k > 0, k, 1.0), 0.0)
        return 1 - share - aspect * jnp.sum(weights * eigenvalues / (eigenvalues + k))

    ridgeless = (penalty == 0) & (aspect <= 1)
    shifted, solved = bracketed_root(lambda k: jnp.where(ridgeless, k - high, equation(k)), penalty, high)
    k = jnp.where(ridgeless, 0.0, shifted)
    shrink = eigenvalues / (eigenvalues + k)
    freedom = aspect * jnp.sum(weights * shrink)
    second = aspect * jnp.sum(weights * shrink**2)
    finite = second < 1
    left = jnp.where(finite, 1 - second, jnp.nan)
    bias = jnp.sum(signal * eigenvalues * (k / (eigenvalues + k)) ** 2) / left
    variance = noise * second / left
    test = noise + bias + variance
    values = dict(
        excess_risk=bias + variance,
        bias=bias,
        variance=variance,
        test_error=test,
        # The residuals are the errors on new samples shrunk by 1 - df/n; cross-validation undoes just that.
        train_error=test * (1 - freedom) ** 2,
        generalized_cross_validation=test,
        leave_one_out=test,
        degrees_of_freedom=freedom,
        effective_ridge=k,
        residual=jnp.where(ridgeless, 0.0, jnp.abs(equation(jnp.where(ridgeless, 1.0, k)))),
    )
    status = jnp.where(solved == CONVERGED, jnp.where(finite, CONVERGED, DIVERGES), NOT_CONVERGED)
    return values, status


@jax.jit
def _population(eigenvalues: Array, coefficients: Array, noise: Array, aspect: Array, penalty: Array) -> Any:
    count = eigenvalues.shape[0]
    weights = jnp.full(count, 1 / count)
    samples = count / aspect

    def point(noise: Array, aspect: Array, level: Array, samples: Array) -> Any:
        return spectral_risk(eigenvalues, weights, coefficients**2, noise, aspect, level / samples)

    shape = jnp.broadcast_shapes(noise.shape, aspect.shape, penalty.shape)
    flat = [jnp.broadcast_to(a, shape).ravel() for a in (noise, aspect, penalty, samples)]
    values = jax.vmap(point)(*flat)
    return jax.tree_util.tree_map(lambda leaf: leaf.reshape(shape), values)


@in_float64
def ridge_risk(eigenvalues: Any, coefficients: Any, noise: Any, aspect: Any, penalty_level: Any) -> Solution:
    """Risk, training error and cross-validation of ridge regression, ridgeless included, for any covariance.

    Parameters
    ----------
    eigenvalues : array (features,)
        Positive eigenvalues of the covariance of the samples.
    coefficients : array (features,) or number
        True coefficients in the eigenbasis of the covariance.
    noise : float or array
        Variance of the noise.
    aspect : float or array
        features / samples.
    penalty_level : float or array
        lambda of ``sum (y - x.b)^2 / 2 + lambda |b|^2 / 2``; 0 is least squares, or the interpolator of least norm.

    Returns
    -------
    Solution
        `values`: dict of arrays of the shape of `noise`, `aspect` and `penalty_level` together: `excess_risk` = `bias`
        + `variance`, `test_error` (with the noise), `train_error` (mean square of the residuals),
        `generalized_cross_validation`, `leave_one_out`, `degrees_of_freedom` (per sample), `effective_ridge` (k),
        `residual`. Status ``DIVERGES`` (values nan) at aspect 1 without penalty.

    Raises
    ------
    ParameterError
        For eigenvalues that are not positive, shapes that do not fit, a negative noise or penalty, an aspect not
        positive.

    References
    ----------
    .. [1] T. Hastie, A. Montanari, S. Rosset, R. J. Tibshirani, Ann. Stat. 50, 949 (2022), theorem 5.
    """
    numbers = _checked(eigenvalues, coefficients, noise, aspect, penalty_level)
    return Solution(*_population(*numbers))


@in_float64
def optimal_penalty(eigenvalues: Any, coefficients: Any, noise: Any, aspect: Any) -> Solution:
    """Penalty level of the smallest risk; noise * features / ``|b|^2`` where eigenvalues or coefficients are all alike.

    Parameters
    ----------
    eigenvalues, coefficients, noise, aspect
        As in `ridge_risk`; noise and aspect are numbers.

    Returns
    -------
    Solution
        The level lambda, searched for within six decades of that guess to either side; 0 where less is always better.
    """
    values, b, v, ratio, _ = _checked(eigenvalues, coefficients, noise, aspect, 0.0)
    return Solution(*_optimum(values, b, v, ratio))


@jax.jit
def _optimum(eigenvalues: Array, coefficients: Array, noise: Array, aspect: Array) -> Any:
    count = eigenvalues.shape[0]
    weights = jnp.full(count, 1 / count)

    def risk(log_level: Array) -> Array:
        level = jnp.exp(log_level) * aspect / count
        return spectral_risk(eigenvalues, weights, coefficients**2, noise, aspect, level)[0]["excess_risk"]

    guess = jnp.log(jnp.maximum(noise * count / jnp.sum(coefficients**2), 1e-12))
    grid = guess + jnp.linspace(-6, 6, 121) * jnp.log(10.0)
    best = jnp.argmin(jax.lax.map(risk, grid))
    inside = (best > 0) & (best < 120)
    low, high = grid[jnp.maximum(best - 1, 0)], grid[jnp.minimum(best + 1, 120)]
    place, status = bracketed_root(jax.grad(risk), low, high)
    level = jnp.where(inside, jnp.exp(place), jnp.where(best == 0, 0.0, jnp.inf))
    return level, jnp.where(inside, status, CONVERGED)


def _checked(eigenvalues: Any, coefficients: Any, noise: Any, aspect: Any, penalty: Any) -> tuple[Array, ...]:
    spectrum = jnp.asarray(eigenvalues, dtype=float)
    if spectrum.ndim != 1 or spectrum.shape[0] == 0:
        raise ParameterError(f"ridge_risk: eigenvalues must have shape (features,), got {spectrum.shape}")
    b = jnp.asarray(coefficients, dtype=float)
    if b.shape not in ((), spectrum.shape):
        raise ParameterError(f"ridge_risk: coefficients has shape {b.shape}; the eigenvalues ask for {spectrum.shape}")
    numbers = [jnp.asarray(value, dtype=float) for value in (noise, aspect, penalty)]
    for name, value, strict in (
        ("eigenvalues", spectrum, True), ("noise", numbers[0], False), ("aspect", numbers[1], True),
        ("penalty_level", numbers[2], False),
    ):  # fmt: skip
        if is_traced(value):
            continue
        array = np.asarray(value)
        if not ((array > 0) if strict else (array >= 0)).all() or not np.isfinite(array).all():
            raise ParameterError(
                f"ridge_risk: {name} must be finite and {'positive' if strict else 'at least 0'}, got {array.min():g}"
            )
    return spectrum, jnp.broadcast_to(b, spectrum.shape), *numbers

"""What error will a regression give at so many samples and features, which penalty is best, and how far is the optimum.

The answers are those of the theory for samples and features to infinity at their ratio, evaluated in milliseconds.
"""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.optimize import minimize_scalar

from replicon.core.errors import ConvergenceError, ParameterError
from replicon.core.precision import in_float64
from replicon.inference.algorithms.checks import checked_count, checked_positive
from replicon.inference.families import NOISES, SIGNALS, noise_density, signal_density
from replicon.inference.m_estimation.theory import (
    LOSSES,
    NOT_CONVEX,
    PENALTIES,
    NonConvexLossError,
    check_combination,
    estimator,
    optimal,
)
from replicon.maths.scalar_channel import Density
from replicon.maths.scalar_channel.expectations import entropy, information
from replicon.maths.solution import NOT_CONVERGED

_DECADES = np.linspace(-3.0, 2.0, 11)
"""Search of the best level: decades about the natural level of the problem."""


@dataclass(frozen=True)
class HighDimPrediction:
    """What the theory says of one estimator on one kind of data, per coefficient and per sample.

    Attributes
    ----------
    estimation_error : float
        q_s, mean squared error of a coefficient of the design with entries of variance 1/features; it is also the
        variance that the error of the coefficients gives a prediction.
    test_error : float
        Mean squared error of the prediction of a new outcome: q_s plus the noise variance.
    train_error : float
        Mean squared residual of the fit.
    effective_noise : float
        q_d, variance of the debiased estimate about the truth.
    residual_step, coefficient_step : float
        lam_rho and lam_sig.
    penalty_level : float or None
        Level used, or found best; None for a penalty without one.
    bayes_error : float
        q_s of the posterior mean, below which no method whatsoever gets.
    samples, features : int
    """

    estimation_error: float
    test_error: float
    train_error: float
    effective_noise: float
    residual_step: float
    coefficient_step: float
    penalty_level: float | None
    bayes_error: float
    samples: int
    features: int

    @property
    def excess(self) -> float:
        """Relative distance from the optimum: estimation error / Bayes error - 1."""
        return self.estimation_error / self.bayes_error - 1


class HighDimTheory:
    """Error of a convex regression, predicted from the numbers of samples and features and two densities.

    ``y = X s + eps`` with X of independent entries of variance 1/features, so that the variance of the prior is the
    variance that the signal gives an outcome. With columns of variance one the coefficients are ``s / sqrt(features)``,
    and levels are those of `replicon.inference.conversions` (``Ridge(alpha=level * features)``,
    ``Lasso(alpha=level * sqrt(features) / samples)``).

    Parameters
    ----------
    loss : {"square", "absolute", "huber", "optimal"}
    penalty : {"none", "ridge", "lasso", "optimal"}
        The estimate minimises the sum of losses plus level s^2/2 or level ``|s|``, without 1/n.
    loss_scale : float
        Threshold of Huber's loss, in the unit of y.

    Raises
    ------
    ParameterError
        For words that define no estimator, or a threshold that is not positive.

    References
    ----------
    M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016), eqs. 15-18 and 32-43.

    Examples
    --------
    >>> from replicon.inference import HighDimTheory
    >>> found = HighDimTheory("square", "ridge").predict(600, 400, "gaussian", "gaussian")
    >>> round(found.penalty_level, 3), round(found.estimation_error, 3), round(abs(found.excess), 3)
    (1.0, 0.5, 0.0)
    """

    def __init__(self, loss: str = "square", penalty: str = "ridge", *, loss_scale: float = 1.0) -> None:
        check_combination(loss, penalty)
        self.loss = loss
        self.penalty = penalty
        self.loss_scale = checked_positive("loss_scale", loss_scale)

    def __repr__(self) -> str:
        return f"HighDimTheory(loss={self.loss!r}, penalty={self.penalty!r}, loss_scale={self.loss_scale:g})"

    def predict(
        self,
        samples: int,
        features: int,
        noise: str | Density = "gaussian",
        prior: str | Density = "gaussian",
        *,
        noise_variance: float = 1.0,
        prior_variance: float = 1.0,
        sparsity: float = 1.0,
        penalty_level: float | str = "best",
    ) -> HighDimPrediction:
        """Predict the errors of the estimator.

        Parameters
        ----------
        samples, features : int
        noise : {"gaussian", "laplace", "student"} or Density
            A name goes with `noise_variance`; student has three degrees of freedom.
        prior : {"gaussian", "laplace", "bernoulli_gauss"} or Density
            Density of a coefficient; a name goes with `prior_variance` (of the non-zero ones) and `sparsity`.
        noise_variance, prior_variance : float
            Positive.
        sparsity : float
            Fraction of non-zero coefficients of "bernoulli_gauss", in (0, 1].
        penalty_level : float or "best"
            "best" is the level of least estimation error.

        Returns
        -------
        HighDimPrediction

        Raises
        ------
        ParameterError
            For numbers out of range, and without penalty where samples do not exceed features.
        NonConvexLossError
            Where the optimal loss or penalty is not convex, so that no M-estimator reaches the Bayes error.
        ConvergenceError
            When the equations were not solved.
        """
        n, p = checked_count("samples", samples), checked_count("features", features)
        if self.penalty == "none" and n <= p:
            raise ParameterError(f"samples = {n} and features = {p}: without penalty give more samples than features")
        noise_of = as_noise(noise, noise_variance)
        prior_of = as_prior(prior, prior_variance, sparsity)
        level = None
        if self.penalty in ("ridge", "lasso"):
            if isinstance(penalty_level, str):
                if penalty_level != "best":
                    raise ParameterError(f"penalty_level is {penalty_level!r}; give a positive number or 'best'")
                level = self._best_level(n / p, noise_of, prior_of)
            else:
                level = checked_positive("penalty_level", penalty_level)
        values = self._solve(n / p, 1.0 if level is None else level, noise_of, prior_of)
        if values["not_convex"]:
            raise NonConvexLossError(
                f"the optimal functions for these densities are not convex at {n / p:g} samples per feature; no "
                "M-estimator reaches the Bayes error there"
            )
        if not np.isfinite(values["estimation_error"]):
            raise ConvergenceError(f"{self!r}: the equations at {n / p:g} samples per feature were not solved")
        optimum = bayes_error(n / p, noise_of, prior_of)
        names = ("estimation_error", "test_error", "train_error", "effective_noise", "residual_step")
        return HighDimPrediction(
            **{name: float(values[name]) for name in names},
            coefficient_step=float(values["coefficient_step"]),
            penalty_level=level,
            bayes_error=optimum,
            samples=n,
            features=p,
        )

    def _solve(self, load: float, level: float, noise: Density, prior: Density) -> dict[str, Any]:
        return solve_point(load, self.loss_scale, level, noise, prior, self.loss, self.penalty)

    def _best_level(self, load: float, noise: Density, prior: Density) -> float:
        noise_variance, prior_variance = (float(density.second_moment()) for density in (noise, prior))
        if self.penalty == "ridge":
            natural = noise_variance / prior_variance
            if self.loss == "square":
                # The error depends on the two variances only, and for Gaussian densities this level is Bayes-optimal.
                return natural
        else:
            natural = float(np.sqrt(load * (noise_variance + prior_variance)))
        # A robust loss has slopes of the size of its scale where the square loss has those of the noise.
        spread = np.sqrt(noise_variance)
        if self.loss == "absolute":
            natural /= spread
        if self.loss == "huber":
            natural *= min(1.0, self.loss_scale / spread)

        def error(decade: float) -> float:
            found = float(self._solve(load, natural * 10**decade, noise, prior)["estimation_error"])
            return found if np.isfinite(found) else np.inf

        coarse = [error(decade) for decade in _DECADES]
        best = int(np.argmin(coarse))
        if not np.isfinite(coarse[best]):
            raise ConvergenceError(f"{self!r}: no penalty level was found at which the equations can be solved")
        ends = _DECADES[max(best - 1, 0)], _DECADES[min(best + 1, len(_DECADES) - 1)]
        # Flat at the minimum: a level within 1e-3 leaves the error within 1e-6.
        found = minimize_scalar(error, bounds=ends, method="bounded", options={"xatol": 4e-4})
        return float(natural * 10**found.x)


def as_noise(noise: str | Density, variance: float = 1.0) -> Density:
    """A density of the noise by its name and variance, or the given one itself."""
    if isinstance(noise, Density):
        return noise
    if noise not in NOISES:
        raise ParameterError(f"noise is {noise!r}; choose one of: {', '.join(NOISES)}, or give a Density")
    return _in_float64(noise_density, noise, checked_positive("noise_variance", variance))


def as_prior(prior: str | Density, variance: float = 1.0, sparsity: float = 1.0) -> Density:
    """A density of the coefficients by its name, variance and sparsity, or the given one itself."""
    if isinstance(prior, Density):
        return prior
    if prior not in SIGNALS:
        raise ParameterError(f"prior is {prior!r}; choose one of: {', '.join(SIGNALS)}, or give a Density")
    share = checked_positive("sparsity", sparsity)
    if share > 1:
        raise ParameterError(f"sparsity is {share:g}; give the fraction of non-zero coefficients, in (0, 1]")
    return _in_float64(signal_density, prior, checked_positive("prior_variance", variance), share)


def bayes_error(load: float, noise: Density, prior: Density) -> float:
    """Estimation error of the posterior mean: of two branches the one of smaller free energy.

    Parameters
    ----------
    load : float
        Samples per feature.
    noise, prior : Density
    """
    return float(_call(_bayes_point, load, noise, prior))


def solve_point(
    load: float, scale: float, level: float, noise: Density, prior: Density, loss: str, penalty: str
) -> dict[str, float]:
    """Values of `m_estimation` for any two densities, nan where not solved; `not_convex` is true or false."""
    return _call(functools.partial(_solve_point, loss=loss, penalty=penalty), load, scale, level, noise, prior)


@functools.partial(jax.jit, static_argnames=("loss", "penalty"))
def _solve_point(
    load: Array, scale: Array, level: Array, noise: Density, prior: Density, loss: str, penalty: str
) -> dict[str, Array]:
    values, status = estimator.solve(load, loss, scale, penalty, level, noise, prior)
    failed = (status & NOT_CONVERGED) != 0
    values = {name: jnp.where(failed, jnp.nan, value) for name, value in values.items()}
    return values | {"not_convex": ((status & NOT_CONVEX) != 0) & ~failed}


@jax.jit
def _bayes_point(load: Array, noise: Density, prior: Density) -> Array:
    informed, algorithmic, _ = optimal.optimal_errors(load, noise, prior)

    def energy(error: Array) -> Array:
        channel_noise = optimal.effective_noise(load, noise, error)
        return information(prior, channel_noise) + load * entropy(noise, error) - error / (2 * channel_noise)

    errors = jnp.stack([informed.values, algorithmic.values])
    return errors[jnp.argmin(jax.vmap(energy)(errors))]


@in_float64
def _call(function: Any, *arguments: Any) -> Any:
    return function(*(jnp.asarray(a, dtype=float) if isinstance(a, (int, float)) else a for a in arguments))


def _in_float64(function: Any, *arguments: Any) -> Any:
    """A density keeps NumPy leaves, which serve in both precisions."""
    with jax.enable_x64(True):
        return jax.tree_util.tree_map(np.asarray, function(*arguments))


__all__ = ["LOSSES", "PENALTIES", "HighDimPrediction", "HighDimTheory", "as_noise", "as_prior", "bayes_error"]

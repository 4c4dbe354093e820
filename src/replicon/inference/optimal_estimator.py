"""Linear regression with the loss and penalty that are optimal for the noise and the coefficients of the data."""

import warnings
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from replicon.core.errors import ConvergenceError, DataError, ParameterError
from replicon.inference.algorithms.functions import ConvexFunction, NamedFunction
from replicon.inference.algorithms.generalized import gamp
from replicon.inference.algorithms.separable import SeparableFit, certify, fit_separable
from replicon.inference.debiasing import Debiased, debias
from replicon.inference.density_estimation import estimate_density
from replicon.inference.families import NOISES, SIGNALS
from replicon.inference.high_dim_theory import as_noise
from replicon.inference.optimal_functions import ConvexOptimum, best_convex, convex_optimum
from replicon.inference.tuning import tune_penalty
from replicon.maths.scalar_channel import Density

_PILOT_LEVELS = np.geomspace(1e-2, 1e2, 9)
_NONE = NamedFunction("none")
_TINY = 1e-12
_TOLERANCE = 1e-8
"""Duality gap of a fit, relative to its objective."""


class OptimalMEstimator(RegressorMixin, BaseEstimator):
    r"""Linear regression by the M-estimator of least error when samples and features are of one order.

    It estimates the densities of noise and coefficients, solves the scalar fixed point of the least error for them,
    and minimises the sum of the losses and penalties that reach it, which depend on samples / features too. Densities
    and fit are made twice: each fit shows every residual and every coefficient through a Gaussian channel
    (`replicon.inference.debiasing`), from which the densities of the next are read.

    For heavy tails and sparse coefficients the Bayes-optimal functions are not convex. The convex ones of least error
    are used then, and ``is_optimal_`` is False.

    Parameters
    ----------
    noise : {"auto", "gaussian", "laplace", "student"} or Density, default="auto"
        A family, of which scale and shape are estimated, the average of the three by posterior probability, or the
        density itself in the unit of y.
    prior : {"auto", "gaussian", "laplace", "bernoulli_gauss"} or Density or None, default="auto"
        Likewise for the coefficients, as ``coef_ * standard deviation of the column * sqrt(features)``. None is no
        penalty and needs more samples than features.
    fit_intercept : bool, default=True

    Attributes
    ----------
    coef_ : array (n_features_in_,)
    intercept_ : float
    q_s_, estimation_error_ : float
        Estimated mean squared error of a standardised coefficient, equal to the variance that it adds to a prediction;
        of the theory where both densities are given, else read off the fit.
    predicted_test_mse_ : float
        Predicted mean squared error on new samples.
    scale_ : float
        Standard deviation of the noise.
    noise_, prior_ : Density or None
        In the units of the fit: y over ``unit_``, standardised coefficients times sqrt(features).
    noise_families_, prior_families_ : dict of str to float
        Posterior probability of each family; empty where a density was given.
    unit_ : float
    loss_fn_, reg_fn_ : ConvexFunction
        The loss and penalty used, in those units.
    is_optimal_ : bool
        Whether these reach the Bayes error of the densities: nothing was lost to convexity.
    solver_ : {"message_passing", "separable"}
        Message passing is tried first; where it diverges, as it may for columns that are not independent, the
        alternating direction method takes over. Both end with the same certificate.
    converged_ : bool
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : array of str
        Column names, when X had them.

    References
    ----------
    M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016); D. Bean, P. Bickel, N. El Karoui, B. Yu, PNAS 110, 14563
    (2013); O. Feng, Y.-C. Kao, M. Xu, R. Samworth, arXiv:2403.16688 (2024).
    """

    def __init__(
        self, noise: str | Density = "auto", prior: str | Density | None = "auto", fit_intercept: bool = True
    ) -> None:
        self.noise = noise
        self.prior = prior
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any) -> Self:
        """Estimate densities and coefficients.

        Parameters
        ----------
        X : array (samples, features)
            Rows independent; columns may have any location and scale.
        y : array (samples,)

        Raises
        ------
        ParameterError
            For unknown families, and for no prior without more samples than features.
        ValueError
            For data that are no finite numbers or too few.
        """
        self._check()
        X, y = validate_data(self, X, y, y_numeric=True, dtype=np.float64, ensure_min_samples=2)
        y = np.asarray(y, dtype=np.float64)
        centre = X.mean(axis=0) if self.fit_intercept else np.zeros(X.shape[1])
        spread = np.sqrt(np.mean((X - centre) ** 2, axis=0))
        kept = spread > 1e-10 * (np.abs(centre) + spread + _TINY)
        offset = float(y.mean()) if self.fit_intercept else 0.0
        features = int(kept.sum())
        known = isinstance(self.noise, Density) or isinstance(self.prior, Density)
        size = float(np.sqrt(np.mean((y - offset) ** 2)))
        self.unit_ = 1.0 if known or size == 0 else size
        self.coef_ = np.zeros(X.shape[1])
        if features == 0 or size <= 1e-14 * abs(offset):
            return self._constant(offset, size)
        samples = len(y) - int(self.fit_intercept)
        load = samples / features
        if self.prior is None and load <= 1:
            raise ParameterError(
                f"prior is None, which needs more samples than features, and there are {samples} and {features}; "
                "give a prior"
            )
        Z = (X[:, kept] - centre[kept]) / (spread[kept] * np.sqrt(features))
        target = (y - offset) / self.unit_
        found, optimum = self._fit_rounds(Z, target, load)
        if not found.converged:
            warnings.warn(f"the fit did not converge: gap {found.gap:.1e}", ConvergenceWarning, stacklevel=2)
        self.coef_[kept] = found.coefficients * self.unit_ / (spread[kept] * np.sqrt(features))
        shift = _location(self.loss_fn_, found.residuals) if self.fit_intercept else 0.0
        self.intercept_ = offset + self.unit_ * shift - float(centre @ self.coef_)
        self.converged_, self.n_iter_ = bool(found.converged), max(int(found.iterations), 1)
        self.is_optimal_ = optimum.is_bayes
        noise_variance = float(np.asarray(self.noise_.variance()))
        seen = _look(Z, found, self.loss_fn_, self.reg_fn_, self.fit_intercept)
        if seen is None or not self._unknown():
            q_s, test = optimum.estimation_error, optimum.estimation_error + noise_variance
        else:
            q_s, test = max(seen.estimation_error(found.coefficients), 0.0), seen.test_error
        self._report(q_s, test, noise_variance)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predicted outcomes, shape (samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return X @ self.coef_ + self.intercept_

    def _check(self) -> None:
        for name, given, words in (("noise", self.noise, NOISES), ("prior", self.prior, SIGNALS)):
            if isinstance(given, Density) or (name == "prior" and given is None):
                continue
            if given not in ("auto", *words):
                raise ParameterError(f"{name} is {given!r}; choose one of: auto, {', '.join(words)}, or give a Density")

    def _constant(self, offset: float, size: float) -> Self:
        """Nothing to learn from: no column varies, or the outcome does not."""
        self.intercept_ = offset
        self.noise_ = as_noise("gaussian", max(size, 1e-150) ** 2)
        self.prior_, self.loss_fn_, self.reg_fn_ = None, NamedFunction("square"), _NONE
        self.noise_families_, self.prior_families_ = {}, {}
        self.unit_, self.is_optimal_, self.converged_, self.n_iter_, self.solver_ = 1.0, True, True, 1, "separable"
        self._report(0.0, size**2, size**2)
        return self

    def _report(self, error: float, test: float, noise_variance: float) -> None:
        self.q_s_ = self.estimation_error_ = float(error) * self.unit_**2
        self.predicted_test_mse_ = float(test) * self.unit_**2
        self.scale_ = float(np.sqrt(noise_variance)) * self.unit_

    def _unknown(self) -> bool:
        """Whether a density is to be estimated."""
        return not (isinstance(self.noise, Density) and (self.prior is None or isinstance(self.prior, Density)))

    def _fit_rounds(self, Z: np.ndarray, y: np.ndarray, load: float) -> tuple[SeparableFit, ConvexOptimum]:
        """One fit for given densities, else two, of which the second takes its densities from the first."""
        channels = _pilot(Z, y, self.fit_intercept) if self._unknown() else None
        while True:
            noise, prior = self._estimate(channels)
            optimum = convex_optimum(load, noise, prior)
            self.loss_fn_ = best_convex(noise, optimum.estimation_error)
            self.reg_fn_ = _NONE if prior is None else best_convex(prior, optimum.effective_noise)
            found, self.solver_ = _minimise(Z, y, self.loss_fn_, self.reg_fn_, optimum.estimation_error)
            if channels is None or channels.final:
                return found, optimum
            seen = _look(Z, found, self.loss_fn_, self.reg_fn_, self.fit_intercept)
            if seen is None:
                return found, optimum
            channels = _channels(seen, found, final=True)

    def _estimate(self, channels: "_Channels | None") -> tuple[Density, Density | None]:
        """The densities of noise and coefficients: as given, or from their channels."""
        found: list[Any] = []
        for given, words, seen in (
            (self.noise, NOISES, channels and (channels.residuals, channels.error)),
            (self.prior, SIGNALS, channels and (channels.coefficients, channels.noise)),
        ):
            if given is None or isinstance(given, Density) or seen is None:
                found.append((given, {}))
            else:
                found.append(estimate_density(*seen, words if given == "auto" else (given,)))
        (noise, self.noise_families_), (prior, self.prior_families_) = found
        self.noise_, self.prior_ = noise, prior
        return noise, prior


class _Channels(NamedTuple):
    """What a fit shows: residuals (eps + N(0, error)) and coefficients (s0 + N(0, noise)); `final` of the last."""

    residuals: np.ndarray
    error: float
    coefficients: np.ndarray
    noise: float
    final: bool


def _pilot(Z: np.ndarray, y: np.ndarray, intercept: bool) -> _Channels:
    """The channels of a Huber ridge fit."""
    size = float(np.mean(y**2))
    threshold = max(float(np.median(np.abs(y))), 0.1 * np.sqrt(size))
    rho = NamedFunction("huber", threshold)
    try:
        tuned = tune_penalty(Z, y, "huber", "ridge", loss_scale=threshold, levels=_PILOT_LEVELS, intercept=intercept)
        sigma = NamedFunction("ridge", tuned.penalty_level)
        fit = fit_separable(Z, y, rho, sigma)
        return _channels(debias(Z, fit, rho, sigma, intercept=intercept), fit, final=False)
    except (DataError, ConvergenceError):
        # Too few samples to judge a fit by: a heavy ridge penalty with its own steps.
        fit = fit_separable(Z, y, "square", "ridge", penalty_level=1.0)
        return _Channels(fit.residuals, 0.1 * size, fit.coefficients, 0.1 * size, final=True)


def _channels(seen: Debiased, fit: SeparableFit, final: bool) -> _Channels:
    # The estimate of q_s may be negative on few features; it cannot exceed what the test residuals show.
    total = seen.test_error
    error = float(np.clip(seen.estimation_error(fit.coefficients), 1e-3 * total, 0.999 * total))
    return _Channels(seen.test_residuals, error, seen.coefficients, float(np.mean(seen.variances)), final)


def _minimise(
    Z: np.ndarray, y: np.ndarray, loss: ConvexFunction, penalty: ConvexFunction, variance: float
) -> tuple[SeparableFit, str]:
    """By message passing where it converges to the minimiser, else by alternating directions."""
    try:
        # Where it diverges numbers overflow before it is noticed.
        with np.errstate(all="ignore"):
            found = gamp(Z, y, loss, penalty, variance=variance, iterations=200, tolerance=1e-10)
        if found.converged:
            fit = certify(
                Z,
                y,
                loss,
                penalty,
                found.coefficients,
                found.slopes,
                tolerance=_TOLERANCE,
                iterations=found.iterations,
            )
            if fit.converged:
                return fit, "message_passing"
    except ConvergenceError:
        pass
    return fit_separable(Z, y, loss, penalty, tolerance=_TOLERANCE), "separable"


def _location(loss: ConvexFunction, residuals: np.ndarray) -> float:
    low, high = float(residuals.min()), float(residuals.max())
    if not high > low:
        return low
    found: Any = minimize_scalar(
        lambda b: float(np.sum(loss.value(residuals - b))), bounds=(low, high), method="bounded"
    )
    return float(found.x)


def _look(
    Z: np.ndarray, fit: SeparableFit, loss: ConvexFunction, penalty: ConvexFunction, intercept: bool
) -> Debiased | None:
    """The fit through its channels, or None where there is too little of it."""
    try:
        return debias(Z, fit, loss, penalty, intercept=bool(intercept))
    except (DataError, ConvergenceError):
        return None

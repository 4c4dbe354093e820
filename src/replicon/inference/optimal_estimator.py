"""Linear regression with the loss and penalty that are optimal for the noise and the coefficients of the data."""

import functools
import warnings
from typing import Any, Self

import jax
import numpy as np
from scipy.optimize import minimize, minimize_scalar
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from replicon.core.errors import DataError, ParameterError
from replicon.inference.algorithms.functions import ConvexFunction, NamedFunction, TabulatedFunction
from replicon.inference.algorithms.separable import SeparableFit, fit_separable
from replicon.inference.debiasing import Debiased, debias
from replicon.inference.families import NOISES, SIGNALS
from replicon.inference.high_dim_theory import as_noise, as_prior
from replicon.inference.m_estimation.theory import optimal
from replicon.inference.tuning import tune_penalty
from replicon.maths.scalar_channel import Density
from replicon.maths.scalar_channel.expectations import bayes, fisher_information

_PILOT_LEVELS = np.geomspace(1e-2, 1e2, 9)
_NONE = NamedFunction("none")
_TINY = 1e-12


class OptimalMEstimator(RegressorMixin, BaseEstimator):
    r"""Linear regression by the M-estimator of least error when samples and features are of one order.

    It estimates the densities of noise and coefficients, solves the scalar fixed point of the Bayes error for them,
    and minimises the sum of the losses and penalties that reach it, which depend on samples / features too. Where they
    are not convex (heavy tails, sparse coefficients) their slopes are replaced by the running maximum, and the
    estimator is then good but not optimal: ``is_optimal_`` is False.

    Parameters
    ----------
    noise : {"auto", "gaussian", "laplace", "student"} or Density, default="auto"
        A family, of which the variance is estimated, the best of the three, or the density itself in the unit of y.
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
    unit_ : float
    loss_fn_, reg_fn_ : ConvexFunction
        The loss and penalty used, in those units.
    is_optimal_ : bool
    converged_ : bool
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : array of str
        Column names, when X had them.

    References
    ----------
    M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016); D. Bean, P. Bickel, N. El Karoui, B. Yu, PNAS 110, 14563
    (2013).
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
        self.noise_, self.prior_ = self._densities(Z, target)
        error, channel = _bayes_channel(load, self.noise_, self.prior_)
        self.loss_fn_, loss_convex = _tabulated(self.noise_, error)
        self.reg_fn_, prior_convex = (_NONE, True) if self.prior_ is None else _tabulated(self.prior_, channel)
        self.is_optimal_ = loss_convex and prior_convex
        found = fit_separable(Z, target, self.loss_fn_, self.reg_fn_, tolerance=1e-8)
        if not found.converged:
            warnings.warn(f"the fit did not converge: gap {found.gap:.1e}", ConvergenceWarning, stacklevel=2)
        self.coef_[kept] = found.coefficients * self.unit_ / (spread[kept] * np.sqrt(features))
        shift = _location(self.loss_fn_, found.residuals) if self.fit_intercept else 0.0
        self.intercept_ = offset + self.unit_ * shift - float(centre @ self.coef_)
        self.converged_, self.n_iter_ = bool(found.converged), max(int(found.iterations), 1)
        noise_variance = float(np.asarray(self.noise_.variance()))
        seen = _look(Z, found, self.loss_fn_, self.reg_fn_)
        both = isinstance(self.noise, Density) and (self.prior is None or isinstance(self.prior, Density))
        if seen is None or (both and self.is_optimal_):
            q_s, test = error, error + noise_variance
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
        self.unit_, self.is_optimal_, self.converged_, self.n_iter_ = 1.0, True, True, 1
        self._report(0.0, size**2, size**2)
        return self

    def _report(self, error: float, test: float, noise_variance: float) -> None:
        self.q_s_ = self.estimation_error_ = float(error) * self.unit_**2
        self.predicted_test_mse_ = float(test) * self.unit_**2
        self.scale_ = float(np.sqrt(noise_variance)) * self.unit_

    def _densities(self, Z: np.ndarray, y: np.ndarray) -> tuple[Density, Density | None]:
        """The given densities; families fitted to the two channels of a pilot fit."""
        if isinstance(self.noise, Density) and (self.prior is None or isinstance(self.prior, Density)):
            return self.noise, self.prior
        e, error, r, channel = _pilot(Z, y)
        noise = self.noise
        if not isinstance(noise, Density):
            noise = _best(e, error, NOISES if noise == "auto" else (noise,), as_noise)
        prior = self.prior
        if prior is not None and not isinstance(prior, Density):
            prior = _best(r, channel, SIGNALS if prior == "auto" else (prior,), as_prior)
        return noise, prior


def _pilot(Z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float, np.ndarray, float]:
    """Residual channel (eps + N(0, q_s), q_s) and coefficient channel (s0 + N(0, q_d), q_d) of a Huber ridge fit."""
    size = float(np.mean(y**2))
    threshold = max(float(np.median(np.abs(y))), 0.1 * np.sqrt(size))
    rho = NamedFunction("huber", threshold)
    try:
        level = tune_penalty(Z, y, "huber", "ridge", loss_scale=threshold, levels=_PILOT_LEVELS).penalty_level
        sigma = NamedFunction("ridge", level)
        fit = fit_separable(Z, y, rho, sigma)
        seen = debias(Z, fit, rho, sigma)
    except (DataError, RuntimeError):
        # Too few samples to judge a fit by: a heavy ridge penalty with its own steps.
        fit = fit_separable(Z, y, "square", "ridge", penalty_level=1.0)
        return fit.residuals, 0.1 * size, fit.coefficients, 0.1 * size
    channel = float(np.mean(seen.variances))
    # The estimate of q_s may be negative on few features; it cannot exceed what the test residuals show.
    total = seen.test_error
    error = float(np.clip(seen.estimation_error(fit.coefficients), 1e-3 * total, 0.999 * total))
    return seen.test_residuals, error, seen.coefficients, max(channel, 1e-6 * size)


def _best(x: np.ndarray, q: float, families: tuple[str, ...], build: Any) -> Density:
    """Maximum likelihood of x = s + N(0, q) within each family, and the family of least AIC."""
    start = np.log(max(float(np.mean(x**2)) - q, 0.05 * q))
    candidates = []
    for family in families:
        if family == "bernoulli_gauss":

            def cost(z: np.ndarray, family: str = family) -> float:
                share = 1 / (1 + np.exp(-z[1]))
                return -_log_likelihood(build(family, np.exp(z[0]) / share, share), x, q)

            found = minimize(cost, [start, -1.0], method="Nelder-Mead", options={"xatol": 0.02, "fatol": 0.01})
            share = 1 / (1 + np.exp(-found.x[1]))
            candidates.append((2 * found.fun + 4, build(family, np.exp(found.x[0]) / share, share)))
        else:
            one: Any = minimize_scalar(
                lambda z, family=family: -_log_likelihood(build(family, np.exp(z)), x, q),
                bounds=(start - 6, start + 3),
                method="bounded",
                options={"xatol": 1e-2},
            )
            candidates.append((2 * one.fun + 2, build(family, np.exp(one.x))))
    return min(candidates, key=lambda pair: pair[0])[1]


@jax.jit
def _sum_log_density(density: Density, x: Any, weight: Any, q: Any) -> Any:
    return (weight * density.log_density(x, q)).sum()


_fisher = jax.jit(fisher_information)
_error = jax.jit(lambda density, q: bayes(density, q).error)
_table = jax.jit(functools.partial(optimal.tabulate, points=2001))


def _log_likelihood(density: Density, x: np.ndarray, q: float) -> float:
    # Padded to a few lengths, for which it is compiled.
    length = max(128, 1 << (x.size - 1).bit_length())
    padded, weight = np.zeros(length), np.zeros(length)
    padded[: x.size], weight[: x.size] = x, 1.0
    with jax.enable_x64(True):
        value = float(_sum_log_density(density, padded, weight, np.float64(q)))
    return value if np.isfinite(value) else -1e300


def _bayes_channel(load: float, noise: Density, prior: Density | None) -> tuple[float, float]:
    """(q_s, q_d) with ``q_d = 1 / (load J[e_q_s])`` and q_s the least error at q_d, reached from no knowledge."""
    with jax.enable_x64(True):
        variance = float(np.asarray(noise.variance()))
        error = variance / (load - 1) if prior is None else float(np.asarray(prior.second_moment()))
        channel = error
        for _ in range(1000):
            channel = 1 / (load * float(_fisher(noise, np.float64(error))))
            new = channel if prior is None else float(_error(prior, np.float64(channel)))
            if abs(new - error) <= 1e-9 * error:
                break
            error = new
    return error, channel


def _tabulated(density: Density, q: float) -> tuple[ConvexFunction, bool]:
    """The optimal function of a density, and whether it is convex as it stands."""
    with jax.enable_x64(True):
        table = _table(density, np.float64(q))
        u, slope = np.asarray(table.argument), np.asarray(table.slope)
    good = np.isfinite(u) & np.isfinite(slope)
    u, slope = np.maximum.accumulate(u[good]), slope[good]
    # From the minimum outwards the slope must not fall: its running maximum is that of a convex function.
    right = np.maximum.accumulate(np.where(u >= 0, slope, -np.inf))
    left = np.minimum.accumulate(np.where(u <= 0, slope, np.inf)[::-1])[::-1]
    raised = np.where(u > 0, np.maximum(right, 0.0), np.where(u < 0, np.minimum(left, 0.0), 0.0))
    convex = bool(np.max(np.abs(raised - slope)) <= 1e-6 * np.max(np.abs(slope)))
    return TabulatedFunction(u, raised), convex


def _location(loss: ConvexFunction, residuals: np.ndarray) -> float:
    low, high = float(residuals.min()), float(residuals.max())
    if not high > low:
        return low
    found: Any = minimize_scalar(
        lambda b: float(np.sum(loss.value(residuals - b))), bounds=(low, high), method="bounded"
    )
    return float(found.x)


def _look(Z: np.ndarray, fit: SeparableFit, loss: ConvexFunction, penalty: ConvexFunction) -> Debiased | None:
    """The fit through its channels, or None where there is too little of it."""
    try:
        return debias(Z, fit, loss, penalty)
    except (DataError, RuntimeError):
        return None

"""The best penalty level of a regression: by theory from one fit per level, or by cross-validation."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from replicon.core.errors import ConvergenceError, DataError, ParameterError
from replicon.core.seeds import generator
from replicon.inference.algorithms.checks import checked_count, checked_problem
from replicon.inference.algorithms.functions import as_loss, as_penalty
from replicon.inference.algorithms.separable import fit_separable
from replicon.inference.debiasing import debias
from replicon.inference.high_dim_theory import HighDimTheory
from replicon.maths.scalar_channel import Density


@dataclass(frozen=True)
class TunedPenalty:
    """A penalty level with the evidence for it.

    Attributes
    ----------
    penalty_level : float
        The best level.
    test_error : float
        Its mean squared error on new samples, as estimated; the least of `test_errors` is a little optimistic.
    levels, test_errors : arrays (levels,)
        What was compared; nan where a level admits no estimate. Of one entry where the densities are given.
    fits : int
        Fits made.
    """

    penalty_level: float
    test_error: float
    levels: np.ndarray
    test_errors: np.ndarray
    fits: int


def tune_penalty(
    X: Any,
    y: Any,
    loss: str = "square",
    penalty: str = "lasso",
    *,
    loss_scale: float = 1.0,
    method: str = "theory",
    levels: Any = None,
    noise: str | Density | None = None,
    prior: str | Density | None = None,
    noise_variance: float = 1.0,
    prior_variance: float = 1.0,
    sparsity: float = 1.0,
    folds: int = 5,
    seed: int = 0,
    intercept: bool = False,
) -> TunedPenalty:
    """Choose the penalty level of least prediction error.

    The theory needs one fit per level: what the residuals of new samples look like follows from those of the fit
    (`replicon.inference.debiasing`). Where noise and prior are known it needs no fit at all.

    Parameters
    ----------
    X : array (samples, features)
        Centred columns of about equal scale; for "theory" of rows that are independent and near to normal.
    y : array (samples,)
        Centred.
    loss : {"square", "huber"}, or "absolute" where noise and prior are given or by cross-validation
    penalty : {"ridge", "lasso"}
        level s^2/2 or level ``|s|``, added to the sum of losses without 1/n.
    loss_scale : float
        Threshold of Huber's loss in the unit of y.
    method : {"theory", "cross_validation"}
    levels : array, optional
        Positive levels to compare; by default 25 over three decades from where the estimate begins to leave zero
        (lasso), or 25 over six decades about the scale of the Gram matrix (ridge).
    noise, prior : name or Density, optional
        Both known densities, as in `HighDimTheory.predict` with their numbers; the prior is that of ``s c``,
        c^2 = features * mean square of an entry of X.
    noise_variance, prior_variance, sparsity : float
        For densities given by name.
    folds : int
        Of cross-validation.
    seed : int
        Orders the samples for the folds.
    intercept : bool
        Whether the centring of X and y is by their own means; only the theory asks.

    Returns
    -------
    TunedPenalty

    Raises
    ------
    DataError, ParameterError
        For data or words that do not fit.
    ConvergenceError
        Where no level could be judged.
    """
    matrix, outcomes = checked_problem(X, y)
    if penalty not in ("ridge", "lasso"):
        raise ParameterError(f"penalty is {penalty!r}; choose one with a level: ridge, lasso")
    rho = as_loss(loss, loss_scale)
    if (noise is None) != (prior is None):
        raise ParameterError("give both noise and prior, or neither")
    if noise is not None and prior is not None:
        scale = _scale(matrix)
        found = HighDimTheory(loss, penalty, loss_scale=loss_scale).predict(
            len(matrix),
            matrix.shape[1],
            noise,
            prior,
            noise_variance=noise_variance,
            prior_variance=prior_variance,
            sparsity=sparsity,
        )
        assert found.penalty_level is not None
        level = found.penalty_level * scale ** {"lasso": 1, "ridge": 2}[penalty]
        return TunedPenalty(level, found.test_error, np.array([level]), np.array([found.test_error]), 0)
    grid = _levels(matrix, outcomes, rho, penalty) if levels is None else np.sort(np.array(levels, dtype=float).ravel())
    if grid.size == 0 or not np.all((grid > 0) & np.isfinite(grid)):
        raise ParameterError("levels must be positive finite numbers, at least one")
    if method == "theory":
        if loss == "absolute":
            raise ParameterError("the absolute loss has no curvature to read the error off; use huber, or give noise")
        errors, fits = _by_theory(matrix, outcomes, rho, penalty, grid, intercept)
    elif method == "cross_validation":
        errors, fits = _by_folds(matrix, outcomes, rho, penalty, grid, checked_count("folds", folds), seed)
    else:
        raise ParameterError(f"method is {method!r}; choose theory or cross_validation")
    if not np.any(np.isfinite(errors)):
        raise ConvergenceError("none of the levels could be judged; give larger levels")
    best = int(np.nanargmin(errors))
    return TunedPenalty(float(grid[best]), float(errors[best]), grid, errors, fits)


def _by_theory(
    X: np.ndarray, y: np.ndarray, rho: Any, penalty: str, levels: np.ndarray, intercept: bool
) -> tuple[np.ndarray, int]:
    errors = np.full(len(levels), np.nan)
    for k, level in enumerate(levels):
        sigma = as_penalty(penalty, level)
        fit = fit_separable(X, y, rho, sigma, tolerance=1e-7)
        if fit.converged:
            try:
                errors[k] = debias(X, fit, rho, sigma, intercept=intercept).test_error
            except DataError:
                # Too little penalty for an error to be read off: the fit interpolates.
                continue
    return errors, len(levels)


def _by_folds(
    X: np.ndarray, y: np.ndarray, rho: Any, penalty: str, levels: np.ndarray, folds: int, seed: int
) -> tuple[np.ndarray, int]:
    if not 2 <= folds <= len(y):
        raise ParameterError(f"folds is {folds}; give at least 2 and at most the number of samples, {len(y)}")
    parts = np.array_split(generator(seed, "folds").permutation(len(y)), folds)
    errors = np.zeros(len(levels))
    for part in parts:
        kept = np.setdiff1d(np.arange(len(y)), part)
        for k, level in enumerate(levels):
            fit = fit_separable(X[kept], y[kept], rho, as_penalty(penalty, level), tolerance=1e-7)
            left_out = y[part] - X[part] @ fit.coefficients
            errors[k] += np.sum(left_out**2) / len(y) if fit.converged else np.nan
    return errors, folds * len(levels)


def _levels(X: np.ndarray, y: np.ndarray, rho: Any, penalty: str) -> np.ndarray:
    if penalty == "ridge":
        return np.mean(np.sum(X**2, axis=0)) * np.geomspace(1e-3, 1e3, 25)
    # At the slopes of the loss of s = 0 the lasso's estimate begins to leave zero.
    tiny = 1e-9 * float(np.sqrt(np.mean(y**2))) or 1.0
    slopes = (y - rho.prox(y, tiny)) / tiny
    largest = float(np.max(np.abs(X.T @ slopes)))
    if not largest > 0:
        raise DataError("y is uncorrelated with every column of X: there is nothing to tune")
    return largest * np.geomspace(1e-3, 1.0, 25)


def _scale(X: np.ndarray) -> float:
    """c with X / c of entries of variance 1/features."""
    return float(np.sqrt(X.shape[1] * np.mean(X**2)))

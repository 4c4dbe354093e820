"""Confidence intervals of regression coefficients in high dimensions, from the debiased estimate."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from replicon.core.errors import DataError, ParameterError
from replicon.inference.algorithms.checks import checked_problem
from replicon.inference.algorithms.functions import ConvexFunction, as_loss, as_penalty
from replicon.inference.algorithms.separable import fit_separable
from replicon.inference.debiasing import debias
from replicon.inference.tuning import tune_penalty


@dataclass(frozen=True)
class Intervals:
    """Intervals of all coefficients; arrays (features,).

    Attributes
    ----------
    estimate : array
        Debiased coefficients, unbiased and normal about the truth; not the coefficients of the fit.
    standard_error : array
    low, high : array
    p_value : array
        Two-sided, of the coefficient being zero; not corrected for the number of coefficients.
    level : float
        Probability that an interval covers the truth.
    penalty_level : float
        Of the fit.
    """

    estimate: np.ndarray
    standard_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray
    level: float
    penalty_level: float

    def coverage(self, truth: Any) -> float:
        """Fraction of the true coefficients inside their intervals."""
        values = np.asarray(truth, dtype=float)
        if values.shape != self.estimate.shape:
            raise DataError(f"truth has shape {values.shape}; the intervals are of {self.estimate.shape}")
        return float(np.mean((self.low <= values) & (values <= self.high)))


def confidence_intervals(
    X: Any,
    y: Any,
    loss: str | ConvexFunction = "square",
    penalty: str | ConvexFunction = "lasso",
    *,
    loss_scale: float = 1.0,
    penalty_level: float | str = "best",
    level: float = 0.95,
    precision: Any = None,
) -> Intervals:
    """Intervals ``r +- z sqrt(q_d)`` about the debiased coefficients r ~ N(s0, q_d).

    They hold for samples and features that grow together, also for more features than samples, for every coefficient
    whether zero or not, and for noise of any shape; a good loss and penalty makes them short.

    Parameters
    ----------
    X : array (samples, features)
        Centred columns; rows independent and near to normal.
    y : array (samples,)
        Centred.
    loss : {"square", "huber"} or ConvexFunction
    penalty : {"none", "ridge", "lasso"} or ConvexFunction
        "none" needs more samples than features.
    loss_scale : float
        Threshold of Huber's loss in the unit of y.
    penalty_level : float or "best"
        "best" asks `tune_penalty`.
    level : float
        Probability of covering, in (0, 1).
    precision : array (features, features), optional
        Inverse covariance of the features of a row, where they are correlated. By default they are taken as
        independent: with correlated features the intervals are then wrong.

    Returns
    -------
    Intervals

    Raises
    ------
    DataError, ParameterError
        For data or numbers that do not fit.
    ConvergenceError
        When the fit does not converge.

    References
    ----------
    A. Javanmard, A. Montanari, IEEE Trans. Inf. Theory 60, 6522 (2014); P. C. Bellec, Y. Shen, COLT (2022).
    """
    matrix, outcomes = checked_problem(X, y)
    if not 0 < level < 1:
        raise ParameterError(f"level is {level}; give a probability between 0 and 1, such as 0.95")
    inverse = None if precision is None else np.asarray(precision, dtype=float)
    if inverse is not None:
        features = matrix.shape[1]
        if inverse.shape != (features, features) or not np.all(np.isfinite(inverse)):
            raise DataError(f"precision must be a finite matrix ({features}, {features}), got shape {inverse.shape}")
        if not np.all(np.diag(inverse) > 0):
            raise DataError("precision must be positive definite; its diagonal is not positive")
    chosen = 0.0
    if penalty in ("ridge", "lasso"):
        if isinstance(penalty_level, str):
            if penalty_level != "best":
                raise ParameterError(f"penalty_level is {penalty_level!r}; give a positive number or 'best'")
            chosen = tune_penalty(matrix, outcomes, str(loss), str(penalty), loss_scale=loss_scale).penalty_level
        else:
            chosen = penalty_level
    rho, sigma = as_loss(loss, loss_scale), as_penalty(penalty, chosen)
    seen = debias(matrix, fit_separable(matrix, outcomes, rho, sigma), rho, sigma, inverse)
    error = np.sqrt(seen.variances)
    half = float(ndtri(0.5 + 0.5 * level)) * error
    ratio = np.abs(seen.coefficients) / np.where(error > 0, error, 1.0)
    return Intervals(
        estimate=seen.coefficients,
        standard_error=error,
        low=seen.coefficients - half,
        high=seen.coefficients + half,
        p_value=2 * ndtr(-ratio),
        level=float(level),
        penalty_level=float(chosen),
    )

"""Logistic regression by Newton's method, with an exact Hessian or, for many features, by conjugate gradients.

Minimises ``sum_i log(1 + exp(-y_i w.x_i)) + (penalty / 2) |w|^2``. Conjugate gradients never form a matrix of features
by features, and each product reads the data once: rows are taken in blocks that stay in the cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from replicon.core.errors import DataError, ParameterError
from replicon.inference.data import as_labels

DIRECT_FEATURES = 700
"""Up to here a factorisation is cheaper than the products of conjugate gradients with the data."""

_BLOCK_NUMBERS = 1 << 17
"""Numbers in one block of rows: 1 MB."""


@dataclass(frozen=True)
class LogisticFit:
    """Result of `fit_logistic`.

    Attributes
    ----------
    weights : array (features,)
    gradient : float
        Euclidean norm of the gradient at the weights.
    iterations : int
        Newton steps.
    converged : bool
        Whether the gradient is below the tolerance.
    """

    weights: np.ndarray
    gradient: float
    iterations: int
    converged: bool


def fit_logistic(
    features: np.ndarray, labels: np.ndarray, penalty: float = 0.0, *, tolerance: float = 1e-8, iterations: int = 100
) -> LogisticFit:
    """Weights of least penalised logistic loss, without intercept.

    Parameters
    ----------
    features : array (samples, features)
    labels : array (samples,)
        -1/+1, 0/1 or bool.
    penalty : float
        lambda of ``lambda |w|^2 / 2``, not negative; scikit-learn's ``C = 1 / lambda``.
    tolerance : float
        Bound on the norm of the gradient.
    iterations : int
        Bound on the Newton steps. Without penalty the fit ends, not converged, as soon as all samples are right: larger
        weights are then better still.

    Returns
    -------
    LogisticFit

    Raises
    ------
    DataError
        For other labels, shapes that do not fit, or entries that are not finite.
    ParameterError
        For a negative penalty.
    """
    features = np.asarray(features, dtype=float)
    if features.ndim != 2 or 0 in features.shape:
        raise DataError(f"fit_logistic: features must have shape (samples, features), got {features.shape}")
    labels = as_labels("fit_logistic", labels, len(features))
    if not (np.isfinite(penalty) and penalty >= 0):
        raise ParameterError(f"fit_logistic: penalty is {penalty!r}; give a finite number of at least 0")
    weights = np.zeros(features.shape[1])
    loss, gradient, curvature, _ = _evaluate(features, labels, weights, penalty)
    if not np.isfinite(gradient).all():
        raise DataError("fit_logistic: features has nan or infinite entries; remove or impute them")
    direct = features.shape[1] <= DIRECT_FEATURES
    size = float(np.linalg.norm(gradient))
    for count in range(iterations):
        if size <= tolerance:
            return LogisticFit(weights, size, count, True)
        if direct:
            step = _direct_step(features, curvature, penalty, gradient)
        else:
            # Forcing terms that shrink with the gradient keep the convergence superlinear without wasted products.
            accuracy = max(min(0.3, np.sqrt(size / max(len(labels), 1))) * size, 0.3 * tolerance)
            step = _conjugate_gradients(features, curvature, penalty, -gradient, accuracy)
        slope, length = float(step @ gradient), 1.0
        while True:
            trial = weights + length * step
            new_loss, new_gradient, new_curvature, margin = _evaluate(features, labels, trial, penalty)
            # Near the minimum the loss has no digits left to show the descent: there the gradient decides.
            smaller = np.linalg.norm(new_gradient) < size
            if new_loss <= loss + 1e-4 * length * slope or (smaller and abs(slope) < 1e-10 * abs(loss)):
                break
            length *= 0.5
            if length < 1e-10:
                return LogisticFit(weights, size, count, size <= tolerance)
        weights, loss, gradient, curvature = trial, new_loss, new_gradient, new_curvature
        size = float(np.linalg.norm(gradient))
        if penalty == 0 and margin > 0:
            return LogisticFit(weights, size, count + 1, False)
    return LogisticFit(weights, size, iterations, size <= tolerance)


def inverse_hessian_trace(features: np.ndarray, weights: np.ndarray, penalty: float) -> float:
    """Trace of the inverse Hessian at the weights."""
    right = expit(features @ weights)
    hessian = (features.T * (right * (1 - right))) @ features
    hessian[np.diag_indices_from(hessian)] += penalty
    return float(np.trace(np.linalg.inv(hessian)))


def _blocks(features: np.ndarray) -> Iterator[slice]:
    rows = max(1, _BLOCK_NUMBERS // features.shape[1])
    for start in range(0, len(features), rows):
        yield slice(start, start + rows)


def _evaluate(
    features: np.ndarray, labels: np.ndarray, weights: np.ndarray, penalty: float
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Loss, gradient, the second derivative of each sample's loss, and the least margin."""
    loss, gradient = 0.5 * penalty * float(weights @ weights), penalty * weights
    curvature, least = np.empty(len(labels)), np.inf
    for block in _blocks(features):
        rows, label = features[block], labels[block]
        margin = label * (rows @ weights)
        least = min(least, float(margin.min()))
        wrong = expit(-margin)
        loss += float(np.logaddexp(0.0, -margin).sum())
        curvature[block] = wrong * (1 - wrong)
        gradient = gradient - (label * wrong) @ rows
    return loss, gradient, curvature, least


def _direct_step(features: np.ndarray, curvature: np.ndarray, penalty: float, gradient: np.ndarray) -> np.ndarray:
    hessian = (features.T * curvature) @ features
    # A trace of ridge keeps the factorisation alive when separable data flatten the loss.
    hessian[np.diag_indices_from(hessian)] += penalty + 1e-14 * np.trace(hessian) / len(hessian) + 1e-300
    try:
        return -cho_solve(cho_factor(hessian), gradient)
    except np.linalg.LinAlgError:
        return -gradient


def _conjugate_gradients(
    features: np.ndarray, curvature: np.ndarray, penalty: float, right: np.ndarray, accuracy: float
) -> np.ndarray:
    solution, residual = np.zeros_like(right), right.copy()
    direction, square = residual.copy(), float(residual @ residual)
    for _ in range(2 * len(right)):
        product = penalty * direction
        for block in _blocks(features):
            rows = features[block]
            product += (curvature[block] * (rows @ direction)) @ rows
        bend = float(direction @ product)
        if bend <= 0:
            break
        length = square / bend
        solution += length * direction
        residual -= length * product
        previous, square = square, float(residual @ residual)
        if np.sqrt(square) <= accuracy:
            break
        direction = residual + (square / previous) * direction
    return solution if solution.any() else right

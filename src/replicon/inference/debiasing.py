r"""What one fit tells about its own error: test residuals and debiased coefficients without a second data set.

Let r be the residuals of a fit, nu = rho'(r) the slopes of its loss, and V the matrix with which nu follows y. For rows
of Gaussian features of covariance S, as samples and features grow together,

* ``r + lam_rho nu`` is distributed as the residuals of fresh samples, ``lam_rho = df / tr V``, and
* ``s + S^-1 X^T nu / tr V`` as the true coefficients plus normal noise of variance ``(S^-1)_ii |nu|^2 / (tr V)^2``.

These are the residual channel and the coefficient channel of the theory of M-estimation, read off the data.

References
----------
.. [1] P. C. Bellec, Y. Shen, COLT (PMLR 178), 1912 (2022): Derivatives and residual distribution of M-estimators.
.. [2] N. El Karoui, D. Bean, P. Bickel, C. Lim, B. Yu, PNAS 110, 14557 (2013).
.. [3] A. Javanmard, A. Montanari, IEEE Trans. Inf. Theory 60, 6522 (2014): the debiased lasso.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from replicon.core.errors import ConvergenceError, DataError
from replicon.inference.algorithms.functions import ConvexFunction
from replicon.inference.algorithms.separable import SeparableFit


@dataclass(frozen=True)
class Debiased:
    """One fit seen through its two channels.

    Attributes
    ----------
    residual_step : float
        lam_rho.
    slope_trace : float
        tr V; features / (tr V) is `coefficient_step` lam_sig for entries of variance 1/features.
    degrees_of_freedom : float
        Of the fit.
    test_residuals : array (samples,)
        Distributed as residuals of fresh samples.
    coefficients : array (features,)
        Debiased.
    variances : array (features,)
        Of the debiased coefficients about the truth.
    shrinkage : float
        Mean derivative of the penalty's proximal operator.
    """

    residual_step: float
    slope_trace: float
    degrees_of_freedom: float
    test_residuals: np.ndarray
    coefficients: np.ndarray
    variances: np.ndarray
    shrinkage: float

    @property
    def test_error(self) -> float:
        """Estimate of the mean squared error of the prediction of a fresh sample."""
        return float(np.mean(self.test_residuals**2))

    def estimation_error(self, estimate: np.ndarray) -> float:
        """Estimate of ``mean (s - s0)^2`` by Stein's formula, for columns that are independent and of one scale."""
        noise = float(np.mean(self.variances))
        return float(np.mean((estimate - self.coefficients) ** 2)) + (2 * self.shrinkage - 1) * noise


def debias(
    X: np.ndarray,
    fit: SeparableFit,
    loss: ConvexFunction,
    penalty: ConvexFunction,
    precision: np.ndarray | None = None,
    *,
    intercept: bool = False,
) -> Debiased:
    """Look at a fit of `fit_separable` through its channels.

    Parameters
    ----------
    X : array (samples, features)
    fit : SeparableFit
    loss, penalty : ConvexFunction
        Those of the fit.
    precision : array (features, features), optional
        S^-1, inverse covariance of a row's features. By default the columns are taken as independent, each with its
        own mean square.
    intercept : bool
        Whether X and y were centred by means of theirs: that is a fitted coefficient too, and without counting it a fit
        of fewer samples than features would seem to predict whatever it interpolates.

    Raises
    ------
    ConvergenceError
        When the fit has not converged.
    DataError
        Where the loss has no curvature at any residual (the absolute loss): its channel cannot be read off.
    """
    if not fit.converged:
        raise ConvergenceError("the fit did not converge, so its error cannot be estimated")
    balance = X.T @ fit.slopes
    curvature = _curvature(loss, fit.residuals, fit.slopes)
    if not np.all(np.isfinite(curvature)) or not np.any(curvature > 0):
        raise DataError(
            "the loss has kinks or no curvature at the residuals of this fit, so its error cannot be read off; use the "
            "square or Huber's loss (of a small threshold, say)"
        )
    stiffness = _curvature(penalty, fit.coefficients, balance)
    active = np.isfinite(stiffness)
    columns, stiff = X[:, active], stiffness[active]
    if intercept:
        columns, stiff = np.column_stack([columns, np.ones(len(X))]), np.append(stiff, 0.0)
    weighted = np.sqrt(curvature)[:, None] * columns
    leverage = np.zeros(len(X))
    if stiff.size:
        hessian = weighted.T @ weighted
        hessian[np.diag_indices_from(hessian)] += stiff
        try:
            factor = linalg.cholesky(hessian, lower=True)
        except linalg.LinAlgError:
            raise DataError("the active columns of X are linearly dependent; raise the penalty level") from None
        leverage = np.sum(linalg.solve_triangular(factor, weighted.T, lower=True) ** 2, axis=0)
    degrees = float(leverage.sum())
    trace = float(np.sum(curvature * (1 - leverage)))
    if not trace > 1e-9 * float(curvature.sum()):
        raise DataError("the fit interpolates its samples, so nothing is left to judge it by; raise the penalty level")
    if precision is None:
        scale = np.mean(X**2, axis=0)
        if not np.all(scale > 0):
            raise DataError("X has columns that are zero; drop them")
        direction, diagonal = balance / scale, 1 / scale
    else:
        direction, diagonal = precision @ balance, np.diag(precision)
    step = degrees / trace
    # The proximal step of the coefficients in the unit of each column, for the mean slope of the penalty's prox.
    column_step = diagonal / trace
    shrink = np.where(active, 1 / (1 + column_step * np.where(active, stiffness, 0.0)), 0.0)
    return Debiased(
        residual_step=step,
        slope_trace=trace,
        degrees_of_freedom=degrees,
        test_residuals=fit.residuals + step * fit.slopes,
        coefficients=fit.coefficients + direction / trace,
        variances=diagonal * float(fit.slopes @ fit.slopes) / trace**2,
        shrinkage=float(np.mean(shrink)),
    )


def _curvature(function: ConvexFunction, place: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Second derivative at (place, slope), inf at a kink; read off the derivative of the prox, 1 / (1 + step f'')."""
    spread = float(np.sqrt(np.mean(place**2)))
    steep = float(np.sqrt(np.mean(slope**2)))
    step = spread / steep if spread > 0 and steep > 0 else 1.0
    derivative = np.asarray(function.prox_derivative(place + step * slope, step), dtype=float)
    with np.errstate(divide="ignore"):
        return np.maximum(1 / derivative - 1, 0.0) / step

r"""The experiment: minimise loss plus penalty on a drawn linear problem, and look at the error and the residuals.

``y = X s0 + noise`` with independent entries of X of mean 0 and variance 1 / features. The estimate minimises
``sum_mu rho(y_mu - (X s)_mu) + sum_i sigma(s_i)``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from replicon.core.errors import ConvergenceError, DataError, ParameterError
from replicon.inference.algorithms.checks import checked_positive
from replicon.inference.algorithms.functions import ConvexFunction, TabulatedFunction, as_loss, as_penalty
from replicon.inference.algorithms.separable import SeparableFit, fit_separable

_SAME = 1e-12
"""Part of the largest coefficient below which a coefficient counts as zero."""


def measure(
    X: np.ndarray,
    y: np.ndarray,
    signal: np.ndarray,
    noise_variance: float,
    loss: str | ConvexFunction = "square",
    loss_scale: float = 1.0,
    penalty: str | ConvexFunction = "none",
    penalty_level: float = 0.0,
    tables: Mapping[str, Any] | None = None,
) -> dict[str, float | None]:
    """Fit one drawn problem and measure the estimate against the truth.

    Parameters
    ----------
    X : array (samples, features)
        Entries of variance 1 / features.
    y : array (samples,)
    signal : array (features,)
        The true coefficients s0; the noise is ``y - X s0``.
    noise_variance : float
        Of the population: a new row is predicted with squared error ``estimation_error + noise_variance``.
    loss : {"square", "absolute", "huber", "optimal"} or ConvexFunction
    loss_scale : float
        Threshold of Huber's loss.
    penalty : {"none", "ridge", "lasso", "optimal"} or ConvexFunction
    penalty_level : float
    tables : mapping, optional
        For "optimal": under "loss" and "penalty" the columns (position u in increasing order, slope f'(u), ...) of
        which `TabulatedFunction` takes the first two.

    Returns
    -------
    dict
        ``estimation_error`` |s - s0|^2 / features; ``effective_noise``, the mean square of ``s + l X^T nu - s0``, nu
        the slopes of the loss, l the coefficient step; ``residual_step`` and ``coefficient_step``; ``train_error``,
        mean square residual; ``test_error``, expected square residual of a new row given the estimate;
        ``train_loss`` per sample; ``false_positive_rate`` and ``true_positive_rate`` of the support where the signal
        has zeros (else None); ``duality_gap``, relative to the objective.

        The steps are those with which the debiased estimate ``s + l X^T nu`` deviates from s0 by something
        uncorrelated with s0, and ``residual + l nu`` from the noise by something uncorrelated with the noise. They are
        None where that leaves them open: without noise, or without signal.

    Raises
    ------
    DataError
        For shapes that do not fit, nan or inf.
    ParameterError
        For unknown names, negative numbers, or an optimal loss or penalty without its table.
    ConvergenceError
        When the gap does not close.
    """
    variance = checked_positive("noise_variance", noise_variance, zero=True)
    truth = np.asarray(signal, dtype=np.float64)
    rho = as_loss(_chosen("loss", loss, tables), loss_scale)
    sigma = as_penalty(_chosen("penalty", penalty, tables), penalty_level)
    fit = fit_separable(X, y, rho, sigma)
    if truth.shape != fit.coefficients.shape:
        raise DataError(f"signal must have shape {fit.coefficients.shape}, got {truth.shape}")
    if not fit.converged:
        raise ConvergenceError(f"the fit did not converge: relative gap {fit.gap / max(fit.objective, 1e-300):.1e}")
    error = fit.coefficients - truth
    estimation_error = float(np.mean(error**2))
    steps = _steps(X, y, truth, fit, free=sigma.steepest == 0)
    measured: dict[str, float | None] = {
        "estimation_error": estimation_error,
        **steps,
        "train_error": float(np.mean(fit.residuals**2)),
        "test_error": estimation_error + variance,
        "train_loss": float(np.mean(rho.value(fit.residuals))),
        "duality_gap": fit.gap / max(fit.objective, 1e-300),
    }
    return {**measured, **_support(fit.coefficients, truth)}


def _chosen(what: str, given: str | ConvexFunction, tables: Mapping[str, Any] | None) -> str | ConvexFunction:
    if not isinstance(given, str) or given != "optimal":
        return given
    if tables is None or what not in tables:
        raise ParameterError(f"the optimal {what} is a tabulated function; give its columns as tables[{what!r}]")
    return TabulatedFunction(*tables[what][:2])


def _steps(X: np.ndarray, y: np.ndarray, truth: np.ndarray, fit: SeparableFit, free: bool) -> dict[str, float | None]:
    balance = X.T @ fit.slopes
    noise = y - X @ truth
    error = fit.coefficients - truth
    residual_step = _uncorrelated(fit.residuals - noise, fit.slopes, noise)
    if free:
        # Without penalty X^T nu = 0: the estimate is its own debiased one, and both steps are one.
        return {
            "effective_noise": float(np.mean(error**2)),
            "residual_step": residual_step,
            "coefficient_step": residual_step,
        }
    step = _uncorrelated(error, balance, truth)
    debiased = None if step is None else float(np.mean((error + step * balance) ** 2))
    return {"effective_noise": debiased, "residual_step": residual_step, "coefficient_step": step}


def _uncorrelated(deviation: np.ndarray, slopes: np.ndarray, reference: np.ndarray) -> float | None:
    """The l for which deviation + l slopes is orthogonal to the reference."""
    overlap = float(slopes @ reference)
    scale = float(np.linalg.norm(slopes) * np.linalg.norm(reference))
    if scale == 0 or abs(overlap) < 1e-12 * scale:
        return None
    return -float(deviation @ reference) / overlap


def _support(estimate: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    zero = truth == 0
    if not zero.any() or zero.all():
        return {"false_positive_rate": None, "true_positive_rate": None}
    found = np.abs(estimate) > _SAME * np.max(np.abs(estimate), initial=0.0)
    return {
        "false_positive_rate": float(np.mean(found[zero])),
        "true_positive_rate": float(np.mean(found[~zero])),
    }

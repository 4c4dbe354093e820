r"""Vector approximate message passing: posterior means for matrices of any spectrum.

X = left diag(values) right with right-rotational invariance. A denoising step and a linear step exchange a Gaussian
message each way:

    s1 = den(r1, 1/g1),  eta1 = g1 / <slope>,  g2 = eta1 - g1,  r2 = (eta1 s1 - g1 r1) / g2
    s2 = (X^T X / v + g2)^-1 (X^T y / v + g2 r2),  eta2 likewise,  g1 = eta2 - g2,  r1 = (eta2 s2 - g2 r2) / g1

References
----------
.. [1] S. Rangan, P. Schniter, A. Fletcher, IEEE Trans. Inf. Theory 65, 6664 (2019), algorithm 3.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from replicon.core.errors import ConvergenceError, DataError
from replicon.core.monitor import check
from replicon.inference.algorithms.checks import checked_count, checked_positive, checked_problem
from replicon.inference.algorithms.denoisers import Denoiser


class Factors(NamedTuple):
    """Singular value decomposition ``X = left @ diag(values) @ right``, k = min(samples, features)."""

    left: np.ndarray
    """Shape (samples, k)."""
    values: np.ndarray
    """Shape (k,)."""
    right: np.ndarray
    """Shape (k, features)."""


class VectorIterates(NamedTuple):
    """The iterates of vector message passing; arrays have one entry per iteration made.

    Attributes
    ----------
    coefficients : array (features,)
        The last denoised estimate s1.
    effective_noise : array (iterations,)
        1 / g1, the variance of r1 - s0 that the algorithm counts with.
    predicted_error : array (iterations,)
        1 / eta1, the mean posterior variance.
    estimation_error : array (iterations,) or None
        ``|s1 - s0|^2 / features``, where the truth was given.
    debiased_error : array (iterations,) or None
        ``|r1 - s0|^2 / features`` likewise: the effective noise as it is.
    change : float
        Last relative change of s1.
    converged : bool
    """

    coefficients: np.ndarray
    effective_noise: np.ndarray
    predicted_error: np.ndarray
    estimation_error: np.ndarray | None
    debiased_error: np.ndarray | None
    change: float
    converged: bool


def vamp(
    X: Any,
    y: Any,
    denoiser: Denoiser,
    noise_variance: float,
    *,
    start: Any = None,
    start_variance: float = 1.0,
    iterations: int = 50,
    tolerance: float = 0.0,
    truth: Any = None,
) -> VectorIterates:
    """Posterior mean of the coefficients under Gaussian noise, for right-rotationally invariant X.

    Parameters
    ----------
    X : array (samples, features) or Factors
        The matrix, which is decomposed once, or its singular value decomposition.
    y : array (samples,)
    denoiser : callable
        ``(r, variance) -> (mean, slope)``, see `posterior_mean`.
    noise_variance : float
        Positive.
    start : array (features,), optional
        r1 at the start, 0 by default. State evolution is exact from the first iteration on only for a start that is the
        truth plus Gaussian noise of variance `start_variance`.
    start_variance : float
        1 / g1 at the start.
    iterations, tolerance, truth
        As in `message_passing`.

    Returns
    -------
    VectorIterates

    Raises
    ------
    DataError
        For nan or inf, or shapes that do not fit.
    ParameterError
        For numbers out of range.
    ConvergenceError
        When a precision is no longer positive: X is far from rotationally invariant, or noise or prior are wrong.
    """
    noise = checked_positive("noise_variance", noise_variance)
    g1 = 1 / checked_positive("start_variance", start_variance)
    limit, tolerance = checked_count("iterations", iterations), checked_positive("tolerance", tolerance, zero=True)
    factors, outcomes = _decomposed(X, y)
    features, rank = factors.right.shape[1], len(factors.values)
    r1 = _vector("start", start, features) if start is not None else np.zeros(features)
    signal = None if truth is None else _vector("truth", truth, features)
    seen = factors.values * (factors.left.T @ outcomes) / noise
    energies = factors.values**2 / noise
    s1 = np.zeros(features)
    noises, predicted, errors, debiased = [], [], [], []
    change = np.inf
    for count in range(limit):
        old = s1
        s1, slope = denoiser(r1, 1 / g1)
        eta1 = g1 / slope
        noises.append(1 / g1)
        predicted.append(1 / eta1)
        if signal is not None:
            errors.append(float(np.mean((s1 - signal) ** 2)))
            debiased.append(float(np.mean((r1 - signal) ** 2)))
        size = float(np.linalg.norm(s1))
        # The first estimate has none before it.
        change = (float(np.linalg.norm(s1 - old)) / size if size > 0 else 0.0) if count else np.inf
        check((count + 1) / limit)
        if change <= tolerance:
            break
        g2 = _positive("denoiser", eta1 - g1, count)
        r2 = (eta1 * s1 - g1 * r1) / g2
        inside = factors.right @ r2
        shift = (seen + g2 * inside) / (energies + g2) - inside
        s2 = r2 + shift @ factors.right
        eta2 = features / ((features - rank) / g2 + float(np.sum(1 / (energies + g2))))
        g1 = _positive("linear", eta2 - g2, count)
        r1 = (eta2 * s2 - g2 * r2) / g1
    return VectorIterates(
        coefficients=s1,
        effective_noise=np.array(noises),
        predicted_error=np.array(predicted),
        estimation_error=np.array(errors) if signal is not None else None,
        debiased_error=np.array(debiased) if signal is not None else None,
        change=change,
        converged=change <= tolerance,
    )


def _decomposed(X: Any, y: Any) -> tuple[Factors, np.ndarray]:
    if isinstance(X, Factors):
        left, outcomes = checked_problem(X.left, y)
        right, values = np.asarray(X.right, dtype=np.float64), np.asarray(X.values, dtype=np.float64)
        if right.ndim != 2 or values.shape != (left.shape[1],) or right.shape[0] != values.size:
            raise DataError(f"the factors have shapes {left.shape}, {values.shape} and {right.shape}, which do not fit")
        return Factors(left, values, right), outcomes
    matrix, outcomes = checked_problem(X, y)
    left, values, right = linalg.svd(matrix, full_matrices=False, check_finite=False)
    return Factors(left, values, right), outcomes


def _vector(name: str, values: Any, features: int) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (features,) or not np.all(np.isfinite(array)):
        raise DataError(f"{name} must be {features} finite numbers, got shape {array.shape}")
    return array


def _positive(step: str, precision: float, count: int) -> float:
    if not 0 < precision < np.inf:
        raise ConvergenceError(
            f"vector message passing broke down at iteration {count + 1}: the {step} step leaves precision {precision}"
        )
    return precision

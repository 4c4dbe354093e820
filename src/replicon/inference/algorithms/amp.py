r"""Approximate message passing: the loop that GAMP and Bayes-AMP share.

With the iterate s and the mean variance V of its entries

    p = X s - V g,   g = output(y - p, V),   L = load <d output>,   r = s + X^T g / L,   s, V = denoise(r, 1 / L)

where ``r`` is distributed as s0 + N(0, effective noise) in each iteration, for X with independent entries of variance
1 / features. X is only multiplied with vectors, in its own precision, and never copied.

References
----------
.. [1] S. Rangan, arXiv:1010.5141, algorithm 1 with scalar variances.
.. [2] D. Donoho, A. Maleki, A. Montanari, PNAS 106, 18914 (2009).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from replicon.core.errors import ConvergenceError, DataError
from replicon.core.monitor import check
from replicon.inference.algorithms.checks import checked_count, checked_positive, checked_problem
from replicon.inference.algorithms.denoisers import Denoiser

Output = Callable[[np.ndarray, float], tuple[np.ndarray, float]]
"""Maps (deviation, V) to g, the slope at the deviation, and the mean of its derivative."""


class Iterates(NamedTuple):
    """The iterates of message passing; arrays have one entry per iteration made.

    Attributes
    ----------
    coefficients : array (features,)
        The last estimate s.
    debiased : array (features,)
        The last r, the truth plus Gaussian noise.
    slopes : array (samples,)
        The last g: at a fixed point the slopes of the loss at the residuals.
    residual_step : array (iterations + 1,)
        V before the first iteration and after each.
    coefficient_step : array (iterations,)
        1 / L.
    effective_noise : array (iterations,)
        ``<g^2> load / L^2``, the estimate of the variance of r - s0 that needs no truth.
    estimation_error : array (iterations + 1,) or None
        ``|s - s0|^2 / features`` at the start and after each iteration, where the truth was given.
    debiased_error : array (iterations,) or None
        ``|r - s0|^2 / features`` likewise: the effective noise as it is.
    change : float
        Last relative change of s.
    iterations : int
    converged : bool
        Whether `change` came below the tolerance.
    """

    coefficients: np.ndarray
    debiased: np.ndarray
    slopes: np.ndarray
    residual_step: np.ndarray
    coefficient_step: np.ndarray
    effective_noise: np.ndarray
    estimation_error: np.ndarray | None
    debiased_error: np.ndarray | None
    change: float
    iterations: int
    converged: bool


def message_passing(
    X: Any,
    y: Any,
    output: Output,
    denoise: Denoiser,
    *,
    variance: float,
    iterations: int = 100,
    tolerance: float = 0.0,
    damping: float = 1.0,
    truth: Any = None,
) -> Iterates:
    """Run message passing from s = 0.

    Parameters
    ----------
    X : array (samples, features)
        Entries of variance 1 / features; float32 and float64 are used as they are, without a copy.
    y : array (samples,)
    output : callable
        ``(deviation, V) -> (g, mean derivative)``.
    denoise : callable
        ``(r, 1 / L) -> (s, mean derivative)``; V is the mean derivative over L.
    variance : float
        V at the start, positive: the signal's variance.
    iterations : int
        At most so many.
    tolerance : float
        Relative change of s at which to stop; 0 makes all iterations.
    damping : float
        Part of each change that is made, in (0, 1]; below 1 for matrices that are not of independent entries.
    truth : array (features,), optional
        s0, to follow the error.

    Returns
    -------
    Iterates

    Raises
    ------
    DataError
        For nan or inf, or shapes that do not fit.
    ParameterError
        For numbers out of range.
    ConvergenceError
        When the iteration diverges, as it may where the entries of X are not independent.
    """
    matrix, outcomes = checked_problem(X, y, keep_precision=True)
    samples, features = matrix.shape
    spread = checked_positive("variance", variance)
    limit = checked_count("iterations", iterations)
    tolerance = checked_positive("tolerance", tolerance, zero=True)
    damping = min(checked_positive("damping", damping), 1.0)
    signal = None if truth is None else np.asarray(truth, dtype=np.float64)
    if signal is not None and signal.shape != (features,):
        raise DataError(f"truth must have shape ({features},), got {signal.shape}")
    load, kind = samples / features, matrix.dtype
    s, r, g = np.zeros(features), np.zeros(features), np.zeros(samples)
    steps, inverse, noises = [spread], [], []
    errors = [] if signal is None else [float(np.mean(signal**2))]
    debiased = []
    change, count = np.inf, 0
    while count < limit and not change <= tolerance:
        # The vectors go to the matrix's precision: the other way round NumPy would copy the matrix.
        prediction = (matrix @ s.astype(kind)).astype(np.float64) - spread * g
        fresh, curvature = output(outcomes - prediction, spread)
        precision = load * curvature
        if not (0 < precision < np.inf):
            raise ConvergenceError(f"message passing broke down at iteration {count + 1}: precision {precision}")
        g = g + damping * (fresh - g)
        r = s + (matrix.T @ g.astype(kind)).astype(np.float64) / precision
        new, slope = denoise(r, 1 / precision)
        step = damping * (new - s)
        size = float(np.linalg.norm(new))
        change = float(np.linalg.norm(step)) / size if size > 0 else 0.0
        s = s + step
        if count == 0 and size == 0:
            change = np.inf  # a threshold above the first channel says nothing yet: V has still to fall
        spread = spread + damping * (slope / precision - spread)
        if not size < 1e100:
            raise ConvergenceError(
                f"message passing diverges at iteration {count + 1}; damp it (damping=0.5) or use fit_separable"
            )
        count += 1
        inverse.append(1 / precision)
        noises.append(float(np.mean(g**2)) * load / precision**2)
        steps.append(spread)
        if signal is not None:
            errors.append(float(np.mean((s - signal) ** 2)))
            debiased.append(float(np.mean((r - signal) ** 2)))
        check(count / limit)
    return Iterates(
        coefficients=s,
        debiased=r,
        slopes=g,
        residual_step=np.array(steps),
        coefficient_step=np.array(inverse),
        effective_noise=np.array(noises),
        estimation_error=np.array(errors) if signal is not None else None,
        debiased_error=np.array(debiased) if signal is not None else None,
        change=change,
        iterations=count,
        converged=change <= tolerance,
    )

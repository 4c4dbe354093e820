"""Generalised approximate message passing for any convex loss and penalty."""

from typing import Any

import numpy as np

from replicon.inference.algorithms.amp import Iterates, message_passing
from replicon.inference.algorithms.functions import ConvexFunction, as_loss, as_penalty


def gamp(
    X: Any,
    y: Any,
    loss: str | ConvexFunction = "square",
    penalty: str | ConvexFunction = "none",
    *,
    loss_scale: float = 1.0,
    penalty_level: float = 0.0,
    variance: float = 1.0,
    iterations: int = 200,
    tolerance: float = 1e-8,
    damping: float = 1.0,
    truth: Any = None,
) -> Iterates:
    r"""Minimise ``sum loss(y - X s) + sum penalty(s)`` by message passing.

    A fixed point is the minimiser, and there V is the `residual_step` and 1 / L the `coefficient_step` of the theory.
    Each iteration costs two products with X.

    Parameters
    ----------
    X : array (samples, features)
        Independent entries of variance 1 / features (others may diverge: `damping`, or `fit_separable`). float32 stays
        float32, and X is not copied.
    y : array (samples,)
    loss, penalty, loss_scale, penalty_level
        As in `fit_separable`.
    variance : float
        V at the start, such as the signal's variance.
    iterations, tolerance, damping, truth
        As in `message_passing`.

    Returns
    -------
    Iterates

    Raises
    ------
    DataError, ParameterError, ConvergenceError
        As `message_passing`; a loss that has no curvature anywhere in reach breaks the iteration down.

    References
    ----------
    S. Rangan, arXiv:1010.5141; M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016).
    """
    rho, sigma = as_loss(loss, loss_scale), as_penalty(penalty, penalty_level)

    def output(deviation: np.ndarray, step: float) -> tuple[np.ndarray, float]:
        slope = (deviation - rho.prox(deviation, step)) / step
        return slope, float(np.mean(1 - rho.prox_derivative(deviation, step))) / step

    def denoise(r: np.ndarray, step: float) -> tuple[np.ndarray, float]:
        return sigma.prox(r, step), float(np.mean(sigma.prox_derivative(r, step)))

    return message_passing(
        X,
        y,
        output,
        denoise,
        variance=variance,
        iterations=iterations,
        tolerance=tolerance,
        damping=damping,
        truth=truth,
    )

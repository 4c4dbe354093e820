"""Message passing with posterior means: the Bayes-optimal estimate under Gaussian noise, where it can be reached."""

from typing import Any

import numpy as np

from replicon.inference.algorithms.amp import Iterates, message_passing
from replicon.inference.algorithms.checks import checked_positive
from replicon.inference.algorithms.denoisers import Denoiser


def bayes_amp(
    X: Any,
    y: Any,
    denoiser: Denoiser,
    noise_variance: float,
    *,
    variance: float = 1.0,
    iterations: int = 50,
    tolerance: float = 0.0,
    damping: float = 1.0,
    truth: Any = None,
) -> Iterates:
    """Posterior mean of the coefficients under Gaussian noise by message passing.

    It is no M-estimator: its denoiser is the prior's posterior mean, not the proximal operator of a penalty. Its fixed
    point is the algorithmic branch of the Bayes equations, which in a hard phase is not the Bayes-optimal one.

    Parameters
    ----------
    X : array (samples, features)
        Independent entries of variance 1 / features; float32 or float64, not copied.
    y : array (samples,)
    denoiser : callable
        ``(r, variance) -> (mean, slope)``, see `posterior_mean`.
    noise_variance : float
        Non-negative.
    variance : float
        Second moment of the prior: V of the start s = 0.
    iterations, tolerance, damping, truth
        As in `message_passing`.

    Returns
    -------
    Iterates

    Raises
    ------
    DataError, ParameterError, ConvergenceError
        As `message_passing`.

    References
    ----------
    D. Donoho, A. Maleki, A. Montanari, PNAS 106, 18914 (2009); J. Vila, P. Schniter, IEEE Trans. Signal Process. 61,
    4658 (2013).
    """
    noise = checked_positive("noise_variance", noise_variance, zero=True)

    def output(deviation: np.ndarray, step: float) -> tuple[np.ndarray, float]:
        return deviation / (noise + step), 1 / (noise + step)

    return message_passing(
        X,
        y,
        output,
        denoiser,
        variance=variance,
        iterations=iterations,
        tolerance=tolerance,
        damping=damping,
        truth=truth,
    )

"""The experiment of the Bayes-optimal linear problem: message passing with posterior means on a drawn matrix."""

import numpy as np
from scipy.stats import t as student_t

from replicon.inference.algorithms.amp import Iterates, Output, message_passing
from replicon.inference.algorithms.denoisers import Denoiser, posterior_mean
from replicon.inference.families import STUDENT_DEGREES

_KNOWN = 1e-6
"""Variance, over that of the signal, with which the truth is believed at an informed start."""
_NODES = np.linspace(-9.0, 9.0, 301)


def measure(
    design: np.ndarray,
    response: np.ndarray,
    signal: np.ndarray,
    noise: str,
    noise_variance: float,
    prior: str,
    signal_variance: float,
    sparsity: float,
    informed: bool,
    iterations: int = 400,
    tolerance: float = 1e-7,
) -> dict[str, float]:
    """Run message passing to its fixed point and measure the error.

    Parameters
    ----------
    design : array (samples, features)
        Entries of variance 1 / features.
    response : array (samples,)
    signal : array (features,)
        The truth.
    noise, prior : str
        Families of the noise and of the signal.
    noise_variance, signal_variance, sparsity : float
        Their parameters.
    informed : bool
        Start from the truth instead of from nothing.
    iterations : int
    tolerance : float
        Relative change of the estimate at which the iteration has arrived.

    Returns
    -------
    dict
        `estimation_error`, `effective_noise` (mean square deviation of the debiased estimate), `test_error`,
        `iterations` and `converged` (1 or 0).
    """
    run = follow(
        design, response, signal, noise, noise_variance, prior, signal_variance, sparsity, informed, iterations,
        tolerance,
    )  # fmt: skip
    errors, debiased = run.estimation_error, run.debiased_error
    assert errors is not None and debiased is not None
    return {
        "estimation_error": float(errors[-1]),
        "effective_noise": float(debiased[-1]),
        "test_error": float(errors[-1]) + noise_variance,
        "iterations": run.iterations,
        "converged": float(run.converged),
    }


def follow(
    design: np.ndarray,
    response: np.ndarray,
    signal: np.ndarray,
    noise: str,
    noise_variance: float,
    prior: str,
    signal_variance: float,
    sparsity: float,
    informed: bool,
    iterations: int,
    tolerance: float = 0.0,
) -> Iterates:
    """The run that `measure` looks at the end of; the estimate is counted from the truth where it starts there."""
    denoise = posterior_mean(prior, signal_variance, sparsity)
    spread = signal_variance * (sparsity if prior == "bernoulli_gauss" else 1.0)
    start, outcomes = np.zeros_like(signal), response
    if informed:
        # In coordinates centred at the truth message passing from zero is message passing from the truth.
        start, outcomes, spread = signal, response - design @ signal, _KNOWN * spread

    def shifted(r: np.ndarray, variance: float) -> tuple[np.ndarray, float]:
        mean, slope = denoise(r + start, variance)
        return mean - start, slope

    output = noise_output(noise, noise_variance)
    return message_passing(
        design, outcomes, output, shifted, variance=spread, iterations=iterations, tolerance=tolerance,
        truth=signal - start,
    )  # fmt: skip


def noise_output(noise: str, variance: float) -> Output:
    """What a residual says of the prediction: minus the score of noise + N(0, V), and its mean derivative."""
    if noise == "gaussian":
        return lambda deviation, step: (deviation / (variance + step), 1 / (variance + step))
    denoise = _student_mean(variance) if noise == "student" else posterior_mean(noise, variance)

    def output(deviation: np.ndarray, step: float) -> tuple[np.ndarray, float]:
        mean, slope = denoise(deviation, step)
        return (deviation - mean) / step, (1 - slope) / step

    return output


def _student_mean(variance: float) -> Denoiser:
    """Posterior mean of Student noise seen through Gaussian noise, by the trapezoidal rule over the latter."""
    scale = np.sqrt(variance * (STUDENT_DEGREES - 2) / STUDENT_DEGREES)

    def denoise(deviation: np.ndarray, step: float) -> tuple[np.ndarray, float]:
        root = np.sqrt(step)
        noise = (deviation[:, None] - root * _NODES) / scale
        weights = np.exp(-0.5 * _NODES**2) * student_t.pdf(noise, STUDENT_DEGREES)
        total = weights.sum(axis=1)
        first = weights @ _NODES / total
        second = weights @ _NODES**2 / total
        # eps = deviation - root z: its posterior variance over that of the channel is the slope of its mean.
        return deviation - root * first, float(np.mean(second - first**2))

    return denoise

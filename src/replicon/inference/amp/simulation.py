"""The experiment: message passing on drawn problems, followed iterate by iterate against the truth."""

from typing import Any

import numpy as np
from scipy import linalg

from replicon.core.errors import ParameterError
from replicon.inference.algorithms.checks import checked_count
from replicon.inference.algorithms.denoisers import posterior_mean
from replicon.inference.algorithms.generalized import gamp
from replicon.inference.algorithms.posterior import bayes_amp
from replicon.inference.algorithms.vector import Factors, vamp


def draw_rotationally_invariant(
    samples: int, features: int, condition_number: float, generator: np.random.Generator
) -> Factors:
    """A matrix with geometric singular values between Haar-distributed rotations.

    Parameters
    ----------
    samples, features : int
    condition_number : float
        Largest over smallest singular value, at least 1.
    generator : numpy.random.Generator

    Returns
    -------
    Factors
        Singular values evenly spaced in the logarithm, sum of squares = samples, as for entries of variance
        1 / features.
    """
    samples, features = checked_count("samples", samples), checked_count("features", features)
    if not 1 <= condition_number < np.inf:
        raise ParameterError(f"condition_number is {condition_number}; give a finite number of at least 1")
    left, _, right = linalg.svd(generator.standard_normal((samples, features)), full_matrices=False, check_finite=False)
    # The midpoints of equal pieces of the logarithm: sums over them are close to the integral at every size.
    places = (np.arange(len(right)) + 0.5) / len(right)
    values = condition_number**-places
    return Factors(left, values * np.sqrt(samples / np.sum(values**2)), right)


def message_passing_curves(
    X: np.ndarray,
    y: np.ndarray,
    truth: np.ndarray,
    noise_variance: float,
    signal: str,
    signal_variance: float,
    sparsity: float,
    denoiser: str,
    penalty_level: float,
    iterations: int,
) -> dict[str, Any]:
    """Run Bayes-AMP or GAMP of the LASSO from s = 0 and follow it.

    Parameters
    ----------
    X : array (samples, features)
        Entries of variance 1 / features.
    y : array (samples,)
    truth : array (features,)
    noise_variance, signal, signal_variance, sparsity
        What the denoiser is told.
    denoiser : {"bayes", "lasso"}
    penalty_level : float
        Of the LASSO.
    iterations : int

    Returns
    -------
    dict
        ``estimation_error`` |s - s0|^2 / features and ``effective_noise`` |r - s0|^2 / features over iterations
        0 .. `iterations`, the channel r being made from the estimate of the same iteration; ``final_error``.
    """
    moment = signal_variance * (sparsity if signal == "bernoulli_gauss" else 1.0)
    # One more round than asked for: the channel of the last estimate.
    if denoiser == "bayes":
        prior = posterior_mean(signal, signal_variance, sparsity)
        run = bayes_amp(X, y, prior, noise_variance, variance=moment, iterations=iterations + 1, truth=truth)
    else:
        run = gamp(
            X,
            y,
            "square",
            denoiser,
            penalty_level=penalty_level,
            variance=moment,
            iterations=iterations + 1,
            tolerance=0.0,
            truth=truth,
        )
    assert run.estimation_error is not None and run.debiased_error is not None
    errors = run.estimation_error[: iterations + 1]
    return {"estimation_error": errors, "effective_noise": run.debiased_error, "final_error": float(errors[-1])}


def vector_message_passing_curves(
    factors: Factors,
    y: np.ndarray,
    truth: np.ndarray,
    start: np.ndarray,
    start_variance: float,
    noise_variance: float,
    signal: str,
    signal_variance: float,
    sparsity: float,
    iterations: int,
) -> dict[str, Any]:
    """Run VAMP from a given start and follow it.

    Parameters
    ----------
    factors : Factors
        Of the matrix.
    y : array (samples,)
    truth, start : arrays (features,)
        s0 and r1.
    start_variance : float
        1 / g1 at the start.
    noise_variance, signal, signal_variance, sparsity
        What the denoiser is told.
    iterations : int

    Returns
    -------
    dict
        ``effective_noise`` |r1 - s0|^2 / features and ``estimation_error`` |s1 - s0|^2 / features over iterations
        0 .. `iterations`; ``final_error``.
    """
    prior = posterior_mean(signal, signal_variance, sparsity)
    run = vamp(
        factors,
        y,
        prior,
        noise_variance,
        start=start,
        start_variance=start_variance,
        iterations=iterations + 1,
        truth=truth,
    )
    assert run.estimation_error is not None and run.debiased_error is not None
    return {
        "estimation_error": run.estimation_error,
        "effective_noise": run.debiased_error,
        "final_error": float(run.estimation_error[-1]),
    }

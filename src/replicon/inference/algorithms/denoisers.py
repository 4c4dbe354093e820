r"""Posterior means of a coefficient seen through Gaussian noise, ``r = s + N(0, variance)``, in NumPy.

Each is a callable ``(r, variance) -> (mean, slope)``: the posterior mean, shape of r, and its derivative averaged over
the entries, which is the mean posterior variance over `variance`.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, log_ndtr

from replicon.core.errors import ParameterError
from replicon.inference.algorithms.checks import checked_positive

Denoiser = Callable[[np.ndarray, float], tuple[np.ndarray, float]]

SIGNALS = ("gaussian", "laplace", "bernoulli_gauss")


def posterior_mean(signal: str, signal_variance: float = 1.0, sparsity: float = 1.0) -> Denoiser:
    """The posterior mean of a prior by name.

    Parameters
    ----------
    signal : {"gaussian", "laplace", "bernoulli_gauss"}
    signal_variance : float
        Positive; of the non-zero entries where there are zeros.
    sparsity : float
        Fraction of non-zero entries of the Bernoulli-Gauss prior, in (0, 1].

    Raises
    ------
    ParameterError
        For an unknown prior or numbers out of range.
    """
    spread = checked_positive("signal_variance", signal_variance)
    if signal == "gaussian":
        return _mixture(1.0, spread)
    if signal == "bernoulli_gauss":
        if not 0 < sparsity <= 1:
            raise ParameterError(f"sparsity is {sparsity}; give the fraction of non-zero entries, in (0, 1]")
        return _mixture(float(sparsity), spread)
    if signal == "laplace":
        return _laplace(np.sqrt(spread / 2))
    raise ParameterError(f"signal is {signal!r}; choose one of: {', '.join(SIGNALS)}")


def _mixture(sparsity: float, spread: float) -> Denoiser:
    """Zero with probability 1 - sparsity, else normal of variance `spread`."""
    with np.errstate(divide="ignore"):
        log_odds = np.log(sparsity) - np.log1p(-sparsity)

    def denoise(r: np.ndarray, variance: float) -> tuple[np.ndarray, float]:
        total = spread + variance
        gain = spread / total
        # Odds of "not zero" grow with r^2: the wider normal against the narrower one.
        odds = log_odds + 0.5 * (np.log(variance / total) + r * r * gain / variance)
        share = expit(odds)
        slope = gain * share * (1 + gain * r * r / variance * expit(-odds))
        return gain * share * r, float(np.mean(slope))

    return denoise


def _laplace(scale: float) -> Denoiser:
    """Density ``exp(-|s| / scale) / (2 scale)``: two truncated normals shifted by variance / scale."""

    def denoise(r: np.ndarray, variance: float) -> tuple[np.ndarray, float]:
        root = np.sqrt(variance)
        place, shift = r / root, root / scale
        right = log_ndtr(place - shift) - place * shift
        left = log_ndtr(-place - shift) + place * shift
        difference = np.tanh(0.5 * (right - left))
        # Score of the smoothed density is -difference / scale, and the slope 1 + variance times its derivative.
        log_density = np.logaddexp(right, left) + 0.5 * (shift**2 - np.log(4.0)) - np.log(scale)
        at_zero = np.exp(-0.5 * place**2 - log_density) / (np.sqrt(2 * np.pi) * root)
        slope = 1 + variance / scale**2 * (1 - difference**2 - at_zero)
        return r - variance / scale * difference, float(np.mean(slope))

    return denoise

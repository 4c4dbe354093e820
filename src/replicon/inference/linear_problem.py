"""The linear problem y = X s0 + noise that several systems share: its parameters, its draws, what a draw realises."""

import functools
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from replicon.core.errors import DataError, ParameterError
from replicon.core.instance import Instance
from replicon.core.parameters import parameter
from replicon.core.seeds import generator
from replicon.inference.algorithms.checks import checked_count, checked_positive
from replicon.inference.families import NOISES, SIGNALS, STUDENT_DEGREES

load_parameter = functools.partial(parameter, symbol="α", low=0, open="l", doc="samples per feature, N/P")
noise_parameter = functools.partial(
    parameter, symbol="E", choices=NOISES, doc="density of the noise; student has 3 degrees"
)
noise_variance_parameter = functools.partial(parameter, symbol="v", low=0, open="l", doc="variance of the noise")
signal_parameter = functools.partial(parameter, symbol="P_s", choices=SIGNALS, doc="density of the coefficients")
signal_variance_parameter = functools.partial(
    parameter, symbol="V", low=0, open="l", doc="variance of the non-zero coefficients"
)
sparsity_parameter = functools.partial(
    parameter, symbol="ε", low=0, high=1, open="l", doc="fraction of non-zero coefficients (bernoulli_gauss)"
)


class LinearProblem(Instance):
    """One draw of a linear problem; the size is the number of features P.

    Attributes
    ----------
    design : array (samples, features)
        X, independent entries of variance 1/P.
    response : array (samples,)
        ``y = X s0 + eps``.
    signal : array (features,)
        s0.
    """

    design: Float[np.ndarray, "samples features"]
    response: Float[np.ndarray, " samples"]
    signal: Float[np.ndarray, " features"]

    @property
    def load(self) -> float:
        """Realised samples per feature."""
        return self.design.shape[0] / self.design.shape[1]

    @property
    def noise(self) -> np.ndarray:
        """The noise of the draw, shape (samples,)."""
        return self.response - self.design @ self.signal


class Realised(NamedTuple):
    """What the noise and the signal of one draw have in place of the population's numbers."""

    noise_variance: float
    signal_variance: float
    sparsity: float


def realised(
    noise_drawn: np.ndarray,
    signal_drawn: np.ndarray,
    noise: str,
    noise_variance: float,
    signal: str,
    signal_variance: float,
    sparsity: float,
) -> Realised:
    """The population that one draw looks like: its sufficient statistics instead of the parameters.

    Given the sufficient statistic of its family (mean square, mean absolute value, fraction and mean square of the
    non-zeros) a draw is distributed as one of the population with these numbers, so that the prediction for them is
    that for the draw to the order P^-1/2. An estimator that is optimal for the parameters instead of for the realised
    numbers loses at second order only. Student's t has no such statistic and keeps its variance; so does a signal
    without any non-zero entry.

    Parameters
    ----------
    noise_drawn : array (samples,)
    signal_drawn : array (features,)
    noise, signal : str
        Families.
    noise_variance, signal_variance, sparsity : float
        Of the population.

    Returns
    -------
    Realised
    """
    kept = signal_drawn[signal_drawn != 0] if signal == "bernoulli_gauss" else signal_drawn
    if kept.size == 0:
        return Realised(_variance(noise, noise_drawn, noise_variance), signal_variance, sparsity)
    return Realised(
        _variance(noise, noise_drawn, noise_variance),
        _variance("gaussian" if signal == "bernoulli_gauss" else signal, kept, signal_variance),
        kept.size / signal_drawn.size if signal == "bernoulli_gauss" else sparsity,
    )


def _variance(family: str, values: np.ndarray, population: float) -> float:
    if family == "student":
        return population
    return float(2 * np.mean(np.abs(values)) ** 2 if family == "laplace" else np.mean(values**2))


def realised_load(load: Any, size: Any) -> Any:
    """The ratio round(load P) / P that a problem of P features has; `load` itself for infinite size."""
    return load if size is None else jnp.maximum(jnp.round(load * size), 1.0) / size


def check_samples(owner: str, load: Any, size: int) -> None:
    """Raise `DataError` where a problem of this size has no sample."""
    if np.any(np.round(np.asarray(load) * size) < 1):
        least = int(np.ceil(0.5 / np.min(load))) + 1
        raise DataError(f"{owner}: size is {size}, which at load {load} has no sample; give at least {least}")


def draw_problem(
    size: int,
    seed: int,
    load: float,
    noise: str,
    noise_variance: float,
    signal: str,
    signal_variance: float,
    sparsity: float,
) -> LinearProblem:
    """Draw X, the signal and the noise, each from a stream of its own."""
    samples = round(load * size)
    design = draw_matrix(samples, size, generator(seed, "design"))
    truth = draw_signal(signal, signal_variance, size, generator(seed, "signal"), sparsity)
    eps = draw_noise(noise, noise_variance, samples, generator(seed, "noise"))
    return LinearProblem(size=size, seed=seed, design=design, response=design @ truth + eps, signal=truth)


def draw_matrix(samples: int, features: int, generator: np.random.Generator) -> np.ndarray:
    """Gaussian design matrix, entries of variance 1 / features.

    Parameters
    ----------
    samples, features : int
    generator : numpy.random.Generator

    Returns
    -------
    array (samples, features) of float64
    """
    samples, features = checked_count("samples", samples), checked_count("features", features)
    matrix = generator.standard_normal((samples, features))
    matrix /= np.sqrt(features)
    return matrix


def draw_noise(
    noise: str,
    variance: float,
    samples: int,
    generator: np.random.Generator,
    degrees_of_freedom: float = STUDENT_DEGREES,
) -> np.ndarray:
    """Independent noise of mean 0 and this variance.

    Parameters
    ----------
    noise : {"gaussian", "laplace", "student"}
    variance : float
        Non-negative.
    samples : int
    generator : numpy.random.Generator
    degrees_of_freedom : float
        Of Student's t, above 2.

    Raises
    ------
    ParameterError
        For an unknown noise, a negative variance, or degrees of freedom that leave the variance infinite.
    """
    spread = np.sqrt(checked_positive("noise_variance", variance, zero=True))
    count = checked_count("samples", samples)
    if noise == "gaussian":
        return spread * generator.standard_normal(count)
    if noise == "laplace":
        return generator.laplace(scale=spread / np.sqrt(2), size=count)
    if noise == "student":
        if not degrees_of_freedom > 2:
            raise ParameterError(f"degrees_of_freedom is {degrees_of_freedom}; the variance is finite above 2 only")
        unit = np.sqrt((degrees_of_freedom - 2) / degrees_of_freedom)
        return spread * unit * generator.standard_t(degrees_of_freedom, size=count)
    raise ParameterError(f"noise is {noise!r}; choose one of: gaussian, laplace, student")


def draw_signal(
    signal: str, variance: float, features: int, generator: np.random.Generator, sparsity: float = 1.0
) -> np.ndarray:
    """Independent true coefficients of mean 0.

    Parameters
    ----------
    signal : {"gaussian", "laplace", "bernoulli_gauss"}
    variance : float
        Variance, of the non-zero entries where there are zeros.
    features : int
    generator : numpy.random.Generator
    sparsity : float
        Fraction of non-zero entries of the Bernoulli-Gauss signal, in (0, 1]; each entry is drawn by itself.

    Raises
    ------
    ParameterError
        For an unknown signal, a negative variance or a sparsity outside (0, 1].
    """
    spread = np.sqrt(checked_positive("signal_variance", variance, zero=True))
    count = checked_count("features", features)
    if signal == "gaussian":
        return spread * generator.standard_normal(count)
    if signal == "laplace":
        return generator.laplace(scale=spread / np.sqrt(2), size=count)
    if signal == "bernoulli_gauss":
        if not 0 < sparsity <= 1:
            raise ParameterError(f"sparsity is {sparsity}; give the fraction of non-zero entries, in (0, 1]")
        values = spread * generator.standard_normal(count)
        return np.where(generator.random(count) < sparsity, values, 0.0)
    raise ParameterError(f"signal is {signal!r}; choose one of: gaussian, laplace, bernoulli_gauss")

"""The families of noise and signal of the linear problems, by name, as densities for the theory."""

from jax import Array

from replicon.maths.scalar_channel import Density, bernoulli_gauss, gaussian, laplace, student

NOISES = ("gaussian", "laplace", "student")
SIGNALS = ("gaussian", "laplace", "bernoulli_gauss")
STUDENT_DEGREES = 3.0
"""Degrees of freedom of the Student noise: the heaviest tail of whole degrees that has a variance."""


def noise_density(noise: str, variance: Array | float) -> Density:
    """Density of one sample's noise: gaussian, laplace, or student with three degrees of freedom; mean zero."""
    if noise == "student":
        return student(variance, STUDENT_DEGREES)
    return {"gaussian": gaussian, "laplace": laplace}[noise](variance)


def signal_density(signal: str, variance: Array | float, sparsity: Array | float) -> Density:
    """Density of one coefficient; `sparsity`, the fraction of non-zeros, counts for bernoulli_gauss only."""
    if signal == "bernoulli_gauss":
        return bernoulli_gauss(sparsity, variance)
    return {"gaussian": gaussian, "laplace": laplace}[signal](variance)

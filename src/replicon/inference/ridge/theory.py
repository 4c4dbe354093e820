"""Theory of ridge regression on a population given by the shape of its spectrum."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from replicon.maths.ridge import DIVERGES, spectral_risk

SPECTRA = ("isotropic", "uniform", "two_scales")
SMALLEST, LARGEST = 0.1, 3.0

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)

__all__ = ["DIVERGES", "SPECTRA", "population_risk"]


def population_risk(
    aspect: Array, penalty_level: Array, noise: Array, signal: Array, spectrum: str
) -> tuple[dict[str, Array], Array]:
    """Risk for features ``x ~ N(0, S / p)`` and independent coefficients of variance `signal`.

    Parameters
    ----------
    aspect, penalty_level, noise, signal : scalars
        p / n; lambda of ``sum (y - w.x)^2 / 2 + lambda |w|^2 / 2``; variances of noise and coefficients.
    spectrum : {"isotropic", "uniform", "two_scales"}
        All eigenvalues 1; spread evenly over [0.1, 3]; half 0.1 and half 3.

    Returns
    -------
    values, status
        As `replicon.maths.ridge.spectral_risk`.
    """
    if spectrum == "isotropic":
        eigenvalues, weights = jnp.ones(1), jnp.ones(1)
    elif spectrum == "uniform":
        # Gauss-Legendre nodes stand for the continuum: the averages are of smooth functions of the eigenvalue.
        eigenvalues = jnp.asarray(0.5 * (LARGEST - SMALLEST) * _NODES + 0.5 * (LARGEST + SMALLEST))
        weights = jnp.asarray(0.5 * _WEIGHTS)
    else:
        eigenvalues, weights = jnp.array([SMALLEST, LARGEST]), jnp.full(2, 0.5)
    # In units x sqrt(p), w / sqrt(p) the penalty is p lambda, and p lambda / n = aspect lambda.
    return spectral_risk(eigenvalues, weights, signal * weights, noise, aspect, aspect * penalty_level)

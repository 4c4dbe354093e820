"""Exact sums over all configurations of at most 24 spins, visited in Gray-code order (one flip between neighbours)."""

from typing import NamedTuple

import numpy as np
from numba import njit

from replicon.core.errors import DataError
from replicon.maths.spins.arguments import checked_bias, checked_couplings, checked_temperature

MAX_SPINS = 24
"""2^24 configurations: 128 MB of energies and about a second."""


class Boltzmann(NamedTuple):
    """Equilibrium averages over all configurations at one temperature."""

    log_partition: float
    """ln sum_s exp(-H(s)/T)."""
    energy: float
    """<H>, total."""
    energy_variance: float
    """<H^2> - <H>^2; the specific heat is this over T^2."""
    magnetisation: np.ndarray
    """<s_i>, shape (spins,)."""
    correlations: np.ndarray
    """<s_i s_j>, shape (spins, spins), ones on the diagonal."""


def all_energies(couplings: np.ndarray, fields: np.ndarray | None = None, scale: float = 1.0) -> np.ndarray:
    """Compute H of every configuration.

    Parameters
    ----------
    couplings : array, shape (spins, spins), at most 24 spins
        Symmetric, J = scale * couplings; the diagonal counts.
    fields : array, shape (spins,), optional
    scale : float

    Returns
    -------
    ndarray of float64, shape (2^spins,)
        Entry c belongs to the configuration whose spin i is +1 where bit i of c is set; see `configuration`.

    Raises
    ------
    DataError
        More than 24 spins, or fields of another length.
    """
    matrix, bias = _model(couplings, fields, scale)
    return _gray_energies(matrix, bias)


def configuration(code: np.ndarray | int, size: int) -> np.ndarray:
    """Return the spins of a code (or array of codes) used by `all_energies`: int8, shape (..., size)."""
    bits = (np.asarray(code)[..., None] >> np.arange(size)) & 1
    return (2 * bits - 1).astype(np.int8)


def boltzmann(
    couplings: np.ndarray, temperature: float, fields: np.ndarray | None = None, scale: float = 1.0
) -> Boltzmann:
    """Average over the Boltzmann distribution exp(-H/T)/Z exactly.

    Parameters
    ----------
    couplings, fields, scale
        As in `all_energies`.
    temperature : float
        Positive.

    Returns
    -------
    Boltzmann
    """
    temperature = checked_temperature(temperature)
    matrix, bias = _model(couplings, fields, scale)
    energies = _gray_energies(matrix, bias)
    lowest = energies.min()
    weights = np.exp(-(energies - lowest) / temperature)
    partition = weights.sum()
    weights /= partition
    mean = float(weights @ energies)
    magnetisation, correlations = _moments(weights, matrix.shape[0])
    return Boltzmann(
        log_partition=float(np.log(partition) - lowest / temperature),
        energy=mean,
        energy_variance=float(weights @ (energies - mean) ** 2),
        magnetisation=magnetisation,
        correlations=correlations,
    )


def _model(couplings: np.ndarray, fields: np.ndarray | None, scale: float) -> tuple[np.ndarray, np.ndarray]:
    matrix = scale * checked_couplings(couplings).astype(np.float64)
    size = matrix.shape[0]
    if size > MAX_SPINS:
        raise DataError(f"{size} spins are too many to enumerate; at most {MAX_SPINS}")
    return matrix, checked_bias(fields, 1.0, size)


@njit(cache=True)
def _gray_energies(couplings, bias):
    size = bias.size
    energies = np.empty(1 << size)
    spins = -np.ones(size)
    local = np.zeros(size)
    value = 0.0
    for i in range(size):
        value += bias[i]
        for j in range(size):
            value -= 0.5 * couplings[i, j]
            if j != i:
                local[i] -= couplings[i, j]
    code = 0
    energies[0] = value
    for count in range(1, 1 << size):
        site = 0
        while not (count >> site) & 1:
            site += 1
        value += 2.0 * spins[site] * (local[site] + bias[site])
        spins[site] = -spins[site]
        for j in range(size):
            if j != site:
                local[j] += 2.0 * couplings[j, site] * spins[site]
        code ^= 1 << site
        energies[code] = value
    return energies


@njit(cache=True)
def _moments(weights, size):
    magnetisation = np.zeros(size)
    correlations = np.zeros((size, size))
    spins = np.empty(size)
    for code in range(weights.size):
        for i in range(size):
            spins[i] = 1.0 if (code >> i) & 1 else -1.0
        for i in range(size):
            signed = weights[code] * spins[i]
            magnetisation[i] += signed
            for j in range(i, size):
                correlations[i, j] += signed * spins[j]
    for i in range(size):
        for j in range(i):
            correlations[i, j] = correlations[j, i]
    return magnetisation, correlations

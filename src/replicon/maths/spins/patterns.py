"""Single-spin dynamics of Hebbian couplings without the coupling matrix: only patterns and their overlaps are kept.

With J_ij = (1/N) sum_mu xi_i^mu xi_j^mu the local field is N h_i = sum_mu xi_i^mu M^mu (minus P s_i when J_ii = 0),
where M^mu = sum_j xi_j^mu s_j. Memory is P N bytes instead of N^2 numbers, a visit and a flip both cost O(P), there
is no matrix to build and the overlaps come for free. All numbers are integers, so nothing drifts and, for one
generator state, the trajectory is the same to the bit as the one of the dense kernels on ``hebbian_counts``.
"""

import numpy as np
from numba import njit

from replicon.core.errors import DataError
from replicon.maths.spins.arguments import (
    Descent,
    checked_count,
    checked_patterns,
    checked_spins,
    checked_temperature,
)
from replicon.maths.spins.streams import draw_streams, heat_bath_flips, next_index, shuffle


def hebbian_counts(patterns: np.ndarray, self_coupling: bool = False) -> np.ndarray:
    """Compute N J_ij = sum_mu xi_i^mu xi_j^mu as integers.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    self_coupling : bool
        Keep the diagonal N J_ii = P; otherwise it is zero.

    Returns
    -------
    ndarray of int16 (int32 from 32,768 patterns on), shape (spins, spins)
        To be used with ``scale=1/N``; J itself is ``counts / N``.
    """
    patterns = checked_patterns(patterns)
    count, size = patterns.shape
    # Float products of +-1 are exact up to 2^24 patterns, and the only fast matrix product there is.
    floats = patterns.astype(np.float32 if count < 2**24 else np.float64)
    counts = np.empty((size, size), np.int16 if count < 2**15 else np.int32)
    for begin in range(0, size, 1024):
        counts[begin : begin + 1024] = floats[:, begin : begin + 1024].T @ floats
    if not self_coupling:
        np.fill_diagonal(counts, 0)
    return counts


def sites_first(patterns: np.ndarray) -> np.ndarray:
    """Lay patterns out with all values of one site together, shape (spins, patterns), int8, as the kernels read them.

    No copy is made of an array that is already the transpose of such a layout.
    """
    patterns = checked_patterns(patterns)
    if patterns.shape[0] * patterns.shape[1] >= 2**31:
        raise DataError(f"{patterns.shape[0]} patterns of {patterns.shape[1]} spins: their product must be below 2^31")
    return np.ascontiguousarray(patterns.T)


def sequential_descent_patterns(
    patterns: np.ndarray,
    spins: np.ndarray,
    generator: np.random.Generator,
    self_coupling: bool = False,
    max_sweeps: int = 1000,
) -> Descent:
    """Zero-temperature asynchronous dynamics of Hebbian couplings, matrix-free; see `dense.sequential_descent`.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
        Copied to a site-major layout unless it is the transpose of one.
    spins : array of +-1, shape (spins,) or (batch, spins)
    generator : numpy.random.Generator
    self_coupling : bool
        Keep J_ii = P/N in the local field.
    max_sweeps : int

    Returns
    -------
    Descent

    Raises
    ------
    DataError, ParameterError
        As the dense version.
    """
    sites = sites_first(patterns)
    configurations = checked_spins(spins, sites.shape[0])
    streams = draw_streams(generator, configurations.shape[0])
    sums = pattern_sums(sites, configurations)
    removed = 0 if self_coupling else sites.shape[1]
    sweeps, flips, converged = _descend(
        sites, configurations, sums, removed, streams, checked_count("max_sweeps", max_sweeps, 1)
    )
    if np.ndim(spins) == 1:
        return Descent(configurations[0], sweeps[0], flips[0], converged[0])
    return Descent(configurations, sweeps, flips, converged)


def glauber_patterns(
    patterns: np.ndarray, spins: np.ndarray, temperature: float, sweeps: int, generator: np.random.Generator
) -> np.ndarray:
    """Heat-bath dynamics of Hebbian couplings, matrix-free; see `dense.glauber`.

    There is no choice of self-coupling: J_ii only shifts the energy and does not enter the heat bath.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    spins : array of +-1, shape (spins,) or (batch, spins)
    temperature : float
        Positive, in units where J_ij = (1/N) sum_mu xi_i^mu xi_j^mu.
    sweeps : int
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int8, shape of `spins`
    """
    sites = sites_first(patterns)
    configurations = checked_spins(spins, sites.shape[0])
    beta = (1.0 / sites.shape[0]) / checked_temperature(temperature)
    streams = draw_streams(generator, configurations.shape[0])
    attempts = checked_count("sweeps", sweeps, 0) * sites.shape[0]
    sums = pattern_sums(sites, configurations)
    for row in range(configurations.shape[0]):
        heat_bath_updates_patterns(sites, configurations[row], sums[row], beta, streams[row], attempts)
    return configurations.reshape(np.shape(spins))


@njit(cache=True, nogil=True)
def heat_bath_updates_patterns(sites, spins, sums, beta, stream, attempts):
    """Make `attempts` heat-bath updates in place and return the number of flips.

    `sums` (int32, M^mu) follow the spins; `beta` is 1 / (N T), `stream` one row of `draw_streams`.
    """
    count = sites.shape[1]
    flips = 0
    for _ in range(attempts):
        site = next_index(stream, spins.size)
        value = spins[site]
        field = _field(sites[site], sums) - count * value
        if heat_bath_flips(2.0 * beta * value * field, stream):
            _flip(sites[site], spins, sums, site)
            flips += 1
    return flips


@njit(cache=True, nogil=True)
def _descend(sites, spins, sums, removed, streams, max_sweeps):
    batch, size = spins.shape
    sweeps = np.zeros(batch, np.int64)
    flips = np.zeros(batch, np.int64)
    converged = np.zeros(batch, np.bool_)
    order = np.empty(size, np.int64)
    for row in range(batch):
        for site in range(size):
            order[site] = site
        while sweeps[row] < max_sweeps and not converged[row]:
            shuffle(order, streams[row])
            before = flips[row]
            for site in order:
                value = spins[row, site]
                if value * _field(sites[site], sums[row]) < removed:
                    _flip(sites[site], spins[row], sums[row], site)
                    flips[row] += 1
            sweeps[row] += 1
            converged[row] = flips[row] == before
    return sweeps, flips, converged


@njit(cache=True)
def _field(values, sums):
    # The casts to int32 (sums stay below 2^31 by the check in sites_first) let the loop run on 16 numbers at once.
    total = np.int32(0)
    for mu in range(values.size):
        total = np.int32(total + np.int32(np.int32(values[mu]) * sums[mu]))
    return total


@njit(cache=True)
def _flip(values, spins, sums, site):
    change = np.int32(-2 * spins[site])
    spins[site] = -spins[site]
    for mu in range(values.size):
        sums[mu] += np.int32(change * np.int32(values[mu]))


@njit(cache=True, nogil=True)
def pattern_sums(sites, spins):
    """Compute M^mu = sum_i xi_i^mu s_i exactly, N times the overlap.

    `sites` as laid out by `sites_first`, `spins` int8 of shape (batch, spins); returns int32 (batch, patterns).
    """
    batch, size = spins.shape
    sums = np.zeros((batch, sites.shape[1]), np.int32)
    for row in range(batch):
        for site in range(size):
            value = np.int32(spins[row, site])
            for mu in range(sites.shape[1]):
                sums[row, mu] += np.int32(value * np.int32(sites[site, mu]))
    return sums

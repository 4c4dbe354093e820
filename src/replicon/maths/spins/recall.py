"""Single-spin dynamics whose random numbers belong to each start itself, not to its place in a batch.

A memory asked for the same cue must answer the same, whichever cues are asked along with it and in whatever order.
The stream of each start is therefore hashed from a seed and the start's own configuration; the loops are those of
`dense` and `patterns`.
"""

from hashlib import blake2b

import numpy as np

from replicon.maths.spins import dense, patterns
from replicon.maths.spins.arguments import (
    Descent,
    checked_bias,
    checked_count,
    checked_couplings,
    checked_spins,
    checked_temperature,
)


def draw_own_streams(spins: np.ndarray, seed: int) -> np.ndarray:
    """Hash the state of one random stream per start from a seed and the start.

    Parameters
    ----------
    spins : int8 array of +-1, shape (batch, spins)
    seed : int
        From 0 to 2^64 - 1.

    Returns
    -------
    ndarray of uint64, shape (batch, 4)
        Equal starts have equal streams.
    """
    key = int(seed).to_bytes(8, "little")
    digests = [blake2b(row.tobytes(), digest_size=32, key=key).digest() for row in spins]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64).reshape(-1, 4)


def recall_descent(
    couplings: np.ndarray,
    spins: np.ndarray,
    seed: int,
    fields: np.ndarray | None = None,
    max_sweeps: int = 1000,
    scale: float = 1.0,
) -> Descent:
    """Zero-temperature descent of a batch, each start with its own stream; see `dense.sequential_descent`.

    Parameters
    ----------
    couplings : array, shape (spins, spins)
        ``couplings[j, i]`` is the weight of spin j in the field of spin i: the transpose of J where J is not
        symmetric. Then no energy descends, and a start may end unconverged.
    spins : array of +-1, shape (batch, spins)
    seed : int
    fields, max_sweeps, scale
        As in `dense.sequential_descent`.

    Returns
    -------
    Descent
    """
    couplings = checked_couplings(couplings)
    configurations = checked_spins(spins, couplings.shape[0])
    bias = checked_bias(fields, scale, couplings.shape[0])
    local = dense.local_fields(couplings, configurations)
    streams = draw_own_streams(configurations, seed)
    rounds = checked_count("max_sweeps", max_sweeps, 1)
    return Descent(configurations, *dense._descend(couplings, configurations, local, bias, streams, rounds))


def recall_glauber(
    couplings: np.ndarray,
    spins: np.ndarray,
    temperature: float,
    sweeps: int,
    seed: int,
    fields: np.ndarray | None = None,
    scale: float = 1.0,
) -> np.ndarray:
    """Heat-bath histories of a batch, each start with its own stream; see `dense.glauber`.

    Parameters
    ----------
    couplings : array, shape (spins, spins)
        As in `recall_descent`.
    spins : array of +-1, shape (batch, spins)
    temperature, sweeps, fields, scale
        As in `dense.glauber`.
    seed : int

    Returns
    -------
    ndarray of int8, shape (batch, spins)
    """
    couplings = checked_couplings(couplings)
    configurations = checked_spins(spins, couplings.shape[0])
    bias = checked_bias(fields, scale, couplings.shape[0])
    beta = scale / checked_temperature(temperature)
    local = dense.local_fields(couplings, configurations)
    streams = draw_own_streams(configurations, seed)
    attempts = checked_count("sweeps", sweeps, 0) * couplings.shape[0]
    for row in range(configurations.shape[0]):
        dense.heat_bath_updates(couplings, configurations[row], local[row], bias, beta, streams[row], attempts)
    return configurations


def recall_descent_patterns(
    sites: np.ndarray, spins: np.ndarray, seed: int, self_coupling: bool = False, max_sweeps: int = 1000
) -> Descent:
    """Zero-temperature descent with Hebbian couplings, matrix-free; the trajectories of `recall_descent`.

    Parameters
    ----------
    sites : int8 array of +-1, shape (spins, patterns)
        As laid out by `patterns.sites_first`.
    spins : array of +-1, shape (batch, spins)
    seed : int
    self_coupling : bool
    max_sweeps : int

    Returns
    -------
    Descent
    """
    configurations = checked_spins(spins, sites.shape[0])
    sums = patterns.pattern_sums(sites, configurations)
    removed = 0 if self_coupling else sites.shape[1]
    streams = draw_own_streams(configurations, seed)
    rounds = checked_count("max_sweeps", max_sweeps, 1)
    return Descent(configurations, *patterns._descend(sites, configurations, sums, removed, streams, rounds))


def recall_glauber_patterns(
    sites: np.ndarray, spins: np.ndarray, temperature: float, sweeps: int, seed: int
) -> np.ndarray:
    """Heat-bath histories with Hebbian couplings, matrix-free; the trajectories of `recall_glauber`.

    Parameters
    ----------
    sites : int8 array of +-1, shape (spins, patterns)
        As laid out by `patterns.sites_first`.
    spins : array of +-1, shape (batch, spins)
    temperature : float
    sweeps : int
    seed : int

    Returns
    -------
    ndarray of int8, shape (batch, spins)
    """
    configurations = checked_spins(spins, sites.shape[0])
    beta = (1.0 / sites.shape[0]) / checked_temperature(temperature)
    sums = patterns.pattern_sums(sites, configurations)
    streams = draw_own_streams(configurations, seed)
    attempts = checked_count("sweeps", sweeps, 0) * sites.shape[0]
    for row in range(configurations.shape[0]):
        patterns.heat_bath_updates_patterns(sites, configurations[row], sums[row], beta, streams[row], attempts)
    return configurations

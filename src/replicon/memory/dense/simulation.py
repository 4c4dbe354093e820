"""Simulation of binary dense associative memories: descent, heat bath, and one-step errors of streamed memories.

E(s) = -sum_mu F(xi^mu . s), F(x) = x^n or max(x, 0)^n; energies and temperatures are those of E / N^(n-1).
"""

import itertools
from collections.abc import Callable, Sequence
from math import comb

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.maths.spins.arguments import checked_count, checked_patterns, checked_spins, checked_temperature
from replicon.maths.spins.patterns import pattern_sums, sites_first
from replicon.maths.spins.streams import draw_streams
from replicon.memory.dense.kernels import descend, heat_bath_sweeps, total_interaction

TARGETS = 32
"""Memories whose one-step errors are counted; the cost is one matrix product for all."""

COOLING = tuple(np.linspace(0.1, 0.1 / 15, 15).tolist())
"""Temperatures over the degree of an annealed descent; the retrieval state exists at 0.1 n up to the largest load."""

SWEEPS_EACH = 8
"""Heat-bath sweeps at each of them."""

_CHUNK = 2**22
"""Values of memories held as floats at once, 16 MB."""

_VISITS = 2 * 10**8
"""Memory values read between two calls of `progress`, about 0.1 s."""


def draw_memories(size: int, count: int, generator: np.random.Generator) -> np.ndarray:
    """Draw independent random memories, int8 of +-1, shape (memories, spins), the values of one site together."""
    size, count = checked_count("size", size, 1), checked_count("memories", count, 1)
    return _signs(generator, count, size).T


def checked_memories(memories: np.ndarray, mirrored: bool) -> np.ndarray:
    """Memories of a user as int8; refuse what is not +-1, and repetitions (with `mirrored` up to the sign)."""
    stored = checked_patterns(np.asarray(memories))
    keys = np.packbits((stored * stored[:, :1] if mirrored else stored) > 0, axis=1)
    _, first, counts = np.unique(keys, axis=0, return_index=True, return_counts=True)
    if counts.max() > 1:
        row = int(first[np.argmax(counts)])
        raise DataError(
            f"memory {row} is there {counts.max()} times{' up to its sign' if mirrored else ''}; remove the repetitions"
        )
    return np.asfortranarray(stored)


def start_from(memory: np.ndarray, overlap: float, generator: np.random.Generator) -> np.ndarray:
    """Turn over round((1 - overlap) N / 2) spins of a memory at random sites; int8, shape (spins,)."""
    start = checked_spins(memory)[0]
    start[generator.permutation(start.size)[: _wrong_spins(overlap, start.size)]] *= -1
    return start


def interaction_values(size: int, degree: int, interaction: str) -> np.ndarray:
    """F(x) for x = -N - 1 .. N + 1, as whole numbers in float64, shape (2N + 3,)."""
    if degree < 2:
        raise ParameterError(f"degree = {degree} must be a whole number of at least 2")
    if interaction not in ("power", "rectified"):
        raise ParameterError(f"interaction = {interaction!r} must be 'power' or 'rectified'")
    x = np.arange(-size - 1, size + 2, dtype=np.float64)
    return (np.maximum(x, 0.0) if interaction == "rectified" else x) ** degree


def difference_table(size: int, degree: int, interaction: str) -> np.ndarray:
    """F(b + 1) - F(b - 1) for b = -N .. N, shape (2N + 1,)."""
    values = interaction_values(size, degree, interaction)
    return values[2:] - values[:-2]


def mean_interaction(size: int, degree: int, interaction: str) -> float:
    """E[F] of a random configuration, the constant by which each other memory shifts the energy."""
    values = interaction_values(size, degree, interaction)[1:-1:2]
    return float(sum(comb(size, k) / 2**size * value for k, value in enumerate(values)))


def measure_descent(
    memories: np.ndarray,
    start: np.ndarray,
    generator: np.random.Generator,
    degree: int = 3,
    interaction: str = "power",
    max_sweeps: int = 1000,
    annealed: bool = False,
) -> dict[str, float]:
    """Let the spins fall at T = 0, one after the other, and measure where they come to rest.

    Many metastable states surround a memory near the largest load. Plain descent stops in one that is closer to the
    memory than those of lowest energy are; with `annealed` a heat bath that cools from T = 0.1 n, where the state
    forgets where it started from, comes before the descent.

    Parameters
    ----------
    memories : array of +-1, shape (memories, spins)
        Memory 0 is the one to recall.
    start : array of +-1, shape (spins,)
    generator : numpy.random.Generator
        Orders the visits: each sweep is a fresh random permutation.
    degree : int
    interaction : {"power", "rectified"}
    max_sweeps : int
    annealed : bool
        Cool down first: eight sweeps at each of fifteen temperatures.

    Returns
    -------
    dict
        ``overlap`` with memory 0, ``edwards_anderson`` (1), ``error_rate``, ``energy`` per spin of E / N^(n-1)
        without the mean of the other memories, ``iterations`` (sweeps) and ``converged``.

    Raises
    ------
    ParameterError, DataError
        For a degree below 2, an unknown interaction, shapes that do not fit or values that are not +-1.
    """
    sites = sites_first(memories)
    size = sites.shape[0]
    spins = checked_spins(start, size)
    sums = pattern_sums(sites, spins)[0]
    table = difference_table(size, degree, interaction)
    stream = draw_streams(generator, 1)[0]
    limit = checked_count("max_sweeps", max_sweeps, 1)
    cooling = COOLING if annealed else ()
    for temperature in cooling:
        beta = 1.0 / (degree * temperature * float(size) ** (degree - 1))
        nothing = np.zeros(0, np.int64)
        heat_bath_sweeps(sites, spins[0], sums, table, beta, stream, SWEEPS_EACH, nothing, nothing, False)
    sweeps, converged = descend(sites, spins[0], sums, table, np.arange(size), stream, limit)
    overlap = float(sums[0]) / size
    return {
        "overlap": overlap,
        "edwards_anderson": 1.0,
        "error_rate": 0.5 * (1 - overlap),
        "energy": energy_per_spin(sums, size, degree, interaction),
        "iterations": int(sweeps) + SWEEPS_EACH * len(cooling),
        "converged": bool(converged),
    }


def energy_per_spin(sums: np.ndarray, size: int, degree: int, interaction: str) -> float:
    """E / N^n from the sums xi^mu . s, less the mean that K - 1 other memories contribute."""
    values = interaction_values(size, degree, interaction)
    mean = mean_interaction(size, degree, interaction)
    total = total_interaction(sums, values, size + 1) - (sums.size - 1) * mean
    return -total / float(size) ** degree


def measure_heat_bath(
    memories: np.ndarray,
    start: np.ndarray,
    temperature: float,
    generators: Sequence[np.random.Generator],
    degree: int = 3,
    interaction: str = "power",
    burn_in: int = 60,
    sweeps: int = 80,
    progress: Callable[[float], None] | None = None,
) -> dict[str, float]:
    """Measure two replicas in contact with a heat bath at the temperature of E / N^(n-1).

    Parameters
    ----------
    memories, start, degree, interaction
        As in `measure_descent`; both replicas start from `start`.
    temperature : float
        Positive.
    generators : two numpy.random.Generator
        The noise of the replicas.
    burn_in, sweeps : int
        Sweeps of N attempted updates at random sites, before and during the measurement.
    progress : callable, optional
        Called with the fraction done; may raise to cancel.

    Returns
    -------
    dict
        ``overlap`` averaged over time and replicas, ``edwards_anderson`` (1/N) sum_i <s_i>_a <s_i>_b (squares of one
        history's averages would be biased), ``error_rate``, ``energy`` (time average), ``iterations``.
    """
    sites = sites_first(memories)
    size, count = sites.shape
    beta = 1.0 / (checked_temperature(temperature) * float(size) ** (degree - 1))
    table = difference_table(size, degree, interaction)
    burn_in, sweeps = checked_count("burn_in", burn_in, 0), checked_count("sweeps", sweeps, 1)
    site_means, overlap, energy = np.empty((2, size)), 0.0, 0.0
    piece = max(1, _VISITS // (size * count))
    for replica, generator in enumerate(generators):
        spins = checked_spins(start, size)
        sums = pattern_sums(sites, spins)[0]
        stream = draw_streams(generator, 1)[0]
        totals, first = np.zeros(size, np.int64), np.zeros(1, np.int64)
        for begin in range(0, burn_in, piece):
            steps = min(piece, burn_in - begin)
            heat_bath_sweeps(sites, spins[0], sums, table, beta, stream, steps, totals, first, False)
            _report(progress, replica, begin / (burn_in + sweeps))
        for sweep in range(sweeps):
            heat_bath_sweeps(sites, spins[0], sums, table, beta, stream, 1, totals, first, True)
            energy += energy_per_spin(sums, size, degree, interaction) / (2 * sweeps)
            _report(progress, replica, (burn_in + sweep) / (burn_in + sweeps))
        site_means[replica] = totals / sweeps
        overlap += float(first[0]) / (2 * sweeps * size)
    return {
        "overlap": overlap,
        "edwards_anderson": float(site_means[0] @ site_means[1]) / size,
        "error_rate": 0.5 * (1 - overlap),
        "energy": energy,
        "iterations": burn_in + sweeps,
    }


def measure_one_step(
    memories: np.ndarray,
    overlap: float,
    generator: np.random.Generator,
    degree: int = 3,
    interaction: str = "power",
    targets: int = TARGETS,
) -> float:
    """Fraction of wrong spins after one parallel update at T = 0, from up to `targets` of the memories.

    Parameters
    ----------
    memories : array of +-1, shape (memories, spins)
    overlap : float
        Of the start with its memory, met to within 1/N by turning over random spins.
    generator : numpy.random.Generator
        Chooses the spins turned over.
    degree, interaction
        As in `measure_descent`.
    targets : int
        The first so many memories are started from.
    """
    memories = checked_patterns(memories)
    chosen = memories[: min(checked_count("targets", targets, 1), memories.shape[0])]
    starts = np.stack([start_from(memory, overlap, generator) for memory in chosen])
    table = difference_table(memories.shape[1], degree, interaction)
    width = max(1, _CHUNK // memories.shape[1])
    drives = np.zeros(starts.shape)
    for begin in range(0, memories.shape[0], width):
        drives += _stability_drives(memories[begin : begin + width], starts, table)
    return _wrong_after(drives, starts, chosen)


def streamed_errors(
    size: int,
    counts: Sequence[int],
    generator: np.random.Generator,
    degree: int = 3,
    interaction: str = "power",
    targets: int = TARGETS,
    progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """One-step errors of one growing set of random memories that is never held in memory as a whole.

    The memories are drawn in chunks, act once on the targets (the first memories) and are forgotten, so that
    millions of them cost no memory; the errors are read off each time their number reaches one of `counts`.

    Parameters
    ----------
    size : int
        N.
    counts : increasing sequence of int
        Numbers of memories K, the first at least `targets`.
    generator : numpy.random.Generator
    degree, interaction
        As in `measure_descent`.
    targets : int
        Memories that are started from and updated once; fewer than the first count lets fewer be started from.
    progress : callable, optional

    Returns
    -------
    ndarray, shape (counts,)
        Fraction of wrong spins among those of all targets after one parallel update at T = 0.
    """
    counts = [checked_count("counts", count, 1) for count in counts]
    if not counts or any(b <= a for a, b in itertools.pairwise(counts)):
        raise DataError(f"counts must be an increasing sequence of numbers of memories, got {counts}")
    size, targets = checked_count("size", size, 2), checked_count("targets", targets, 1)
    table = difference_table(size, degree, interaction)
    chosen = _signs(generator, min(targets, counts[0]), size, sites=False)
    drives = _stability_drives(chosen, chosen, table)
    found, done, width = [], chosen.shape[0], max(1, _CHUNK // size)
    for count in counts:
        while done < count:
            chunk = _signs(generator, min(width, count - done), size, sites=False)
            drives += _stability_drives(chunk, chosen, table)
            done += chunk.shape[0]
            if progress is not None:
                progress(done / counts[-1])
        found.append(_wrong_after(drives, chosen, chosen))
    return np.array(found)


def _stability_drives(memories: np.ndarray, starts: np.ndarray, table: np.ndarray) -> np.ndarray:
    """``s_i sum_mu xi_i [F(b + 1) - F(b - 1)]`` for each start and spin, by two matrix products.

    With u = s_i xi_i the sum of the others along a memory is M - u, so a term is (A - C)/2 + u (A + C)/2, where A and C
    are the differences at M - 1 and M + 1.
    """
    floats, sums = memories.astype(np.float32), starts.astype(np.float32)
    overlaps = (floats @ sums.T).astype(np.int64) + starts.shape[1]
    # The table ends at N; a memory equal to the start or its mirror image has no spin on the side that is missing.
    above = table[np.maximum(overlaps - 1, 0)]
    below = table[np.minimum(overlaps + 1, table.size - 1)]
    constant = 0.5 * (above - below).sum(axis=0)
    along = 0.5 * (above + below)
    scale = float(np.abs(along).max()) or 1.0
    weights = (along / scale).astype(np.float32)
    return constant[:, None] + scale * (weights.T @ floats).astype(np.float64) * starts


def _wrong_after(drives: np.ndarray, starts: np.ndarray, targets: np.ndarray) -> float:
    after = np.where(drives < 0, -starts, starts)
    return float(np.mean(after != targets))


def _signs(generator: np.random.Generator, count: int, size: int, sites: bool = True) -> np.ndarray:
    """Random int8 signs, shape (size, count) with `sites`, else (count, size)."""
    words = generator.integers(0, 256, size=-(-size * count // 8), dtype=np.uint8)
    bits = np.unpackbits(words, count=size * count).view(np.int8)
    bits *= 2
    bits -= 1
    return bits.reshape((size, count) if sites else (count, size))


def _wrong_spins(overlap: float, size: int) -> int:
    if not (-1.0 <= overlap <= 1.0):
        raise ParameterError(f"overlap = {overlap} must lie in [-1, 1]")
    return round(0.5 * (1.0 - overlap) * size)


def _report(progress: Callable[[float], None] | None, replica: int, fraction: float) -> None:
    if progress is not None:
        progress((replica + fraction) / 2)

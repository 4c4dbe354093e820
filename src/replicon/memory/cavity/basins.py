"""Basins of attraction and capacities measured over many draws: cavity, spin glass and Hebbian couplings."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replicon.core.errors import ParameterError
from replicon.maths.spins import hebbian_counts
from replicon.memory.cavity import simulation
from replicon.memory.hopfield.memory import HopfieldMemory
from replicon.memory.hopfield.storage import flip_bits, stored_shares

Ensemble = Literal["cavity", "glass", "hebb"]
Descent = Literal["steepest", "metropolis"]


class Fractions(NamedTuple):
    """Means over draws with their standard errors."""

    mean: NDArray[np.float64]
    standard_error: NDArray[np.float64]


def basin_table(
    ensemble: Ensemble,
    flips: list[int],
    dynamics: Descent,
    *,
    size: int = 100,
    draws: int = 400,
    cues: int = simulation.CUES,
    seed: int = 0,
    width: float = 1.0,
    load: float = 0.2,
) -> Fractions:
    """Fraction of cues that return exactly to an attractor, for each number of flipped spins.

    The attractor is found by the dynamics that is tested: from a random start, under Hebb's couplings from a stored
    pattern. Draws differ in the couplings; their spread is about 0.25, so that a dozen of them says little.

    Parameters
    ----------
    ensemble : {"cavity", "glass", "hebb"}
        Couplings of `width`; Gaussian ones of variance 1/N; Hebb's with round(load N) random patterns.
    flips : list of int
        Numbers of flipped spins.
    dynamics : {"steepest", "metropolis"}
    size, draws, cues : int
        Spins, draws of the couplings, and cues per draw and number of flips.
    seed : int
    width, load : float

    Returns
    -------
    Fractions
        Arrays of the length of `flips`.
    """
    if draws < 2:
        raise ParameterError(f"draws = {draws}; give at least 2, or there is no standard error")
    found = np.empty((draws, len(flips)))
    for row, child in zip(found, np.random.SeedSequence(seed).spawn(draws), strict=True):
        generator = np.random.default_rng(child)
        couplings, start = _draw(ensemble, size, width, load, generator)
        attractor = simulation.descend(couplings, start, dynamics, generator)[0]
        row[:] = [simulation.return_fraction(couplings, attractor, count, dynamics, generator, cues) for count in flips]
    return Fractions(found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(draws))


def final_overlap(
    ensemble: Ensemble, flips: list[int], dynamics: Descent, *, size: int = 100, draws: int = 400, seed: int = 0
) -> Fractions:
    """Mean overlap with the attractor at which cues end, for each number of flipped spins: the other criterion.

    Parameters and draws are those of `basin_table` with its default width and load.
    """
    found = np.empty((draws, len(flips)))
    for row, child in zip(found, np.random.SeedSequence(seed).spawn(draws), strict=True):
        generator = np.random.default_rng(child)
        couplings, start = _draw(ensemble, size, 1.0, 0.2, generator)
        attractor = simulation.descend(couplings, start, dynamics, generator)[0]
        for column, count in enumerate(flips):
            cues = simulation.flip_spins(attractor, count, simulation.CUES, generator)
            row[column] = (simulation.descend(couplings, cues, dynamics, generator) @ attractor.astype(float)).mean()
    return Fractions(found.mean(axis=0) / size, found.std(axis=0, ddof=1) / size / np.sqrt(draws))


def count_attractors(
    width: float,
    size: int,
    *,
    draws: int,
    starts: int = simulation.STARTS,
    dynamics: Descent = "steepest",
    seed: int = 0,
) -> NDArray[np.float64]:
    """Distinct attractors up to a global flip that random starts find, one number per draw of the positions."""
    counts = np.empty(draws)
    for index, child in enumerate(np.random.SeedSequence(seed).spawn(draws)):
        generator = np.random.default_rng(child)
        couplings = simulation.cavity_couplings(simulation.draw_positions(size, width, generator))
        begin = simulation.random_spins(starts, size, generator)
        counts[index] = simulation.distinct_states(
            simulation.descend(couplings, begin, dynamics, generator)
        ).counts.size
    return counts


def stored_capacity(
    rule: Literal["hebb", "pinv"],
    loads: Any,
    dynamics: Descent,
    *,
    size: int = 200,
    draws: int = 20,
    flipped: float = 0.05,
    overlap: float = 0.95,
    seed: int = 0,
) -> Fractions:
    """Stored random patterns that are recalled, per spin, at each load.

    A pattern counts as recalled if a cue with a fraction `flipped` of wrong bits ends with at least `overlap`.

    Parameters
    ----------
    rule : {"hebb", "pinv"}
    loads : sequence of float
        Patterns stored per spin.
    dynamics : {"steepest", "metropolis"}
    size, draws : int
    flipped, overlap : float
    seed : int

    Returns
    -------
    Fractions
        Recalled patterns over N; the load itself where all are recalled.
    """
    order = "sequential" if dynamics == "metropolis" else "steepest"
    memory = HopfieldMemory(rule=rule, dynamics=order, random_state=0)
    found = np.empty((draws, len(loads)))
    for row, child in zip(found, np.random.SeedSequence(seed).spawn(draws), strict=True):
        generator = np.random.default_rng(child)
        for column, load in enumerate(loads):
            patterns = simulation.random_spins(round(load * size), size, generator)
            shares = stored_shares(patterns, flip_bits(patterns, flipped, generator), memory, overlap=overlap)
            row[column] = shares.recalled * patterns.shape[0] / size
    return Fractions(found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(draws))


def _draw(
    ensemble: Ensemble, size: int, width: float, load: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Couplings and a start, a stored pattern for Hebb's couplings, which are integers so that zero fields are zero."""
    if ensemble == "hebb":
        patterns = simulation.random_spins(round(load * size), size, generator)
        return hebbian_counts(patterns), patterns[:1]
    if ensemble == "glass":
        couplings = simulation.glass_couplings(size, generator)
    elif ensemble == "cavity":
        couplings = simulation.cavity_couplings(simulation.draw_positions(size, width, generator))
    else:
        raise ParameterError(f"ensemble is {ensemble!r}; choose one of: cavity, glass, hebb")
    return couplings, simulation.random_spins(1, size, generator)

"""Storage capacity measured: how many patterns of a kind a learning rule holds, for patterns given or drawn."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from replicon.core.errors import ConvergenceError, DataError, ParameterError
from replicon.memory.hopfield.memory import HopfieldMemory
from replicon.memory.hopfield.rules import as_spins


class StoredShares(NamedTuple):
    """Shares of a set of patterns, from 0 to 1."""

    fixed: float
    """Patterns that are fixed points, every bit of them."""
    recalled: float
    """Patterns recalled from damaged ones with an overlap of at least the one asked for."""


class MeasuredCapacity(NamedTuple):
    """Largest load P/N at which enough patterns are stored, one entry per draw of the patterns."""

    fixed: NDArray[np.float64]
    recalled: NDArray[np.float64]

    def summary(self) -> dict[str, tuple[float, float]]:
        """Mean and standard error over the draws (nan for a single one), for "fixed" and "recalled"."""
        result = {}
        for name, loads in self._asdict().items():
            error = float(loads.std(ddof=1) / np.sqrt(loads.size)) if loads.size > 1 else float("nan")
            result[name] = (float(loads.mean()), error)
        return result


def correlated_patterns(
    patterns: int, neurons: int, correlation: float, generator: np.random.Generator
) -> NDArray[np.int8]:
    r"""Random patterns that share a random template, so that any two have the same mean overlap.

    Every entry equals the template's with probability :math:`(1 + \sqrt{c})/2`; the mean overlap of two patterns is
    the correlation c, and c = 0 gives independent unbiased patterns.

    Parameters
    ----------
    patterns, neurons : int
    correlation : float
        In [0, 1).
    generator : numpy.random.Generator

    Returns
    -------
    int8 array of shape (patterns, neurons)

    Raises
    ------
    ParameterError
        Correlation outside [0, 1).
    """
    if not 0 <= correlation < 1:
        raise ParameterError(f"correlation must be in [0, 1), got {correlation}")
    template = generator.integers(0, 2, neurons, dtype=np.int8) * 2 - 1
    agree = generator.random((patterns, neurons)) < (1 + np.sqrt(correlation)) / 2
    return np.where(agree, template, -template).astype(np.int8)


def flip_bits(patterns: NDArray[np.int8], share: float, generator: np.random.Generator) -> NDArray[np.int8]:
    """Turn over exactly round(share x neurons) random bits of each pattern.

    Parameters
    ----------
    patterns : int8 array of shape (patterns, neurons)
        Entries -1 and +1.
    share : float
        In [0, 1].
    generator : numpy.random.Generator

    Returns
    -------
    int8 array of shape (patterns, neurons)

    Raises
    ------
    ParameterError
        Share outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise ParameterError(f"share must be in [0, 1], got {share}")
    flips = round(share * patterns.shape[1])
    rank = generator.random(patterns.shape).argsort(axis=1).argsort(axis=1)
    return np.where(rank < flips, -patterns, patterns).astype(np.int8)


def stored_shares(
    patterns: ArrayLike, damaged: ArrayLike, memory: HopfieldMemory, *, overlap: float = 0.95
) -> StoredShares:
    """Store patterns and count which are fixed points and which are recalled.

    Parameters
    ----------
    patterns : array of shape (patterns, neurons)
        Entries -1 and +1.
    damaged : array of shape (patterns, neurons)
        Where recall of each pattern starts.
    memory : HopfieldMemory
        Refitted here.
    overlap : float
        Of the final state with the pattern, from which it counts as recalled.

    Returns
    -------
    StoredShares
        Both 0 where the rule refuses the patterns (dependent, or no couplings found that store them).
    """
    try:
        memory.fit(patterns)
    except (DataError, ConvergenceError):
        return StoredShares(0.0, 0.0)
    stored = np.asarray(patterns)
    fixed = (memory.transform(stored) == stored).all(axis=1)
    # Counts of bits, so that an overlap that equals the limit exactly is not lost to rounding.
    wrong = np.count_nonzero(memory.transform(damaged) != stored, axis=1)
    return StoredShares(float(fixed.mean()), float((wrong <= (1 - overlap) / 2 * stored.shape[1] + 1e-9).mean()))


def storage_capacity(
    draw: Callable[[np.random.Generator], ArrayLike],
    *,
    realizations: int,
    seed: int,
    share: float = 0.95,
    flipped: float = 0.1,
    overlap: float = 0.95,
    parameters: Mapping[str, Any] | None = None,
) -> MeasuredCapacity:
    """Measure the largest load at which a share of the stored patterns is fixed, and recalled after damage.

    Each realisation draws one long list of patterns and bisects on how many of the first ones are stored, for the
    two criteria separately. Equal seeds give equal patterns and equal damage, so that rules are compared on the same.

    Parameters
    ----------
    draw : callable
        ``draw(generator)`` gives patterns of shape (patterns, neurons), entries -1 and +1, more than can be stored:
        the capacity found is at most patterns/neurons.
    realizations : int
    seed : int
    share : float
        Share of the patterns that has to be fixed, or recalled.
    flipped : float
        Share of bits that are flipped in the cues.
    overlap : float
        Overlap from which a pattern counts as recalled (0.95: one bit in forty wrong).
    parameters : mapping, optional
        Of `HopfieldMemory`, ``{"rule": "pinv"}`` say.

    Returns
    -------
    MeasuredCapacity

    Raises
    ------
    ParameterError
        No realisation asked for.
    DataError
        Patterns not -1 and +1.
    """
    if realizations < 1:
        raise ParameterError(f"realizations must be at least 1, got {realizations}")
    loads = np.zeros((2, realizations))
    for index, child in enumerate(np.random.SeedSequence(seed).spawn(realizations)):
        generator = np.random.default_rng(child)
        patterns = as_spins(draw(generator))
        damaged = flip_bits(patterns, flipped, generator)
        known: dict[int, StoredShares] = {}
        for criterion in range(2):
            largest = _largest_stored(patterns, damaged, parameters or {}, overlap, share, criterion, known)
            loads[criterion, index] = largest / patterns.shape[1]
    return MeasuredCapacity(*loads)


def _largest_stored(
    patterns: NDArray[np.int8],
    damaged: NDArray[np.int8],
    parameters: Mapping[str, Any],
    overlap: float,
    share: float,
    criterion: int,
    known: dict[int, StoredShares],
) -> int:
    stored, lost = 0, patterns.shape[0] + 1
    while lost - stored > 1:
        count = (stored + lost) // 2
        if count not in known:
            memory = HopfieldMemory(**{"random_state": 0, **parameters})
            known[count] = stored_shares(patterns[:count], damaged[:count], memory, overlap=overlap)
        if known[count][criterion] >= share:
            stored = count
        else:
            lost = count
    return stored

"""Simulation of exponential associative memories: one parallel update from damaged memories, in the log domain.

E(s) = -sum_mu exp(lambda xi^mu . s) overflows float64 beyond lambda N = 709. All terms of a spin's sums are therefore
taken relative to the largest exponent that occurs for that start: they lie in [0, 1], and the comparison of the two
sums, hence the new spin, is unchanged.
"""

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.maths.spins.arguments import checked_count, checked_patterns

_CHUNK = 2**20
"""Values of memories times starts held at once."""


def draw_memories(size: int, count: int, generator: np.random.Generator) -> np.ndarray:
    """Draw independent random memories, int8 of +-1, shape (memories, spins); repetitions may occur."""
    size, count = checked_count("size", size, 1), checked_count("memories", count, 1)
    words = generator.integers(0, 256, size=-(-size * count // 8), dtype=np.uint8)
    bits = np.unpackbits(words, count=size * count).view(np.int8)
    return (2 * bits - 1).reshape(count, size)


def distinct_memories(memories: np.ndarray) -> np.ndarray:
    """Memories of a user as int8; refuse what is not +-1, and repetitions."""
    stored = np.ascontiguousarray(checked_patterns(np.asarray(memories)))
    _, first, counts = np.unique(np.packbits(stored > 0, axis=1), axis=0, return_index=True, return_counts=True)
    if counts.max() > 1:
        raise DataError(f"memory {int(first[np.argmax(counts)])} is there {counts.max()} times; remove the repetitions")
    return stored


def damaged(memories: np.ndarray, wrong: int, generator: np.random.Generator) -> np.ndarray:
    """Copies of memories with `wrong` spins turned over at random sites of each; int8, shape of `memories`."""
    cues = memories.copy()
    if not 0 <= wrong <= memories.shape[1]:
        raise ParameterError(f"wrong = {wrong} must lie between 0 and the {memories.shape[1]} spins")
    if wrong:
        sites = np.argsort(generator.random(memories.shape), axis=1)[:, :wrong]
        np.put_along_axis(cues, sites, -np.take_along_axis(cues, sites, axis=1), axis=1)
    return cues


def parallel_update(memories: np.ndarray, starts: np.ndarray, sharpness: float) -> np.ndarray:
    """One parallel update at T = 0: each spin takes the value of lower energy, the others held; ties keep it.

    Parameters
    ----------
    memories : array of +-1, shape (memories, spins)
    starts : array of +-1, shape (starts, spins)
    sharpness : float
        lambda, positive and at most 100 (beyond it the two sums underflow).

    Returns
    -------
    ndarray of int8, shape (starts, spins)

    Raises
    ------
    DataError, ParameterError
        For values that are not +-1, shapes that do not fit, or a sharpness out of range.
    """
    memories, starts = checked_patterns(memories), checked_patterns(starts)
    if memories.shape[1] != starts.shape[1]:
        raise DataError(f"starts have {starts.shape[1]} spins, the memories {memories.shape[1]}")
    if not 0 < sharpness <= 100:
        raise ParameterError(f"sharpness = {sharpness} must be positive and at most 100")
    floats, cues = memories.astype(np.float32), starts.astype(np.float32)
    best = np.full(starts.shape[0], -np.inf)
    up, down = np.zeros(starts.shape), np.zeros(starts.shape)
    width = max(1, _CHUNK // starts.shape[0])
    for begin in range(0, memories.shape[0], width):
        piece = floats[begin : begin + width]
        overlaps = (piece @ cues.T).astype(np.float64)
        top = np.maximum(best, overlaps.max(axis=0))
        weights = np.exp(sharpness * (overlaps - top)).T
        fade = np.exp(sharpness * (best - top))[:, None]
        up = fade * up + weights @ (piece > 0).astype(np.float64)
        down = fade * down + weights @ (piece < 0).astype(np.float64)
        best = top
    # A memory whose overlap with the start is M weighs exp(lambda (M - u)), u = +-1 for a bit that agrees or not: a
    # memory that agrees weighs exp(-2 lambda) as much as one of equal overlap that does not.
    agree, differ = np.where(starts > 0, up, down), np.where(starts > 0, down, up)
    return np.where(np.exp(-2 * sharpness) * agree < differ, -starts, starts).astype(np.int8)


def measure_update(
    memories: np.ndarray, wrong: int, sharpness: float, generator: np.random.Generator, targets: int
) -> dict[str, float]:
    """Damage up to `targets` memories, update once and count what is not restored.

    Returns
    -------
    dict
        ``bit_error``, fraction of wrong bits, ``pattern_error``, fraction of memories with any, and ``overlap``.
    """
    chosen = memories[: min(checked_count("targets", targets, 1), memories.shape[0])]
    after = parallel_update(memories, damaged(chosen, wrong, generator), sharpness)
    missed = after != chosen
    bits = float(missed.mean())
    return {"bit_error": bits, "pattern_error": float(missed.any(axis=1).mean()), "overlap": 1 - 2 * bits}

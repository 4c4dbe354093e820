"""Parallel (Little) dynamics s(t+1) = sgn(J s(t)) of many configurations at once.

The fields of the whole batch are one matrix product, dense or, for Hebbian couplings with fewer than N/2 patterns,
through the patterns, F = (S Xi^T) Xi. Taking signs and comparing with the two configurations before is one fused
pass. Configurations that have come to rest leave the batch.

For symmetric J the function L(t) = -s(t).J s(t-1) never rises, so the dynamics ends in a fixed point or in a cycle
of length 2 (E. Goles, J. Olivos, Discrete Math. 30, 187 (1980); P. Peretto, Biol. Cybern. 50, 51 (1984)).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit

from replicon.maths.spins.arguments import (
    checked_bias,
    checked_count,
    checked_couplings,
    checked_patterns,
    checked_spins,
)

EXACT_IN_FLOAT32 = 2**24
"""Integers below this bound, and their sums as long as every partial sum is below it, are exact in float32."""


class ParallelRun(NamedTuple):
    """Where parallel dynamics ended; for a batch of starts every entry has a leading batch axis."""

    spins: np.ndarray
    """Final configuration, int8, shape (spins,) or (batch, spins)."""
    steps: np.ndarray
    """Parallel steps made, including the one that showed the fixed point or the cycle."""
    converged: np.ndarray
    """True at a fixed point; False on a 2-cycle or when `max_steps` ran out."""
    cycle: np.ndarray
    """1 at a fixed point, 2 on a cycle of length 2, 0 when `max_steps` ran out."""


def parallel_dynamics(
    couplings: np.ndarray,
    spins: np.ndarray,
    fields: np.ndarray | None = None,
    max_steps: int = 1000,
    scale: float = 1.0,
) -> ParallelRun:
    """Iterate s(t+1) = sgn(J s(t) + b) until a fixed point or a cycle of length 2; spins with zero field keep value.

    Parameters
    ----------
    couplings : array, shape (spins, spins)
        Symmetric, J = scale * couplings; the diagonal acts if it is there. Integer couplings give exact fields;
        float32 and float64 are used in their own precision.
    spins : array of +-1, shape (spins,) or (batch, spins)
        Starts; not modified.
    fields : array, shape (spins,), optional
        External fields b_i.
    max_steps : int
    scale : float

    Returns
    -------
    ParallelRun

    Raises
    ------
    DataError
        Shapes do not fit or spins are not +-1.
    ParameterError
        `max_steps` below 1 or `scale` not positive.
    """
    couplings = checked_couplings(couplings)
    configurations = checked_spins(spins, couplings.shape[0])
    if np.issubdtype(couplings.dtype, np.integer):
        largest = couplings.shape[0] * max(int(couplings.max()), -int(couplings.min()))
        couplings = couplings.astype(np.float32 if largest < EXACT_IN_FLOAT32 else np.float64)
    bias = checked_bias(fields, scale, couplings.shape[0]).astype(couplings.dtype)
    run = _iterate(lambda batch: batch @ couplings, configurations, bias, 0.0, couplings.dtype, max_steps)
    return _first(run) if np.ndim(spins) == 1 else run


def parallel_dynamics_patterns(
    patterns: np.ndarray, spins: np.ndarray, self_coupling: bool = False, max_steps: int = 1000
) -> ParallelRun:
    """Parallel dynamics of Hebbian couplings without the coupling matrix: 4 P instead of 2 N operations per spin.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    spins : array of +-1, shape (spins,) or (batch, spins)
    self_coupling : bool
        Keep J_ii = P/N.
    max_steps : int

    Returns
    -------
    ParallelRun
    """
    patterns = checked_patterns(patterns)
    count, size = patterns.shape
    configurations = checked_spins(spins, size)
    single = patterns.astype(np.float32)

    def local(batch: np.ndarray) -> np.ndarray:
        sums = batch @ single.T
        if float(np.abs(sums).sum(axis=1).max()) < EXACT_IN_FLOAT32:
            return sums @ single
        # A rigorous bound on the partial sums is exceeded: rare, and float64 is exact far beyond.
        return sums.astype(np.float64) @ single.astype(np.float64)

    own = 0.0 if self_coupling else float(count)
    run = _iterate(local, configurations, np.zeros(size, np.float32), own, np.dtype(np.float32), max_steps)
    return _first(run) if np.ndim(spins) == 1 else run


def _iterate(
    local: Callable[[np.ndarray], np.ndarray],
    configurations: np.ndarray,
    bias: np.ndarray,
    own: float,
    dtype: np.dtype,
    max_steps: int,
) -> ParallelRun:
    batch = configurations.shape[0]
    max_steps = checked_count("max_steps", max_steps, 1)
    final = configurations
    steps = np.full(batch, max_steps)
    cycle = np.zeros(batch, np.int64)
    active = np.arange(batch)
    now = configurations.astype(dtype)
    # No configuration equals zeros: before the first step there is nothing to return to.
    before = np.zeros_like(now)
    for step in range(1, max_steps + 1):
        fields = local(now)
        changed, returned = sign_step(fields, now, before, bias, own)
        resting = ~changed | returned
        if step == max_steps or resting.any():
            # `before` holds the new configurations; on a cycle both are equally final and the new one is kept.
            leaving = resting if step < max_steps else np.ones_like(resting)
            rows = active[leaving]
            final[rows] = before[leaving]
            steps[rows] = step
            cycle[rows] = np.where(~changed, 1, np.where(returned, 2, 0))[leaving]
            active, now, before = active[~leaving], now[~leaving], before[~leaving]
            if active.size == 0:
                break
        now, before = before, now
    return ParallelRun(final, steps, cycle == 1, cycle)


@njit(cache=True, nogil=True)
def sign_step(fields, now, before, bias, own):
    """Write sgn(fields + bias - own * now) over `before` in one pass, ties keeping `now`.

    Returns
    -------
    changed, returned : bool arrays, shape (batch,)
        Whether the new configuration differs from `now`, and whether it equals the old content of `before`.
    """
    batch, size = now.shape
    changed = np.empty(batch, np.bool_)
    returned = np.empty(batch, np.bool_)
    own = now.dtype.type(own)
    one = now.dtype.type(1.0)
    for row in range(batch):
        differs = np.int32(0)
        departs = np.int32(0)
        for site in range(size):
            value = now[row, site]
            field = fields[row, site] + bias[site] - own * value
            new = one if field > 0 else (-one if field < 0 else value)
            differs = np.int32(differs | np.int32(new != value))
            departs = np.int32(departs | np.int32(new != before[row, site]))
            before[row, site] = new
        changed[row] = differs != 0
        returned[row] = departs == 0
    return changed, returned


def _first(run: ParallelRun) -> ParallelRun:
    return ParallelRun(*(entry[0] for entry in run))

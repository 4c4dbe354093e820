"""Hebbian dynamics, dense or matrix-free, whichever is faster. Both give the same bits, so the choice is free.

The thresholds are measured (benchmarks/hopfield_kernels.py, one core, with the time to build the matrix). Descent at
a load of 0.3 from 20 starts: dense 6 ms, matrix-free 13 ms at 1000 spins; from one start 4 and 0.5 ms. At loads up to
0.1 a visit through the patterns costs less than the long row of a flip and no number of starts pays for the matrix.
Heat-bath sweeps of 1000 spins with 80 patterns: equal at about 150 sweeps, dense 2.7 times faster at 2000.
"""

import numpy as np

from replicon.maths.spins.arguments import Descent, checked_patterns
from replicon.maths.spins.dense import glauber, sequential_descent
from replicon.maths.spins.patterns import glauber_patterns, hebbian_counts, sequential_descent_patterns

MAX_DENSE_SPINS = 10_000
"""200 MB of int16 couplings."""


def hebbian_descent(
    patterns: np.ndarray,
    spins: np.ndarray,
    generator: np.random.Generator,
    self_coupling: bool = False,
    max_sweeps: int = 1000,
) -> Descent:
    """Zero-temperature sequential dynamics of J_ij = (1/N) sum_mu xi_i^mu xi_j^mu.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    spins : array of +-1, shape (spins,) or (batch, spins)
    generator : numpy.random.Generator
    self_coupling : bool
        Keep J_ii = P/N.
    max_sweeps : int

    Returns
    -------
    Descent
        As `sequential_descent`.
    """
    patterns = checked_patterns(patterns)
    count, size = patterns.shape
    starts = 1 if np.ndim(spins) == 1 else len(spins)
    if size <= MAX_DENSE_SPINS and count > size / 10 and starts * count > 3 * size:
        return sequential_descent(
            hebbian_counts(patterns, self_coupling), spins, generator, max_sweeps=max_sweeps, scale=1 / size
        )
    return sequential_descent_patterns(patterns, spins, generator, self_coupling, max_sweeps)


def hebbian_glauber(
    patterns: np.ndarray, spins: np.ndarray, temperature: float, sweeps: int, generator: np.random.Generator
) -> np.ndarray:
    """Heat-bath dynamics of J_ij = (1/N) sum_mu xi_i^mu xi_j^mu, i != j, at a positive temperature.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    spins : array of +-1, shape (spins,) or (batch, spins)
    temperature : float
    sweeps : int
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int8, shape of `spins`
        As `glauber`.
    """
    patterns = checked_patterns(patterns)
    count, size = patterns.shape
    starts = 1 if np.ndim(spins) == 1 else len(spins)
    if size <= MAX_DENSE_SPINS and count > 20 and 4 * starts * sweeps > size:
        return glauber(hebbian_counts(patterns), spins, temperature, sweeps, generator, scale=1 / size)
    return glauber_patterns(patterns, spins, temperature, sweeps, generator)

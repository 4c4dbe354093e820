"""The compiled loop of the Hopfield measurement: heat-bath sweeps with running totals of what is measured."""

import numpy as np
from numba import njit

from replicon.maths.spins.patterns import heat_bath_updates_patterns


@njit(cache=True, nogil=True)
def measured_sweeps(sites, spins, sums, beta, stream, sweeps, site_total, pattern_total, square_total):
    """Advance one replica by `sweeps` sweeps, adding to the totals after each of them.

    Parameters
    ----------
    sites : int8, shape (spins, patterns)
    spins : int8, shape (spins,)
        Changed in place.
    sums : int32, shape (patterns,)
        M^mu = sum_i xi_i^mu s_i, kept up to date in place.
    beta : float
        1 / (N T).
    stream : uint64, shape (4,)
    sweeps : int
    site_total : int64, shape (spins,)
        Sum over time of s_i.
    pattern_total : int64, shape (patterns,)
        Sum over time of M^mu.
    square_total : float64, shape (patterns,)
        Sum over time of (M^mu)^2.
    """
    for _ in range(sweeps):
        heat_bath_updates_patterns(sites, spins, sums, beta, stream, spins.size)
        for site in range(spins.size):
            site_total[site] += spins[site]
        for mu in range(sums.size):
            pattern_total[mu] += sums[mu]
            square_total[mu] += np.float64(sums[mu]) * sums[mu]

"""Compiled loops of dense associative memories: single-spin updates that keep the overlaps with all memories.

A visit compares both values of the spin, ``sum_mu xi_i [F(b + 1) - F(b - 1)]`` with b the sum of the other spins
along memory mu, so no spin acts on itself. The differences are tabulated (b takes 2N - 1 values); visit and flip cost
O(K). Table entries are whole numbers held in float64, so sums are exact up to 2^53 and ties are seen as ties.
"""

from numba import njit

from replicon.maths.spins.streams import heat_bath_flips, next_index, shuffle


@njit(cache=True)
def _drive(values, sums, spin, table, offset):
    total = 0.0
    for mu in range(values.size):
        value = values[mu]
        total += value * table[sums[mu] - value * spin + offset]
    return total


@njit(cache=True)
def _flip(values, spins, sums, site):
    spins[site] = -spins[site]
    change = 2 * spins[site]
    for mu in range(values.size):
        sums[mu] += change * values[mu]


@njit(cache=True, nogil=True)
def descend(sites, spins, sums, table, order, stream, max_sweeps):
    """Follow the drives in random order until a sweep changes nothing; in place; (sweeps, converged)."""
    offset = spins.size
    for sweep in range(max_sweeps):
        shuffle(order, stream)
        flips = 0
        for site in order:
            spin = spins[site]
            if spin * _drive(sites[site], sums, spin, table, offset) < 0.0:
                _flip(sites[site], spins, sums, site)
                flips += 1
        if flips == 0:
            return sweep + 1, True
    return max_sweeps, False


@njit(cache=True, nogil=True)
def heat_bath_sweeps(sites, spins, sums, table, beta, stream, sweeps, site_totals, overlap_totals, measured):
    """Make `sweeps` of N heat-bath updates in place; add up s_i and (sum_mu-free) the sums after each if `measured`.

    `beta` multiplies the table: N^(1-n) / T. `site_totals` gains s_i, `overlap_totals[0]` the first memory's sum.
    """
    offset = spins.size
    for _ in range(sweeps):
        for _ in range(spins.size):
            site = next_index(stream, spins.size)
            spin = spins[site]
            if heat_bath_flips(beta * spin * _drive(sites[site], sums, spin, table, offset), stream):
                _flip(sites[site], spins, sums, site)
        if measured:
            for site in range(spins.size):
                site_totals[site] += spins[site]
            overlap_totals[0] += sums[0]


@njit(cache=True, nogil=True)
def total_interaction(sums, table, offset):
    """Sum over memories of a tabulated function of the sums."""
    total = 0.0
    for mu in range(sums.size):
        total += table[sums[mu] + offset]
    return total

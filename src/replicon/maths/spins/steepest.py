"""Steepest descent of +-1 spins: at every step the spin flips whose flip lowers the energy most.

Rejection-free, with local fields kept up to date: a step is one pass over a row of the couplings and one search for
the smallest s_i h_i. There is no randomness; of equal drops the spin of lowest index flips. The other descent of a
spin system, zero-temperature Metropolis in random order, is `dense.sequential_descent`.

Energy: H = -1/2 sum_ij J_ij s_i s_j - sum_i b_i s_i, with J_ij = scale * couplings_ij.
"""

import numpy as np
from numba import njit

from replicon.core.errors import DataError
from replicon.maths.spins.arguments import Descent, checked_bias, checked_count, checked_couplings, checked_spins
from replicon.maths.spins.dense import _fields

_BLOCK = 64


def steepest_descent(
    couplings: np.ndarray,
    spins: np.ndarray,
    fields: np.ndarray | None = None,
    max_sweeps: int = 1000,
    scale: float = 1.0,
    require_symmetric: bool = True,
) -> Descent:
    """Flip the spin with the most negative s_i h_i, one at a time, until no local field opposes its spin.

    The energy falls at every step as long as J_ii >= 0. A flip of spin i lowers it by 2 |h_i| without its own term: a
    positive J_ii enters h_i, so that it raises the threshold of a flip. A spin with h_i = 0 keeps its value.

    Parameters
    ----------
    couplings : array, shape (spins, spins)
        Symmetric. Integer dtypes keep exact integer fields, float dtypes float64 fields.
    spins : array of +-1, shape (spins,) or (batch, spins)
        Starts; not modified.
    fields : array, shape (spins,), optional
        External fields b_i.
    max_sweeps : int
        A start is given up as not converged after so many flips per spin.
    scale : float
        Factor between `couplings` and J; matters only against `fields`.
    require_symmetric : bool
        False lets couplings without an energy through: spin j then acts on spin i through entry [j, i], the spin most
        opposed by its field flips, and nothing bounds the number of flips but `max_sweeps`.

    Returns
    -------
    Descent
        `sweeps` counts flips per spin, rounded up, at least 1.

    Raises
    ------
    DataError
        Shapes do not fit, spins are not +-1, or the couplings are not symmetric: then there is no energy to descend.
    ParameterError
        `max_sweeps` below 1 or `scale` not positive.
    """
    couplings = checked_symmetric(couplings) if require_symmetric else checked_couplings(couplings)
    configurations = checked_spins(spins, couplings.shape[0])
    bias = checked_bias(fields, scale, couplings.shape[0])
    local = _fields(couplings, configurations)
    if bias.any():
        local = local + bias
    limit = checked_count("max_sweeps", max_sweeps, 1) * couplings.shape[0]
    flips, converged = _descend(couplings, configurations, local, limit)
    sweeps = np.maximum(-(-flips // couplings.shape[0]), 1)
    if np.ndim(spins) == 1:
        return Descent(configurations[0], sweeps[0], flips[0], converged[0])
    return Descent(configurations, sweeps, flips, converged)


def checked_symmetric(couplings: np.ndarray) -> np.ndarray:
    """Return square couplings as `checked_couplings` does; refuse those that differ from their transpose."""
    couplings = checked_couplings(couplings)
    difference = float(np.abs(couplings - couplings.T).max())
    # Rounding of a product such as X^T A X leaves this much between two entries that are equal.
    rounding = 64 * np.finfo(couplings.dtype).eps if np.issubdtype(couplings.dtype, np.floating) else 0.0
    if difference > rounding * float(np.abs(couplings).max()):
        raise DataError(f"couplings must be symmetric, max |J - J^T| is {difference:.3g}; (J + J^T) / 2 would be")
    return couplings


@njit(cache=True, nogil=True)
def _descend(couplings, spins, local, limit):
    batch, size = spins.shape
    flips = np.zeros(batch, np.int64)
    converged = np.zeros(batch, np.bool_)
    signs = np.empty(size, local.dtype)
    lowest = np.empty(-(-size // _BLOCK), local.dtype)
    for row in range(batch):
        signs[:] = spins[row]
        site = 0
        _add_and_search(couplings[site], local.dtype.type(0), signs, local[row], lowest)
        while True:
            block = lowest.argmin()
            if lowest[block] >= 0:
                converged[row] = True
                break
            if flips[row] == limit:
                break
            site = block * _BLOCK
            while signs[site] * local[row, site] != lowest[block]:
                site += 1
            signs[site] = -signs[site]
            _add_and_search(couplings[site], local.dtype.type(2 * signs[site]), signs, local[row], lowest)
            flips[row] += 1
        for site in range(size):
            spins[row, site] = np.int8(signs[site])
    return flips, converged


@njit(cache=True, nogil=True)
def _add_and_search(row, change, signs, local, lowest):
    # One pass adds the flipped spin's row and takes the smallest s_i h_i of each block: its place is then looked for
    # in one block only, and the loop itself keeps no index, which would hold it up.
    for block in range(lowest.size):
        begin = block * _BLOCK
        end = min(begin + _BLOCK, local.size)
        entries, spins, fields = row[begin:end], signs[begin:end], local[begin:end]
        smallest = local.dtype.type(0)
        for site in range(fields.size):
            field = local.dtype.type(fields[site] + local.dtype.type(change * local.dtype.type(entries[site])))
            fields[site] = field
            stability = local.dtype.type(spins[site] * field)
            smallest = stability if stability < smallest else smallest
        lowest[block] = smallest

"""Single-spin dynamics on a dense symmetric coupling matrix, with local fields kept up to date at every flip.

A visit costs O(1), a flip one pass over a row of the matrix. With integer couplings the fields are integers, hence
exact after any number of flips: a Hebbian matrix is best handed in as the int16 counts N J_ij (``hebbian_counts``)
with ``scale=1/N``, which also halves the memory traffic of a flip against float32. Float couplings keep float64
fields, computed afresh at each call.

Energy: H = -1/2 sum_ij J_ij s_i s_j - sum_i b_i s_i, with J_ij = scale * couplings_ij.
"""

import numpy as np
from numba import njit

from replicon.core.errors import DataError
from replicon.maths.spins.arguments import (
    Descent,
    checked_count,
    checked_couplings,
    checked_spins,
    checked_temperature,
)
from replicon.maths.spins.arguments import checked_bias as _bias
from replicon.maths.spins.streams import draw_streams, heat_bath_flips, next_index, shuffle


def local_fields(couplings: np.ndarray, spins: np.ndarray) -> np.ndarray:
    """Compute sum_j couplings_ij s_j for each configuration, exactly for integer couplings.

    Parameters
    ----------
    couplings : array, shape (spins, spins)
        Symmetric; the diagonal is used as it is.
    spins : array of +-1, shape (spins,) or (batch, spins)

    Returns
    -------
    ndarray of int32 (integer couplings) or float64, shape of `spins`
    """
    couplings = checked_couplings(couplings)
    configurations = checked_spins(spins, couplings.shape[0])
    return _fields(couplings, configurations).reshape(np.shape(spins))


def sequential_descent(
    couplings: np.ndarray,
    spins: np.ndarray,
    generator: np.random.Generator,
    fields: np.ndarray | None = None,
    max_sweeps: int = 1000,
    scale: float = 1.0,
) -> Descent:
    """Zero-temperature asynchronous dynamics: s_i <- sgn(h_i) in random order until a whole sweep changes nothing.

    Each sweep visits every spin once in a fresh random permutation; a spin with h_i = 0 keeps its value. The energy
    never rises as long as J_ii >= 0, and each end point is a fixed point of both sequential and parallel dynamics.

    Parameters
    ----------
    couplings : array, shape (spins, spins)
        Symmetric (otherwise spin j acts on spin i through entry [j, i], and nothing bounds the number of sweeps).
        Integer dtypes keep exact integer fields. A diagonal, if any, acts on its own spin.
    spins : array of +-1, shape (spins,) or (batch, spins)
        Starts; not modified.
    generator : numpy.random.Generator
        Gives each start its own stream of visiting orders.
    fields : array, shape (spins,), optional
        External fields b_i.
    max_sweeps : int
        Sweeps after which a start is given up as not converged.
    scale : float
        Factor between `couplings` and J; matters only against `fields`.

    Returns
    -------
    Descent
        Configurations, sweeps, flips and whether a fixed point was reached.

    Raises
    ------
    DataError
        Shapes do not fit or spins are not +-1.
    ParameterError
        `max_sweeps` below 1 or `scale` not positive.
    """
    couplings = checked_couplings(couplings)
    configurations = checked_spins(spins, couplings.shape[0])
    bias = _bias(fields, scale, couplings.shape[0])
    local = _fields(couplings, configurations)
    streams = draw_streams(generator, configurations.shape[0])
    sweeps, flips, converged = _descend(
        couplings, configurations, local, bias, streams, checked_count("max_sweeps", max_sweeps, 1)
    )
    if np.ndim(spins) == 1:
        return Descent(configurations[0], sweeps[0], flips[0], converged[0])
    return Descent(configurations, sweeps, flips, converged)


def glauber(
    couplings: np.ndarray,
    spins: np.ndarray,
    temperature: float,
    sweeps: int,
    generator: np.random.Generator,
    fields: np.ndarray | None = None,
    scale: float = 1.0,
) -> np.ndarray:
    """Heat-bath dynamics at temperature T: a spin chosen at random is set to +1 with 1 / (1 + exp(-2 h_i / T)).

    One sweep is as many attempts as there are spins, sites drawn with replacement (detailed balance holds attempt by
    attempt). A diagonal J_ii is left out of h_i: it only shifts the energy and must not bias the update.

    Parameters
    ----------
    couplings, spins, fields, scale
        As in `sequential_descent`.
    temperature : float
        In units of J (Boltzmann's constant 1), positive.
    sweeps : int
    generator : numpy.random.Generator
        Gives each start its own stream of random numbers.

    Returns
    -------
    ndarray of int8, shape of `spins`
        The configurations after the last sweep.

    Raises
    ------
    DataError
        Shapes do not fit or spins are not +-1.
    ParameterError
        Temperature not positive, negative number of sweeps, `scale` not positive.

    References
    ----------
    R. J. Glauber, J. Math. Phys. 4, 294 (1963).
    """
    couplings = checked_couplings(couplings)
    configurations = checked_spins(spins, couplings.shape[0])
    bias = _bias(fields, scale, couplings.shape[0])
    beta = scale / checked_temperature(temperature)
    local = _fields(couplings, configurations)
    streams = draw_streams(generator, configurations.shape[0])
    attempts = checked_count("sweeps", sweeps, 0) * couplings.shape[0]
    for row in range(configurations.shape[0]):
        heat_bath_updates(couplings, configurations[row], local[row], bias, beta, streams[row], attempts)
    return configurations.reshape(np.shape(spins))


@njit(cache=True, nogil=True)
def heat_bath_updates(couplings, spins, local, bias, beta, stream, attempts):
    """Make `attempts` heat-bath updates in place and return the number of flips.

    `local` (int32 or float64) is sum_j couplings_ij s_j as given by `local_fields`, `bias` and `beta` are in the same
    unit, `stream` is one row of `draw_streams`.
    """
    _add_own_terms(couplings, spins, local, -1)
    flips = 0
    for _ in range(attempts):
        site = next_index(stream, spins.size)
        value = spins[site]
        field = local[site]
        if heat_bath_flips(2.0 * beta * value * (field + bias[site]), stream):
            _flip(couplings, spins, local, site)
            local[site] = field
            flips += 1
    _add_own_terms(couplings, spins, local, 1)
    return flips


@njit(cache=True)
def _add_own_terms(couplings, spins, local, sign):
    # The heat bath leaves J_ii s_i out; taking it off at every visit would cost a cache miss each time.
    for site in range(spins.size):
        local[site] += local.dtype.type(sign * local.dtype.type(couplings[site, site]) * spins[site])


@njit(cache=True, nogil=True)
def _descend(couplings, spins, local, bias, streams, max_sweeps):
    batch, size = spins.shape
    sweeps = np.zeros(batch, np.int64)
    flips = np.zeros(batch, np.int64)
    converged = np.zeros(batch, np.bool_)
    order = np.empty(size, np.int64)
    for row in range(batch):
        for site in range(size):
            order[site] = site
        while sweeps[row] < max_sweeps and not converged[row]:
            shuffle(order, streams[row])
            before = flips[row]
            for site in order:
                if spins[row, site] * (local[row, site] + bias[site]) < 0:
                    _flip(couplings, spins[row], local[row], site)
                    flips[row] += 1
            sweeps[row] += 1
            converged[row] = flips[row] == before
    return sweeps, flips, converged


@njit(cache=True)
def _flip(couplings, spins, local, site):
    change = local.dtype.type(-2 * spins[site])
    spins[site] = -spins[site]
    row = couplings[site]
    # The casts keep the product in the dtype of the fields; without them Numba widens int32 to int64.
    for other in range(local.size):
        local[other] += local.dtype.type(change * local.dtype.type(row[other]))


def _fields(couplings: np.ndarray, spins: np.ndarray) -> np.ndarray:
    if not np.issubdtype(couplings.dtype, np.integer):
        return spins.astype(np.float64) @ couplings.astype(np.float64, copy=False)
    largest = couplings.shape[0] * max(int(couplings.max()), -int(couplings.min()))
    if largest >= 2**30:
        raise DataError(f"integer couplings too large: a local field may reach {largest}, more than 2^30")
    if largest < 2**24:
        # Every partial sum is an integer below 2^24, so the float32 product is exact.
        return (spins.astype(np.float32) @ couplings.astype(np.float32)).astype(np.int32)
    return (spins.astype(np.float64) @ couplings.astype(np.float64)).astype(np.int32)

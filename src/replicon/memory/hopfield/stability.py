r"""Couplings of largest stability: one hard-margin problem per neuron, all on the patterns' Gram matrix.

The stability of pattern :math:`\mu` at neuron i is
:math:`\Delta_i^\mu = \xi_i^\mu \sum_j J_{ij} \xi_j^\mu / (\sum_j J_{ij}^2)^{1/2}` (Gardner 1988, eq. 5, where the
rows have :math:`\sum_j J_{ij}^2 = N` and the fields a factor :math:`N^{-1/2}`: the same number).
With the examples :math:`z^\mu = \xi_i^\mu \xi^\mu` and :math:`J_i = \sum_\mu a_\mu z^\mu`, :math:`a_\mu \ge 0`,
every such :math:`a` encloses the largest stability that any couplings can reach,

.. math:: \min_\mu J_i \cdot z^\mu / |J_i| \;\le\; \kappa_{\max} \;\le\; |J_i| / \sum_\mu a_\mu ,

so the solver stops on a certified gap, or on the proof that what was asked for cannot be had.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from replicon.core.errors import DataError

OVERRELAXATION = 1.5
"""Step of the coordinate ascent in units of the exact one; 0 to 2 converge, at high load this halves the sweeps."""

SMALLEST_STABILITY = 1e-3
"""Patterns whose largest stability is proven to be below this count as not storable (fields have spread 1)."""

REACHED = 0
IMPOSSIBLE = 1
NOT_SETTLED = 2


class StabilityBounds(NamedTuple):
    """What the solver knows of each neuron's largest stability; arrays of shape (neurons,)."""

    reached: NDArray[np.float64]
    """Smallest stability over the patterns of the couplings found: a lower bound of the largest possible."""
    bound: NDArray[np.float64]
    """Upper bound of the largest possible stability."""
    sweeps: NDArray[np.int64]
    """Sweeps over the patterns that were used."""
    outcome: NDArray[np.int64]
    """0 reached, 1 proven impossible, 2 not settled within the sweeps allowed."""


@numba.njit(cache=True)
def _ascend(
    kernel: NDArray[np.float64],
    weights: NDArray[np.float64],
    fields: NDArray[np.float64],
    target: float,
    tolerance: float,
    max_sweeps: int,
) -> tuple[float, float, int, int]:
    """AdaTron for one neuron: coordinate ascent on sum_mu a_mu - a.K.a / 2 over a_mu >= 0, in place.

    `target` is infinite for the largest stability, else the stability at which to stop.
    """
    count = kernel.shape[0]
    reached, bound, sweep = -np.inf, np.inf, 0
    while sweep < max_sweeps:
        sweep += 1
        for mu in range(count):
            weight = max(0.0, weights[mu] + OVERRELAXATION * (1.0 - fields[mu]) / kernel[mu, mu])
            change = weight - weights[mu]
            if change != 0.0:
                weights[mu] = weight
                for nu in range(count):
                    fields[nu] += change * kernel[mu, nu]
        total = 0.0
        square = 0.0
        smallest = np.inf
        for mu in range(count):
            total += weights[mu]
            square += weights[mu] * fields[mu]
            smallest = min(smallest, fields[mu])
        norm = np.sqrt(max(square, 0.0))
        bound = min(bound, norm / total)
        reached = smallest / norm if norm > 0.0 else -np.inf
        if reached > 0.0 and (reached >= target or (target == np.inf and bound - reached <= tolerance * bound)):
            return reached, bound, sweep, REACHED
        if bound < SMALLEST_STABILITY or (target < np.inf and bound < target):
            return reached, bound, sweep, IMPOSSIBLE
    return reached, bound, sweep, NOT_SETTLED


@numba.njit(cache=True)
def _ascend_all(
    patterns: NDArray[np.float64],
    gram: NDArray[np.float64],
    self_coupling: bool,
    target: float,
    tolerance: float,
    max_sweeps: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    count, neurons = patterns.shape
    signed_weights = np.zeros((neurons, count))
    reached = np.zeros(neurons)
    bound = np.zeros(neurons)
    sweeps = np.zeros(neurons, np.int64)
    outcome = np.zeros(neurons, np.int64)
    kernel = np.empty((count, count))
    own = 0.0 if self_coupling else 1.0
    for i in range(neurons):
        for mu in range(count):
            for nu in range(count):
                kernel[mu, nu] = patterns[mu, i] * patterns[nu, i] * gram[mu, nu] - own
        weights = np.zeros(count)
        fields = np.zeros(count)
        reached[i], bound[i], sweeps[i], outcome[i] = _ascend(kernel, weights, fields, target, tolerance, max_sweeps)
        for mu in range(count):
            signed_weights[i, mu] = weights[mu] * patterns[mu, i]
        if outcome[i] != REACHED:
            break
    return signed_weights, reached, bound, sweeps, outcome


def largest_stability(
    patterns: NDArray[np.int8],
    *,
    target: float = np.inf,
    self_coupling: bool = False,
    tolerance: float = 1e-3,
    max_sweeps: int = 5000,
) -> tuple[NDArray[np.float64], StabilityBounds]:
    r"""Couplings that maximise each neuron's smallest stability, or reach a given one.

    Coordinate ascent on the dual of the hard-margin problem (AdaTron) with over-relaxation, on the Gram matrix
    that all neurons share; one sweep costs patterns x (weights that change). It stops at the first neuron that
    has no solution.

    Parameters
    ----------
    patterns : int8 array of shape (patterns, neurons)
        Entries -1 and +1.
    target : float
        Stability at which to stop; infinite for the largest.
    self_coupling : bool
        Whether :math:`J_{ii}` is learned as well; zero otherwise.
    tolerance : float
        Relative gap :math:`1 - \text{reached}/\text{bound}` at which the largest stability counts as found.
    max_sweeps : int
        Sweeps over the patterns allowed per neuron.

    Returns
    -------
    couplings : float64 array of shape (neurons, neurons)
        Rows of length one, so that the field at a stored pattern is its stability. In general not symmetric.
    bounds : StabilityBounds
        Certificates per neuron; neurons after the first one without a solution are not tried (zeros).

    Raises
    ------
    DataError
        A single neuron without self-coupling.

    References
    ----------
    J. K. Anlauf, M. Biehl, Europhys. Lett. 10, 687 (1989) (AdaTron).
    E. Gardner, J. Phys. A 21, 257 (1988).
    W. Krauth, M. Mezard, J. Phys. A 20, L745 (1987) (optimal stability).
    """
    spins = np.array(patterns, dtype=np.float64)
    if spins.shape[1] < 2 and not self_coupling:
        raise DataError("a single neuron has no couplings to learn; patterns need at least 2 neurons")
    signed_weights, reached, bound, sweeps, outcome = _ascend_all(
        spins, spins @ spins.T, self_coupling, float(target), float(tolerance), int(max_sweeps)
    )
    couplings = signed_weights @ spins
    if not self_coupling:
        np.fill_diagonal(couplings, 0.0)
    norms = np.linalg.norm(couplings, axis=1, keepdims=True)
    np.divide(couplings, norms, out=couplings, where=norms > 0)
    return couplings, StabilityBounds(reached, bound, sweeps, outcome)

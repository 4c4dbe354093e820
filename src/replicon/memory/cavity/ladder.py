r"""Collective spins in the cavity: every ensemble is M spins-1/2 that climb down a ladder of states together.

With :math:`u_i` of its M atoms up, ensemble i has the superradiant rates

.. math:: \Gamma(u \to u - 1) = K(\delta E)\, u (M - u + 1), \qquad \Gamma(u \to u + 1) = K(\delta E)\, (M - u)(u + 1)

which are K M for the first atom of a polarised ensemble and K M^2/4 half way. Two things are **assumed**. The form of
K, :math:`K(\delta E) = e^{-\delta E} - 1` and 0 for flips that cost energy, the rising flank of a resonance at no
temperature, where :math:`\delta E = -M |h_i|/h_0`, :math:`h_i = \sum_j J_{ij} s_j`, and :math:`h_0` is the
root-mean-square of :math:`(\sum_j J_{ij}^2)^{1/2}` over i. And that a burst, once begun, runs to its end before another
ensemble begins. Of all this only one thing is claimed and tested: for many atoms it is steepest descent.
"""

import numpy as np
from numba import njit

from replicon.maths.spins.arguments import checked_count, checked_spins
from replicon.maths.spins.recall import draw_own_streams
from replicon.maths.spins.steepest import checked_symmetric
from replicon.maths.spins.streams import next_uniform


def ladder_descent(couplings: np.ndarray, spins: np.ndarray, atoms: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Let collective spins relax from polarised starts: each burst begins in an ensemble drawn by the first rates.

    Parameters
    ----------
    couplings : array, shape (spins, spins)
        Symmetric.
    spins : array of +-1, shape (batch, spins)
    atoms : int
        Atoms M per ensemble.
    seed : int
        Of the random streams, one per start and hashed from it.

    Returns
    -------
    spins : int8 array, shape (batch, spins)
    converged : bool array, shape (batch,)
        Whether all ensembles ended along their fields, within 1000 bursts per ensemble.

    Raises
    ------
    DataError, ParameterError
        Couplings not symmetric, spins not +-1, or no atoms.
    """
    matrix = checked_symmetric(couplings).astype(np.float64)
    final = checked_spins(spins, matrix.shape[0])
    atoms = checked_count("atoms", atoms, 1)
    unit = float(np.sqrt((matrix**2).sum() / matrix.shape[0]))
    streams = draw_own_streams(final, seed)
    converged = _relax(matrix, final, atoms, unit if unit > 0 else 1.0, streams)
    return final, converged


@njit(cache=True, nogil=True)
def _relax(couplings, spins, atoms, unit, streams):
    batch, size = spins.shape
    converged = np.zeros(batch, np.bool_)
    logarithms = np.empty(size)
    for row in range(batch):
        fields = couplings @ spins[row].astype(np.float64)
        for _ in range(1000 * size):
            largest = -np.inf
            for i in range(size):
                drop = -atoms * spins[row, i] * fields[i] / unit
                # ln(e^x - 1) without overflow: the rates span hundreds of orders of magnitude.
                logarithms[i] = drop + np.log(-np.expm1(-drop)) if drop > 0 else -np.inf
                largest = max(largest, logarithms[i])
            if largest == -np.inf:
                converged[row] = True
                break
            total = 0.0
            for i in range(size):
                total += np.exp(logarithms[i] - largest)
            remaining = next_uniform(streams[row]) * total
            chosen = -1
            for i in range(size):
                if logarithms[i] > -np.inf:
                    chosen = i
                    remaining -= np.exp(logarithms[i] - largest)
                    if remaining < 0:
                        break
            spins[row, chosen] = -spins[row, chosen]
            for j in range(size):
                fields[j] += 2.0 * spins[row, chosen] * couplings[chosen, j]
    return converged

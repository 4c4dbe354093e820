"""Energies and overlaps of spin configurations, H = -1/2 sum_ij J_ij s_i s_j - sum_i b_i s_i."""

import numpy as np

from replicon.core.errors import DataError
from replicon.maths.spins.arguments import checked_bias, checked_couplings, checked_patterns, checked_spins


def energy(
    couplings: np.ndarray, spins: np.ndarray, fields: np.ndarray | None = None, scale: float = 1.0
) -> np.ndarray:
    """Compute H = -(scale/2) s.couplings.s - b.s, each pair counted once and the diagonal as it is.

    Parameters
    ----------
    couplings : array, shape (spins, spins)
    spins : array of +-1, shape (spins,) or (batch, spins)
    fields : array, shape (spins,), optional
        External fields b_i.
    scale : float
        J = scale * couplings.

    Returns
    -------
    float64, shape () or (batch,)
        Total energy, not per spin.
    """
    couplings = checked_couplings(couplings).astype(np.float64, copy=False)
    configurations = checked_spins(spins, couplings.shape[0]).astype(np.float64)
    values = -0.5 * scale * np.einsum("bi,bi->b", configurations @ couplings, configurations)
    if fields is not None:
        values -= configurations @ checked_bias(fields, 1.0, couplings.shape[0])
    return values[0] if np.ndim(spins) == 1 else values


def overlaps(patterns: np.ndarray, spins: np.ndarray) -> np.ndarray:
    """Compute m^mu = (1/N) sum_i xi_i^mu s_i.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    spins : array of +-1, shape (spins,) or (batch, spins)

    Returns
    -------
    ndarray of float64, shape (patterns,) or (batch, patterns)
    """
    patterns = checked_patterns(patterns)
    size = patterns.shape[1]
    configurations = checked_spins(spins, size)
    # float32 sums of +-1 are exact below 2^24 spins.
    kind = np.float32 if size < 2**24 else np.float64
    values = (configurations.astype(kind) @ patterns.T.astype(kind)).astype(np.float64) / size
    return values[0] if np.ndim(spins) == 1 else values


def hebbian_energy(overlap: np.ndarray, size: int, self_coupling: bool = False) -> np.ndarray:
    """Compute the total energy of Hebbian couplings from all P overlaps: H = -(N/2) sum_mu m_mu^2 (+ P/2 if J_ii = 0).

    Parameters
    ----------
    overlap : array, shape (..., patterns)
        All overlaps m^mu of a configuration.
    size : int
        Number of spins N.
    self_coupling : bool
        True when the couplings keep J_ii = P/N.

    Returns
    -------
    float64, shape (...)
    """
    overlap = np.asarray(overlap, dtype=np.float64)
    if overlap.ndim == 0:
        raise DataError("overlap needs an axis of patterns")
    pairs = -0.5 * size * np.sum(overlap**2, axis=-1)
    return pairs if self_coupling else pairs + 0.5 * overlap.shape[-1]

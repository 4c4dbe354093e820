r"""Learning rules: couplings J from patterns :math:`\xi^\mu \in \{-1, +1\}^N`.

Local fields are :math:`h_i = \sum_j J_{ij} s_j`; every rule sets :math:`J_{ii} = 0` unless told otherwise, and
factors 1/N are inside J. All arithmetic is float64.
"""

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from replicon.core.errors import ConvergenceError, DataError, ParameterError, RankError
from replicon.memory.hopfield.coding import list_values
from replicon.memory.hopfield.stability import IMPOSSIBLE, NOT_SETTLED, largest_stability


def as_spins(patterns: ArrayLike) -> NDArray[np.int8]:
    """Check patterns with entries -1 and +1 and copy them to int8.

    Parameters
    ----------
    patterns : array of shape (patterns, neurons)

    Returns
    -------
    int8 array of shape (patterns, neurons)

    Raises
    ------
    DataError
        Not two-dimensional, empty, or with entries other than -1 and +1.
    """
    array = np.asarray(patterns)
    if array.ndim != 2 or 0 in array.shape:
        raise DataError(f"patterns must be a non-empty array (patterns, neurons), got shape {array.shape}")
    if array.dtype == bool or not np.issubdtype(array.dtype, np.number):
        raise DataError(f"patterns must be numbers -1 and +1, got dtype {array.dtype}")
    allowed = (array == 1) | (array == -1)
    if not allowed.all():
        raise DataError(f"patterns must have entries -1 and +1 only, found {list_values(array[~allowed])}")
    return array.astype(np.int8)


def hebb(patterns: ArrayLike, *, self_coupling: bool = False, activity: float = 0.0) -> NDArray[np.float64]:
    r"""Hebb's rule, :math:`J_{ij} = \frac{1}{N(1-a^2)} \sum_\mu (\xi_i^\mu - a)(\xi_j^\mu - a)`.

    Parameters
    ----------
    patterns : array of shape (patterns, neurons)
        Entries -1 and +1.
    self_coupling : bool
        Keep :math:`J_{ii}` (equal to patterns/neurons at a = 0) instead of setting it to zero.
    activity : float
        Mean a of the patterns' entries that is subtracted (Tsodyks and Feigelman's centring); 0 is Hopfield's rule.
        Fields are then :math:`\sum_j J_{ij}(s_j - a) + a`, see :func:`centred_field`.

    Returns
    -------
    float64 array of shape (neurons, neurons), symmetric

    Raises
    ------
    DataError
        Patterns not -1 and +1.
    ParameterError
        Activity outside (-1, 1).

    References
    ----------
    J. J. Hopfield, PNAS 79, 2554 (1982).
    M. V. Tsodyks, M. V. Feigel'man, Europhys. Lett. 6, 101 (1988).
    """
    if not -1 < activity < 1:
        raise ParameterError(f"activity must be in (-1, 1), got {activity}: patterns of one value cannot be centred")
    spins = as_spins(patterns).astype(np.float64) - activity
    couplings = spins.T @ spins / (spins.shape[1] * (1 - activity**2))
    return _finish(couplings, self_coupling)


def centred_field(couplings: NDArray[np.float64], activity: float) -> NDArray[np.float64]:
    r"""Constant field that goes with centred Hebbian couplings, :math:`-a \sum_j J_{ij} + a`.

    The first term turns :math:`\sum_j J_{ij} s_j` into :math:`\sum_j J_{ij} (s_j - a)`, whose signal at pattern
    :math:`\mu` is :math:`\xi_i^\mu - a`; the threshold -a makes it :math:`\xi_i^\mu` for either sign. In 0/1 coding
    with mean p = (1 + a)/2 this is the threshold 1/2 - p.

    Parameters
    ----------
    couplings : float64 array of shape (neurons, neurons)
    activity : float
        Mean a of the patterns' entries in -1/+1 coding.

    Returns
    -------
    float64 array of shape (neurons,)

    References
    ----------
    M. V. Tsodyks, M. V. Feigel'man, Europhys. Lett. 6, 101 (1988).
    """
    return activity * (1.0 - couplings.sum(axis=1))


def storkey(patterns: ArrayLike, *, self_coupling: bool = False) -> NDArray[np.float64]:
    r"""Storkey's incremental rule; learns one pattern after the other.

    :math:`J_{ij} \mathrel{+}= \frac1N [\xi_i \xi_j - \xi_i h_{ji} - h_{ij} \xi_j]` with
    :math:`h_{ij} = \sum_{k \ne i, j} J_{ik} \xi_k`. The result depends on the order of the patterns (recent ones are
    stored slightly better); it is symmetric, local and costs patterns x neurons^2.

    Parameters
    ----------
    patterns : array of shape (patterns, neurons)
        Entries -1 and +1, learned from the first row to the last.
    self_coupling : bool
        Keep :math:`J_{ii}` as the rule gives it. The other couplings do not depend on it.

    Returns
    -------
    float64 array of shape (neurons, neurons), symmetric

    Raises
    ------
    DataError
        Patterns not -1 and +1.

    References
    ----------
    A. Storkey, ICANN 1997, 451, eq. 2; A. Storkey, R. Valabregue, Neural Networks 12, 869 (1999).
    """
    spins = as_spins(patterns).astype(np.float64)
    neurons = spins.shape[1]
    couplings = np.zeros((neurons, neurons))
    diagonal = np.zeros(neurons)
    for spin in spins:
        # J_ii is kept apart (zero inside J), hence h_ij = g_i - J_ij xi_j with g = J xi: two rank-one terms
        # and a multiple of J replace the sum over k for each pair.
        field = couplings @ spin
        mixed = np.outer(spin, 0.5 * spin - field)
        couplings *= 1 + 2 / neurons
        couplings += (mixed + mixed.T) / neurons
        np.fill_diagonal(couplings, 0.0)
        diagonal += (1 - 2 * spin * field) / neurons
    if self_coupling:
        np.fill_diagonal(couplings, diagonal)
    return couplings


def pinv(patterns: ArrayLike, *, self_coupling: bool = False) -> NDArray[np.float64]:
    r"""Projection (pseudo-inverse) rule, :math:`J = \Xi^T (\Xi \Xi^T)^{-1} \Xi`, the projector on the patterns' span.

    With the diagonal kept, fields at a stored pattern are :math:`\xi_i`, but a single wrong neuron is corrected only
    where :math:`1 - 2 J_{ii} > 0`, that is up to load 1/2. Without it (the default) they are
    :math:`(1 - J_{ii}) \xi_i`, :math:`1 - J_{ii} \approx 1 - \text{load}` for random patterns, and
    wrong neurons see the same field: fixed points up to load 1.

    Parameters
    ----------
    patterns : array of shape (patterns, neurons)
        Entries -1 and +1, linearly independent, fewer than neurons.
    self_coupling : bool
        Keep :math:`J_{ii}` instead of setting it to zero.

    Returns
    -------
    float64 array of shape (neurons, neurons), symmetric

    Raises
    ------
    DataError
        Patterns not -1 and +1.
    RankError
        Patterns linearly dependent (a repeated or mirrored one, say), or not fewer than neurons.

    References
    ----------
    L. Personnaz, I. Guyon, G. Dreyfus, J. Physique Lett. 46, 359 (1985).
    I. Kanter, H. Sompolinsky, Phys. Rev. A 35, 380 (1987).
    """
    spins = as_spins(patterns)
    count, neurons = spins.shape
    # An orthonormal basis of the span squares no condition number, as inverting the Gram matrix would.
    _, singular, basis = np.linalg.svd(spins.astype(np.float64), full_matrices=False)
    rank = int(np.count_nonzero(singular > singular[0] * max(spins.shape) * np.finfo(np.float64).eps))
    if rank < count or count >= neurons:
        reason = "the Gram matrix is rank deficient" if rank < count else "the projector would be the identity"
        raise RankError(
            f"rule 'pinv' needs linearly independent patterns, fewer than neurons: got {count} patterns of "
            f"{neurons} neurons with rank {rank} ({reason}); drop dependent patterns or use rule 'gardner'"
        )
    return _finish(basis.T @ basis, self_coupling)


def gardner(
    patterns: ArrayLike,
    *,
    kappa: float | str = "max",
    self_coupling: bool = False,
    tolerance: float = 1e-3,
    max_sweeps: int = 5000,
) -> NDArray[np.float64]:
    r"""Couplings of largest stability, or of a given stability: what no rule can do better.

    Every pattern gets :math:`\xi_i^\mu \sum_j J_{ij} \xi_j^\mu \ge \kappa` at every neuron, rows normalised to
    :math:`\sum_j J_{ij}^2 = 1`. Random patterns can be stored up to load 2, biased or correlated ones often beyond.
    Each neuron is learned by itself, so J is not symmetric: no energy descends, and sequential
    dynamics may wander (recall is therefore capped).

    Parameters
    ----------
    patterns : array of shape (patterns, neurons)
        Entries -1 and +1.
    kappa : "max" or float
        The largest stability that each neuron allows, or the one (>= 0) at which learning stops.
    self_coupling : bool
        Learn :math:`J_{ii}` too. Any pattern is then trivially stable by :math:`J_{ii} = 1`.
    tolerance : float
        Relative duality gap at which "max" is certified.
    max_sweeps : int
        Sweeps over the patterns allowed per neuron.

    Returns
    -------
    float64 array of shape (neurons, neurons)

    Raises
    ------
    ParameterError
        `kappa` neither "max" nor a number >= 0.
    DataError
        Patterns not -1 and +1, or proven not storable with that stability; names the neuron and the bounds.
    ConvergenceError
        Neither reached nor refuted within `max_sweeps`; names the stability reached.

    References
    ----------
    E. Gardner, J. Phys. A 21, 257 (1988).
    J. K. Anlauf, M. Biehl, Europhys. Lett. 10, 687 (1989).
    """
    target = _stability_target(kappa)
    couplings, bounds = largest_stability(
        as_spins(patterns), target=target, self_coupling=self_coupling, tolerance=tolerance, max_sweeps=max_sweeps
    )
    if not bounds.outcome.any():
        return couplings
    neuron = int(np.flatnonzero(bounds.outcome)[0])
    reached, bound, sweeps = bounds.reached[neuron], bounds.bound[neuron], bounds.sweeps[neuron]
    wanted = "no couplings" if target == np.inf else f"no couplings of stability kappa = {target:g}"
    if bounds.outcome[neuron] == IMPOSSIBLE:
        raise DataError(
            f"{wanted} store these patterns: at neuron {neuron} the largest stability is at most {bound:.3g} "
            f"(reached {reached:.3g}); use fewer patterns{'' if target == np.inf else ' or a smaller kappa'}"
        )
    assert bounds.outcome[neuron] == NOT_SETTLED
    raise ConvergenceError(
        f"stability at neuron {neuron} is between {reached:.4g} (reached) and {bound:.4g} after {sweeps} sweeps; "
        "raise max_sweeps, use fewer patterns or a smaller kappa"
    )


def _stability_target(kappa: float | str) -> float:
    if isinstance(kappa, str):
        if kappa == "max":
            return np.inf
    elif isinstance(kappa, Real) and not isinstance(kappa, (bool, np.bool_)) and 0 <= kappa < np.inf:
        return float(kappa)
    raise ParameterError(f"kappa must be 'max' or a finite number >= 0, got {kappa!r}")


def _finish(couplings: NDArray[np.float64], self_coupling: bool) -> NDArray[np.float64]:
    if not self_coupling:
        np.fill_diagonal(couplings, 0.0)
    return couplings

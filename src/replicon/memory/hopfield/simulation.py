"""The experiment: spins flip under Hebbian couplings, and what they do is counted.

J_ij = (1/N) sum_mu xi_i^mu xi_j^mu, H = -1/2 sum_ij J_ij s_i s_j, J_ii = 0 unless said otherwise. Pattern 0 is the
condensed one; its overlap is signed. Runs at a temperature are matrix-free: over the two times 140 sweeps of a
measurement the O(P) cost per visit is about that of building the N x N couplings first
(benchmarks/hopfield_kernels.py), and the overlaps, wanted after every sweep, come for free.
"""

from collections.abc import Callable

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.maths.spins import (
    hebbian_descent,
    hebbian_energy,
    overlaps,
    parallel_dynamics,
    parallel_dynamics_patterns,
    sites_first,
)
from replicon.maths.spins.arguments import checked_count, checked_patterns, checked_spins, checked_temperature
from replicon.maths.spins.patterns import heat_bath_updates_patterns, pattern_sums
from replicon.maths.spins.streams import draw_streams
from replicon.memory.hopfield.kernels import measured_sweeps

_CHUNK = 10**9
"""Pattern values read between two calls of `progress`, about 0.1 s."""


def draw_patterns(size: int, patterns: int, generator: np.random.Generator) -> np.ndarray:
    """Draw independent patterns, each value +1 or -1 with probability 1/2.

    Parameters
    ----------
    size : int
        Number of spins N.
    patterns : int
        Number of patterns P.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int8, shape (patterns, spins)
        The values of one site lie together in memory (Fortran order), as the kernels want them.
    """
    size, patterns = checked_count("size", size, 1), checked_count("patterns", patterns, 1)
    words = generator.integers(0, 256, size=-(-size * patterns // 8), dtype=np.uint8)
    bits = np.unpackbits(words, count=size * patterns).view(np.int8)
    bits *= 2
    bits -= 1
    return bits.reshape(size, patterns).T


def start_from(pattern: np.ndarray, overlap: float, generator: np.random.Generator) -> np.ndarray:
    """Damage a pattern: turn over exactly round((1 - overlap) N / 2) spins at random sites.

    Parameters
    ----------
    pattern : array of +-1, shape (spins,)
    overlap : float
        Overlap of the start with the pattern, in [-1, 1], met to within 1/N.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int8, shape (spins,)
    """
    start = checked_spins(pattern)[0]
    start[generator.permutation(start.size)[: _wrong_spins(overlap, start.size)]] *= -1
    return start


def measure_descent(
    patterns: np.ndarray,
    start: np.ndarray,
    generator: np.random.Generator,
    dynamics: str = "sequential",
    max_sweeps: int = 1000,
    self_coupling: bool = False,
) -> dict[str, float]:
    """Let the network fall from a start at zero temperature and measure where it comes to rest.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    start : array of +-1, shape (spins,)
    generator : numpy.random.Generator
        Orders the visits of sequential dynamics; parallel dynamics draws nothing.
    dynamics : {"sequential", "parallel"}
    max_sweeps : int
        Sweeps or parallel steps after which the run is given up as not converged.
    self_coupling : bool
        Keep J_ii = P/N.

    Returns
    -------
    dict
        ``overlap`` m_0 (signed), ``edwards_anderson`` (1: nothing moves at T = 0), ``crosstalk``
        r = (1/alpha) sum_{mu >= 1} m_mu^2 and the same number as ``crosstalk_instant``, ``largest_other_overlap``
        max_{mu >= 1} |m_mu|, ``error_rate`` (1 - m_0)/2, ``energy`` per spin, ``iterations`` (sweeps or steps),
        ``converged`` and ``cycle`` (1 fixed point, 2 two-cycle of parallel dynamics, 0 given up).

    Raises
    ------
    ParameterError
        Unknown dynamics or `max_sweeps` below 1.
    DataError
        Shapes do not fit or values are not +-1.
    """
    if dynamics == "sequential":
        descent = hebbian_descent(patterns, _one(start), generator, self_coupling, max_sweeps)
        iterations, converged, cycle = descent.sweeps, descent.converged, int(descent.converged)
    elif dynamics == "parallel":
        descent = parallel_dynamics_patterns(patterns, _one(start), self_coupling, max_sweeps)
        iterations, converged, cycle = descent.steps, descent.converged, int(descent.cycle)
    else:
        raise ParameterError(f"dynamics = {dynamics!r} must be 'sequential' or 'parallel'")
    final = overlaps(patterns, descent.spins)
    size, others = descent.spins.size, final[1:]
    crosstalk = float(np.sum(others**2)) * size / final.size
    return {
        "overlap": float(final[0]),
        "edwards_anderson": 1.0,
        "crosstalk": crosstalk,
        "crosstalk_instant": crosstalk,
        "largest_other_overlap": float(np.max(np.abs(others), initial=0.0)),
        "error_rate": 0.5 * (1.0 - float(final[0])),
        "energy": float(hebbian_energy(final, size, self_coupling)) / size,
        "iterations": int(iterations),
        "converged": bool(converged),
        "cycle": cycle,
    }


def measure_glauber(
    patterns: np.ndarray,
    start: np.ndarray,
    temperature: float,
    generator_a: np.random.Generator,
    generator_b: np.random.Generator,
    burn_in: int = 60,
    sweeps: int = 80,
    progress: Callable[[float], None] | None = None,
) -> dict[str, float]:
    """Measure two replicas in contact with a heat bath: independent histories a, b of one draw from one start.

    The Edwards-Anderson order and the crosstalk are squares of thermal averages. The square of one history's average
    over a finite time is biased upwards; the product of two independent histories is not.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    start : array of +-1, shape (spins,)
    temperature : float
        Positive.
    generator_a, generator_b : numpy.random.Generator
        The noise of the two replicas.
    burn_in : int
        Sweeps before the measurement; one sweep is N attempted updates at random sites.
    sweeps : int
        Measured sweeps.
    progress : callable, optional
        Called with the fraction done, about every 0.1 s; may raise to cancel. Results do not depend on it.

    Returns
    -------
    dict of float
        With < > a replica's time average: ``overlap`` <m_0> averaged over the replicas (signed),
        ``edwards_anderson`` (1/N) sum_i <s_i>_a <s_i>_b, ``crosstalk`` (1/alpha) sum_{mu >= 1} <m_mu>_a <m_mu>_b,
        ``crosstalk_instant`` (1/alpha) sum_{mu >= 1} <m_mu^2>, ``largest_other_overlap`` max_{mu >= 1} of
        |<m_mu>_a + <m_mu>_b| / 2, ``overlap_square`` <m_0^2>, ``error_rate`` (1 - overlap)/2, ``energy`` <H>/N
        = -<m_0^2>/2 + (alpha/2)(1 - crosstalk_instant), and ``iterations``, sweeps per replica.

    Raises
    ------
    ParameterError
        Temperature not positive and finite, `sweeps` below 1 or `burn_in` below 0.
    DataError
        Shapes do not fit or values are not +-1.

    References
    ----------
    D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987).
    """
    sites = sites_first(patterns)
    size, count = sites.shape
    beta = 1.0 / (size * checked_temperature(temperature))
    burn_in, sweeps = checked_count("burn_in", burn_in, 0), checked_count("sweeps", sweeps, 1)
    site_mean = np.empty((2, size))
    pattern_mean = np.empty((2, count))
    square_mean = np.empty((2, count))
    for replica, generator in enumerate((generator_a, generator_b)):
        spins = checked_spins(_one(start), size)[0]
        sums = pattern_sums(sites, spins[None])[0]
        stream = draw_streams(generator, 1)[0]
        totals = np.zeros(size, np.int64), np.zeros(count, np.int64), np.zeros(count)
        done = 0
        for chunk in _chunks(burn_in, size * count):
            heat_bath_updates_patterns(sites, spins, sums, beta, stream, chunk * size)
            done += chunk
            _report(progress, replica, done, burn_in + sweeps)
        for chunk in _chunks(sweeps, size * count):
            measured_sweeps(sites, spins, sums, beta, stream, chunk, *totals)
            done += chunk
            _report(progress, replica, done, burn_in + sweeps)
        site_mean[replica] = totals[0] / sweeps
        pattern_mean[replica] = totals[1] / (sweeps * size)
        square_mean[replica] = totals[2] / (sweeps * size**2)

    load = count / size
    overlap = float(pattern_mean[:, 0].mean())
    others = pattern_mean[:, 1:]
    squares = square_mean.mean(axis=0)
    return {
        "overlap": overlap,
        "edwards_anderson": float(site_mean[0] @ site_mean[1]) / size,
        "crosstalk": float(others[0] @ others[1]) / load,
        "crosstalk_instant": float(squares[1:].sum()) / load,
        "largest_other_overlap": float(np.max(np.abs(others.mean(axis=0)), initial=0.0)),
        "overlap_square": float(squares[0]),
        "error_rate": 0.5 * (1.0 - overlap),
        "energy": 0.5 * (load - float(squares.sum())),
        "iterations": burn_in + sweeps,
    }


def overlap_with(pattern: np.ndarray, spins: np.ndarray) -> float:
    """Overlap (1/N) sum_i xi_i s_i of one configuration with one pattern, exact."""
    return float(pattern.astype(np.int64) @ spins.astype(np.int64)) / pattern.size


def overlap_trajectory(
    patterns: np.ndarray,
    start: np.ndarray,
    steps: int,
    self_coupling: bool = False,
    couplings: np.ndarray | None = None,
) -> np.ndarray:
    """Follow the overlap with pattern 0 through parallel steps at zero temperature.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    start : array of +-1, shape (spins,)
    steps : int
    self_coupling : bool
        Keep J_ii = P/N; for Hebbian couplings.
    couplings : array, shape (spins, spins), optional
        Those of another learning rule; Hebbian by default.

    Returns
    -------
    ndarray of float64, shape (steps + 1,)
        m_0 at times 0 .. steps.
    """
    patterns = checked_patterns(patterns)
    spins = checked_spins(_one(start), patterns.shape[1])[0]
    values = [overlap_with(patterns[0], spins)]
    for _ in range(checked_count("steps", steps, 0)):
        if couplings is None:
            spins = parallel_dynamics_patterns(patterns, spins, self_coupling, max_steps=1).spins
        else:
            spins = parallel_dynamics(couplings, spins, max_steps=1).spins
        values.append(overlap_with(patterns[0], spins))
    return np.array(values)


def basin_curve(
    patterns: np.ndarray,
    initial_overlaps: np.ndarray,
    generator: np.random.Generator,
    starts: int = 16,
    dynamics: str = "sequential",
    max_sweeps: int = 1000,
    self_coupling: bool = False,
) -> dict[str, np.ndarray]:
    """Measure the final overlap as a function of the initial one, at zero temperature.

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    initial_overlaps : array, shape (points,)
        Each in [-1, 1], met to within 1/N.
    generator : numpy.random.Generator
    starts : int
        Damaged patterns per point; start k is made from pattern k mod P.
    dynamics : {"sequential", "parallel"}
    max_sweeps : int
    self_coupling : bool

    Returns
    -------
    dict of ndarray, shape (points,)
        ``final_overlap`` and its ``standard_error`` over the starts (patterns of one draw: the error of this draw's
        curve, not of the ensemble's), ``recalled``, the fraction of starts that end closer to their pattern than
        overlap 0.9.
    """
    patterns = checked_patterns(patterns)
    starts = checked_count("starts", starts, 2)
    targets = patterns[np.arange(starts) % patterns.shape[0]]
    final = np.empty((len(initial_overlaps), starts))
    for point, overlap in enumerate(initial_overlaps):
        cues = np.stack([start_from(target, overlap, generator) for target in targets])
        final[point] = _recall_overlaps(patterns, targets, cues, generator, dynamics, max_sweeps, self_coupling)
    return {
        "final_overlap": final.mean(axis=1),
        "standard_error": final.std(axis=1, ddof=1) / np.sqrt(starts),
        "recalled": (final > 0.9).mean(axis=1),
    }


def critical_overlap_of_basin(
    patterns: np.ndarray,
    generator: np.random.Generator,
    starts: int = 16,
    threshold: float = 0.9,
    dynamics: str = "sequential",
    max_sweeps: int = 1000,
    self_coupling: bool = False,
) -> np.ndarray:
    """Bisect for the smallest initial overlap from which a pattern is recalled, one value per start.

    Each start fixes an order of the sites; the more damaged of two cues contains the damage of the other, and the
    number of turned spins is bisected down to one percent of N (or one spin).

    Parameters
    ----------
    patterns : array of +-1, shape (patterns, spins)
    generator : numpy.random.Generator
    starts : int
        Start k belongs to pattern k mod P.
    threshold : float
        A final overlap above this counts as recalled.
    dynamics, max_sweeps, self_coupling
        As in `basin_curve`.

    Returns
    -------
    ndarray of float64, shape (starts,)
        Critical initial overlaps; nan where not even the undamaged pattern is recalled, 0 where a cue without any
        overlap is.
    """
    patterns = checked_patterns(patterns)
    starts, size = checked_count("starts", starts, 1), patterns.shape[1]
    targets = patterns[np.arange(starts) % patterns.shape[0]]
    ranks = np.stack([generator.permutation(size) for _ in range(starts)])

    def recalled(damage: np.ndarray) -> np.ndarray:
        cues = np.where(ranks < damage[:, None], -targets, targets).astype(np.int8)
        final = _recall_overlaps(patterns, targets, cues, generator, dynamics, max_sweeps, self_coupling)
        return final > threshold

    kept = np.zeros(starts, np.int64)
    lost = np.full(starts, size // 2)
    lost_at_start = ~recalled(kept)
    kept = np.where(recalled(lost), lost, kept)
    while np.max(lost - kept) > max(1, size // 100):
        middle = (kept + lost) // 2
        success = recalled(middle)
        kept, lost = np.where(success, middle, kept), np.where(success, lost, middle)
        kept, lost = np.minimum(kept, lost), np.maximum(kept, lost)
    critical = 1.0 - (kept + lost) / size
    return np.where(lost_at_start, np.nan, critical)


def _recall_overlaps(
    patterns: np.ndarray,
    targets: np.ndarray,
    cues: np.ndarray,
    generator: np.random.Generator,
    dynamics: str,
    max_sweeps: int,
    self_coupling: bool,
) -> np.ndarray:
    if dynamics == "sequential":
        final = hebbian_descent(patterns, cues, generator, self_coupling, max_sweeps).spins
    elif dynamics == "parallel":
        final = parallel_dynamics_patterns(patterns, cues, self_coupling, max_sweeps).spins
    else:
        raise ParameterError(f"dynamics = {dynamics!r} must be 'sequential' or 'parallel'")
    return np.einsum("bi,bi->b", final, targets, dtype=np.int64) / targets.shape[1]


def _wrong_spins(overlap: float, size: int) -> int:
    if not (-1.0 <= overlap <= 1.0):
        raise ParameterError(f"overlap = {overlap} must lie in [-1, 1]")
    return round(0.5 * (1.0 - overlap) * size)


def _one(start: np.ndarray) -> np.ndarray:
    start = np.asarray(start)
    if start.ndim != 1:
        raise DataError(f"start must have shape (spins,), got {start.shape}")
    return start


def _chunks(sweeps: int, values_per_sweep: int) -> list[int]:
    longest = max(1, _CHUNK // values_per_sweep)
    return [min(longest, sweeps - begin) for begin in range(0, sweeps, longest)]


def _report(progress: Callable[[float], None] | None, replica: int, done: int, each: int) -> None:
    if progress is not None:
        progress((replica + done / each) / 2)

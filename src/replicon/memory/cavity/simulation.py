"""Spins in a confocal cavity: couplings of random positions, the two descents, attractors and their basins."""

from typing import Any, NamedTuple

import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.maths.spins import energy, sequential_descent
from replicon.maths.spins.steepest import steepest_descent

STARTS = 300
"""Random starts from which attractors are counted."""

FLIPPED = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
"""Fractions of spins that are flipped in the cues of a return curve."""

CUES = 10
"""Cues at each of these fractions."""

LEVELS = (0, 2, 4, 6)
"""Levels of the spectrum that are measured; level n holds n + 1 eigenvalues."""

BINS = 20
"""Bins of the histogram of couplings, on [-1, 1]."""


class States(NamedTuple):
    """Distinct states, a state and its mirror image counted once."""

    spins: np.ndarray
    """int8, shape (states, spins), each with its first spin up; the most frequent first."""
    counts: np.ndarray
    """How often each was found, itself or mirrored."""


def draw_positions(size: int, width: float, generator: np.random.Generator) -> np.ndarray:
    """Positions r_i, both coordinates Gaussian with standard deviation `width`, in units of the mode waist."""
    return width * generator.standard_normal((size, 2))


def checked_positions(positions: np.ndarray) -> np.ndarray:
    """Return positions as float64 of shape (spins, 2); refuse any other shape and values that are not finite."""
    array = np.asarray(positions)
    if array.ndim != 2 or array.shape[1] != 2 or array.shape[0] < 2 or array.dtype.kind not in "iuf":
        raise DataError(f"positions must be numbers of shape (spins, 2) with at least 2 spins, got {array.shape}")
    if not np.all(np.isfinite(array)):
        raise DataError("positions must be finite, got nan or inf")
    return array.astype(np.float64)


def cavity_couplings(positions: np.ndarray, local: float = 0.0) -> np.ndarray:
    """Couplings J_ij = cos(2 r_i.r_j), i != j, and J_ii = `local`.

    Parameters
    ----------
    positions : array, shape (spins, 2)
        In units of the mode waist w_0.
    local : float
        Local coupling of a spin with itself, at least 0: it raises the field at which a spin flips.

    Returns
    -------
    float64 array, shape (spins, spins)

    Raises
    ------
    DataError
        Positions of another shape, or not finite.
    ParameterError
        `local` negative.
    """
    positions = checked_positions(positions)
    if not (0 <= local < np.inf):
        raise ParameterError(f"local = {local} must be at least 0 and finite")
    couplings = np.cos(2.0 * (positions @ positions.T))
    # A matrix product is not symmetric to the last bit for every size.
    couplings = 0.5 * (couplings + couplings.T)
    np.fill_diagonal(couplings, local)
    return couplings


def glass_couplings(size: int, generator: np.random.Generator) -> np.ndarray:
    """Couplings of the Sherrington-Kirkpatrick spin glass: J_ij Gaussian of variance 1/N, J_ii = 0."""
    upper = np.triu(generator.standard_normal((size, size)) / np.sqrt(size), 1)
    return upper + upper.T


def random_spins(count: int, size: int, generator: np.random.Generator) -> np.ndarray:
    """Independent configurations of +-1, int8 of shape (count, size)."""
    return generator.integers(0, 2, (count, size), dtype=np.int8) * np.int8(2) - np.int8(1)


def descend(couplings: np.ndarray, spins: np.ndarray, dynamics: str, generator: np.random.Generator) -> np.ndarray:
    """End points of a batch of starts.

    Parameters
    ----------
    couplings : array, shape (spins, spins)
    spins : array of +-1, shape (batch, spins)
    dynamics : {"steepest", "metropolis"}
        The spin of largest energy drop first; or sweeps in random order, each flip accepted that lowers the energy.
    generator : numpy.random.Generator
        For the orders of visits of "metropolis".

    Returns
    -------
    int8 array, shape (batch, spins)
    """
    if dynamics == "steepest":
        return steepest_descent(couplings, spins).spins
    if dynamics == "metropolis":
        return sequential_descent(couplings, spins, generator).spins
    raise ParameterError(f"dynamics is {dynamics!r}; choose one of: steepest, metropolis")


def distinct_states(spins: np.ndarray) -> States:
    """Distinct configurations up to a global flip, with the number of times that each occurs."""
    upright = spins * spins[:, :1]
    states, counts = np.unique(upright, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return States(states[order], counts[order])


def flip_spins(state: np.ndarray, flips: int, cues: int, generator: np.random.Generator) -> np.ndarray:
    """Copies of a configuration in which exactly so many random spins are flipped, int8 of shape (cues, spins)."""
    if not 0 <= flips <= state.size:
        raise ParameterError(f"flips = {flips} must lie in [0, {state.size}], the number of spins")
    chosen = generator.random((cues, state.size)).argpartition(min(flips, state.size - 1), axis=1)[:, :flips]
    copies = np.repeat(state[None], cues, axis=0)
    np.put_along_axis(copies, chosen, -np.take_along_axis(copies, chosen, axis=1), axis=1)
    return copies


def return_fraction(
    couplings: np.ndarray,
    attractor: np.ndarray,
    flips: int,
    dynamics: str,
    generator: np.random.Generator,
    cues: int = CUES,
) -> float:
    """Fraction of cues with `flips` random spins flipped that return to the attractor exactly, not to its mirror."""
    ends = descend(couplings, flip_spins(attractor, flips, cues, generator), dynamics, generator)
    return float((ends == attractor).all(axis=1).mean())


def return_curve(
    couplings: np.ndarray, attractor: np.ndarray, dynamics: str, generator: np.random.Generator
) -> np.ndarray:
    """`return_fraction` at each of the fractions `FLIPPED` of flipped spins."""
    flips = [round(fraction * attractor.size) for fraction in FLIPPED]
    return np.array([return_fraction(couplings, attractor, count, dynamics, generator) for count in flips])


def basin_radius(curve: np.ndarray, recall: float = 0.95) -> float:
    """Largest fraction of flipped spins up to which the whole curve is at least `recall`; 0 where none is."""
    good = np.logical_and.accumulate(curve >= recall)
    return float(FLIPPED[int(good.sum()) - 1]) if good[0] else 0.0


def level_means(couplings: np.ndarray) -> np.ndarray:
    """Mean eigenvalue of J/N in levels 0, 2, 4, 6: the largest, the 3 lowest, the next 5 above, the next 7 below."""
    eigenvalues = np.linalg.eigvalsh(couplings) / couplings.shape[0]
    down, up = eigenvalues, eigenvalues[::-1]
    return np.array([up[0], down[:3].mean(), up[1:6].mean(), down[3:10].mean()])


def measure(
    positions: np.ndarray, dynamics: str, starts: np.random.Generator, noise: np.random.Generator
) -> dict[str, Any]:
    """Everything that is measured of one draw of the positions."""
    couplings = cavity_couplings(positions)
    size = couplings.shape[0]
    pairs = couplings[np.triu_indices(size, 1)]
    levels = level_means(couplings)
    begin = random_spins(STARTS, size, starts)
    ends = descend(couplings, begin, dynamics, noise)
    curve = return_curve(couplings, ends[0], dynamics, noise)
    density, _ = np.histogram(pairs, bins=np.linspace(-1.0, 1.0, BINS + 1))
    return dict(
        coupling_mean=pairs.mean(),
        coupling_square=(pairs**2).mean(),
        coupling_histogram=density / pairs.size,
        largest_eigenvalue=levels[0],
        level_eigenvalues=levels,
        ferromagnet_error=float((couplings.sum(axis=1) < 0).mean()),
        energy=float(np.mean(energy(couplings, ends))) / size**2,
        attractors=float(len(distinct_states(ends).counts)),
        return_curve=curve,
        basin_radius=basin_radius(curve),
    )

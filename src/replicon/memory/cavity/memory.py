"""A memory made of light: patterns of the user's own, mapped linearly to attractors of a confocal cavity."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from replicon.core.errors import DataError, ParameterError, RankError
from replicon.maths.spins import energy
from replicon.maths.spins.arguments import checked_spins
from replicon.maths.spins.recall import recall_descent
from replicon.maths.spins.steepest import steepest_descent
from replicon.memory.cavity import simulation
from replicon.memory.cavity.ladder import ladder_descent

DYNAMICS = {
    "steepest": "steepest",
    "sd": "steepest",
    "metropolis": "metropolis",
    "0tmh": "metropolis",
    "ladder": "ladder",
}

ROBUST_FLIPS = 0.05
"""Fraction of spins flipped in the cues that tell whether an attractor is robust."""

ROBUST_RETURN = 0.95
"""Fraction of these cues that must return exactly."""

ROBUST_CUES = 20


class Attractors(NamedTuple):
    """Distinct attractors, a state and its mirror image counted once; the most robust first."""

    spins: NDArray[np.int8]
    """Shape (attractors, spins), the first spin of each up."""
    counts: NDArray[np.int64]
    """Random starts that ended there."""
    energies: NDArray[np.float64]
    """H = -sum_{i<j} J_ij s_i s_j."""
    returned: NDArray[np.float64]
    """Fraction of cues with 5 % of the spins flipped that come back exactly."""

    @property
    def robust(self) -> int:
        """Number of attractors to which at least 95 % of these cues return."""
        return int((self.returned >= ROBUST_RETURN).sum())


class CavityRecall(NamedTuple):
    """What was recalled; arrays with the cues first."""

    patterns: NDArray[np.int8]
    """Decoded states, +-1, shape (cues, features)."""
    index: NDArray[np.int64]
    """Encoded pattern whose attractor was reached exactly, -1 where none was."""
    converged: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Encoding:
    """The linear maps between patterns and attractors."""

    patterns: NDArray[np.int8]
    """Shape (patterns, features)."""
    attractors: NDArray[np.int8]
    """Shape (patterns, spins): the attractor of each pattern."""
    forward: NDArray[np.float64]
    """T of least norm with T xi^k = a^k, shape (spins, features); what is orthogonal to all patterns is mapped to 0."""
    backward: NDArray[np.float64]
    """Of least norm with a^k -> xi^k, shape (features, spins)."""
    condition: float
    """Largest over smallest singular value of T on the span of the patterns: a relative error within that span grows
    by no more than this factor."""
    available: int
    """Robust, linearly independent attractors that were found: as many patterns could be encoded."""


class CavityMemory:
    """Associative memory in a confocal cavity: its attractors are given by where the spins sit, and patterns adapt.

    Nothing can be learned by the couplings J_ij = cos(2 r_i.r_j). `encode` finds attractors and a linear map that takes
    every pattern to one of them; `recall` maps a damaged pattern, takes signs, lets the spins relax and maps back.

    Parameters
    ----------
    positions : array (spins, 2), optional
        In units of the mode waist w_0.
    width : float, optional
        Instead of positions: draw them Gaussian with this standard deviation per coordinate, in units of w_0.
    spins : int, default=100
        Number of positions that are drawn.
    dynamics : {"steepest", "metropolis", "ladder"}, default="steepest"
        Largest energy drop first; any drop, in random order; or collective spins of many atoms, see
        :mod:`replicon.memory.cavity.ladder`. "sd" and "0tmh" are other names of the first two.
    local : float, default=0.0
        Local coupling J_ii of a spin with itself, at least 0: it raises the field at which a spin flips.
    atoms : int, default=1000
        Atoms per ensemble, for "ladder".
    seed : int, default=0
        Of positions, starts and dynamics. A cue is answered alike, alone or among others.

    Attributes
    ----------
    positions : float64 array (spins, 2)
    couplings : float64 array (spins, spins)
    encoding_ : Encoding
        After `encode`.

    Raises
    ------
    ParameterError
        Neither or both of positions and width given, or a value out of range.
    DataError
        Positions of another shape than (spins, 2), or not finite.

    References
    ----------
    B. P. Marsh et al., Phys. Rev. X 11, 021048 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> from replicon.memory.cavity import CavityMemory
    >>> memory = CavityMemory(width=1.0, spins=60)
    >>> patterns = np.random.default_rng(0).choice([-1, 1], size=(3, 60))
    >>> cues = patterns.copy()
    >>> cues[:, :6] *= -1
    >>> memory.encode(patterns).recall(cues).index
    array([0, 1, 2])
    """

    encoding_: Encoding

    def __init__(
        self,
        positions: ArrayLike | None = None,
        *,
        width: float | None = None,
        spins: int = 100,
        dynamics: str = "steepest",
        local: float = 0.0,
        atoms: int = 1000,
        seed: int = 0,
    ) -> None:
        if (positions is None) == (width is None):
            raise ParameterError("give either positions or width")
        if dynamics not in DYNAMICS:
            raise ParameterError(f"dynamics is {dynamics!r}; choose one of: {', '.join(DYNAMICS)}")
        _require_whole("spins", spins, 2)
        _require_whole("atoms", atoms, 1)
        _require_whole("seed", seed, 0)
        if width is not None:
            if isinstance(width, (bool, str)) or not 0 < width < np.inf:
                raise ParameterError(f"width is {width!r}; give a positive number, in units of the mode waist")
            positions = simulation.draw_positions(spins, width, np.random.default_rng(seed))
        self.positions = simulation.checked_positions(np.asarray(positions))
        self.couplings = simulation.cavity_couplings(self.positions, local)
        self.dynamics = DYNAMICS[dynamics]
        self.atoms = atoms
        self.seed = seed

    def relax(self, X: ArrayLike) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        """Let the spins relax from given states.

        Parameters
        ----------
        X : array of +-1, shape (cues, spins)

        Returns
        -------
        spins : int8 array, shape (cues, spins)
        converged : bool array, shape (cues,)

        Raises
        ------
        DataError
            Not +-1, or another number of spins.
        """
        states = checked_spins(np.asarray(X), self.couplings.shape[0])
        if self.dynamics == "ladder":
            return ladder_descent(self.couplings, states, self.atoms, self.seed)
        if self.dynamics == "steepest":
            run = steepest_descent(self.couplings, states)
        else:
            run = recall_descent(self.couplings, states, self.seed)
        return run.spins, run.converged

    def attractors(self, n_starts: int = 300) -> Attractors:
        """Attractors that random starts find, and how robust each of them is.

        Parameters
        ----------
        n_starts : int

        Returns
        -------
        Attractors
        """
        _require_whole("n_starts", n_starts, 1)
        size = self.couplings.shape[0]
        generator = np.random.default_rng([self.seed, 1])
        ends, _ = self.relax(simulation.random_spins(n_starts, size, generator))
        states, counts = simulation.distinct_states(ends)
        flips = max(round(ROBUST_FLIPS * size), 1)
        cues = np.concatenate([simulation.flip_spins(state, flips, ROBUST_CUES, generator) for state in states])
        back = self.relax(cues)[0].reshape(len(states), ROBUST_CUES, size)
        returned = (back == states[:, None]).all(axis=2).mean(axis=1)
        order = np.lexsort((-counts, -returned))
        states = states[order]
        # The local coupling adds a constant, which is no part of H.
        energies = np.atleast_1d(energy(self.couplings, states)) + 0.5 * np.trace(self.couplings)
        return Attractors(states, counts[order], energies, returned[order])

    def encode(self, X: ArrayLike, n_starts: int = 300) -> Self:
        """Map every row of X to a robust attractor of its own.

        Parameters
        ----------
        X : array of +-1, shape (patterns, features)
            Linearly independent; the number of features may differ from the number of spins.
        n_starts : int
            Random starts in search of attractors.

        Returns
        -------
        CavityMemory
            Itself, with `encoding_`.

        Raises
        ------
        DataError
            Not +-1, or more patterns than robust attractors were found.
        RankError
            Patterns linearly dependent: no linear map could take them to different attractors.
        """
        patterns = checked_spins(np.atleast_2d(np.asarray(X)))
        count = patterns.shape[0]
        rank = int(np.linalg.matrix_rank(patterns.astype(float)))
        if rank < count:
            raise RankError(f"the {count} patterns are linearly dependent, of rank {rank}; leave out {count - rank}")
        found = self.attractors(n_starts)
        chosen = _independent(found.spins[: found.robust])
        if len(chosen) < count:
            raise DataError(
                f"{count} patterns and only {len(chosen)} robust attractors found (of {len(found.counts)}) from "
                f"{n_starts} starts; encode fewer, search longer, or use a larger width or more spins"
            )
        attractors = chosen[:count]
        forward = attractors.T @ np.linalg.pinv(patterns.T.astype(float))
        backward = patterns.T @ np.linalg.pinv(attractors.T.astype(float))
        strengths = np.linalg.svd(forward, compute_uv=False)[:count]
        condition = float(strengths[0] / strengths[-1])
        self.encoding_ = Encoding(patterns, attractors, forward, backward, condition, len(chosen))
        return self

    def recall(self, X: ArrayLike) -> CavityRecall:
        """Recall patterns from damaged ones: map, take signs, relax, map back.

        Parameters
        ----------
        X : array of +-1, shape (cues, features)

        Returns
        -------
        CavityRecall

        Raises
        ------
        DataError
            Nothing encoded yet, not +-1, or another number of features.
        """
        ends, converged = self.relax(self.encoded(X))
        decoded = _signs(ends @ self.encoding_.backward.T)
        hits = (ends[:, None] == self.encoding_.attractors[None]).all(axis=2)
        return CavityRecall(decoded, np.where(hits.any(axis=1), hits.argmax(axis=1), -1), converged)

    def encoded(self, X: ArrayLike) -> NDArray[np.int8]:
        """Spins in which the cavity starts for given cues, the signs of T x; see `recall` for the errors."""
        if not hasattr(self, "encoding_"):
            raise DataError("nothing is encoded yet; call encode(X) first")
        cues = checked_spins(np.atleast_2d(np.asarray(X)), self.encoding_.patterns.shape[1])
        return _signs(cues @ self.encoding_.forward.T)


def _independent(states: NDArray[np.int8]) -> NDArray[np.int8]:
    """The states that are linearly independent of those before them."""
    basis: list[NDArray[np.float64]] = []
    kept = []
    for index, state in enumerate(states):
        rest = state.astype(np.float64)
        for vector in [*basis, *basis]:
            rest = rest - (vector @ rest) * vector
        norm = float(np.linalg.norm(rest))
        if norm > 1e-6 * np.sqrt(state.size):
            basis.append(rest / norm)
            kept.append(index)
    return states[kept]


def _signs(values: NDArray[np.float64]) -> NDArray[np.int8]:
    return np.where(values >= 0, 1, -1).astype(np.int8)


def _require_whole(name: str, value: Any, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
        raise ParameterError(f"{name} is {value!r}; give a whole number of at least {low}")

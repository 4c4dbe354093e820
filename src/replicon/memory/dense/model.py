"""Dense associative memory with a power of the overlaps: parameters, one draw of the memories, and the system."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int8

from replicon.core.errors import DataError
from replicon.core.instance import Instance
from replicon.core.monitor import check
from replicon.core.observables import Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.phases import PhaseLine
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System, check_seed
from replicon.maths.solution import NOT_CONVERGED
from replicon.memory.dense import simulation, theory
from replicon.memory.dense.references import ABBOTT_ARIAN, GARDNER, KROTOV_HOPFIELD


class StoredMemories(Instance):
    """Memories of a network, and the state that its dynamics starts from.

    Attributes
    ----------
    memories : int8 array (memories, spins)
        +-1; memory 0 is the one to be recalled.
    start : int8 array (spins,)
        Initial spins, +-1.
    """

    memories: Int8[np.ndarray, "memories spins"]
    start: Int8[np.ndarray, " spins"]


class DenseMemory(System):
    """Dense associative memory: an energy of degree n stores of the order of N^(n-1) memories in N spins.

    Spins s_i = +-1 with E(s) = -sum_mu F(xi^mu . s), F(x) = x^n or max(x, 0)^n, and K = load N^(n-1) random memories.
    The size is N. Energies and temperatures are those of E / N^(n-1). A spin compares the energies of its two values,
    so none acts on itself. Degree 2 is the Hopfield model with E / N = 2 H + constant: overlaps are the same at twice
    the temperature, and energies are twice as large.

    At T = 0 spins follow the difference one after the other until none flips. Near the largest load that ends in a
    metastable state with a larger overlap than the ground state, which the theory describes; `dynamics="annealed"`
    cools down to that one. At T > 0 spins are in contact with a heat bath, two replicas per draw. The prediction at a
    size, or for a draw, takes the realised K / N^(n-1) for the retrieval state, and the exact signal and noise of N
    spins for the errors of one update.

    References
    ----------
    Krotov and Hopfield, NeurIPS 29 (2016), arXiv:1606.01164; Gardner, J. Phys. A 20, 3453 (1987); Abbott and Arian,
    Phys. Rev. A 36, 5091 (1987).
    """

    degree: int = parameter(3, symbol="n", low=2, high=12, static=True, doc="power of the overlap in the energy")
    load: float = parameter(0.05, symbol="α", low=0, open="l", doc="memories over N^(n-1)")
    temperature: float = parameter(0.0, symbol="T", low=0, doc="temperature of E / N^(n-1); 0 is plain descent")
    rectified: str = parameter(
        "no",
        symbol="F",
        choices=("no", "yes"),
        doc="F(x) = x^n, or max(x, 0)^n, half the noise; or a bool",
    )
    initial_overlap: float = parameter(
        1.0, symbol="m₀", low=0, high=1, open="l", doc="overlap of the start with the memory to be recalled"
    )

    dynamics: str = parameter(
        "descent",
        symbol="dynamics",
        choices=("descent", "annealed"),
        doc="at T = 0: fall from the start, or cool down from T = 0.1 n first",
    )

    @property
    def interaction(self) -> str:
        """The function F by name."""
        return "rectified" if self.rectified == "yes" else "power"

    class Observables(Observables):
        """What is predicted and measured of a dense associative memory."""

        overlap: Scalar = observable("m", "overlap with the recalled memory", success=0.7, quantum=2)
        edwards_anderson: Scalar = observable("q", "Edwards-Anderson order, the overlap of two replicas")
        error_rate: Scalar = observable("(1-m)/2", "fraction of wrong bits", quantum=1)
        one_step_error: Scalar = observable(
            "P₁",
            "fraction of wrong bits after one parallel update of the start at T = 0",
            quantum=1 / simulation.TARGETS,
        )
        energy: Scalar = observable("e", "energy E / N^n per spin, without the mean of the other memories")
        free_energy: Scalar = observable("f", "free energy per spin", face="predicted")
        almeida_thouless: Scalar = observable("Λ", "replica symmetry is locally stable below 1", face="predicted")
        iterations: Scalar = observable("t", "sweeps", face="measured")

        statuses = {
            theory.NO_RETRIEVAL_STATE: Status("no retrieval state", declines=True),
            theory.REPLICA_SYMMETRY_UNSTABLE: Status("replica symmetry unstable"),
            theory.OUTSIDE_BASIN: Status("the start is outside the basin of retrieval", declines=True),
            theory.OUT_OF_RANGE: Status("parameters outside the range of the theory", declines=True),
            theory.NOT_SOLVED: Status("the retrieval state of rectified squares is not solved", declines=True),
        }

    theory_kinds = ("infinite", "finite", "instance")
    traced_size = True
    traced_regime = "finite temperature"
    smallest_size = 4
    references = (KROTOV_HOPFIELD, GARDNER, ABBOTT_ARIAN)

    def regime(self) -> str:
        """The equations at T = 0 are others than those at T > 0."""
        return "zero temperature" if self.temperature == 0 else "finite temperature"

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of memories is zero, or larger than can be held."""
        wanted = np.asarray(self.load) * float(size) ** (self.degree - 1)
        if np.any(np.round(wanted) < 1):
            least = int(np.ceil((0.5 / np.min(self.load)) ** (1 / (self.degree - 1)))) + 1
            raise DataError(
                f"DenseMemory: size is {size}, which at load {self.load} has no memory; give at least {least}"
            )
        if np.any(wanted * size >= 2**31):
            raise DataError(
                f"DenseMemory: size is {size}, at load {self.load} {np.max(wanted):.3g} memories; their product must "
                "be below 2^31 (replicon.memory.dense.streamed_errors measures errors of one update of any number)"
            )

    def footprint(self, size: int) -> Footprint:
        """Memories as bytes, twice while they are drawn, and a chunk of them as floats."""
        values = float(np.max(self.load)) * float(size) ** self.degree
        sweeps = 8 if np.max(self.temperature) == 0 else 280
        return Footprint(bytes=2.5 * values + 3e7, seconds=(sweeps * 1.2e-9 + 4e-9) * values)

    def theory(self, size: int | None = None, instance: StoredMemories | None = None) -> Any:
        """Replica-symmetric retrieval state and errors of one update, at the load or the realised one."""
        load: Any = self.load
        n, interaction, start = self.degree, self.interaction, self.initial_overlap
        if instance is None and size is None:
            step = theory.one_step_error(load, n, interaction, start)
        else:
            count, spins = self._counted(size) if instance is None else instance.memories.shape
            load = count / spins ** (n - 1)
            step = theory.finite_one_step_error(spins, count, n, interaction, start)
        cold = self.regime() == "zero temperature"
        values, status = theory.equilibrium(load, self.temperature, n, interaction, start, cold)
        return self.Observables.from_theory(({**values, "one_step_error": step.values}, status))

    def sample(self, size: int, seed: int) -> StoredMemories:
        """Draw K = round(load N^(n-1)) random memories and the initial spins."""
        count = round(self.load * float(size) ** (self.degree - 1))
        memories = simulation.draw_memories(size, count, generator(seed, "memories"))
        return StoredMemories(size=size, seed=seed, memories=memories, start=self._start(memories, seed))

    def instance(self, memories: Any, start: Any = None, seed: int = 0) -> StoredMemories:
        """An instance of the user's own memories.

        Parameters
        ----------
        memories : array (memories, spins)
            +-1. Their number sets the load of ``theory(instance=...)`` and of the simulation.
        start : array (spins,), optional
            Initial spins +-1; by default memory 0 at `initial_overlap`.
        seed : int
            Seed of the dynamics.

        Raises
        ------
        DataError
            For values that are no spins, shapes that do not fit, or a memory that is there twice (also as its mirror
            image where the energy is even): two such minima are one, and the theory is of different ones.
        """
        stored = simulation.checked_memories(memories, mirrored=self.degree % 2 == 0 and self.interaction == "power")
        if start is None:
            begin = self._start(stored, check_seed(seed))
        else:
            begin = simulation.start_from(np.asarray(start), 1.0, generator(check_seed(seed), "damage"))
        if begin.shape != stored.shape[1:]:
            raise DataError(f"DenseMemory: start has {begin.size} spins and the memories have {stored.shape[1]}")
        return StoredMemories(size=stored.shape[1], seed=seed, memories=stored, start=begin)

    def simulate(self, instance: StoredMemories) -> Any:
        """Run the dynamics from the start, and one parallel update from several memories."""
        seed, memories, start = instance.seed, instance.memories, instance.start
        if self.temperature > 0:
            replicas = generator(seed, "replica a"), generator(seed, "replica b")
            measured: dict[str, Any] = simulation.measure_heat_bath(
                memories, start, self.temperature, replicas, self.degree, self.interaction, progress=check
            )
            converged = True
        else:
            measured = simulation.measure_descent(
                memories,
                start,
                generator(seed, "dynamics"),
                self.degree,
                self.interaction,
                annealed=self.dynamics == "annealed",
            )
            converged = measured.pop("converged")
        measured["one_step_error"] = simulation.measure_one_step(
            memories, self.initial_overlap, generator(seed, "one step"), self.degree, self.interaction
        )
        return self.Observables(**measured, status=0 if converged else NOT_CONVERGED)

    @classmethod
    def phase_lines(cls) -> list[PhaseLine]:
        """The largest load with a retrieval state, against the temperature."""
        from replicon.memory.dense.lines import phase_lines

        return phase_lines()

    def _counted(self, size: Any) -> tuple[Any, Any]:
        return jnp.maximum(jnp.round(self.load * size ** (self.degree - 1)), 1.0), size

    def _start(self, memories: np.ndarray, seed: int) -> np.ndarray:
        return simulation.start_from(memories[0], float(self.initial_overlap), generator(seed, "damage"))

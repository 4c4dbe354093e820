"""The Hopfield model: parameters, one draw of the patterns, and the system that joins theory and simulation."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int8

from replicon.core.errors import DataError, ParameterError
from replicon.core.instance import Instance
from replicon.core.monitor import check
from replicon.core.observables import Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.phases import PhaseLine
from replicon.core.precision import is_traced
from replicon.core.sections import Demonstration
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System, check_seed
from replicon.maths.solution import NOT_CONVERGED
from replicon.memory.hopfield import simulation, theory
from replicon.memory.hopfield.coding import find_coding, list_values, to_spins
from replicon.memory.hopfield.references import AMIT_1985A, AMIT_1985B, AMIT_1987, HOPFIELD


class StoredPatterns(Instance):
    """Patterns stored in a network, and the state that its dynamics starts from.

    Attributes
    ----------
    patterns : int8 array (patterns, neurons)
        +-1; pattern 0 is the one to be recalled.
    start : int8 array (neurons,)
        Initial spins, +-1.
    """

    patterns: Int8[np.ndarray, "patterns neurons"]
    start: Int8[np.ndarray, " neurons"]


class Hopfield(System):
    """The Hopfield model of associative memory with Hebbian couplings.

    N spins s_i = +-1 with H = -1/2 sum_ij J_ij s_i s_j and J_ij = (1/N) sum_mu xi_i^mu xi_j^mu, J_ii = 0, that store
    P = load N random patterns xi^mu. The size is N. The prediction at a size, or for a draw, is the replica-symmetric
    theory at the realised load P/N. At T = 0 spins follow their local field until none flips; at T > 0 they are in
    contact with a heat bath (Glauber dynamics), two replicas per draw. The dynamics starts from pattern 0, or from
    random spins where `state` asks for the spin glass or the paramagnet.

    References
    ----------
    Hopfield, PNAS 79, 2554 (1982); Amit, Gutfreund and Sompolinsky, Phys. Rev. A 32, 1007 (1985), Phys. Rev. Lett.
    55, 1530 (1985), Ann. Phys. 173, 30 (1987).
    """

    load: float = parameter(0.1, symbol="α", low=0, open="l", doc="patterns per neuron, P/N")
    temperature: float = parameter(0.0, symbol="T", unit="J", low=0, doc="temperature; 0 is plain descent in energy")
    state: str = parameter(
        "auto",
        symbol="state",
        choices=theory.STATES,
        doc="which state is predicted; auto: retrieval where it exists, else spin glass, else paramagnet",
    )
    dynamics: str = parameter(
        "sequential",
        symbol="dynamics",
        choices=("sequential", "parallel"),
        doc="one spin after the other, or all at once (T = 0 only)",
    )

    class Observables(Observables):
        """What is predicted and measured of the Hopfield model."""

        overlap: Scalar = observable("m", "overlap with the recalled pattern", success=0.8, quantum=2)
        edwards_anderson: Scalar = observable("q", "Edwards-Anderson order, the overlap of two replicas")
        crosstalk: Scalar = observable("r", "summed squared thermal overlap with the other patterns, over the load")
        susceptibility: Scalar = observable("C", "local response to a field", face="predicted", unit="1/J")
        error_rate: Scalar = observable("(1-m)/2", "fraction of wrong bits", quantum=1)
        energy: Scalar = observable("e", "energy per neuron", unit="J")
        free_energy: Scalar = observable("f", "free energy per neuron", unit="J", face="predicted")
        entropy: Scalar = observable("s", "entropy per neuron in nats", face="predicted")
        almeida_thouless: Scalar = observable("Λ", "replica symmetry is stable where this is below 1", face="predicted")
        crosstalk_instant: Scalar = observable("r'", "the crosstalk of single configurations", face="measured")
        largest_other_overlap: Scalar = observable("max m_μ", "largest overlap with another pattern", face="measured")
        iterations: Scalar = observable("t", "sweeps", face="measured")
        cycle: Scalar = observable("cycle", "1 at a fixed point, 2 in a two-cycle, 0 given up", face="measured")

        statuses = {
            theory.NO_RETRIEVAL_STATE: Status("no retrieval state", declines=True),
            theory.REPLICA_SYMMETRY_UNSTABLE: Status("replica symmetry unstable"),
            theory.NO_SUCH_STATE: Status("this state does not exist here", declines=True),
            theory.OUT_OF_RANGE: Status("parameters outside the range of the theory", declines=True),
        }

    theory_kinds = ("infinite", "finite", "instance")
    traced_size = True
    traced_regime = "finite temperature"
    smallest_size = 2
    references = (HOPFIELD, AMIT_1985A, AMIT_1985B, AMIT_1987)

    def validate(self) -> None:
        """Refuse parallel dynamics at T > 0."""
        if self.dynamics == "parallel" and not is_traced(self.temperature) and np.any(np.asarray(self.temperature) > 0):
            raise ParameterError(
                f"Hopfield: temperature (T) is {self.temperature} with parallel dynamics, whose equilibrium is another "
                "one (the Little model); give temperature = 0 or dynamics = 'sequential'"
            )

    def regime(self) -> str:
        """The equations at T = 0 are others than those at T > 0."""
        return "zero temperature" if self.temperature == 0 else "finite temperature"

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of patterns is zero."""
        if np.any(np.round(np.asarray(self.load) * size) < 1):
            least = int(np.ceil(0.5 / np.min(self.load))) + 1
            raise DataError(
                f"Hopfield: size is {size}, which at load {self.load} has no pattern; give at least {least}"
            )

    def footprint(self, size: int) -> Footprint:
        """Patterns, kept twice while they are drawn, and the state of two replicas."""
        patterns = float(np.max(self.load)) * size
        sweeps = 20 if np.max(self.temperature) == 0 else 280
        return Footprint(bytes=2.5 * size * patterns + 64 * size, seconds=sweeps * size * patterns * 2e-10)

    def theory(self, size: int | None = None, instance: StoredPatterns | None = None) -> Any:
        """Replica-symmetric prediction at the load, or at the realised load of a size or draw."""
        load: Any = self.load
        if instance is not None:
            load = instance.patterns.shape[0] / instance.patterns.shape[1]
        elif size is not None:
            load = jnp.maximum(jnp.round(self.load * size), 1.0) / size
        cold = self.regime() == "zero temperature"
        return self.Observables.from_theory(
            theory.equilibrium(load, self.temperature, self.state, zero_temperature=cold)
        )

    def sample(self, size: int, seed: int) -> StoredPatterns:
        """Draw P = round(load N) random patterns and the initial spins."""
        patterns = simulation.draw_patterns(size, round(self.load * size), generator(seed, "patterns"))
        return StoredPatterns(size=size, seed=seed, patterns=patterns, start=self._start(patterns, seed))

    def instance(self, patterns: Any, start: Any = None, seed: int = 0) -> StoredPatterns:
        """An instance of the user's own patterns.

        Parameters
        ----------
        patterns : array (patterns, neurons)
            +-1, 0/1 or bool. Their number sets the load of ``theory(instance=...)`` and of the simulation.
        start : array (neurons,), optional
            Initial spins; by default pattern 0, or random spins, by `state`.
        seed : int
            Seed of the dynamics.

        Raises
        ------
        DataError
            For values that are no spins, or shapes that do not fit.
        """
        stored = _as_spins("patterns", patterns, 2)
        begin = self._start(stored, check_seed(seed)) if start is None else _as_spins("start", start, 1)
        if begin.shape != stored.shape[1:]:
            raise DataError(f"Hopfield: start has {begin.size} spins and the patterns have {stored.shape[1]}")
        return StoredPatterns(size=stored.shape[1], seed=seed, patterns=stored, start=begin)

    def simulate(self, instance: StoredPatterns) -> Any:
        """Run the dynamics from the start of the instance and measure where it stays."""
        seed, patterns, start = instance.seed, instance.patterns, instance.start
        if self.temperature > 0:
            thermal: dict[str, Any] = simulation.measure_glauber(
                patterns,
                start,
                self.temperature,
                generator(seed, "replica a"),
                generator(seed, "replica b"),
                progress=check,
            )
            thermal.pop("overlap_square")
            return self.Observables(**thermal)
        measured: dict[str, Any] = simulation.measure_descent(
            patterns, start, generator(seed, "dynamics"), self.dynamics
        )
        converged = measured.pop("converged")
        return self.Observables(**measured, status=0 if converged else NOT_CONVERGED)

    @classmethod
    def demonstrations(cls) -> list[Demonstration]:
        """Recall of handwritten digits."""
        from replicon.memory.hopfield.demonstration import demonstrations

        return demonstrations()

    @classmethod
    def phase_lines(cls) -> list[PhaseLine]:
        """The lines of the phase diagram in load and temperature."""
        from replicon.memory.hopfield.diagram import phase_lines

        return phase_lines()

    def _start(self, patterns: np.ndarray, seed: int) -> np.ndarray:
        if self.state in ("auto", "retrieval"):
            return patterns[0].copy()
        return simulation.draw_patterns(patterns.shape[1], 1, generator(seed, "start"))[0].copy()


def _as_spins(name: str, values: Any, dimensions: int) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != dimensions or 0 in array.shape:
        shape = "(patterns, neurons)" if dimensions == 2 else "(neurons,)"
        raise DataError(f"Hopfield: {name} must have shape {shape}, got {array.shape}")
    coding = find_coding(array)
    if coding is None:
        raise DataError(f"Hopfield: {name} must be -1/+1, 0/1 or bool, found the values {list_values(array)}")
    return to_spins(array, coding)

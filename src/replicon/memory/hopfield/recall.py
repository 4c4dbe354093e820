"""Parallel recall from a damaged pattern: the overlap step by step, under the Hebb and the projection rule."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from replicon.core.errors import DataError, ParameterError
from replicon.core.observables import Curve, Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.precision import is_traced
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System
from replicon.memory.hopfield import rules, simulation, theory
from replicon.memory.hopfield.model import StoredPatterns
from replicon.memory.hopfield.references import AMARI_MAGINU, HOPFIELD, KANTER_SOMPOLINSKY


class ParallelRecall(System):
    """Parallel recall from a damaged pattern, step by step.

    N spins start at a stored pattern of which a fraction (1 - m_0)/2 of the bits is wrong, and all follow their local
    fields at once: s(t+1) = sgn(J s(t)) with J_ii = 0, at T = 0. The rule is Hebb's, J = (1/N) sum xi xi, or the
    projection on the patterns. The size is N, with P = load N patterns. The first step is exact for infinite size.
    The trajectory under Hebb's rule is the approximation of Amari and Maginu from the second step on: it is shown
    beside the simulation and takes no part in the verdict. Under the projection rule only one step is known.

    References
    ----------
    Amari and Maginu, Neural Networks 1, 63 (1988); Kanter and Sompolinsky, Phys. Rev. A 35, 380 (1987).
    """

    load: float = parameter(0.1, symbol="α", low=0, open="l", doc="patterns per neuron, P/N")
    initial_overlap: float = parameter(0.5, symbol="m₀", low=0, high=1, doc="overlap of the start with the pattern")
    steps: int = parameter(6, symbol="t", low=1, high=1000, static=True, doc="number of parallel steps")
    rule: str = parameter("hebb", symbol="rule", choices=("hebb", "projection"), doc="learning rule of the couplings")

    class Observables(Observables):
        """Overlap after one step and along the trajectory."""

        first_overlap: Scalar = observable("m(1)", "overlap after one parallel step", quantum=2)
        first_error: Scalar = observable("P₁", "fraction of wrong bits after one parallel step", quantum=1)
        overlap_trajectory: Curve = observable(
            "m(t)", "overlap after each step", dims=("step",), prediction="approximation", quantum=2
        )
        final_overlap: Scalar = observable("m(∞)", "overlap after the last step", face="measured")

        statuses = {theory.OUT_OF_RANGE: Status("parameters outside the range of the theory", declines=True)}

    theory_kinds = ("infinite", "finite", "instance")
    traced_size = True
    smallest_size = 2
    references = (HOPFIELD, AMARI_MAGINU, KANTER_SOMPOLINSKY)

    def validate(self) -> None:
        """The projection rule needs fewer patterns than neurons."""
        if self.rule == "projection" and not is_traced(self.load) and np.any(np.asarray(self.load) >= 1):
            raise ParameterError(
                f"ParallelRecall: load (α) is {self.load} with the projection rule, which needs linearly independent "
                "patterns; give a load below 1 or rule = 'hebb'"
            )

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of patterns is zero, or too large for the projection rule."""
        patterns = np.round(np.asarray(self.load) * size)
        if np.any(patterns < 1) or (self.rule == "projection" and np.any(patterns >= size)):
            raise DataError(f"ParallelRecall: size is {size}, which at load {self.load} gives {patterns} patterns")

    def footprint(self, size: int) -> Footprint:
        """Patterns, and the couplings of the projection rule."""
        patterns = float(np.max(self.load)) * size
        dense = 24.0 * size**2 if self.rule == "projection" else 0.0
        return Footprint(bytes=2.5 * size * patterns + dense)

    def coords(self) -> dict[str, Any]:
        """The steps 0, 1, ..., `steps`."""
        return {"step": np.arange(self.steps + 1)}

    def theory(self, size: int | None = None, instance: StoredPatterns | None = None) -> Any:
        """Prediction at the load and initial overlap, or at those realised at a size or in a draw."""
        load: Any = self.load
        overlap: Any = self.initial_overlap
        if instance is not None:
            load = instance.patterns.shape[0] / instance.patterns.shape[1]
            overlap = simulation.overlap_with(instance.patterns[0], instance.start)
        elif size is not None:
            load = jnp.maximum(jnp.round(self.load * size), 1.0) / size
            overlap = 1.0 - 2.0 * jnp.round(0.5 * (1.0 - self.initial_overlap) * size) / size
        if self.rule == "projection":
            first, status = theory.projection_one_step(overlap, load)
            trajectory = None
        else:
            values, status = theory.amari_maginu(overlap, load, self.steps)
            trajectory = values["overlap"]
            first = trajectory[..., 1]
        return self.Observables(
            first_overlap=first, first_error=0.5 * (1.0 - first), overlap_trajectory=trajectory, status=status
        )

    def sample(self, size: int, seed: int) -> StoredPatterns:
        """Draw the patterns, and damage pattern 0 at random sites."""
        patterns = simulation.draw_patterns(size, round(self.load * size), generator(seed, "patterns"))
        start = simulation.start_from(patterns[0], self.initial_overlap, generator(seed, "start"))
        return StoredPatterns(size=size, seed=seed, patterns=patterns, start=start)

    def simulate(self, instance: StoredPatterns) -> Any:
        """Iterate the parallel dynamics and measure the overlap after each step."""
        couplings = rules.pinv(instance.patterns) if self.rule == "projection" else None
        trajectory = simulation.overlap_trajectory(instance.patterns, instance.start, self.steps, couplings=couplings)
        return self.Observables(
            first_overlap=trajectory[1],
            first_error=0.5 * (1.0 - trajectory[1]),
            overlap_trajectory=trajectory,
            final_overlap=trajectory[-1],
        )

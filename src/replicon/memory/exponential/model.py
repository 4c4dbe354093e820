"""Exponential associative memory: parameters, one draw of the memories, and the system."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int8

from replicon.core.errors import DataError
from replicon.core.instance import Instance
from replicon.core.observables import Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System
from replicon.memory.exponential import simulation, theory
from replicon.memory.exponential.references import DEMIRCIGIL, LUCIBELLO_MEZARD

TARGETS = 64
"""Memories that are damaged and updated in one draw."""


class RandomMemories(Instance):
    """Memories of a network.

    Attributes
    ----------
    memories : int8 array (memories, spins)
        +-1; the first are those that are recalled.
    """

    memories: Int8[np.ndarray, "memories spins"]


class ExponentialMemory(System):
    """Exponential associative memory: the number of memories grows exponentially with the number of spins.

    Spins s_i = +-1 with E(s) = -sum_mu exp(lambda xi^mu . s) and K = exp(load N) random memories. The size is N. Every
    spin of a damaged memory takes at once the value of lower energy, the others held; what is not restored is counted.
    The prediction for infinite size is 0 or 1/2, on the two sides of `bit_threshold`; that at a size takes the numbers
    of memories at each distance as independent Poisson variables and is exact otherwise. It approaches the step slowly:
    at the sizes that can be simulated the errors rise smoothly through the threshold, ever more steeply.

    References
    ----------
    Demircigil et al., J. Stat. Phys. 168, 288 (2017), arXiv:1702.01929; Lucibello and Mezard, Phys. Rev. Lett. 132,
    077301 (2024), arXiv:2304.14964.
    """

    load: float = parameter(0.5, symbol="α", low=0, open="l", doc="ln K / N")
    sharpness: float = parameter(
        1.0, symbol="λ", low=0, high=100, open="l", doc="factor of the overlap in the exponent"
    )
    cue_error: float = parameter(0.0, symbol="ρ", low=0, high=0.5, open="h", doc="fraction of wrong bits in the cue")

    class Observables(Observables):
        """What is predicted and measured of an exponential memory."""

        bit_error: Scalar = observable(
            "P₁", "fraction of wrong bits after one update", quantum=1 / TARGETS, tolerance=2e-4
        )
        overlap: Scalar = observable(
            "m", "overlap with the memory after one update", quantum=2 / TARGETS, tolerance=4e-4
        )
        pattern_error: Scalar = observable("P_K", "fraction of memories that are not restored", face="measured")

        statuses = {theory.OUT_OF_RANGE: Status("parameters outside the range of the theory", declines=True)}

    theory_kinds = ("infinite", "finite", "instance")
    traced_size = False
    smallest_size = 4
    references = (DEMIRCIGIL, LUCIBELLO_MEZARD)

    def validate_size(self, size: int) -> None:
        """Refuse sizes without a second memory, or with more than can be held."""
        exponent = np.asarray(self.load) * size
        if np.any(exponent < np.log(1.5)):
            least = int(np.ceil(np.log(1.5) / np.min(self.load)))
            raise DataError(
                f"ExponentialMemory: size is {size}, which at load {self.load} has a single memory; "
                f"give at least {least}"
            )
        if np.any(exponent > np.log(2.0**31 / size)):
            raise DataError(
                f"ExponentialMemory: size is {size}, at load {self.load} exp({np.max(exponent):.3g}) memories, "
                f"more than can be held; give at most {int(20 / np.max(self.load))}"
            )

    def footprint(self, size: int) -> Footprint:
        """Memories as bytes and floats, and a chunk of their weights."""
        count = float(np.exp(min(np.max(self.load) * size, 30.0)))
        return Footprint(bytes=7 * count * size + 8e7, seconds=count * (size * TARGETS * 3e-10 + 3e-7))

    def theory(self, size: int | None = None, instance: RandomMemories | None = None) -> Any:
        """Errors of one update: a step at infinite size, the Poisson sum at a size or for a draw's K."""
        if instance is None and size is None:
            error, status = theory.infinite_bit_error(self.load, self.sharpness, self.cue_error)
        else:
            count, spins = (self._count(size), size) if instance is None else instance.memories.shape
            error, status = theory.finite_bit_error(spins, count, self.sharpness, self.cue_error)
        return self.Observables(bit_error=error, overlap=1 - 2 * jnp.asarray(error), status=status)

    def sample(self, size: int, seed: int) -> RandomMemories:
        """Draw K = round(exp(load N)) random memories."""
        count = round(float(np.exp(self.load * size)))
        return RandomMemories(
            size=size, seed=seed, memories=simulation.draw_memories(size, count, generator(seed, "memories"))
        )

    def instance(self, memories: Any, seed: int = 0) -> RandomMemories:
        """An instance of the user's own memories, an array of +-1 of shape (memories, spins) without repetitions.

        Raises
        ------
        DataError
            For values that are no spins, other shapes, or a memory that is there twice.
        """
        stored = simulation.distinct_memories(memories)
        return RandomMemories(size=stored.shape[1], seed=seed, memories=stored)

    def simulate(self, instance: RandomMemories) -> Any:
        """Damage the first memories, update each once and count."""
        wrong = round(float(self.cue_error) * instance.size)
        noise = generator(instance.seed, "damage")
        measured: dict[str, Any] = simulation.measure_update(
            instance.memories, wrong, float(self.sharpness), noise, TARGETS
        )
        return self.Observables(**measured)

    def _count(self, size: Any) -> Any:
        return jnp.round(jnp.exp(self.load * size))

"""Spins coupled by the light of a confocal cavity: parameters, one draw of the positions, theory and simulation."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from replicon.core.errors import DataError
from replicon.core.instance import Instance
from replicon.core.observables import Curve, Observables, Scalar, Spectrum, Status, observable
from replicon.core.parameters import parameter
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System, check_seed
from replicon.memory.cavity import simulation, theory
from replicon.memory.cavity.references import MARSH_2021


class SpinPositions(Instance):
    """Where the spin ensembles sit.

    Attributes
    ----------
    positions : float array (spins, 2)
        In units of the mode waist.
    """

    positions: Float[np.ndarray, "spins 2"]


class Cavity(System):
    """Confocal cavity memory: spins at random positions, coupled by light, from ferromagnet to memory to glass.

    N spin ensembles s_i = +-1 sit at r_i, Gaussian with standard deviation `width` per coordinate in units of the mode
    waist, with H = -sum_{i<j} J_ij s_i s_j, J_ij = cos(2 r_i.r_j) (one, not 1/N, at r = 0). The size is N. Nothing is
    stored: the memories are the attractors of the couplings, found from 300 random starts, a state and its mirror image
    counted once. The light flips the spin of largest energy drop first (steepest descent); zero-temperature Metropolis,
    sweeps in random order that accept any drop, is its rival. A cue returns if it ends at the attractor exactly, not at
    its mirror image. Theory knows the couplings, their spectrum, the stability of the ferromagnet, and a bound on the
    energy. The fraction of unstable spins takes the fields as Gaussian, an approximation.

    References
    ----------
    Marsh, Guo, Kroeze, Gopalakrishnan, Ganguli, Keeling and Lev, Phys. Rev. X 11, 021048 (2021).
    """

    width: float = parameter(1.0, symbol="w", unit="w₀", low=0, open="l", doc="spread of the positions per coordinate")
    dynamics: str = parameter(
        "steepest",
        symbol="dynamics",
        choices=("steepest", "metropolis"),
        doc="largest energy drop first, or any drop in random order",
    )

    class Observables(Observables):
        """What is predicted and measured of the confocal cavity memory."""

        coupling_mean: Scalar = observable("E J", "mean coupling of two spins")
        coupling_square: Scalar = observable("E J²", "mean squared coupling of two spins")
        coupling_histogram: Spectrum = observable(
            "P(J)", "probability of a coupling in each of 20 bins", dims=("coupling",)
        )
        largest_eigenvalue: Scalar = observable("λ₀", "largest eigenvalue of J/N")
        level_eigenvalues: Curve = observable(
            "λₙ", "mean eigenvalue of J/N in level n, which has n + 1", dims=("level",), prediction="approximation"
        )
        ferromagnet_error: Scalar = observable(
            "P₁", "fraction of spins unstable when all are up", prediction="approximation", quantum=1
        )
        energy: Scalar = observable("e", "energy per spin of the attractors with couplings J/N", prediction="lower")
        attractors: Scalar = observable("n", "distinct attractors of 300 random starts", face="measured")
        return_curve: Curve = observable(
            "P(k)", "exact return after k = flipped · N spins are flipped", face="measured", dims=("flipped",)
        )
        basin_radius: Scalar = observable(
            "k₉₅/N", "largest fraction of flipped spins with 95 % exact return", face="measured"
        )

        statuses = {
            theory.OUT_OF_RANGE: Status("parameters outside the range of the theory", declines=True),
            theory.UNRESOLVED: Status("largest eigenvalue lost in sampling noise at this size", valid=True),
        }

    theory_kinds = ("infinite", "finite")
    traced_size = True
    smallest_size = 16
    references = (MARSH_2021,)

    def coords(self) -> dict[str, Any]:
        """Centres of the bins, levels, and fractions of flipped spins."""
        edges = np.linspace(-1.0, 1.0, simulation.BINS + 1)
        return {
            "coupling": 0.5 * (edges[1:] + edges[:-1]),
            "level": np.asarray(simulation.LEVELS),
            "flipped": np.asarray(simulation.FLIPPED),
        }

    def footprint(self, size: int) -> Footprint:
        """Couplings with the work space of their eigenvalues, and the fields of all starts."""
        return Footprint(
            bytes=40.0 * size**2 + 10.0 * simulation.STARTS * size, seconds=2e-10 * size**3 + 2e-7 * size**2
        )

    def theory(self, size: int | None = None, instance: SpinPositions | None = None) -> Any:
        """Moments, histogram, spectrum and energy bound, at infinite size or with what sampling adds to order 1/N."""
        moments, status = theory.coupling_moments(self.width)
        edges = jnp.linspace(-1.0, 1.0, simulation.BINS + 1)
        below = theory.coupling_distribution(edges, jnp.asarray(self.width)[..., None]).values
        if size is None:
            levels = theory.spectrum(self.width).values["eigenvalue"]
            unstable = jnp.zeros_like(moments["mean"])
        else:
            levels, status = theory.sampled_spectrum(self.width, size)
            unstable = theory.ferromagnet_error(self.width, size).values
        return self.Observables(
            coupling_mean=moments["mean"],
            coupling_square=moments["mean_square"],
            coupling_histogram=jnp.diff(below, axis=-1),
            largest_eigenvalue=levels[..., 0],
            level_eigenvalues=levels,
            ferromagnet_error=unstable,
            energy=-0.5 * levels[..., 0],
            status=status,
        )

    def sample(self, size: int, seed: int) -> SpinPositions:
        """Draw the positions."""
        positions = simulation.draw_positions(size, self.width, generator(seed, "positions"))
        return SpinPositions(size=size, seed=seed, positions=positions)

    def instance(self, positions: Any, seed: int = 0) -> SpinPositions:
        """An instance at given positions, in units of the mode waist.

        Parameters
        ----------
        positions : array (spins, 2)
        seed : int
            Seed of the starts and of the dynamics.

        Raises
        ------
        DataError
            For positions of another shape, not finite, or fewer than 16.
        """
        places = simulation.checked_positions(positions)
        if places.shape[0] < self.smallest_size:
            raise DataError(f"Cavity: {places.shape[0]} positions given; at least {self.smallest_size} are needed")
        return SpinPositions(size=places.shape[0], seed=check_seed(seed), positions=places)

    def simulate(self, instance: SpinPositions) -> Any:
        """Measure couplings, attractors and the basin of the attractor that the first start reaches."""
        starts, noise = generator(instance.seed, "starts"), generator(instance.seed, "dynamics")
        return self.Observables(**simulation.measure(instance.positions, self.dynamics, starts, noise))

"""Capacity of the perceptron: the system that joins theory and simulation."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from replicon.core.errors import DataError
from replicon.core.instance import Instance
from replicon.core.observables import Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.references import Reference
from replicon.core.seeds import generator
from replicon.core.system import System
from replicon.inference.perceptron import simulation, theory

GARDNER = Reference(
    key="gardner1988space",
    authors="Gardner, E.",
    title="The space of interactions in neural network models",
    year=1988,
    journal="J. Phys. A",
    volume="21",
    pages="257",
    doi="10.1088/0305-4470/21/1/030",
)
COVER = Reference(
    key="cover1965geometrical",
    authors="Cover, Thomas M.",
    title="Geometrical and statistical properties of systems of linear inequalities with applications in pattern "
    "recognition",
    year=1965,
    journal="IEEE Trans. Electron. Comput.",
    volume="EC-14",
    pages="326",
    doi="10.1109/PGEC.1965.264137",
)


class LabelledPoints(Instance):
    """Random points with random labels.

    Attributes
    ----------
    points : array (samples, features)
        Standard normal.
    labels : array (samples,)
        +-1.
    """

    points: Float[np.ndarray, "samples features"]
    labels: Float[np.ndarray, " samples"]


class PerceptronCapacity(System):
    """Capacity of the perceptron: whether a hyperplane gives random points their random labels.

    n = round(load d) points x ~ N(0, I) in d dimensions, the size, and a hyperplane through the origin. At any size the
    probability is Cover's count, 1/2 at load 2. The largest margin is min_i y_i w.x_i over unit vectors w; at infinite
    size it is the inverse of Gardner's capacity. It is of draws that are separable.

    References
    ----------
    Cover, IEEE Trans. Electron. Comput. 14, 326 (1965); Gardner, J. Phys. A 21, 257 (1988).
    """

    load: float = parameter(1.2, symbol="α", low=0, open="l", doc="points per dimension, n/d")

    class Observables(Observables):
        """What is predicted and measured of the labels."""

        separable: Scalar = observable(
            "P_sep", "1 where a hyperplane has all labels right, else 0; the probability of it"
        )
        largest_margin: Scalar = observable("κ", "largest margin of a unit vector, on separable draws")

        statuses = {theory.NO_MARGIN: Status("beyond capacity: no margin at infinite size", valid=True)}

    theory_kinds = ("infinite", "finite")
    traced_size = True
    finite_size_exponent = 2 / 3
    references = (COVER, GARDNER)

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of points is zero."""
        if np.any(np.round(np.asarray(self.load) * size) < 1):
            least = int(np.ceil(0.5 / np.min(self.load))) + 1
            raise DataError(f"PerceptronCapacity: size is {size}, which at load {self.load} has no point; give {least}")

    def theory(self, size: int | None = None, instance: LabelledPoints | None = None) -> Any:
        """Cover's count at the realised load, and Gardner's margin."""
        load: Any = self.load if size is None else jnp.maximum(jnp.round(self.load * size), 1.0) / size
        return self.Observables.from_theory(theory.storage(jnp.asarray(load), size))

    def sample(self, size: int, seed: int) -> LabelledPoints:
        """Draw round(load d) points and labels."""
        points, labels = simulation.draw(round(self.load * size), size, generator(seed, "points"))
        return LabelledPoints(size=size, seed=seed, points=points, labels=labels)

    def simulate(self, instance: LabelledPoints) -> Any:
        """Decide by a linear programme, then find the hyperplane of largest margin."""
        measured: dict[str, Any] = simulation.store(instance.points, instance.labels)
        return self.Observables(**measured)

"""The base class of every system: what it must say, and what the core does with it.

A system states its parameters, draws instances, simulates them and predicts the outcome. Precision, seeds,
batching, grids, statuses and the choice among the three kinds of theory are added here around its methods.
"""

import functools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import equinox as eqx
import numpy as np

from replicon.core import evaluation, realization
from replicon.core.errors import DataError, ParameterError
from replicon.core.instance import Instance
from replicon.core.observables import Observables
from replicon.core.parameters import Parameter, check_parameter, parameters_of, unknown_name
from replicon.core.references import Reference
from replicon.core.seeds import LARGEST_SEED


@dataclass(frozen=True)
class Footprint:
    """What one realisation costs: peak memory in bytes and, where known, seconds on one core."""

    bytes: float = 0.0
    seconds: float | None = None


class System(eqx.Module):
    """A model whose theory and simulation are laid side by side. Its instances are immutable pytrees.

    A subclass declares parameters with `parameter`, a nested `Observables` class with `observable`, and the
    methods `theory`, `sample` and `simulate`. The class constants below tell the core what it may do.

    Attributes
    ----------
    batch : int
        Realisations computed at once; part of the system's identity, because bits change with it.
    simulation_in_jax : bool
        True when `simulate` is a JAX function of the instance: the core then compiles it and maps it over a batch.
    traceable : bool
        False when `theory` cannot be traced by JAX; it is then looped over.
    traced_size : bool
        True when `theory` accepts a traced `size` (one compilation for all sizes).
    theory_kinds : tuple of str
        Which of "infinite", "finite" and "instance" exist; a missing one falls back and says so.
    traced_regime : hashable
        The regime assumed where parameters are traced by the user and `regime` cannot be evaluated.
    finite_size_exponent : float
        Corrections to the infinite-size theory fall as size ** -exponent.
    smallest_size : int
        The smallest size that makes sense.
    model_version : str
        Raised whenever the numbers change for the same parameters and seed.
    references : tuple of Reference
        The sources, for `replicon.cite`.
    """

    batch: ClassVar[int] = 1
    simulation_in_jax: ClassVar[bool] = False
    traceable: ClassVar[bool] = True
    traced_size: ClassVar[bool] = False
    theory_kinds: ClassVar[tuple[str, ...]] = ("infinite",)
    traced_regime: ClassVar[Hashable] = None
    finite_size_exponent: ClassVar[float] = 1.0
    smallest_size: ClassVar[int] = 1
    model_version: ClassVar[str] = "1"
    references: ClassVar[tuple[Reference, ...]] = ()

    Observables: ClassVar[type[Observables]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, wrap in _WRAPPERS.items():
            if name in cls.__dict__:
                setattr(cls, name, wrap(cls.__dict__[name]))

    def __check_init__(self) -> None:
        for name, info in self.parameters().items():
            check_parameter(name, info, getattr(self, name), type(self).__name__)
        self.validate()

    def validate(self) -> None:
        """Raise `ParameterError` for parameters that are each in range but do not go together."""

    def theory(self, size: int | None = None, instance: Any = None) -> Any:
        """Predict the observables.

        Parameters
        ----------
        size : int, optional
            Predict for this size, with the known finite-size corrections.
        instance : Instance, optional
            Predict given what is measured of this very draw.

        Returns
        -------
        Observables
            Floats for a single point; arrays of the parameters' common shape where parameters are arrays.

        Raises
        ------
        ConvergenceError
            At a single point that did not converge (in grids it is nan, with its status).
        """
        raise NotImplementedError(f"{type(self).__name__} has no theory")

    def sample(self, size: int, seed: int) -> Any:
        """Draw one instance of the quenched disorder.

        Parameters
        ----------
        size : int
            System size, as the system's docstring defines it.
        seed : int
            In [0, 2**63); the same seed gives the same instance.
        """
        raise NotImplementedError(f"{type(self).__name__} has no simulation")

    def simulate(self, instance: Any) -> Any:
        """Measure the observables on one instance."""
        raise NotImplementedError(f"{type(self).__name__} has no simulation")

    def simulate_batch(self, instances: Sequence[Any]) -> list[Any]:
        """Measure the observables on exactly ``batch`` instances at once."""
        return realization.default_batch(self, instances)

    def regime(self) -> Hashable:
        """Which equations apply (zero temperature, say), decided on concrete values before tracing."""
        return None

    def footprint(self, size: int) -> Footprint:
        """Memory and time of one realisation at this size, as far as known."""
        return Footprint()

    def coords(self) -> dict[str, Any]:
        """Coordinate values of the curves and spectra, by dimension name."""
        return {}

    def validate_size(self, size: int) -> None:
        """Raise `DataError` where this size makes no sense for these parameters."""

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """Name and description of each parameter."""
        return parameters_of(cls)

    def values(self) -> dict[str, Any]:
        """Name and value of each parameter."""
        return {name: getattr(self, name) for name in self.parameters()}

    @classmethod
    def make(cls, **values: Any) -> Self:
        """Construct from values by name, as typed or read from a file.

        Raises
        ------
        ParameterError
            For a name that does not exist (the nearest one is suggested) or a value out of range.
        """
        for name in values:
            if name not in cls.parameters():
                raise unknown_name(name, cls.parameters(), "parameter", cls.__name__)
        return cls(**values)

    def identity(self) -> dict[str, Any]:
        """What fixes the numbers of a realisation apart from size and seed, ready for canonical JSON."""
        return {
            "system": f"{type(self).__module__}:{type(self).__qualname__}",
            "version": self.model_version,
            "batch": self.batch,
            "parameters": self.values(),
        }

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, System):
            return NotImplemented
        pairs = zip(self.values().values(), other.values().values(), strict=True)
        return all(np.array_equal(a, b) for a, b in pairs)

    def __hash__(self) -> int:
        return hash(
            (type(self), *(v if not isinstance(v, np.ndarray) else v.tobytes() for v in self.values().values()))
        )


def check_size(system: System, size: Any) -> int:
    """The size as a Python int, or a `DataError` that says what would be right."""
    owner = type(system).__name__
    if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, np.integer)):
        raise DataError(f"{owner}: size is {size!r}; give a whole number of at least {system.smallest_size}")
    if size < system.smallest_size:
        raise DataError(f"{owner}: size is {size}; it must be at least {system.smallest_size}")
    system.validate_size(int(size))
    return int(size)


def check_seed(seed: Any) -> int:
    """The seed as a Python int, or a `ParameterError`."""
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)) or not 0 <= seed <= LARGEST_SEED:
        raise ParameterError(f"seed is {seed!r}; give a whole number in [0, 2**63)")
    return int(seed)


def _wrap_theory(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def theory(self: System, size: int | None = None, instance: Any = None) -> Any:
        if size is not None:
            size = check_size(self, size)
        return evaluation.evaluate(self, method, size, instance)

    return theory


def _wrap_sample(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def sample(self: System, size: int, seed: int) -> Any:
        size, seed = check_size(self, size), check_seed(seed)
        realization.check_memory(self, size)
        return realization.draw(self, method, size, seed)

    return sample


def _wrap_simulate(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def simulate(self: System, instance: Any) -> Any:
        if not isinstance(instance, Instance):
            given = type(instance).__name__
            raise DataError(f"{type(self).__name__}: simulate was given {given}; give what sample(size, seed) returns")
        return realization.simulate_one(self, method, instance)

    return simulate


_WRAPPERS: dict[Literal["theory", "sample", "simulate", "regime"], Callable[..., Any]] = {
    "theory": _wrap_theory,
    "sample": _wrap_sample,
    "simulate": _wrap_simulate,
    "regime": evaluation.pinned_regime,
}

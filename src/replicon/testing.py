"""The conformity kit: every system, a third party's too, is run through `check_system` by its own tests."""

import json
import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from replicon.core.compare import compare
from replicon.core.errors import DataError, ParameterError, RepliconError
from replicon.core.execution import Processes
from replicon.core.instance import Instance
from replicon.core.observables import Observables
from replicon.core.parameters import Parameter
from replicon.core.realization import Draws, realize
from replicon.core.seeds import canonical
from replicon.core.system import System
from replicon.maths.solution import NOT_CONVERGED

Check = Callable[[], None]

GRID_TOLERANCE = 1e-9
"""Relative difference allowed between a grid and its single points: vectorised sums round in another order."""

GRADIENT_TOLERANCE = 1e-4
"""Relative difference allowed between a derivative and its central finite difference."""


class ConformityError(AssertionError):
    """A system does not keep the contract; the message says which rule and what would be right."""


def check_system(
    system: System | type[System], *, sizes: Sequence[int] = (40, 60), realizations: int = 5, workers: int = 2
) -> list[str]:
    """Check that a system keeps the contract of `replicon.System`.

    Parameters
    ----------
    system : System or System class
        A class is checked at its default parameters. Check an instance for every regime and static choice.
    sizes : sequence of int
        Two small sizes that the simulation takes.
    realizations : int
        Draws per size; at least 3.
    workers : int
        Worker processes that must give the same bits as this process; 1 leaves that check out.

    Returns
    -------
    list of str
        Names of the checks that were passed.

    Raises
    ------
    ConformityError
        At the first rule that is broken.
    """
    passed = []
    for name, check in system_checks(system, sizes=sizes, realizations=realizations, workers=workers):
        try:
            check()
        except ConformityError as error:
            raise ConformityError(f"{name}: {error}") from error
        passed.append(name)
    return passed


def system_checks(
    system: System | type[System], *, sizes: Sequence[int] = (40, 60), realizations: int = 5, workers: int = 2
) -> Iterator[tuple[str, Check]]:
    """The checks of `check_system` one by one, as (name, callable), for ``pytest.mark.parametrize``."""
    point = system() if isinstance(system, type) else system
    kit = _Kit(point, list(sizes), realizations, workers)
    for name in (
        "declaration", "ranges", "words", "unknown_names", "identity", "pickle", "record", "kinds_of_theory",
        "grid_equals_points", "transformations", "gradient", "sizes_and_seeds", "same_draw_again", "measurement",
        "same_bits_in_any_block", "same_bits_in_workers", "float32_callers", "comparison",
    ):  # fmt: skip
        yield name, getattr(kit, name)


def _require(condition: Any, message: str) -> None:
    if not condition:
        raise ConformityError(message)


def _refused(call: Callable[[], Any], error: type[Exception], what: str) -> str:
    try:
        call()
    except error as caught:
        return str(caught)
    except Exception as other:
        raise ConformityError(f"{what} raised {type(other).__name__} ({other}); raise {error.__name__}") from other
    raise ConformityError(f"{what} was accepted; raise {error.__name__}")


class _Kit:
    """One method per rule."""

    def __init__(self, system: System, sizes: list[int], realizations: int, workers: int) -> None:
        self.system, self.sizes, self.realizations, self.workers = system, sizes, max(realizations, 3), workers
        self.owner = type(system)
        self.has_theory = self.owner.theory is not System.theory
        self.has_simulation = self.owner.simulate is not System.simulate
        self._draws: Draws | None = None

    @property
    def draws(self) -> Draws:
        """Realisations 0, 1, ... computed one after the other in this process."""
        if self._draws is None:
            self._draws = realize(self.system, self.sizes[0], range(self.realizations), seed=7)
        return self._draws

    def declaration(self) -> None:
        text = self.owner.__doc__ or ""
        _require(text.strip(), "the class has no docstring")
        _require(
            "References" in text or self.owner.references,
            "neither a References section nor `references` names a source",
        )
        _require(self.owner.parameters(), "the system has no parameters")
        for name, info in self.owner.parameters().items():
            _require(info.symbol and info.doc and info.unit, f"parameter {name} lacks symbol, unit or doc")
        table = self.owner.Observables.table()
        _require(table, "the system has no observables")
        for name, entry in table.items():
            _require(entry.symbol and entry.doc and entry.unit, f"observable {name} lacks symbol, unit or doc")
            for dim in entry.dims:
                _require(dim in self.system.coords(), f"observable {name} has dimension {dim}, which coords() lacks")
        _require(self.has_theory or self.has_simulation, "the system has neither theory nor simulation")

    def ranges(self) -> None:
        for name, info in self.owner.parameters().items():
            if info.choices is not None:
                continue
            bad: list[Any] = [math.nan, "x", None, True, *_outside(info)]
            for value in bad:
                message = _refused(lambda n=name, v=value: self._with(**{n: v}), ParameterError, f"{name}={value!r}")
                _require(name in message, f"the error for {name}={value!r} does not name the parameter: {message}")
                _require(info.range in message, f"the error for {name}={value!r} does not say the range: {message}")
            if not info.static:
                grid = np.array([getattr(self.system, name), math.nan])
                _refused(lambda n=name, v=grid: self._with(**{n: v}), ParameterError, f"nan in an array of {name}")

    def words(self) -> None:
        for name, info in self.owner.parameters().items():
            if info.choices is not None:
                message = _refused(lambda n=name: self._with(**{n: "nonsense"}), ParameterError, f"{name}='nonsense'")
                _require(all(word in message for word in info.choices), f"the error does not list the words: {message}")

    def unknown_names(self) -> None:
        name = next(iter(self.owner.parameters()))
        message = _refused(lambda: self.owner.make(**{name + "x": 1.0}), ParameterError, "an unknown name")
        _require(repr(name) in message, f"the error does not suggest the nearest name: {message}")

    def identity(self) -> None:
        text = canonical(self.system.identity())
        again = self.owner.make(**json.loads(text)["parameters"])
        _require(again == self.system, "the system is not equal to itself after a round trip through JSON")
        _require(canonical(again.identity()) == text, "the identity changes in a round trip through JSON")

    def pickle(self) -> None:
        again = pickle.loads(pickle.dumps(self.system))
        _require(again == self.system and hash(again) == hash(self.system), "the system changes when pickled")

    def record(self) -> None:
        if not self.has_theory:
            return
        result = self._predicted()
        _require(isinstance(result, self.owner.Observables), f"theory returned {type(result).__name__}")
        self._check_record(result, "predicted", "theory")

    def kinds_of_theory(self) -> None:
        if not self.has_theory:
            return
        _require("infinite" in self.owner.theory_kinds, "theory_kinds must contain 'infinite'")
        _require(self._predicted().kind == "infinite", "theory() must be the prediction for infinite size")
        finite = self.system.theory(size=self.sizes[0])
        expected = "finite" if "finite" in self.owner.theory_kinds else "infinite"
        _require(finite.kind == expected, f"theory(size=...) is labelled {finite.kind}, not {expected}")
        _require(expected == "finite" or finite.remark, "a theory that falls back must say so")
        if self.has_simulation:
            given = self.system.theory(instance=self.system.sample(self.sizes[0], 3))
            if "instance" in self.owner.theory_kinds:
                _require(given.kind == "instance", f"theory(instance=...) is labelled {given.kind}")
            else:
                _require(given.kind == expected and given.remark, "theory(instance=...) must fall back and say so")

    def grid_equals_points(self) -> None:
        if not self.has_theory:
            return
        for name, values in self._neighbours():
            grid = self._with(**{name: values}).theory()
            _require(np.shape(grid.status) == np.shape(values), f"a grid over {name} has status of another shape")
            for index, value in enumerate(values):
                single = self._with(**{name: value}).theory()
                for observable, number in single.present().items():
                    column = np.asarray(getattr(grid, observable))[index]
                    same = np.allclose(column, number, rtol=GRID_TOLERANCE, atol=1e-12, equal_nan=True)
                    _require(same, f"{observable} at {name}={value}: {column} in a grid, {number} alone")

    def transformations(self) -> None:
        if not self._differentiable():
            return
        centre, call, names = self._as_function()
        alone = self._predicted()
        with jax.enable_x64(True):
            results = {
                "jit": _numpy(jax.jit(call)(centre)),
                "vmap": [r[0] for r in _numpy(jax.vmap(call)(centre[None]))],
            }
        for title, numbers in results.items():
            for observable, number in zip(names, numbers, strict=True):
                same = np.allclose(number, getattr(alone, observable), rtol=1e-7, atol=1e-10, equal_nan=True)
                _require(same, f"{observable} is {number} under {title}, {getattr(alone, observable)} alone")

    def gradient(self) -> None:
        if not self._differentiable():
            return
        centre, call, names = self._as_function()
        table = self.owner.Observables.table()
        with jax.enable_x64(True):
            slopes = _numpy(jax.jit(jax.jacfwd(call))(centre))
        for k, (name, values) in enumerate(self._neighbours()):
            step = 1e-3 * float(values[2] - values[1])
            below, above = (self._with(**{name: values[1] + sign * step}).theory() for sign in (-1, 1))
            for observable, slope in zip(names, slopes, strict=True):
                if table[observable].dims:
                    continue
                low, high = getattr(below, observable), getattr(above, observable)
                difference = (high - low) / (2 * step)
                rounding = 1e-11 * max(abs(low), abs(high)) / step
                if np.isfinite(difference):
                    _require(
                        abs(slope[k] - difference) <= GRADIENT_TOLERANCE * abs(difference) + rounding + 1e-7,
                        f"d {observable} / d {name} is {slope[k]} by grad and {difference} by finite difference",
                    )

    def sizes_and_seeds(self) -> None:
        if not self.has_simulation:
            return
        sizes: list[Any] = [0, -1, 2.5, True, "10"]
        seeds: list[Any] = [-1, 2**63, 0.5, "a"]
        for size in sizes:
            _refused(lambda s=size: self.system.sample(s, 0), DataError, f"size={size!r}")
        for seed in seeds:
            _refused(lambda s=seed: self.system.sample(self.sizes[0], s), ParameterError, f"seed={seed!r}")
        _refused(lambda: self.system.simulate("nonsense"), DataError, "simulating what is no instance")

    def same_draw_again(self) -> None:
        if not self.has_simulation:
            return
        first, again, other = (self.system.sample(self.sizes[0], seed) for seed in (5, 5, 2**40 + 5))
        _require(isinstance(first, Instance), f"sample returned {type(first).__name__}, not an Instance")
        _require(first.size == self.sizes[0] and first.seed == 5, "the instance does not carry its size and seed")
        _require(_same(first, again), "the same seed gives two different instances")
        one, two, copy, else_ = (
            self.system.simulate(i) for i in (first, first, pickle.loads(pickle.dumps(again)), other)
        )
        _require(_same(one, two) and _same(one, copy), "the same instance is measured with different results")
        _require(not _same(one, else_), "two seeds that agree in their low 32 bits give the same measurement")

    def measurement(self) -> None:
        if not self.has_simulation:
            return
        result = self.system.simulate(self.system.sample(self.sizes[0], 5))
        _require(isinstance(result, self.owner.Observables), f"simulate returned {type(result).__name__}")
        _require(result.kind == "measured", "a measurement is not labelled so")
        self._check_record(result, "measured", "simulate")

    def same_bits_in_any_block(self) -> None:
        if not self.has_simulation:
            return
        _require(not self.draws.errors, f"realisations failed: {self.draws.errors}")
        everything = list(range(self.realizations))
        for order in ([everything[::-1]], [everything[:2], everything[2:]], [[k] for k in everything]):
            for block in order:
                part = realize(self.system, self.sizes[0], block, seed=7)
                for name, column in part.values.items():
                    same = np.array_equal(column, self.draws.values[name][block], equal_nan=True)
                    _require(same, f"{name} depends on the block: {block} gives {column}")
        single = self.system.simulate(self.system.sample(self.sizes[0], int(self.draws.seeds[1])))
        for name, number in single.present().items():
            same = np.array_equal(number, self.draws.values[name][1], equal_nan=True)
            _require(same, f"{name} of a single simulate differs from the same draw in a block")

    def same_bits_in_workers(self) -> None:
        if not self.has_simulation or self.workers < 2:
            return
        tasks = [(self.system, self.sizes[0], [k], 7) for k in range(self.realizations)]
        for k, part in Processes(self.workers).run(_in_worker, tasks):
            for name, column in part.values.items():
                same = np.array_equal(column[0], self.draws.values[name][k], equal_nan=True)
                _require(same, f"{name} of realisation {k} has other bits in a worker process")

    def float32_callers(self) -> None:
        _require(
            not jax.config.read("jax_enable_x64"), "the float64 flag is set globally; the core enters it by itself"
        )
        data = np.linspace(0.1, 1.0, 7, dtype=np.float32)

        def users_own() -> Any:
            return jax.jit(lambda x: jnp.sum(jnp.sin(x) * data))(jnp.float32(2.0))

        def ours() -> list[Any]:
            results = []
            if self.has_theory:
                results.append(self._predicted())
            if self.has_simulation:
                results.append(self.system.simulate(self.system.sample(self.sizes[0], 5)))
            return results

        before = users_own()
        first = ours()
        between = users_own()
        second = ours()
        _require(between.dtype == jnp.float32 and before.dtype == jnp.float32, "a float32 caller becomes float64")
        _require(float(before) == float(between), "a float32 caller gets other numbers after the library was used")
        _require(all(_same(a, b) for a, b in zip(first, second, strict=True)), "results change after float32 code ran")
        _require(not jax.config.read("jax_enable_x64"), "the system sets the float64 flag globally")

    def comparison(self) -> None:
        if not (self.has_theory and self.has_simulation):
            return
        result = compare(self.system, self.sizes, self.realizations, seed=1)
        _require(result.verdict in ("agree", "disagree", "undecided"), "compare gives no verdict")
        _require(str(result) and result._repr_html_(), "the comparison does not print")

    def _predicted(self) -> Any:
        return self.system.theory()

    def _differentiable(self) -> bool:
        """Whether the theory can be traced here: a user's tracer always meets `traced_regime`."""
        traced = self.has_theory and self.owner.traceable and self.system.regime() == self.owner.traced_regime
        return traced and any(True for _ in self._neighbours())

    def _as_function(self) -> tuple[np.ndarray, Callable[[Any], list[Any]], list[str]]:
        """The theory as a function of the vector of its traced parameters, with the observables' names."""
        parameters = [name for name, _ in self._neighbours()]
        names = list(self._predicted().present())

        def call(vector: Any) -> list[Any]:
            result = self._with(**{name: vector[k] for k, name in enumerate(parameters)}).theory()
            return [jnp.asarray(getattr(result, name)) for name in names]

        return np.array([getattr(self.system, name) for name in parameters], dtype=float), call, names

    def _with(self, **values: Any) -> Any:
        return self.owner(**{**self.system.values(), **values})

    def _check_record(self, result: Observables, side: str, method: str) -> None:
        coords = self.system.coords()
        for name, entry in self.owner.Observables.table().items():
            value = getattr(result, name)
            if value is None:
                continue
            _require(entry.face in ("both", side), f"{method} gives {name}, which is declared {entry.face} only")
            if entry.dims:
                shape = tuple(np.shape(coords[dim])[-1] for dim in entry.dims)
                _require(
                    isinstance(value, np.ndarray), f"{method}: {name} is {type(value).__name__}, not a NumPy array"
                )
                _require(value.shape == shape, f"{method}: {name} has shape {value.shape}, its coordinates {shape}")
            else:
                _require(isinstance(value, (float, int)), f"{method}: {name} is {type(value).__name__}, not a number")
        _require(result.present(), f"{method} gives no observable")
        known = NOT_CONVERGED | sum(result.status_table())
        _require(int(result.status) & ~known == 0, f"{method}: status {result.status} has bits without a text")

    def _neighbours(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each traced parameter with three values near its own, inside its range and the system's regime."""
        for name, info in self.owner.parameters().items():
            if info.static:
                continue
            centre = float(getattr(self.system, name))
            width = 0.01 * (abs(centre) if centre else 1.0)
            values = centre + width * np.array([-1.0, 0.0, 1.0])
            if not info.allows(values).all():
                continue
            try:
                regimes = {self._with(**{name: value}).regime() for value in values}
            except RepliconError:
                continue
            if len(regimes) == 1:
                yield name, values


def _outside(info: Parameter) -> list[float]:
    """Values just outside the range, the excluded ends among them."""
    values: list[float] = [math.inf, -math.inf] if not info.static else []
    if math.isfinite(info.low):
        values.append(
            info.low if info.open_low else info.low - max(abs(info.low), 1) * 0.01 - (1 if info.static else 0)
        )
    if math.isfinite(info.high):
        values.append(
            info.high if info.open_high else info.high + max(abs(info.high), 1) * 0.01 + (1 if info.static else 0)
        )
    return values


def _in_worker(system: System, size: int, indices: list[int], seed: int) -> Draws:
    return realize(system, size, indices, seed=seed)


def _numpy(results: list[Any]) -> list[np.ndarray]:
    return [np.asarray(result) for result in results]


def _same(one: Any, two: Any) -> bool:
    """Equal to the bit, leaf by leaf."""
    leaves, tree = jax.tree_util.tree_flatten(one)
    others, other_tree = jax.tree_util.tree_flatten(two)
    if isinstance(one, Instance) != isinstance(two, Instance) or tree != other_tree:
        return False
    return all(
        np.array_equal(np.asarray(a), np.asarray(b), equal_nan=np.asarray(a).dtype.kind == "f")
        for a, b in zip(leaves, others, strict=True)
    )

"""Evaluating a system's theory: one compiled call for a point, one compiled map for a grid."""

import dataclasses
import functools
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from replicon.core.errors import ConvergenceError, DataError, ParameterError, RepliconError
from replicon.core.instance import Instance
from replicon.core.observables import KINDS
from replicon.core.precision import is_traced, own, to_user
from replicon.maths.solution import NOT_CONVERGED

if TYPE_CHECKING:
    from replicon.core.system import System

GRID_CHUNK = 4096
"""Points of a grid computed at once: bounds the memory of theories that integrate on fine grids."""

_pinned: ContextVar[tuple[type, Hashable] | None] = ContextVar("replicon_regime", default=None)


def evaluate(system: "System", method: Callable[..., Any], size: int | None, instance: Any) -> Any:
    """Predictions of `system` by its own `method`; see ``System.theory``."""
    if instance is not None and not isinstance(instance, Instance):
        raise DataError(f"{type(system).__name__}: theory was given {type(instance).__name__} as instance")
    kind, size, instance, remark = _choose_kind(system, size, instance)
    with jax.enable_x64(True):
        if is_traced(system):
            result = method(system, size=size, instance=instance)
        elif _shape(system) != ():
            if instance is not None:
                raise DataError(f"{type(system).__name__}: parameters that are arrays cannot share one instance")
            result = _grid(system, method, size)
        elif instance is not None or not system.traceable:
            result = to_user(method(system, size=size, instance=own(instance)))
        else:
            compiled = _compiled(method, type(system), system.regime(), _static_size(system, size), False)
            result = to_user(_call(compiled, system, _traced_size(system, size)))
        result = _label(result, kind, remark)
        if not is_traced(result) and np.ndim(result.status) == 0 and int(result.status) & NOT_CONVERGED:
            at = ", ".join(f"{name}={value}" for name, value in system.values().items())
            raise ConvergenceError(
                f"{type(system).__name__}: theory did not converge at {at} (residual {result.residual}); "
                "a grid evaluation gives nan with its status there"
            )
    return result


def pinned_regime(method: Callable[..., Hashable]) -> Callable[..., Hashable]:
    """Wrap ``System.regime``: inside a trace it answers what was decided before tracing."""

    @functools.wraps(method)
    def regime(self: "System") -> Hashable:
        pinned = _pinned.get()
        if pinned is not None and pinned[0] is type(self):
            return pinned[1]
        return self.traced_regime if is_traced(self) else method(self)

    return regime


def points_of(system: "System") -> tuple[tuple[int, ...], list[Any]]:
    """Common shape of an array-valued system's parameters and its points as single systems."""
    shape = _shape(system)
    leaves, treedef = jax.tree_util.tree_flatten(system)
    columns = [np.broadcast_to(np.asarray(leaf, dtype=np.float64), shape).ravel() for leaf in leaves]
    points = [jax.tree_util.tree_unflatten(treedef, [float(v) for v in row]) for row in zip(*columns, strict=True)]
    return shape, points


def _choose_kind(system: "System", size: Any, instance: Any) -> tuple[str, Any, Any, str]:
    """The kind of theory that will be used, and a remark where it is not the one asked for."""
    asked = "instance" if instance is not None else "finite" if size is not None else "infinite"
    if instance is not None and "instance" not in system.theory_kinds:
        size, instance = instance.size, None
    if instance is None and size is not None and "finite" not in system.theory_kinds:
        size = None
    kind = "instance" if instance is not None else "finite" if size is not None else "infinite"
    remark = "" if kind == asked else f"there is no {asked} theory of this system; this is {KINDS[kind]}"
    return kind, size, instance, remark


def _label(result: Any, kind: str, remark: str) -> Any:
    remark = "; ".join(part for part in (result.remark, remark) if part)
    return dataclasses.replace(result, kind=kind, remark=remark)


def _shape(system: "System") -> tuple[int, ...]:
    shapes = [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(system)]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ParameterError(
            f"{type(system).__name__}: parameters that are arrays have shapes {[s for s in shapes if s]}; "
            "give arrays that broadcast to one shape"
        ) from None


def _static_size(system: "System", size: int | None) -> Hashable:
    return None if size is None else "traced" if system.traced_size else size


def _traced_size(system: "System", size: int | None) -> Any:
    return float(size) if size is not None and system.traced_size else None


@functools.lru_cache(maxsize=512)
def _compiled(
    method: Callable[..., Any], owner: type, regime: Hashable, static_size: Hashable, mapped: bool
) -> Callable[..., Any]:
    """The jitted theory of one class, regime and size; JAX itself keys it by the static parameters."""

    def call(system: "System", traced_size: Any) -> Any:
        token = _pinned.set((owner, regime))
        try:
            return method(system, size=traced_size if static_size == "traced" else static_size, instance=None)
        finally:
            _pinned.reset(token)

    return jax.jit(jax.vmap(call, in_axes=(0, None)) if mapped else call)


def _grid(system: "System", method: Callable[..., Any], size: int | None) -> Any:
    """Evaluate every point of an array-valued system, one compiled map per regime."""
    shape, points = points_of(system)
    count = len(points)
    if count == 0:
        raise ParameterError(f"{type(system).__name__}: the grid has no points")
    if system.traceable:
        regimes: dict[Hashable, list[int]] = {}
        for index, point in enumerate(points):
            regimes.setdefault(point.regime(), []).append(index)
        parts = [
            (indices[start : start + GRID_CHUNK], regime)
            for regime, indices in regimes.items()
            for start in range(0, len(indices), GRID_CHUNK)
        ]
        results = [
            (indices, _mapped(system, method, [points[i] for i in indices], regime, size)) for indices, regime in parts
        ]
    else:
        results = [([i], _stack([to_user(method(point, size=size, instance=None))])) for i, point in enumerate(points)]
    order = np.concatenate([indices for indices, _ in results])
    inverse = np.argsort(order)
    merged: dict[str, Any] = {}
    for name in (entry.name for entry in dataclasses.fields(results[0][1])):
        pieces = [getattr(record, name) for _, record in results]
        if name in ("kind", "remark"):
            merged[name] = pieces[0]
        elif any(piece is None for piece in pieces):
            merged[name] = None
        else:
            array = np.concatenate(pieces)[inverse]
            merged[name] = array.reshape(shape + array.shape[1:])
    status = np.asarray(merged["status"])
    bad = (status & NOT_CONVERGED) != 0
    if bad.any():
        for name in type(results[0][1]).table():
            if merged[name] is not None:
                merged[name] = np.where(
                    bad.reshape(bad.shape + (1,) * (merged[name].ndim - bad.ndim)), np.nan, merged[name]
                )
    return type(results[0][1])(**merged)


def _mapped(system: "System", method: Callable[..., Any], points: list[Any], regime: Hashable, size: int | None) -> Any:
    """One compiled map over points of one regime."""
    count = len(points)
    stacked = _stack(points)
    compiled = _compiled(method, type(system), regime, _static_size(system, size), True)
    result = to_user(_call(compiled, stacked, _traced_size(system, size)))
    return jax.tree_util.tree_map(lambda leaf: np.broadcast_to(leaf, (count, *np.shape(leaf)[1:])), result)


def _call(compiled: Callable[..., Any], system: "System", traced_size: Any) -> Any:
    try:
        return compiled(system, traced_size)
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise RepliconError(
            f"{type(system).__name__}: the theory cannot be traced by JAX; write it with jax.numpy and jax.lax, let "
            "regime() choose among equations, or set traceable = False to have it looped over "
            f"({error.args[0].splitlines()[0]})"
        ) from error


def _stack(records: list[Any]) -> Any:
    return jax.tree_util.tree_map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *records)

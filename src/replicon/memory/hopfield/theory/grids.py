"""From a function of scalars to a public one: broadcast arrays in, float64 inside, NumPy out."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from replicon.core.precision import in_float64
from replicon.maths.solution import Solution

_BATCH = 64
"""Points computed together: few enough for the quadrature nodes of all of them to stay in the cache."""


def pointwise(*static: str) -> Callable[[Callable[..., tuple[Any, Array]]], Callable[..., Solution]]:
    """Decorate a function of float64 scalars that returns (values, status) to work on grids.

    The public function takes numbers or arrays, broadcasts them, compiles once per shape and returns a `Solution`
    whose leaves have the shape of the grid. Arguments named in `static` are compiled in.
    """

    def decorate(point: Callable[..., tuple[Any, Array]]) -> Callable[..., Solution]:
        signature = inspect.signature(point)

        @functools.partial(jax.jit, static_argnames="constants")
        def compiled(numbers: dict[str, Array], constants: tuple[tuple[str, Any], ...]) -> Any:
            names = tuple(numbers)
            return _over_grid(
                lambda *scalars: point(**dict(zip(names, scalars, strict=True)), **dict(constants)),
                *numbers.values(),
            )

        @functools.wraps(point)
        @in_float64
        def public(*args: Any, **kwargs: Any) -> Solution:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            numbers = {n: jnp.asarray(v, dtype=float) for n, v in bound.arguments.items() if n not in static}
            constants = tuple((n, v) for n, v in bound.arguments.items() if n in static)
            return Solution(*compiled(numbers, constants))

        public.__annotations__ = point.__annotations__ | {"return": Solution}
        public.__signature__ = signature.replace(return_annotation=Solution)  # type: ignore[attr-defined]
        return public

    return decorate


def _over_grid(function: Callable[..., Any], *parameters: Array) -> Any:
    if not parameters:
        return function()
    arrays = jnp.broadcast_arrays(*parameters)
    shape = arrays[0].shape
    if shape == ():
        return function(*arrays)
    flat = tuple(a.reshape(-1) for a in arrays)
    if flat[0].size <= _BATCH:
        results = jax.vmap(function)(*flat)
    else:
        results = jax.lax.map(lambda point: function(*point), flat, batch_size=_BATCH)
    return jax.tree_util.tree_map(lambda leaf: leaf.reshape(shape + leaf.shape[1:]), results)

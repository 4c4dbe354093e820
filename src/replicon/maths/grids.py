"""From a function of scalars to a public one: broadcast arrays in, float64 inside, NumPy out."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from replicon.core.precision import in_float64, is_traced
from replicon.maths.solution import Solution

_BLOCK = 32
"""Points of a grid computed together: few enough for the quadrature nodes of all of them to stay in the cache."""


def pointwise(*static: str) -> Callable[[Callable[..., tuple[Any, Array]]], Callable[..., Solution]]:
    """Decorate a function of float64 scalars that returns (values, status) to work on grids.

    The public function takes numbers or arrays, broadcasts them and returns a `Solution` whose leaves have the shape
    of the grid (followed by their own). It is compiled once for a single point and once for a block of points, of
    which grids of any size are made; arguments named in `static` are compiled in.
    """

    def decorate(point: Callable[..., tuple[Any, Array]]) -> Callable[..., Solution]:
        signature = inspect.signature(point)

        @functools.partial(jax.jit, static_argnames="constants")
        def evaluate(numbers: dict[str, Array], constants: tuple[tuple[str, Any], ...]) -> Any:
            if not numbers:
                return point(**dict(constants))
            arrays = dict(zip(numbers, jnp.broadcast_arrays(*numbers.values()), strict=True))
            shape = next(iter(arrays.values())).shape
            function = functools.partial(_call, point, constants)
            if shape == ():
                return function(arrays)
            results = jax.vmap(function)({name: array.reshape(-1) for name, array in arrays.items()})
            return jax.tree_util.tree_map(lambda leaf: leaf.reshape(shape + leaf.shape[1:]), results)

        def in_blocks(numbers: dict[str, Any], constants: tuple[tuple[str, Any], ...]) -> Any:
            arrays = dict(zip(numbers, np.broadcast_arrays(*numbers.values()), strict=True))
            shape = next(iter(arrays.values())).shape
            size = int(np.prod(shape))
            flat = {name: array.reshape(-1) for name, array in arrays.items()}
            blocks = []
            for start in range(0, max(size, 1), _BLOCK):
                # A short block repeats its last point; an empty grid computes any point for the shapes of the leaves.
                where = np.clip(np.arange(start, start + _BLOCK), 0, size - 1) if size else None
                piece = {n: np.ones(_BLOCK) if where is None else np.array(a[where]) for n, a in flat.items()}
                blocks.append(evaluate(piece, constants))
            return jax.tree_util.tree_map(
                lambda *leaves: np.concatenate([np.asarray(x) for x in leaves])[:size].reshape(
                    shape + leaves[0].shape[1:]
                ),
                *blocks,
            )

        @functools.wraps(point)
        @in_float64
        def public(*args: Any, **kwargs: Any) -> Solution:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            constants = tuple((n, v) for n, v in bound.arguments.items() if n in static)
            numbers = {n: v for n, v in bound.arguments.items() if n not in static}
            if is_traced(numbers):
                return Solution(*evaluate({n: jnp.asarray(v, dtype=float) for n, v in numbers.items()}, constants))
            numbers = {n: np.asarray(v, dtype=float) for n, v in numbers.items()}
            if all(v.ndim == 0 for v in numbers.values()):
                return Solution(*evaluate(numbers, constants))
            return Solution(*in_blocks(numbers, constants))

        public.__annotations__ = point.__annotations__ | {"return": Solution}
        public.__signature__ = signature.replace(return_annotation=Solution)  # type: ignore[attr-defined]
        return public

    return decorate


def _call(point: Callable[..., Any], constants: tuple[tuple[str, Any], ...], numbers: dict[str, Array]) -> Any:
    return point(**numbers, **dict(constants))

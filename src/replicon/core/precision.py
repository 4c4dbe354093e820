"""float64 where the theory needs it, without touching the caller's own precision.

JAX computes in float32 unless told otherwise. Setting its flag at import would change a user's program
silently, so every public call enters the context here instead, copies what it is given and hands back NumPy:
a float64 ``jax.Array`` that left the context would turn into float32 at its next operation.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

Function = TypeVar("Function", bound=Callable[..., Any])


def is_traced(tree: Any) -> bool:
    """True when any leaf of the tree is a JAX tracer, that is, when a transformation is under way."""
    return any(isinstance(leaf, Tracer) for leaf in jax.tree_util.tree_leaves(tree))


def to_user(tree: Any) -> Any:
    """Turn concrete JAX arrays into NumPy arrays and 0-d ones into Python scalars; tracers pass unchanged."""

    def convert(leaf: Any) -> Any:
        if isinstance(leaf, Tracer) or not isinstance(leaf, (jax.Array, np.ndarray, np.generic)):
            return leaf
        if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return leaf
        array = np.asarray(leaf)
        return array.item() if array.ndim == 0 else array

    return jax.tree_util.tree_map(convert, tree)


def own(tree: Any) -> Any:
    """Copy the NumPy arrays of a tree (floats as float64): an array object must not serve in both precisions."""

    def copy(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray):
            return np.array(leaf, dtype=np.float64 if np.issubdtype(leaf.dtype, np.floating) else leaf.dtype)
        if isinstance(leaf, jax.Array) and not isinstance(leaf, Tracer) and leaf.dtype == np.float32:
            return np.array(leaf, dtype=np.float64)
        return leaf

    return jax.tree_util.tree_map(copy, tree)


def in_float64(function: Function) -> Function:
    """Decorate a public function: arguments copied, computed in float64, results returned as NumPy.

    Inside a transformation (the caller's ``jit``, ``grad`` or ``vmap``) results stay JAX values.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with jax.enable_x64(True):
            return to_user(function(*own(args), **own(kwargs)))

    return call  # type: ignore[return-value]

"""Fixed points of positive unknowns: damped iteration to the neighbourhood, Newton in the logarithms to the end.

The equations of high-dimensional inference map variances and step lengths, positive numbers that range over many
decades, to new ones. In their logarithms the map is smooth and nearly linear.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from replicon.maths.roots import implicit_root, locate
from replicon.maths.solution import CONVERGED, NOT_CONVERGED

_ASCENT = 23.0
"""Growth of an unknown over its start, in logarithms, beyond which none is looked for: ten decades."""
_BATCH = 16
"""Grid points whose excess is computed at once."""
_CELL = 0.05
"""Width of a cell, in logarithms, below which a finer grid is not worth its time."""


class FixedPoint(NamedTuple):
    """Where an iteration ended.

    Attributes
    ----------
    values : array (unknowns,)
        Differentiable in everything that the map closes over (implicit function theorem).
    residual : scalar
        Largest relative change under the map before the last step; the values are better than this.
    iterations : int
        Applications of the map (with its derivative).
    status : int
        0, or ``NOT_CONVERGED``.
    """

    values: Array
    residual: Array
    iterations: Array
    status: Array


def fixed_point(
    update: Callable[[Array], Array], start: Array, tolerance: float = 1e-11, iterations: int = 400
) -> FixedPoint:
    """Solve ``values = update(values)`` for a short vector of positive unknowns.

    Parameters
    ----------
    update : callable
        Maps a positive vector of length n to a positive one.
    start : array (n,)
        Positive. Where several fixed points exist, the one found is that which the damped iteration leads to.
    tolerance : float
        Largest relative residual that counts as converged.
    iterations : int
        Bound on the iterations.

    Returns
    -------
    FixedPoint
    """

    def equations(log_values: Array) -> Array:
        return jnp.log(update(jnp.exp(log_values))) - log_values

    def with_value(log_values: Array) -> tuple[Array, Array]:
        found = equations(log_values)
        return found, found

    linearised = jax.jacfwd(with_value, has_aux=True)

    class Search(NamedTuple):
        place: Array  # logarithms of the unknowns now tried
        anchor: Array  # the place that a Newton step was tried from, with its equations and residual
        anchor_found: Array
        anchor_residual: Array
        tried: Array  # whether `place` is a Newton step from the anchor
        wait: Array  # damped steps left before Newton is tried again
        failures: Array
        residual: Array
        count: Array

    def unfinished(state: Search) -> Array:
        # A nan ends the loop too.
        return (state.residual > tolerance) & (state.count < iterations)

    def improve(state: Search) -> Search:
        jacobian, found = linearised(state.place)
        residual = jnp.max(jnp.abs(found))
        # A Newton step that raises the residual is taken back, and damped steps go on from its anchor: they lead to the
        # fixed point slowly but surely, and would be undone by jumps elsewhere. It may leave the residual as it is:
        # far from the solution unknowns decay geometrically, which in logarithms is a plateau.
        failed = state.tried & ~(residual < 1.02 * state.anchor_residual)
        place = jnp.where(failed, state.anchor, state.place)
        found = jnp.where(failed, state.anchor_found, found)
        residual = jnp.where(failed, state.anchor_residual, residual)
        failures = state.failures + failed
        wait = jnp.where(failed, 2.0 ** jnp.minimum(failures, 5), jnp.maximum(state.wait - 1, 0.0))
        newton = -jnp.linalg.solve(jacobian, found)
        newton = newton * jnp.minimum(1.0, 1.5 / jnp.maximum(jnp.max(jnp.abs(newton)), 1e-300))
        forward = jnp.all(jnp.isfinite(newton)) & (jnp.dot(newton, found) > 0)
        tried = (wait == 0) & (residual < 2.0) & forward & ~failed
        # The step is also taken where the tolerance is already met: the last one gains the digits below it.
        step = jnp.where(tried, newton, 0.5 * found)
        # Along a plateau steps may run away upwards, to where the averages have no digits left.
        return Search(
            jnp.minimum(place + step, ceiling), place, found, residual, tried, wait, failures, residual, state.count + 1
        )

    begin = lax.stop_gradient(jnp.log(jnp.asarray(start, dtype=float)))
    ceiling = begin + _ASCENT
    zero, infinite = jnp.zeros(()), jnp.full((), jnp.inf)
    state = Search(
        begin, begin, jnp.zeros_like(begin), infinite, jnp.zeros((), bool), zero + 1, zero, infinite,
        jnp.zeros((), jnp.int32),
    )  # fmt: skip
    state = lax.while_loop(unfinished, improve, state)
    x, residual, count = state.place, state.residual, state.count
    good = residual <= tolerance
    x = implicit_root(equations, jnp.where(good, x, begin))
    return FixedPoint(jnp.where(good, jnp.exp(x), jnp.nan), residual, count, jnp.where(good, CONVERGED, NOT_CONVERGED))


def extreme_fixed_points(
    update: Callable[[Array], Array], low: Array | float, high: Array | float, points: int = 96
) -> tuple[FixedPoint, FixedPoint, Array]:
    """Smallest and largest fixed point of an increasing map of one positive unknown.

    These are where the iteration ends that starts from `low` and from `high`. They are found by bracketing on a
    geometric grid and are then solved for, so that a nearly marginal branch costs no more than another.

    Parameters
    ----------
    update : callable
        Maps a positive scalar to a positive scalar, increasing.
    low, high : scalars
        Below and above every fixed point: ``update(low) >= low`` and ``update(high) <= high``.
    points : int
        Grid points, at most: fewer where cells of five percent need fewer. Two fixed points closer than one cell of the
        grid are seen as none, or the pair is missed.

    Returns
    -------
    smallest, largest : FixedPoint
        With scalar `values`.
    several : bool
        Whether the two differ.
    """

    def excess(log_value: Array) -> Array:
        return jnp.log(update(jnp.exp(log_value))) - log_value

    bottom, top = (lax.stop_gradient(jnp.log(jnp.asarray(end, dtype=float))) for end in (low, high))
    # A little beyond both ends, where the map may touch its bound to rounding.
    bottom, top = bottom - 1e-6, top + 1e-6
    rounds = -(-points // _BATCH)
    needed = jnp.clip(jnp.ceil((top - bottom) / (_CELL * _BATCH)), 1, rounds).astype(jnp.int32)
    end = needed * _BATCH - 1

    def place(index: Array) -> Array:
        return bottom + (top - bottom) * index / end

    def look(state: tuple[Array, Array]) -> tuple[Array, Array]:
        count, positive = state
        index = count * _BATCH + jnp.arange(_BATCH)
        above = jax.vmap(excess)(place(index)) > 0
        return count + 1, lax.dynamic_update_slice(positive, above & (index < end), (count * _BATCH,))

    nothing = (jnp.zeros((), jnp.int32), jnp.zeros(rounds * _BATCH, bool))
    _, positive = lax.while_loop(lambda state: state[0] < needed, look, nothing)
    positive = positive.at[0].set(True)
    first = jnp.argmin(positive)
    last = positive.size - 1 - jnp.argmax(positive[::-1])

    def solve(left: Array) -> FixedPoint:
        root, status = locate(excess, place(left), place(left + 1))
        root = implicit_root(lambda x: jax.vmap(excess)(x), jnp.where(status == CONVERGED, root, place(left))[None])[0]
        residual = jnp.abs(excess(lax.stop_gradient(root)))
        value = jnp.where(status == CONVERGED, jnp.exp(root), jnp.nan)
        return FixedPoint(value, residual, end + 1, status)

    both = jax.vmap(solve)(jnp.stack([first - 1, last]))
    small, large = (jax.tree_util.tree_map(lambda leaf, k=k: leaf[k], both) for k in (0, 1))
    return small, large, first - 1 != last

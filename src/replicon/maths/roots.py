"""Roots of smooth equations: bracketed, by Newton from a safe side, and differentiable with respect to parameters.

All solvers run inside ``jit`` and ``vmap``. `bracketed_root` and `implicit_root` are also differentiable to any
order: the derivative comes from the implicit function theorem, never from the iterations.

References
----------
.. [1] T. R. Chandrupatla, Adv. Eng. Software 28, 145 (1997): inverse quadratic interpolation or bisection.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from replicon.maths.solution import CONVERGED, NOT_CONVERGED, Solution


def bracketed_root(
    function: Callable[[Array], Array], low: Array | float, high: Array | float, iterations: int = 200
) -> Solution:
    """Root of a scalar function between `low` and `high`, where it has opposite signs.

    Parameters
    ----------
    function : callable
        Maps a float64 scalar to a scalar; it may close over traced parameters, and the root is then
        differentiable with respect to them (the ends of the bracket carry no derivative).
    low, high : scalars
        The bracket, in any order.
    iterations : int
        Upper bound on the evaluations; 8 to 12 are typical, about 60 the worst for a bracket of length one.

    Returns
    -------
    Solution
        The root, to a few units in its last place, and its status: 0, or ``NOT_CONVERGED`` (value nan) when the
        signs at the ends are equal, when an end is not finite or when `iterations` did not suffice.
    """
    ends = lax.stop_gradient((jnp.asarray(low, dtype=float), jnp.asarray(high, dtype=float)))

    def solve(equation: Callable[[Array], Array], _: Array) -> tuple[Array, Array]:
        root, status = locate(equation, *ends, iterations=iterations)
        return root, status.astype(float)

    # custom_root differentiates its auxiliary output too, so the status travels as a float.
    root, status = lax.custom_root(function, 0.5 * (ends[0] + ends[1]), solve, _scalar_tangent, has_aux=True)
    return Solution(root, status.astype(jnp.int32))


def locate(
    function: Callable[[Array], Array], low: Array | float, high: Array | float, iterations: int = 200
) -> tuple[Array, Array]:
    """`bracketed_root` without derivatives, for solves nested in another one: the pair (root, status)."""
    low, high = (jnp.asarray(end, dtype=float) for end in (low, high))
    eps, tiny = jnp.finfo(low.dtype).eps, jnp.finfo(low.dtype).tiny

    def unfinished(state: tuple[Array, ...]) -> Array:
        return ~state[-1] & (state[-2] < iterations)

    def step(state: tuple[Array, ...]) -> tuple[Array, ...]:
        # [a, b] brackets the root, a is the latest point and c the one before; the first two steps only evaluate
        # the ends, here and not outside the loop so that the function is compiled once.
        a, b, fa, fb, fraction, count, _ = state
        x = jnp.where(count == 0, high, jnp.where(count == 1, low, a + fraction * (b - a)))
        fx = function(x)
        same_side = (jnp.sign(fx) == jnp.sign(fa)) & (count > 1)
        c, fc = jnp.where(same_side, a, b), jnp.where(same_side, fa, fb)
        b, fb = jnp.where(same_side, b, a), jnp.where(same_side, fb, fa)
        a, fa = x, fx

        width = jnp.abs(b - a)
        best = jnp.where(jnp.abs(fa) < jnp.abs(fb), a, b)
        smallest = jnp.where(width > 0, (2 * eps * jnp.abs(best) + tiny) / jnp.where(width > 0, width, 1.0), 1.0)
        no_bracket = (count == 1) & ~(jnp.sign(fa) * jnp.sign(fb) <= 0)
        finished = (count > 0) & ((smallest > 0.5) | (fa == 0) | (fb == 0) | no_bracket) | ~jnp.isfinite(fx)

        def ratio(top: Array, bottom: Array) -> Array:
            return top / jnp.where(bottom == 0, 1.0, bottom)

        position, height = ratio(a - b, c - b), ratio(fa - fb, fc - fb)
        quadratic = (count > 1) & (height**2 < position) & ((1 - height) ** 2 < 1 - position) & (fc != fa)
        inverse = ratio(fa, fb - fa) * ratio(fc, fb - fc)
        inverse += ratio(c - a, b - a) * ratio(fa, fc - fa) * ratio(fb, fc - fb)
        fraction = jnp.clip(jnp.where(quadratic, inverse, 0.5), smallest, 1 - smallest)
        return a, b, fa, fb, fraction, count + 1, finished

    nothing = jnp.full_like(low, jnp.nan)
    start = (nothing, nothing, nothing, nothing, nothing, jnp.zeros((), jnp.int32), jnp.zeros((), bool))
    a, b, fa, fb, _, _, finished = lax.while_loop(unfinished, step, start)
    root = jnp.where(jnp.abs(fa) < jnp.abs(fb), a, b)
    good = finished & (jnp.sign(fa) * jnp.sign(fb) <= 0)
    return jnp.where(good, root, jnp.nan), jnp.where(good, CONVERGED, NOT_CONVERGED)


def newton_from_safe_side(
    function_and_slope: Callable[[Array], tuple[Array, Array]], start: Array, iterations: int = 100
) -> Array:
    """Newton's method for a scalar function that is concave (or convex) between `start` and its root.

    Started where function and curvature have the same sign, the iterates approach the root monotonically, so no
    bracket is needed. The caller proves the concavity. No derivative is attached. Returns the root.
    """
    start = jnp.asarray(start, dtype=float)
    precision = 2 * jnp.finfo(start.dtype).eps

    def unfinished(state: tuple[Array, Array, Array]) -> Array:
        x, step, count = state
        return (jnp.abs(step) > precision * jnp.abs(x)) & (count < iterations)

    def improve(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        x, previous, count = state
        value, slope = function_and_slope(x)
        step = value / jnp.where(slope == 0, 1.0, slope)
        # Once the steps have become tiny and grow again, what is left is rounding.
        step = jnp.where((jnp.abs(step) < 1e-9 * jnp.abs(x)) & (jnp.abs(step) >= jnp.abs(previous)), 0.0, step)
        return x - step, step, count + 1

    return lax.while_loop(unfinished, improve, (start, jnp.full_like(start, jnp.inf), jnp.zeros((), jnp.int32)))[0]


def newton(
    equations: Callable[[Array], Array], start: Array, iterations: int = 30, tolerance: float = 1e-13
) -> Solution:
    """Newton's method for a small system, from a start that is already close.

    Parameters
    ----------
    equations : callable
        Maps a vector of length n to the n residuals; the root is differentiable in what it closes over.
    start : array, shape (n,)
    iterations : int
    tolerance : float
        Largest step, relative to the size of the unknowns, at which the iteration counts as converged.

    Returns
    -------
    Solution
        The root, shape (n,), and one status (``NOT_CONVERGED`` with nan values where it did not settle).
    """

    def solve(function: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
        def unfinished(state: tuple[Array, Array, Array]) -> Array:
            _, step, count = state
            return (step > tolerance) & (count < iterations)

        def improve(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            x, _, count = state
            change = jnp.linalg.solve(jax.jacfwd(function)(x), function(x))
            return x - change, jnp.max(jnp.abs(change)) / jnp.max(jnp.abs(x)), count + 1

        x, step, _ = lax.while_loop(unfinished, improve, (x, jnp.full((), jnp.inf), jnp.zeros((), jnp.int32)))
        good = step <= tolerance
        return jnp.where(good, x, jnp.nan), jnp.where(good, float(CONVERGED), float(NOT_CONVERGED))

    start = lax.stop_gradient(jnp.asarray(start, dtype=float))
    root, status = lax.custom_root(equations, start, solve, _vector_tangent, has_aux=True)
    return Solution(root, status.astype(jnp.int32))


def implicit_root(equations: Callable[[Array], Array], root: Array) -> Array:
    """Give a root that was found by any means its derivatives with respect to what `equations` closes over.

    Parameters
    ----------
    equations : callable
        Maps the vector of unknowns, shape (n,), to n residuals that vanish at `root`.
    root : array, shape (n,)

    Returns
    -------
    array, shape (n,)
        `root` itself, with the derivatives of the implicit function theorem.
    """
    return lax.custom_root(equations, lax.stop_gradient(root), lambda _, x: x, _vector_tangent)


def _scalar_tangent(linear: Callable[[Array], Array], right: Array) -> Array:
    return right / linear(jnp.ones_like(right))


def _vector_tangent(linear: Callable[[Array], Array], right: Array) -> Array:
    matrix = jax.vmap(linear, out_axes=1)(jnp.eye(right.shape[0], dtype=right.dtype))
    return jnp.linalg.solve(matrix, right)

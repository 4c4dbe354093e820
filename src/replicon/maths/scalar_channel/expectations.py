r"""Averages over smoothed densities, and the scalar equations of an estimator in them.

The nodes are Gauss-Legendre panels, geometric from the finest length on which the density turns to its far tail, and
split at the kinks of the estimator. Derivatives of proximal operators are never formed: with the score psi,

    E[h'(x)] = -E[h(x) psi(x)]       E[(h(x) - s)^2] = E[(h(x) - x)^2] + 2 q E[h'(x)] - q ,

which hold for kinked h (differentiating one on a grid errs by up to a percent and keeps an iteration from settling).

References
----------
.. [1] M. Advani, S. Ganguli, Phys. Rev. X 6, 031034 (2016), eqs. 15-18 and 26-31.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from replicon.maths.scalar_channel.densities import Density

_NODES = 14
_LADDER = 22
_UNIFORM = 8


class Channel(NamedTuple):
    """Quadrature over x = s + sqrt(q) z.

    Attributes
    ----------
    x : array (nodes,)
    weight : array (nodes,)
        ``p_q(x) dx``; sums to one.
    log_density, score, posterior_variance : arrays (nodes,)
        ``log p_q(x)``, ``psi_q(x)``, and the variance of s given x.
    q : scalar
        Variance of the Gaussian part.
    variance : scalar
        Second moment of x, exact where heavy tails outreach the nodes.
    """

    x: Array
    weight: Array
    log_density: Array
    score: Array
    posterior_variance: Array
    q: Array
    variance: Array

    def average(self, values: Array) -> Array:
        """``E[f(x)]`` of the values of f on the nodes."""
        return jnp.sum(self.weight * values)

    def slope(self, values: Array) -> Array:
        """``E[f'(x)]`` by parts."""
        return -jnp.sum(self.weight * self.score * values)

    def fisher(self) -> Array:
        """Fisher information ``J_q = E[psi_q^2]``."""
        return jnp.sum(self.weight * self.score**2)


class Denoised(NamedTuple):
    """What an estimator h makes of the channel: its error ``E[(h(x) - s)^2]`` and mean slope ``E[h'(x)]``."""

    error: Array
    slope: Array


def channel(density: Density, q: Array | float, kinks: Sequence[Array | float] = (), refinement: int = 1) -> Channel:
    """Nodes, weights and scores for averages over ``p_q``.

    Parameters
    ----------
    density : Density
    q : scalar
        Smoothing variance, positive.
    kinks : sequence of scalars
        Where the functions to be averaged have corners or jumps; even densities need the positive ones only (and the
        functions are then taken as odd or even about zero).
    refinement : int
        Divides the panels; 2 gives the second resolution of an error check.
    """
    q = jnp.asarray(q, dtype=float)
    finest, reach = density.scales(q)
    rungs = _LADDER * refinement
    ladder = 0.4 * finest * (reach / (0.4 * finest)) ** (np.arange(rungs + 1) / rungs)
    uniform = reach * np.arange(1, _UNIFORM * refinement) / (_UNIFORM * refinement)
    folded = density.symmetric and density.centres().shape[0] == 1
    if folded:
        edges = jnp.concatenate([jnp.zeros(1), ladder, uniform])
        low = 0.0
    else:
        centres = density.centres()[:, None]
        around = jnp.concatenate([-ladder, jnp.zeros(1), ladder])
        edges = jnp.concatenate([(centres + around).ravel(), uniform, -uniform])
        low = -reach
    extra = [jnp.reshape(jnp.asarray(kink, dtype=float), (1,)) for kink in kinks]
    edges = jnp.sort(jnp.clip(jnp.concatenate([edges, *extra]), low, reach))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = 0.5 * jnp.diff(edges)[:, None]
    x = (0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes).ravel()
    fold = 2.0 if folded else 1.0
    smoothed = density.smoothed(x, q)
    weight = fold * (half * weights).ravel() * jnp.exp(smoothed.log_density)
    return Channel(x, weight, *smoothed, q=q, variance=density.second_moment() + q)


def denoised(over: Channel, estimate: Array) -> Denoised:
    """Error and mean slope of an estimator h.

    Parameters
    ----------
    over : Channel
    estimate : array (nodes,)
        ``h(x)`` on the nodes.
    """
    slope = over.slope(estimate)
    error = over.average((estimate - over.x) ** 2) + 2 * over.q * slope - over.q
    return Denoised(error, slope)


def bayes(density: Density, q: Array | float) -> Denoised:
    """The posterior mean: its error, the average posterior variance ``q - q^2 J_q``, and mean slope ``error / q``."""
    normal = density.normal_variance()
    if normal is not None:
        slope = normal / (normal + q)
        return Denoised(q * slope, slope)
    over = channel(density, q)
    error = over.average(over.posterior_variance)
    return Denoised(error, error / over.q)


def fisher_information(density: Density, q: Array | float) -> Array:
    """``J_q`` of the smoothed density, in inverse squared units of x."""
    normal = density.normal_variance()
    return channel(density, q).fisher() if normal is None else 1 / (normal + q)


def minimal_error(density: Density, q: Array | float) -> Array:
    """Smallest mean squared error of s given s + sqrt(q) z: that of the posterior mean."""
    return bayes(density, q).error


def entropy(density: Density, q: Array | float) -> Array:
    """Differential entropy of the smoothed density in nats."""
    normal = density.normal_variance()
    if normal is not None:
        return 0.5 * jnp.log(2 * np.pi * np.e * (normal + jnp.asarray(q, dtype=float)))
    over = channel(density, q)
    return -over.average(over.log_density)


def information(density: Density, q: Array | float) -> Array:
    """Mutual information in nats between s and s + sqrt(q) z."""
    return entropy(density, q) - 0.5 * jnp.log(2 * np.pi * np.e * jnp.asarray(q, dtype=float))


def average_over(
    density: Density, q: Array | float, function: Callable[[Array], Array], kinks: Sequence[Array | float] = ()
) -> Array:
    """``E[f(s + sqrt(q) z)]`` of an elementwise function; an even density needs f even (odd parts average to zero)."""
    over = channel(density, q, kinks)
    if density.symmetric:
        return 0.5 * (over.average(function(over.x)) + over.average(function(-over.x)))
    return over.average(function(over.x))

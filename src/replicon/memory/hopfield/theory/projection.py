"""The projection (pseudo-inverse) rule, ``J = Xi^T (Xi Xi^T)^{-1} Xi``: fields, one update and capacity.

References
----------
.. [1] L. Personnaz, I. Guyon, G. Dreyfus, J. Physique Lett. 46, L359 (1985).
.. [2] I. Kanter, H. Sompolinsky, Phys. Rev. A 35, 380 (1987).
"""

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import erf

from replicon.maths.solution import CONVERGED
from replicon.memory.hopfield.theory.grids import pointwise
from replicon.memory.hopfield.theory.statuses import OUT_OF_RANGE


@pointwise("self_coupling")
def projection_field(load: Array | float, self_coupling: bool = False) -> tuple[dict[str, Array], Array]:
    """Local field along a stored pattern, ``xi_i h_i``, at the pattern and where neuron i itself is flipped.

    Parameters
    ----------
    load : float or array
        alpha = patterns / neurons, 0 < alpha < 1. The diagonal of J is alpha.
    self_coupling : bool
        Whether the diagonal is kept.

    Returns
    -------
    Solution
        `values`: dict of `at_pattern` (1 with self-coupling, 1 - alpha without) and `at_flip` (1 - 2 alpha, 1 - alpha).
        A negative `at_flip` means that a flipped neuron stays flipped: no basin of attraction.
    """
    load = jnp.asarray(load)
    valid = (load > 0) & (load < 1)
    own = load if self_coupling else jnp.zeros_like(load)
    values = dict(at_pattern=1 - load + own, at_flip=1 - load - own)
    return (
        {name: jnp.where(valid, value, jnp.nan) for name, value in values.items()},
        jnp.where(valid, CONVERGED, OUT_OF_RANGE),
    )


@pointwise("self_coupling")
def projection_one_step(
    overlap: Array | float, load: Array | float, self_coupling: bool = False
) -> tuple[Array, Array]:
    r"""Overlap after one parallel update at T = 0 under the projection rule.

    Errors on random neurons make a Gaussian field of variance ``alpha (1 - alpha) (1 - m^2)`` on top of the signal
    ``(1 - alpha) m``, since the squares of a row of a projection sum to its diagonal. Without self-coupling
    ``m' = erf(m sqrt((1 - alpha) / (2 alpha (1 - m^2))))``; with it, alpha s_i is added to the field.

    Parameters
    ----------
    overlap : float or array
        Overlap m before the update, the wrong neurons chosen at random, from -1 to 1.
    load : float or array
        alpha = patterns / neurons, 0 < alpha < 1.
    self_coupling : bool
        Whether the diagonal of J is kept.

    Returns
    -------
    Solution

    References
    ----------
    .. [1] I. Kanter, H. Sompolinsky, Phys. Rev. A 35, 380 (1987).
    """
    m, load = jnp.asarray(overlap), jnp.asarray(load)
    valid = (jnp.abs(m) <= 1) & (load > 0) & (load < 1)
    alpha = jnp.where(valid, load, 0.5)
    perfect = jnp.abs(m) >= 1
    signal = (1 - alpha) * m
    spread = jnp.sqrt(2 * alpha * (1 - alpha) * jnp.where(valid & ~perfect, 1 - m * m, 1.0))
    if self_coupling:
        after = 0.5 * ((1 + m) * erf((signal + alpha) / spread) + (1 - m) * erf((signal - alpha) / spread))
    else:
        after = erf(signal / spread)
    after = jnp.where(perfect, jnp.sign(m), after)
    return jnp.where(valid, after, jnp.nan), jnp.where(valid, CONVERGED, OUT_OF_RANGE)


def projection_capacity(self_coupling: bool = False) -> float:
    """Load up to which stored patterns attract: 1 with the diagonal removed, 1/2 with it kept.

    Without self-coupling the field at a pattern is ``(1 - alpha) xi_i``. With it patterns are fixed points up to
    alpha = 1 too, but a single flipped neuron has the field ``(1 - 2 alpha) xi_i``, so the basins vanish at 1/2.

    References
    ----------
    .. [1] I. Kanter, H. Sompolinsky, Phys. Rev. A 35, 380 (1987).
    """
    return 0.5 if self_coupling else 1.0

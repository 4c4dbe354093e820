r"""Replica-symmetric states of the Hopfield model at T = 0, in closed form up to one scalar root.

With ``t = m / sqrt(2 alpha r)`` the retrieval equations collapse to

    sqrt(alpha) = [erf(t)/t - (2/sqrt(pi)) exp(-t^2)] / sqrt(2),   m = erf(t),

whose right side has one maximum; the retrieval state is the root to the right of it.

References
----------
.. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985), eqs. 9-11.
.. [2] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987), section 5.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import erf, erfc

from replicon.maths.roots import bracketed_root
from replicon.memory.hopfield.theory.order_parameters import sign_sums


def root_load(t: Array, patterns: int = 1) -> Array:
    """sqrt(alpha) along the line of states with overlap t sqrt(2 alpha r) with each of `patterns` patterns."""
    sums, weights = sign_sums(patterns)
    field_noise = overlap(t, patterns) / (np.sqrt(2) * t)
    return field_noise - np.sqrt(2 / np.pi) * jnp.sum(weights * jnp.exp(-((sums * t) ** 2)))


def overlap(t: Array, patterns: int = 1) -> Array:
    """Overlap with each condensed pattern, ``<<Z erf(t Z)>> / n`` with Z the sum of n signs."""
    sums, weights = sign_sums(patterns)
    return jnp.sum(weights * sums * erf(sums * t)) / patterns


def spinodal_argument() -> Array:
    """t at the largest load of a retrieval state: ``(1 + 2 t^2) exp(-t^2) 2t/sqrt(pi) = erf(t)``, t > 0."""
    return bracketed_root(
        lambda t: erf(t) - 2 * t / np.sqrt(np.pi) * jnp.exp(-t * t) * (1 + 2 * t * t), 1.0, 2.0
    ).values


def retrieval_argument(load: Array) -> tuple[Array, Array]:
    """t of the retrieval state and whether it exists, at scalar load > 0; differentiable in the load."""
    spinodal = spinodal_argument()
    exists = root_load(spinodal) >= jnp.sqrt(load)
    target = jnp.sqrt(jnp.where(exists, load, 0.01))
    # erf < 1 bounds the root from above; at small loads the bound is the root to rounding.
    t = bracketed_root(lambda t: root_load(t) - target, spinodal, 1.001 / (np.sqrt(2) * target)).values
    return t, exists


def mixture_observables(t: Array, load: Array, patterns: int = 1) -> dict[str, Array]:
    """Observables at t, where ``root_load(t, patterns) == sqrt(load)``."""
    sums, weights = sign_sums(patterns)
    m = overlap(t, patterns)
    susceptibility = 2 * t / (np.sqrt(np.pi) * m) * jnp.sum(weights * jnp.exp(-((sums * t) ** 2)))
    wrong = 0.5 * erfc(t) if patterns == 1 else 0.5 * (1 - m)
    return _observables(m, susceptibility, wrong, load, patterns)


def spin_glass_observables(load: Array) -> dict[str, Array]:
    """Observables of the spin glass, which exists at every load > 0."""
    field_noise = jnp.sqrt(load) + np.sqrt(2 / np.pi)
    zero = jnp.zeros_like(load)
    return _observables(zero, np.sqrt(2 / np.pi) / field_noise, 0.5 + zero, load)


def _observables(
    overlap: Array, susceptibility: Array, wrong: Array, load: Array, patterns: int = 1
) -> dict[str, Array]:
    crosstalk = (1 - susceptibility) ** -2
    energy = -0.5 * patterns * overlap**2 + 0.5 * load * (1 - crosstalk)
    return dict(
        overlap=overlap,
        edwards_anderson=jnp.ones_like(load),
        crosstalk=crosstalk,
        susceptibility=susceptibility,
        error_rate=wrong,
        energy=energy,
        free_energy=energy,
        entropy=-0.5 * load * (jnp.log1p(-susceptibility) + susceptibility / (1 - susceptibility)),
        almeida_thouless=jnp.full_like(load, jnp.inf),
    )

r"""The replica-symmetric state of the Hopfield model as a function of its overlap and crosstalk field.

Every state is described by the overlap m with each of n condensed patterns and the standard deviation
``sigma = sqrt(alpha r)`` of the Gaussian field that the other patterns make. The local field is
``m (xi_1 + ... + xi_n) + sigma z``; n = 1 is retrieval, m = 0 the spin glass.

With ``H = -1/2 sum_ij J_ij s_i s_j``, ``J_ij = (1/N) sum_mu xi_i^mu xi_j^mu`` and ``J_ii = 0``.

References
----------
.. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985), eqs. 5-8.
.. [2] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987), eqs. 3.17-3.22 and 4.10-4.14.
"""

from math import comb
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from replicon.maths.gaussian import tanh_averages

OBSERVABLES = (
    "overlap",
    "edwards_anderson",
    "crosstalk",
    "susceptibility",
    "error_rate",
    "energy",
    "free_energy",
    "entropy",
    "almeida_thouless",
)


class SpinAverages(NamedTuple):
    """Averages of the thermal magnetisation t of a site over the signs of n patterns and the Gaussian field.

    Attributes
    ----------
    overlap : array
        ``<<xi t>>``, the overlap with one of the condensed patterns.
    sech2, sech4, edwards_anderson : arrays
        ``<<1 - t^2>>``, ``<<(1 - t^2)^2>>`` and ``<<t^2>>``.
    sech2_z2 : array
        ``<<Z^2 (1 - t^2)>> / n`` with Z the sum of the n signs.
    tanh_sech2_z : array
        ``<<Z t (1 - t^2)>> / n``.
    curvature : array
        ``<<d/dv t (1 - t^2)>>``, v the local field over the temperature.
    wrong : array
        ``(1 - overlap) / 2``, accurate for one pattern also where it is tiny.
    entropy : array
        Mean entropy of a site in its field, in nats.
    """

    overlap: Array
    sech2: Array
    sech4: Array
    edwards_anderson: Array
    sech2_z2: Array
    tanh_sech2_z: Array
    curvature: Array
    wrong: Array
    entropy: Array


def sign_sums(patterns: int) -> tuple[np.ndarray, np.ndarray]:
    """Absolute values of the sum of `patterns` independent signs, and their probabilities."""
    sums = np.arange(patterns % 2, patterns + 1, 2, dtype=float)
    ways = np.array([comb(patterns, (patterns + int(z)) // 2) for z in sums], dtype=float)
    return sums, ways / 2.0**patterns * np.where(sums > 0, 2.0, 1.0)


def spin_averages(drive: Array, noise: Array, patterns: int = 1, refinement: int = 1) -> SpinAverages:
    """Averages for ``drive = m / T`` and ``noise = sigma / T``, with `patterns` condensed patterns."""
    if patterns == 1:
        one = tanh_averages(drive, noise, refinement)
        return SpinAverages(
            one.tanh, one.sech2, one.sech4, one.tanh2, one.sech2, one.tanh_sech2, one.curvature, one.wrong, one.entropy
        )
    sums, weights = sign_sums(patterns)
    each = jax.vmap(lambda z: tanh_averages(drive * z, noise, refinement))(sums)
    overlap = jnp.sum(weights * sums * each.tanh) / patterns
    return SpinAverages(
        overlap=overlap,
        sech2=jnp.sum(weights * each.sech2),
        sech4=jnp.sum(weights * each.sech4),
        edwards_anderson=jnp.sum(weights * each.tanh2),
        sech2_z2=jnp.sum(weights * sums**2 * each.sech2) / patterns,
        tanh_sech2_z=jnp.sum(weights * sums * each.tanh_sech2) / patterns,
        curvature=jnp.sum(weights * each.curvature),
        wrong=0.5 * (1 - overlap),
        entropy=jnp.sum(weights * each.entropy),
    )


def equations(
    overlap: Array, field_noise: Array, load: Array, temperature: Array, patterns: int = 1, refinement: int = 1
) -> Array:
    """Residuals of ``m = <<xi t>>`` and of ``sigma (1 - C) / sqrt(q) = sqrt(alpha)``, shape (2,)."""
    averages = spin_averages(overlap / temperature, field_noise / temperature, patterns, refinement)
    slack = 1 - averages.sech2 / temperature
    return jnp.stack(
        [
            averages.overlap - overlap,
            field_noise * slack / jnp.sqrt(averages.edwards_anderson) - jnp.sqrt(load),
        ]
    )


def observables(
    overlap: Array, field_noise: Array, load: Array, temperature: Array, patterns: int = 1
) -> dict[str, Array]:
    """Observables of a solution of `equations` at T > 0; energies per spin, entropy in nats."""
    averages = spin_averages(overlap / temperature, field_noise / temperature, patterns)
    q = averages.edwards_anderson
    susceptibility = averages.sech2 / temperature
    slack = 1 - susceptibility
    crosstalk = q / slack**2
    logarithm = jnp.log(slack)
    condensed = 0.5 * patterns * overlap**2
    log_2cosh = (
        averages.entropy
        + patterns * averages.overlap * overlap / temperature
        + averages.sech2 * (field_noise / temperature) ** 2
    )
    return dict(
        overlap=overlap,
        edwards_anderson=q,
        crosstalk=crosstalk,
        susceptibility=susceptibility,
        error_rate=averages.wrong,
        energy=-condensed + 0.5 * load * (1 - crosstalk - averages.sech2 / slack),
        free_energy=0.5 * load
        + condensed
        + 0.5 * load * crosstalk * susceptibility
        + 0.5 * load * (temperature * logarithm - q / slack)
        - temperature * log_2cosh,
        entropy=averages.entropy - 0.5 * load * (logarithm + susceptibility / slack),
        almeida_thouless=load * averages.sech4 / temperature / temperature / slack**2,
    )

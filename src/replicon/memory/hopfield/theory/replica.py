r"""Replica-symmetric states of the Hopfield model at temperature T > 0, each on a branch that is found for sure.

At fixed T put ``s = sigma / m``. The overlap equation ``T a = <<xi tanh(a (xi + s z))>>``, a = m/T, has exactly one
positive solution for T < 1, because its right side is odd and concave in a. So both the overlap and the load

    sqrt(alpha) = g(s) = sigma (1 - C) / sqrt(q)

are explicit along the line s = 0 (no load) to infinity. g rises from zero to one maximum, which is the spinodal, and
falls; the retrieval state is the rising part, a bracket that ends at the maximum. For the spin glass (m = 0)
g rises with sigma from T - 1, which leaves one root and proves that it exists exactly for T < 1 + sqrt(alpha).

References
----------
.. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987).
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from replicon.maths.roots import locate, newton_from_safe_side
from replicon.maths.solution import CONVERGED
from replicon.memory.hopfield.theory.order_parameters import SpinAverages, spin_averages

_SPINODAL_RATIOS = (0.3, 0.7)
"""Bracket of sigma/m at the spinodal: it is 0.46789 at T = 0 and 0.47826 at T -> 1."""


class BranchPoint(NamedTuple):
    """One point of the line of overlap solutions at fixed temperature.

    Attributes
    ----------
    drive : array
        a = m / T.
    root_load : array
        g = sqrt(alpha).
    growth : array
        d ln g / d ln s at fixed T, one at s = 0 and zero at the spinodal.
    warming : array
        d ln g / dT at fixed s.
    averages : SpinAverages
    """

    drive: Array
    root_load: Array
    growth: Array
    warming: Array
    averages: SpinAverages


def branch_point(ratio: Array, temperature: Array, patterns: int = 1) -> BranchPoint:
    """Overlap, load and slope of the load at s = sigma / m, for 0 < T < 1 (no derivatives)."""
    ratio, temperature = lax.stop_gradient((ratio, temperature))

    def excess(a: Array) -> tuple[Array, Array]:
        averages = spin_averages(a, a * ratio, patterns)
        slope = averages.sech2_z2 - 2 * ratio**2 * a * averages.tanh_sech2_z - temperature
        return averages.overlap - temperature * a, slope

    drive = newton_from_safe_side(excess, 1 / temperature)
    return describe(drive, ratio, temperature, patterns)


def describe(drive: Array, ratio: Array, temperature: Array, patterns: int = 1) -> BranchPoint:
    """The branch point at a known solution of the overlap equation."""
    noise = drive * ratio
    averages = spin_averages(drive, noise, patterns)
    slack = 1 - averages.sech2 / temperature
    root_load = temperature * noise * slack / jnp.sqrt(averages.edwards_anderson)

    # Total derivatives along the line, in s at fixed T and in T at fixed s.
    overlap_by_noise = -2 * noise * averages.tanh_sech2_z
    overlap_by_drive = averages.sech2_z2 + ratio * overlap_by_noise
    sech2_by_drive, sech2_by_noise = -2 * patterns * averages.tanh_sech2_z, -2 * noise * averages.curvature
    stiffness = temperature - overlap_by_drive

    drive_by_ratio = overlap_by_noise * drive / stiffness
    noise_by_ratio = drive + ratio * drive_by_ratio
    sech2_by_ratio = sech2_by_drive * drive_by_ratio + sech2_by_noise * noise_by_ratio
    drive_by_temperature = -drive / stiffness
    sech2_by_temperature = (sech2_by_drive + ratio * sech2_by_noise) * drive_by_temperature

    def relative_change(noise_change: Array, sech2_change: Array, temperature_change: float) -> Array:
        # g = noise (T - <<sech^2>>) / sqrt(q), q = 1 - <<sech^2>>
        return (
            noise_change / noise
            + (temperature_change - sech2_change) / (temperature * slack)
            + sech2_change / (2 * averages.edwards_anderson)
        )

    growth = ratio * relative_change(noise_by_ratio, sech2_by_ratio, 0.0)
    warming = relative_change(ratio * drive_by_temperature, sech2_by_temperature, 1.0)
    return BranchPoint(drive, root_load, growth, warming, averages)


def spinodal_ratio(temperature: Array) -> Array:
    """sigma / m at the maximum of the load along the retrieval line, 0 < T < 1 (no derivatives)."""
    temperature = lax.stop_gradient(temperature)
    low, high = _SPINODAL_RATIOS
    return locate(lambda s: branch_point(s, temperature).growth, low, high)[0]


def retrieval_state(load: Array, temperature: Array) -> tuple[Array, Array, Array]:
    """Overlap, sigma and whether the state exists, at scalars load > 0 and 0 < T < 1 (no derivatives)."""
    load, temperature = lax.stop_gradient((load, temperature))
    peak = spinodal_ratio(temperature)
    root = jnp.sqrt(load)
    # At the maximum the bracket closes: no sign change means no state.
    ratio, status = locate(lambda s: branch_point(s, temperature).root_load - root, 1e-3 * jnp.minimum(root, 1.0), peak)
    exists = status == CONVERGED
    drive = branch_point(jnp.where(exists, ratio, peak), temperature).drive
    return temperature * drive, temperature * drive * ratio, exists


def spin_glass_state(load: Array, temperature: Array) -> tuple[Array, Array]:
    """Sigma of the spin glass and whether it exists, at scalars load > 0 and T > 0 (no derivatives)."""
    load, temperature = lax.stop_gradient((load, temperature))
    root = jnp.sqrt(load)
    exists = temperature < 1 + root
    target = jnp.where(exists, root, temperature)
    zero = jnp.zeros_like(temperature)

    def excess(field_noise: Array) -> Array:
        averages = spin_averages(zero, field_noise / temperature)
        slack = 1 - averages.sech2 / temperature
        return field_noise * slack / jnp.sqrt(averages.edwards_anderson) - target

    # sigma C < sqrt(2/pi) and q < 1 bound the root from above.
    low = 1e-8 * temperature
    return locate(excess, low, target + np.sqrt(2 / np.pi) + low)[0], exists

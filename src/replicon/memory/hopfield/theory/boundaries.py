"""Where the states of the Hopfield model begin and end: spin-glass transition and retrieval spinodal.

References
----------
.. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987), fig. 2 and sections 4-5.
.. [2] J.-P. Naef, A. Canning, J. Phys. I France 2, 247 (1992): the replica-symmetric spinodal is reentrant.
"""

import jax.numpy as jnp
from jax import Array, lax

from replicon.maths.roots import implicit_root, locate
from replicon.maths.solution import CONVERGED, NOT_CONVERGED, Solution
from replicon.memory.hopfield.theory import ground_state
from replicon.memory.hopfield.theory.grids import pointwise
from replicon.memory.hopfield.theory.replica import branch_point, describe, spinodal_ratio
from replicon.memory.hopfield.theory.statuses import NO_RETRIEVAL_STATE, OUT_OF_RANGE

_WARMEST = 0.0228735
"""Temperature at which ``critical_load`` is largest, the end of a bracket."""

_STEEPEST = 1.9
"""T_M < 1 - 1.9 sqrt(alpha): the line starts as 1 - 1.954 sqrt(alpha) and falls faster."""


@pointwise()
def spin_glass_temperature(load: Array | float) -> tuple[Array, Array]:
    """Temperature ``T_g = 1 + sqrt(alpha)`` below which the paramagnet freezes continuously into the spin glass.

    Parameters
    ----------
    load : float or array
        alpha = patterns / neurons, > 0.

    Returns
    -------
    Solution
        Temperature in units of the coupling (``J_ij = (1/N) sum xi xi``), and its status.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985).
    """
    load = jnp.asarray(load)
    valid = (load > 0) & jnp.isfinite(load)
    return (
        jnp.where(valid, 1 + jnp.sqrt(jnp.where(valid, load, 1.0)), jnp.nan),
        jnp.where(valid, CONVERGED, OUT_OF_RANGE),
    )


def critical_load(temperature: Array | float = 0.0) -> Solution:
    """Largest load with a retrieval state at a temperature, ``alpha_c(T)``; 0.1379056 at T = 0.

    Parameters
    ----------
    temperature : float or array
        T in units of the coupling, 0 <= T < 1.

    Returns
    -------
    Solution
        The load, nan with ``NO_RETRIEVAL_STATE`` for T >= 1.

    Notes
    -----
    Replica symmetry makes alpha_c(T) rise slightly at first, to 0.1381885 at T = 0.0229, before it falls: a
    reentrance; on its rising part replica symmetry is unstable.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987).
    """
    values, status = _retrieval_end(temperature)
    return Solution(values["load"], status)


def critical_overlap(temperature: Array | float = 0.0) -> Solution:
    """Overlap of the retrieval state at the largest load, ``m_c(T)``; 0.967417 at T = 0.

    Parameters and status are those of `critical_load`.
    """
    values, status = _retrieval_end(temperature)
    return Solution(values["overlap"], status)


@pointwise()
def retrieval_spinodal(load: Array | float) -> tuple[Array, Array]:
    """Temperature ``T_M`` up to which a retrieval state exists at a load.

    Parameters
    ----------
    load : float or array
        alpha = patterns / neurons, > 0.

    Returns
    -------
    Solution
        The temperature in units of the coupling; nan with ``NO_RETRIEVAL_STATE`` beyond the largest load at which
        there is a retrieval state at any temperature (0.1381885).

    Notes
    -----
    T_M is where the load has its maximum along the line of overlap solutions at fixed T. Between the loads
    ``critical_load(0)`` and 0.1381885 the state exists in a window of temperatures (see `critical_load`), and this
    is its upper end.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987).
    """
    load = jnp.asarray(load)
    valid = (load > 0) & jnp.isfinite(load)
    load = jnp.where(valid, load, 0.05)
    temperature, exists = upper_spinodal(load)
    safe = jnp.where(exists, temperature, 0.5)
    safe_load = jnp.where(exists, load, critical_at(safe)[0])
    ratio = spinodal_ratio(safe)
    m = safe * branch_point(ratio, safe).drive

    def fold(x: Array) -> Array:
        point = describe(x[0] / x[2], x[1], x[2])
        return jnp.stack([point.averages.overlap - x[0], point.growth, point.root_load - jnp.sqrt(safe_load)])

    root = implicit_root(fold, jnp.stack([m, ratio, safe]))
    good = valid & exists
    status = jnp.where(valid, jnp.where(exists, CONVERGED, NO_RETRIEVAL_STATE), OUT_OF_RANGE)
    return jnp.where(good, root[2], jnp.nan), status


def critical_at(temperature: Array) -> tuple[Array, Array]:
    """Largest load of a retrieval state and its overlap, at scalar 0 < T < 1; differentiable."""
    ratio = spinodal_ratio(temperature)
    m = temperature * branch_point(ratio, temperature).drive

    def fold(x: Array) -> Array:
        point = describe(x[0] / temperature, x[1], temperature)
        return jnp.stack([point.averages.overlap - x[0], point.growth])

    root = implicit_root(fold, jnp.stack([m, ratio]))
    return describe(root[0] / temperature, root[1], temperature).root_load ** 2, root[0]


def upper_spinodal(load: Array) -> tuple[Array, Array]:
    """Highest temperature with a retrieval state and whether there is one, at scalar load > 0 (no derivatives)."""
    load = lax.stop_gradient(load)
    exists = jnp.sqrt(load) <= largest_root_load(jnp.asarray(_WARMEST))
    target = jnp.sqrt(jnp.where(exists, load, 0.05))
    return locate(lambda t: largest_root_load(t) - target, _WARMEST, 1 - _STEEPEST * target)[0], exists


def lower_spinodal(load: Array) -> Array:
    """Lower end of the window of retrieval, at a load above ``critical_load(0)`` (no derivatives)."""
    root = jnp.sqrt(lax.stop_gradient(load))
    return locate(lambda t: largest_root_load(t) - root, 1e-9, _WARMEST)[0]


def largest_root_load(temperature: Array) -> Array:
    """sqrt of the largest load of a retrieval state at 0 < T < 1 (no derivatives)."""
    return branch_point(spinodal_ratio(temperature), temperature).root_load


@pointwise()
def _retrieval_end(temperature: Array | float) -> tuple[dict[str, Array], Array]:
    """Load and overlap at the largest load with a retrieval state."""
    temperature = jnp.asarray(temperature)
    valid = (temperature >= 0) & jnp.isfinite(temperature)
    retrieves = valid & (temperature < 1)
    cold = temperature == 0
    warm = critical_at(jnp.where(retrieves & ~cold, temperature, 0.5))
    t = ground_state.spinodal_argument()
    load = jnp.where(cold, ground_state.root_load(t) ** 2, warm[0])
    overlap = jnp.where(cold, ground_state.overlap(t), warm[1])
    status = jnp.where(valid, jnp.where(retrieves, CONVERGED, NO_RETRIEVAL_STATE), OUT_OF_RANGE)
    status |= jnp.where(retrieves & ~jnp.isfinite(load), NOT_CONVERGED, 0)
    return {"load": jnp.where(retrieves, load, jnp.nan), "overlap": jnp.where(retrieves, overlap, jnp.nan)}, status

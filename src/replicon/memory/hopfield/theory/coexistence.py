"""Where retrieval and spin glass have the same free energy: below, retrieval is the global minimum.

References
----------
.. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987), the line T_c of fig. 2.
"""

import jax.numpy as jnp
from jax import Array, lax

from replicon.maths.roots import bracketed_root, implicit_root, locate
from replicon.maths.solution import CONVERGED, NOT_CONVERGED
from replicon.memory.hopfield.theory import ground_state
from replicon.memory.hopfield.theory.boundaries import largest_root_load, upper_spinodal
from replicon.memory.hopfield.theory.grids import pointwise
from replicon.memory.hopfield.theory.order_parameters import equations, observables
from replicon.memory.hopfield.theory.replica import retrieval_state, spin_glass_state
from replicon.memory.hopfield.theory.statuses import NO_RETRIEVAL_STATE, NO_SUCH_STATE, OUT_OF_RANGE

_WARMEST = 0.085064
"""Temperature at which ``thermodynamic_load`` is largest, the end of a bracket."""


@pointwise()
def thermodynamic_transition(load: Array | float) -> tuple[Array, Array]:
    """Temperature ``T_c`` below which retrieval has a lower free energy than the spin glass.

    Parameters
    ----------
    load : float or array
        alpha = patterns / neurons, > 0.

    Returns
    -------
    Solution
        The temperature in units of the coupling; nan with ``NO_SUCH_STATE`` where there is no such temperature.

    Notes
    -----
    The load of equal free energies is 0.0518543 at T = 0 and, within replica symmetry, rises to 0.0531321 at
    T = 0.085 before it falls (`thermodynamic_load`): the spin glass has the more negative entropy there, which is
    an artefact. Between these loads retrieval is the global minimum in a window of temperatures, and this
    is its upper end.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987).
    """
    load = jnp.asarray(load)
    valid = (load > 0) & jnp.isfinite(load)
    load = jnp.where(valid, load, 0.02)
    highest, retrieves = upper_spinodal(load)
    fixed = lax.stop_gradient(load)
    temperature, bracket = locate(lambda t: _difference(fixed, t), _WARMEST, highest * (1 - 1e-9))
    exists = retrieves & (bracket == CONVERGED)
    safe_load, temperature = jnp.where(exists, load, 0.02), jnp.where(exists, temperature, 0.5)
    m, sigma, _ = retrieval_state(safe_load, temperature)
    sigma_glass, _ = spin_glass_state(safe_load, temperature)

    def coexistence(x: Array) -> Array:
        retrieval = observables(x[0], x[1], safe_load, x[3])["free_energy"]
        glass = observables(jnp.zeros_like(x[0]), x[2], safe_load, x[3])["free_energy"]
        return jnp.concatenate(
            [
                equations(x[0], x[1], safe_load, x[3]),
                equations(jnp.zeros_like(x[0]), x[2], safe_load, x[3])[1:],
                (retrieval - glass)[None],
            ]
        )

    root = implicit_root(coexistence, jnp.stack([m, sigma, sigma_glass, temperature]))
    good = valid & exists & jnp.isfinite(root[3])
    status = jnp.where(valid, jnp.where(exists, CONVERGED, NO_SUCH_STATE), OUT_OF_RANGE)
    status |= jnp.where(valid & exists & ~good, NOT_CONVERGED, 0)
    return jnp.where(good, root[3], jnp.nan), status


@pointwise()
def thermodynamic_load(temperature: Array | float = 0.0) -> tuple[Array, Array]:
    """Load at which retrieval and spin glass have equal free energies at a temperature; 0.0518543 at T = 0.

    Parameters
    ----------
    temperature : float or array
        T in units of the coupling, 0 <= T < 1.

    Returns
    -------
    Solution
        The load, nan with ``NO_RETRIEVAL_STATE`` for T >= 1. (The literature quotes 0.051 at T = 0.)
    """
    temperature = jnp.asarray(temperature)
    valid = (temperature >= 0) & jnp.isfinite(temperature)
    retrieves = valid & (temperature < 1)
    cold = temperature == 0
    warm = _load_at(jnp.where(retrieves & ~cold, temperature, 0.5))
    value = jnp.where(cold, _load_at_zero(), warm)
    status = jnp.where(valid, jnp.where(retrieves, CONVERGED, NO_RETRIEVAL_STATE), OUT_OF_RANGE)
    status |= jnp.where(retrieves & ~jnp.isfinite(value), NOT_CONVERGED, 0)
    return jnp.where(retrieves, value, jnp.nan), status


def _difference(load: Array, temperature: Array) -> Array:
    """Free energy of retrieval less that of the spin glass."""
    m, sigma, _ = retrieval_state(load, temperature)
    sigma_glass, _ = spin_glass_state(load, temperature)
    retrieval = observables(m, sigma, load, temperature)["free_energy"]
    return retrieval - observables(jnp.zeros_like(m), sigma_glass, load, temperature)["free_energy"]


def _load_at(temperature: Array) -> Array:
    fixed = lax.stop_gradient(temperature)
    largest = largest_root_load(fixed) ** 2
    load, _ = locate(lambda load: _difference(load, fixed), 1e-3 * largest, largest * (1 - 1e-9))
    m, sigma, _ = retrieval_state(load, temperature)
    sigma_glass, _ = spin_glass_state(load, temperature)

    def coexistence(x: Array) -> Array:
        zero = jnp.zeros_like(x[0])
        retrieval = observables(x[0], x[1], x[3], temperature)["free_energy"]
        glass = observables(zero, x[2], x[3], temperature)["free_energy"]
        return jnp.concatenate(
            [
                equations(x[0], x[1], x[3], temperature),
                equations(zero, x[2], x[3], temperature)[1:],
                (retrieval - glass)[None],
            ]
        )

    return implicit_root(coexistence, jnp.stack([m, sigma, sigma_glass, load]))[3]


def _load_at_zero() -> Array:
    def difference(t: Array) -> Array:
        load = ground_state.root_load(t) ** 2
        retrieval = ground_state.mixture_observables(t, load)["energy"]
        return retrieval - ground_state.spin_glass_observables(load)["energy"]

    t = bracketed_root(difference, ground_state.spinodal_argument(), 6.0).values
    return ground_state.root_load(t) ** 2

"""The equilibrium states of the Hopfield model: retrieval, spin glass and paramagnet, and the choice among them."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from replicon.maths.roots import implicit_root
from replicon.maths.solution import NOT_CONVERGED, Solution
from replicon.memory.hopfield.theory import ground_state
from replicon.memory.hopfield.theory.grids import pointwise
from replicon.memory.hopfield.theory.order_parameters import OBSERVABLES, equations, observables
from replicon.memory.hopfield.theory.replica import retrieval_state, spin_glass_state
from replicon.memory.hopfield.theory.statuses import (
    NO_RETRIEVAL_STATE,
    NO_SUCH_STATE,
    OUT_OF_RANGE,
    REPLICA_SYMMETRY_UNSTABLE,
)

STATES = ("auto", "retrieval", "spin_glass", "paramagnet")
_TOLERANCE = 1e-9
"""Largest residual, on a quadrature of half the step, of a point that counts as converged."""


@pointwise("state")
def replica_symmetric(
    load: Array | float, temperature: Array | float, state: str = "auto"
) -> tuple[dict[str, Array], Array]:
    r"""Replica-symmetric state of the Hopfield model at T > 0.

    The equations are those of Amit, Gutfreund and Sompolinsky for one condensed pattern, with
    ``H = -1/2 sum_ij J_ij s_i s_j``, Hebbian ``J_ij = (1/N) sum_mu xi_i^mu xi_j^mu``, ``J_ii = 0``::

        m = int Dz tanh beta(m + sqrt(alpha r) z)      q = int Dz tanh^2 beta(m + sqrt(alpha r) z)
        C = beta (1 - q)                               r = q / (1 - C)^2

    Parameters
    ----------
    load : float or array
        alpha = patterns / neurons, > 0.
    temperature : float or array
        T in units of the coupling (k_B = 1), > 0; broadcast with `load`.
    state : {"auto", "retrieval", "spin_glass", "paramagnet"}
        "retrieval" is the state with macroscopic overlap that continues the stored pattern. "auto" is retrieval
        where it exists, otherwise the spin glass where T < 1 + sqrt(load), otherwise the paramagnet.

    Returns
    -------
    Solution
        `values`: dict of arrays of the broadcast shape (floats for scalars) with keys `overlap` (m),
        `edwards_anderson` (q), `crosstalk` (r), `susceptibility` (C), `error_rate` ((1 - m)/2), `energy`,
        `free_energy` (per neuron, in units of the coupling), `entropy` (per neuron, nats), `almeida_thouless`
        (Lambda; replica symmetry is stable below 1) and `residual` (of the equations, on a finer quadrature).
        `status`: sum of the bits of ``STATUS_TEXTS``. With "auto" the bit ``NO_RETRIEVAL_STATE`` says that the
        values are those of the spin glass or paramagnet; a state asked for by name that does not exist is nan.

    Notes
    -----
    ``jit``, ``vmap`` and ``grad`` (implicit differentiation) work through it. Digits: about 1e-13 away from the
    spinodal. Load and temperature out of range give nan and ``OUT_OF_RANGE``.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985).
    .. [2] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987).
    .. [3] J. R. L. de Almeida, D. J. Thouless, J. Phys. A 11, 983 (1978): stability against replicas.
    """
    _known(state)
    return _warm_point(jnp.asarray(load), jnp.asarray(temperature), state)


@pointwise("state")
def zero_temperature(load: Array | float, state: str = "auto") -> tuple[dict[str, Array], Array]:
    r"""Replica-symmetric state of the Hopfield model at T = 0.

    Parameters
    ----------
    load : float or array
        alpha = patterns / neurons, > 0.
    state : {"auto", "retrieval", "spin_glass", "paramagnet"}
        As for `replica_symmetric`; there is no paramagnet at T = 0.

    Returns
    -------
    Solution
        The keys of `replica_symmetric`. `entropy` is ``-(alpha/2) [ln(1 - C) + C/(1 - C)]``, negative as an
        entropy of discrete spins cannot be, and `almeida_thouless` is infinite: both say that replica symmetry
        is broken at T = 0 (in the retrieval state only below an exponentially small temperature, see
        `almeida_thouless_line`). So every status carries ``REPLICA_SYMMETRY_UNSTABLE``.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987), section 5.
    """
    _known(state)
    return _frozen_point(jnp.asarray(load), state)


def equilibrium(
    load: Array | float, temperature: Array | float = 0.0, state: str = "auto", zero_temperature: bool = False
) -> Solution:
    """`replica_symmetric`, or with the static flag `zero_temperature` the equations at T = 0.

    Under the flag `temperature` only gives its shape.
    """
    if not zero_temperature:
        return replica_symmetric(load, temperature, state)
    grid: Any = load + np.zeros(np.shape(temperature)) if np.ndim(temperature) else load
    return _at_zero(grid, state)


_at_zero = zero_temperature


def _known(state: str) -> None:
    if state not in STATES:
        raise ValueError(f"state must be one of {', '.join(STATES)}, not {state!r}")


def _warm_point(load: Array, temperature: Array, state: str) -> tuple[dict[str, Array], Array]:
    valid = (load > 0) & (temperature > 0) & jnp.isfinite(load) & jnp.isfinite(temperature)
    load, temperature = jnp.where(valid, load, 0.05), jnp.where(valid, temperature, 0.5)
    nothing = jnp.full_like(load, jnp.nan)
    zero = jnp.zeros_like(load)
    m, sigma, retrieves, magnetic = zero, nothing, jnp.asarray(False), jnp.asarray(False)
    glassy = jnp.asarray(False)

    if state in ("auto", "spin_glass"):
        sigma, glassy = spin_glass_state(load, temperature)
    if state in ("auto", "retrieval"):
        below = temperature < 1
        m_retrieval, sigma_retrieval, retrieves = retrieval_state(load, jnp.where(below, temperature, 0.5))
        retrieves &= below
        m = jnp.where(retrieves, m_retrieval, m)
        sigma = jnp.where(retrieves, sigma_retrieval, sigma)
    magnetic = retrieves | glassy
    values, residual = _solved(m, sigma, load, temperature, magnetic)

    exists = magnetic
    if state in ("auto", "paramagnet"):
        hot = temperature > 1
        fluid = hot & ~magnetic
        values_fluid = paramagnet(load, jnp.where(hot, temperature, 2.0))
        values = {name: jnp.where(fluid, values_fluid[name], values[name]) for name in OBSERVABLES}
        residual = jnp.where(fluid, 0.0, residual)
        exists = magnetic | fluid

    converged = residual < _TOLERANCE
    status = jnp.where(valid, 0, OUT_OF_RANGE)
    status |= jnp.where(valid & exists & ~converged, NOT_CONVERGED, 0)
    if state in ("auto", "retrieval"):
        status |= jnp.where(valid & ~retrieves, NO_RETRIEVAL_STATE, 0)
    else:
        status |= jnp.where(valid & ~exists, NO_SUCH_STATE, 0)
    usable = valid & exists & converged
    status |= jnp.where(usable & (values["almeida_thouless"] > 1), REPLICA_SYMMETRY_UNSTABLE, 0)
    values["residual"] = residual
    return {name: jnp.where(usable, value, jnp.nan) for name, value in values.items()}, status


def _solved(m: Array, sigma: Array, load: Array, temperature: Array, exists: Array) -> tuple[dict[str, Array], Array]:
    """Observables and residual at the solution (m, sigma), with its derivatives attached."""
    safe_load, safe_temperature = jnp.where(exists, load, 0.05), jnp.where(exists, temperature, 0.5)
    root = implicit_root(
        lambda x: equations(x[0], x[1], safe_load, safe_temperature),
        jnp.stack([jnp.where(exists, m, 0.0), jnp.where(exists, sigma, 1.0)]),
    )
    residual = jnp.max(jnp.abs(equations(root[0], root[1], safe_load, safe_temperature, refinement=2)))
    values = observables(root[0], root[1], safe_load, safe_temperature)
    return values, jnp.where(exists, residual, jnp.nan)


def paramagnet(load: Array, temperature: Array) -> dict[str, Array]:
    """Observables at m = q = 0 and T > 1, where the state solves the equations; stable for T > 1 + sqrt(load)."""
    zero = jnp.zeros_like(load)
    logarithm = jnp.log1p(-1 / temperature)
    return dict(
        overlap=zero,
        edwards_anderson=zero,
        crosstalk=zero,
        susceptibility=1 / temperature + zero,
        error_rate=zero + 0.5,
        energy=-0.5 * load / (temperature - 1),
        free_energy=0.5 * load * (1 + temperature * logarithm) - temperature * np.log(2),
        entropy=np.log(2) - 0.5 * load * (logarithm + 1 / (temperature - 1)),
        almeida_thouless=load / (temperature - 1) ** 2,
    )


def _frozen_point(load: Array, state: str) -> tuple[dict[str, Array], Array]:
    valid = (load > 0) & jnp.isfinite(load)
    load = jnp.where(valid, load, 0.05)
    values = ground_state.spin_glass_observables(load)
    residual = jnp.zeros_like(load)
    exists = jnp.asarray(state != "paramagnet")
    retrieves = jnp.asarray(False)
    if state in ("auto", "retrieval"):
        t, retrieves = ground_state.retrieval_argument(load)
        retrieval = ground_state.mixture_observables(t, load)
        values = {name: jnp.where(retrieves, retrieval[name], values[name]) for name in OBSERVABLES}
        residual = jnp.where(retrieves, jnp.abs(ground_state.root_load(t) - jnp.sqrt(load)), 0.0)
        exists = retrieves if state == "retrieval" else exists

    status = jnp.where(valid, 0, OUT_OF_RANGE)
    if state in ("auto", "retrieval"):
        status |= jnp.where(valid & ~retrieves, NO_RETRIEVAL_STATE, 0)
    else:
        status |= jnp.where(valid & ~exists, NO_SUCH_STATE, 0)
    converged = residual < _TOLERANCE
    status |= jnp.where(valid & exists & ~converged, NOT_CONVERGED, 0)
    usable = valid & exists & converged
    status |= jnp.where(usable, REPLICA_SYMMETRY_UNSTABLE, 0)
    values["residual"] = residual
    return {name: jnp.where(usable, value, jnp.nan) for name, value in values.items()}, status

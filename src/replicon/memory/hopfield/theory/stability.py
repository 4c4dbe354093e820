"""Where replica symmetry breaks in the retrieval state: the line of de Almeida and Thouless.

References
----------
.. [1] J. R. L. de Almeida, D. J. Thouless, J. Phys. A 11, 983 (1978).
.. [2] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987), section 6: the line T_R.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from replicon.core.precision import in_float64
from replicon.maths.roots import implicit_root, locate
from replicon.maths.solution import CONVERGED, NOT_CONVERGED, Solution
from replicon.memory.hopfield.theory import ground_state
from replicon.memory.hopfield.theory.boundaries import lower_spinodal, upper_spinodal
from replicon.memory.hopfield.theory.grids import pointwise
from replicon.memory.hopfield.theory.order_parameters import equations, observables
from replicon.memory.hopfield.theory.replica import retrieval_state
from replicon.memory.hopfield.theory.statuses import NO_RETRIEVAL_STATE, OUT_OF_RANGE

_LOWEST = np.log(1e-20)
"""ln T below which ``Lambda = A / T`` holds to rounding, its corrections being of relative order T."""


@in_float64
def almeida_thouless_line(load: Array | float) -> Solution:
    """Temperature ``T_R`` below which replica symmetry is unstable in the retrieval state (Lambda = 1).

    Parameters
    ----------
    load : float or array
        alpha = patterns / neurons, > 0.

    Returns
    -------
    Solution
        Temperature in units of the coupling; nan with ``NO_RETRIEVAL_STATE`` where no retrieval state exists.

    Notes
    -----
    T_R vanishes like ``sqrt(8 alpha / 9 pi) exp(-1 / 2 alpha)`` and is therefore solved for in ln T; below a load
    of about 0.0007 it underflows to zero. `log_almeida_thouless_line` does not.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987).
    """
    logarithm, status = log_almeida_thouless_line(load)
    return Solution(jnp.exp(logarithm), status)


@pointwise()
def log_almeida_thouless_line(load: Array | float) -> tuple[Array, Array]:
    """Natural logarithm of `almeida_thouless_line`, also where T_R is too small for a float."""
    return _log_line(jnp.asarray(load))


def _log_line(load: Array) -> tuple[Array, Array]:
    valid = (load > 0) & jnp.isfinite(load)
    load = jnp.where(valid, load, 0.05)
    highest, exists = upper_spinodal(load)
    load = jnp.where(exists, load, 0.05)
    highest = jnp.where(exists, highest, 0.5)

    t, at_zero = ground_state.retrieval_argument(load)
    estimate = _log_coefficient(t, load)
    solvable = (estimate > _LOWEST) | ~at_zero
    fixed = lax.stop_gradient(load)
    start = lax.stop_gradient(
        jnp.where(at_zero, estimate - 2, jnp.log(lower_spinodal(jnp.where(at_zero, 0.138, load))))
    )
    # Rounding must not put the end of the bracket outside the retrieval phase.
    low = jnp.where(solvable, jnp.where(at_zero, start, start + 1e-9), np.log(1e-3))
    high = jnp.where(solvable, jnp.minimum(low + 4, jnp.log(highest) - 1e-9), np.log(1e-2))

    def log_stability(log_temperature: Array) -> Array:
        temperature = jnp.exp(log_temperature)
        m, sigma, _ = retrieval_state(fixed, temperature)
        return jnp.log(observables(m, sigma, fixed, temperature)["almeida_thouless"])

    solution, _ = locate(log_stability, low, high)
    converged = jnp.isfinite(solution) | ~solvable
    solution = jnp.where(solvable & converged, solution, np.log(0.1))
    m, sigma, _ = retrieval_state(load, jnp.exp(solution))

    def marginal(x: Array) -> Array:
        temperature = jnp.exp(x[2])
        stability = jnp.log(observables(x[0], x[1], load, temperature)["almeida_thouless"])
        return jnp.concatenate([equations(x[0], x[1], load, temperature), stability[None]])

    root = implicit_root(marginal, jnp.stack([m, sigma, solution]))[2]
    value = jnp.where(solvable, root, estimate)
    status = jnp.where(valid, jnp.where(exists, CONVERGED, NO_RETRIEVAL_STATE), OUT_OF_RANGE)
    status |= jnp.where(valid & exists & ~(converged & jnp.isfinite(value)), NOT_CONVERGED, 0)
    return jnp.where(status == CONVERGED, value, jnp.nan), status


def _log_coefficient(t: Array, load: Array) -> Array:
    """Logarithm of A in ``Lambda = A / T``, T -> 0, with ``int Dz sech^4`` 4T/(3 sigma) of the density at the kink."""
    values = ground_state.mixture_observables(t, load)
    sigma = jnp.sqrt(load * values["crosstalk"])
    return jnp.log(load * values["crosstalk"] * 4 / (3 * sigma * np.sqrt(2 * np.pi))) - t * t

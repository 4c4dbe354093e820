"""Mixture states: spurious memories with the same overlap with each of n patterns.

Conventions: ``H = -1/2 sum_ij J_ij s_i s_j`` with ``J_ij = (1/N) sum_mu xi_i^mu xi_j^mu``; temperature in units of
the coupling; energies per neuron. Z is the sum of n independent signs.

References
----------
.. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. A 32, 1007 (1985), sections III-IV: load zero.
.. [2] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987), section 5: finite load.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from replicon.maths.roots import bracketed_root, implicit_root, locate, newton_from_safe_side
from replicon.maths.solution import CONVERGED, NOT_CONVERGED
from replicon.memory.hopfield.theory import ground_state
from replicon.memory.hopfield.theory.grids import pointwise
from replicon.memory.hopfield.theory.order_parameters import equations, observables, sign_sums
from replicon.memory.hopfield.theory.replica import branch_point
from replicon.memory.hopfield.theory.statuses import NO_SUCH_STATE, OUT_OF_RANGE, REPLICA_SYMMETRY_UNSTABLE


@pointwise("patterns")
def mixture_overlap(patterns: int, temperature: Array | float = 0.0) -> tuple[Array, Array]:
    """Overlap of the symmetric mixture of n patterns with each of them, at load zero.

    The positive solution of ``m = <<Z tanh(m Z / T)>> / n``; at T = 0 and odd n it is
    ``2^(1-n) binomial(n-1, (n-1)/2)``, with energy ``-n m^2 / 2``.

    Parameters
    ----------
    patterns : int
        n >= 1; even mixtures solve the equation but are never stable (`mixture_eigenvalues`).
    temperature : float or array
        T in units of the coupling, 0 <= T < 1.

    Returns
    -------
    Solution
        The overlap; nan with ``NO_SUCH_STATE`` for T >= 1.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. A 32, 1007 (1985), eqs. 3.5-3.9.
    """
    temperature = jnp.asarray(temperature)
    status = _zero_load_status(temperature)
    sums, weights = sign_sums(_odd_or_even(patterns))
    frozen = np.sum(weights * sums) / patterns
    warm = _overlap(patterns, jnp.where((status == CONVERGED) & (temperature > 0), temperature, 0.5))
    value = jnp.where(temperature == 0, frozen, warm)
    return jnp.where(status == CONVERGED, value, jnp.nan), status


@pointwise("patterns")
def mixture_eigenvalues(patterns: int, temperature: Array | float) -> tuple[dict[str, Array], Array]:
    """Curvature of the free energy at a symmetric mixture, at load zero: stable where all three are positive.

    Parameters
    ----------
    patterns : int
        n >= 1.
    temperature : float or array
        T in units of the coupling, 0 < T < 1.

    Returns
    -------
    Solution
        `values`: dict of the eigenvalues of the Hessian in the overlaps. With ``q = <<t^2>>`` and
        ``Q = <<xi_1 xi_2 t^2>>``: `uniform` ``1 - beta(1-q) + (n-1) beta Q`` for equal changes, `relative`
        ``1 - beta(1-q) - beta Q`` for changes among the n (n - 1 fold, the one that decides), `other`
        ``1 - beta(1-q)`` for any further pattern.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. A 32, 1007 (1985), eqs. 3.12-3.15.
    """
    temperature = jnp.asarray(temperature)
    status = jnp.where(temperature == 0, OUT_OF_RANGE, _zero_load_status(temperature))
    safe = jnp.where(status == CONVERGED, temperature, 0.5)
    values = _eigenvalues(_odd_or_even(patterns), safe)
    return {name: jnp.where(status == CONVERGED, value, jnp.nan) for name, value in values.items()}, status


@pointwise("patterns")
def mixture_critical_temperature(patterns: int) -> tuple[Array, Array]:
    """Temperature ``T_n`` below which the symmetric mixture of n patterns is stable, at load zero.

    T_3 = 0.4598, T_5 = 0.3847, T_7 = 0.3439; one for n = 1; nan with ``NO_SUCH_STATE`` for even n, which are never
    stable.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. A 32, 1007 (1985), section III.
    """
    if _odd_or_even(patterns) % 2 == 0:
        return jnp.asarray(jnp.nan), jnp.asarray(NO_SUCH_STATE)
    if patterns == 1:
        return jnp.asarray(1.0), jnp.asarray(CONVERGED)
    root, status = bracketed_root(lambda t: _eigenvalues(patterns, t)["relative"], 0.01 / np.sqrt(patterns), 0.9)
    return root, status


@pointwise("patterns")
def symmetric_mixture(
    load: Array | float, patterns: int = 3, temperature: Array | float = 0.0
) -> tuple[dict[str, Array], Array]:
    """Replica-symmetric state with equal overlaps with an odd number of patterns, at finite load.

    Parameters
    ----------
    load : float or array
        alpha = patterns / neurons, > 0.
    patterns : int
        n, odd; one gives the retrieval state.
    temperature : float or array
        T in units of the coupling, 0 <= T < 1.

    Returns
    -------
    Solution
        `values`: dict with the keys of `replica_symmetric` without `residual`. Status ``NO_SUCH_STATE`` (nan)
        beyond the spinodal of the branch that starts at load zero. `almeida_thouless` tells the stability against
        replicas only, not that among the n patterns (at load zero `mixture_eigenvalues`).

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987), section 5.
    """
    _only_odd(patterns)
    load, temperature = jnp.asarray(load), jnp.asarray(temperature)
    valid = (load > 0) & jnp.isfinite(load) & (temperature >= 0) & jnp.isfinite(temperature)
    load = jnp.where(valid, load, 1e-3)
    cold = temperature == 0
    below = temperature < 1
    safe = jnp.where(valid & below & ~cold, temperature, 0.5)

    at_zero, zero_exists = _frozen_mixture(load, patterns)
    m, sigma, warm_exists = _warm_mixture(load, patterns, safe)
    safe_load = jnp.where(warm_exists, load, 1e-3)
    root = implicit_root(lambda x: equations(x[0], x[1], safe_load, safe, patterns), jnp.stack([m, sigma]))
    warm = observables(root[0], root[1], safe_load, safe, patterns)
    values = {name: jnp.where(cold, at_zero[name], warm[name]) for name in warm}

    exists = jnp.where(cold, zero_exists, warm_exists & below)
    status = jnp.where(valid, jnp.where(exists, CONVERGED, NO_SUCH_STATE), OUT_OF_RANGE)
    good = valid & exists & jnp.isfinite(values["overlap"])
    status |= jnp.where(valid & exists & ~good, NOT_CONVERGED, 0)
    status |= jnp.where(good & (values["almeida_thouless"] > 1), REPLICA_SYMMETRY_UNSTABLE, 0)
    return {name: jnp.where(good, value, jnp.nan) for name, value in values.items()}, status


@pointwise("patterns")
def largest_mixture_load(patterns: int = 3) -> tuple[Array, Array]:
    """Load up to which the symmetric mixture of an odd number of patterns exists at T = 0; 0.02994 for three.

    References
    ----------
    .. [1] D. J. Amit, H. Gutfreund, H. Sompolinsky, Ann. Phys. 173, 30 (1987), section 5.
    """
    _only_odd(patterns)
    spinodal = _frozen_spinodal(patterns)
    return ground_state.root_load(spinodal, patterns) ** 2, jnp.where(jnp.isfinite(spinodal), CONVERGED, NOT_CONVERGED)


def _odd_or_even(patterns: int) -> int:
    if patterns < 1 or patterns != int(patterns):
        raise ValueError(f"patterns must be a whole number of at least 1, not {patterns!r}")
    return int(patterns)


def _only_odd(patterns: int) -> None:
    if _odd_or_even(patterns) % 2 == 0:
        raise ValueError(f"patterns must be odd, not {patterns}: mixtures of an even number are never stable")


def _zero_load_status(temperature: Array) -> Array:
    valid = (temperature >= 0) & jnp.isfinite(temperature)
    return jnp.where(valid, jnp.where(temperature < 1, CONVERGED, NO_SUCH_STATE), OUT_OF_RANGE)


def _overlap(patterns: int, temperature: Array) -> Array:
    sums, weights = sign_sums(patterns)
    fixed = lax.stop_gradient(temperature)

    def excess(m: Array, temperature: Array) -> Array:
        return jnp.sum(weights * sums * jnp.tanh(m * sums / temperature)) / patterns - m

    def excess_and_slope(m: Array) -> tuple[Array, Array]:
        response = 1 - jnp.tanh(m * sums / fixed) ** 2
        return excess(m, fixed), jnp.sum(weights * sums**2 * response) / patterns / fixed - 1

    # The average is concave in m, so from m = 1 Newton descends to the positive root.
    m = newton_from_safe_side(excess_and_slope, jnp.ones_like(fixed))
    return implicit_root(lambda x: excess(x[0], temperature)[None], m[None])[0]


def _eigenvalues(patterns: int, temperature: Array) -> dict[str, Array]:
    sums, weights = sign_sums(patterns)
    squared = jnp.tanh(_overlap(patterns, temperature) * sums / temperature) ** 2
    q = jnp.sum(weights * squared)
    # Z^2 = n + the sum over ordered pairs of xi_mu xi_nu.
    pairs = max(patterns * (patterns - 1), 1)
    cross = (jnp.sum(weights * sums**2 * squared) - patterns * q) / pairs
    other = 1 - jnp.sum(weights * (1 - squared)) / temperature
    return dict(uniform=other + (patterns - 1) * cross / temperature, relative=other - cross / temperature, other=other)


def _frozen_spinodal(patterns: int) -> Array:
    """t at the maximum of the load on the branch from load zero (t -> infinity) at T = 0."""
    sums, weights = sign_sums(patterns)

    def slope(t: Array) -> Array:
        # d root_load / dt times sqrt(2) t^2
        bell = jnp.exp(-((sums * t) ** 2))
        overlap_slope = 2 / np.sqrt(np.pi) * jnp.sum(weights * sums**2 * bell) / patterns
        overlap = ground_state.overlap(t, patterns)
        return t * overlap_slope - overlap + 4 / np.sqrt(np.pi) * t**3 * jnp.sum(weights * sums**2 * bell)

    return bracketed_root(slope, 1.4, 2.2).values


def _frozen_mixture(load: Array, patterns: int) -> tuple[dict[str, Array], Array]:
    spinodal = _frozen_spinodal(patterns)
    exists = ground_state.root_load(spinodal, patterns) >= jnp.sqrt(load)
    target = jnp.sqrt(jnp.where(exists, load, 1e-5))
    high = 1.001 / (np.sqrt(2) * target)
    t = bracketed_root(lambda t: ground_state.root_load(t, patterns) - target, spinodal, high).values
    return ground_state.mixture_observables(t, jnp.where(exists, load, 1e-5), patterns), exists


def _warm_mixture(load: Array, patterns: int, temperature: Array) -> tuple[Array, Array, Array]:
    """Overlap, sigma and existence on the branch from load zero to its first maximum (no derivatives)."""
    root, temperature = lax.stop_gradient((jnp.sqrt(load), temperature))
    ratios = jnp.asarray(np.geomspace(0.02, 3.0, 60))
    growth = lax.map(lambda s: branch_point(s, temperature, patterns).growth, ratios)
    first = jnp.argmax(growth < 0)
    low, high = ratios[jnp.maximum(first - 1, 0)], ratios[first]
    peak, _ = locate(lambda s: branch_point(s, temperature, patterns).growth, low, high)
    exists = (branch_point(peak, temperature, patterns).root_load >= root) & (first > 0)
    target, peak = jnp.where(exists, root, 0.0), jnp.where(exists, peak, 0.4)
    bottom = jnp.where(exists, 1e-3 * root, 0.0)
    ratio, _ = locate(lambda s: branch_point(s, temperature, patterns).root_load - target, bottom, peak)
    drive = branch_point(ratio, temperature, patterns).drive
    m, sigma = temperature * drive, temperature * drive * ratio
    return jnp.where(exists, m, 0.9), jnp.where(exists, sigma, 0.1), exists

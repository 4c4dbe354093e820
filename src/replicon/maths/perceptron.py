r"""Capacity of the perceptron: how many random patterns any couplings can store with a given stability.

Stability of a pattern at a neuron: ``Delta = xi_i sum_j J_ij xi_j / |J_i|``, in units where a random pattern has
unit variance. The capacity is the largest load at which couplings with all ``Delta >= margin`` exist.

References
----------
.. [1] E. Gardner, J. Phys. A 21, 257 (1988), eqs. 20-32, biased patterns in section 3.
.. [2] T. B. Kepler, L. F. Abbott, J. Physique 49, 1657 (1988): distribution of stabilities.
.. [3] W. Krauth, M. Mezard, J. Physique 50, 3057 (1989): couplings +-1.
.. [4] T. M. Cover, IEEE Trans. Electron. Comput. 14, 326 (1965): counting of dichotomies.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import betainc, erfc, log_ndtr

from replicon.maths.gaussian import (
    gaussian_average,
    log_ramp_average,
    normal_density,
    squared_ramp_average,
    tanh_averages,
)
from replicon.maths.grids import pointwise
from replicon.maths.roots import bracketed_root
from replicon.maths.solution import CONVERGED, NOT_CONVERGED

REPLICA_SYMMETRY_UNSTABLE = 4
NO_SUCH_STATE = 8
OUT_OF_RANGE = 16
"""Status bits, those of the Hopfield model."""


@pointwise()
def gardner_capacity(margin: Array | float = 0.0, bias: Array | float = 0.0) -> tuple[Array, Array]:
    r"""Largest load at which couplings with stabilities of at least `margin` exist; 2 at margin 0.

    For unbiased patterns ``1/alpha_c = int_{-kappa}^inf Dt (t + kappa)^2``. With mean activity a, input and output::

        1/alpha_c = min_v sum_{+-} (1 +- a)/2 int Dt max(t + (kappa -+ a v)/sqrt(1 - a^2), 0)^2

    v being the ferromagnetic part ``sum_j J_ij / sqrt(N)`` that the optimal couplings choose.

    Parameters
    ----------
    margin : float or array
        kappa, any sign, in units of ``|J_i|`` (no further factor of N: ``sum_j J_ij^2 = 1``).
    bias : float or array
        a, the mean of the +-1 patterns, ``-1 < a < 1``.

    Returns
    -------
    Solution
        The load patterns / neurons; for a negative margin with ``REPLICA_SYMMETRY_UNSTABLE``, since the formula is
        then only an upper bound.

    Notes
    -----
    As a -> 1 at margin 0 the capacity diverges like ``-1 / ((1 - a) ln(1 - a))``.

    References
    ----------
    .. [1] E. Gardner, J. Phys. A 21, 257 (1988).
    """
    margin, bias = jnp.asarray(margin), jnp.abs(jnp.asarray(bias))
    valid = jnp.isfinite(margin) & (bias < 1)
    kappa, a = jnp.where(valid, margin, 0.0), jnp.where(valid, bias, 0.0)
    width = jnp.sqrt((1 - a) * (1 + a))
    scaled = kappa / width
    odds = jnp.log1p(a) - jnp.log1p(-a)

    def imbalance(shift: Array) -> Array:
        return odds + log_ramp_average(scaled - shift) - log_ramp_average(scaled + shift)

    # The slope of the imbalance never falls below that of two equal ramps far right, hence a generous end.
    furthest = 4 + jnp.abs(scaled) + jnp.sqrt(2 * odds)
    shift, solved = bracketed_root(imbalance, 0.0, furthest)
    inverse = 0.5 * (1 + a) * squared_ramp_average(scaled - shift)
    inverse += 0.5 * (1 - a) * squared_ramp_average(scaled + shift)
    good = valid & (solved == CONVERGED)
    status = jnp.where(valid, jnp.where(kappa < 0, REPLICA_SYMMETRY_UNSTABLE, CONVERGED), OUT_OF_RANGE)
    status |= jnp.where(valid & ~good, NOT_CONVERGED, 0)
    return jnp.where(good, 1 / inverse, jnp.nan), status


@pointwise()
def ising_capacity(margin: Array | float = 0.0) -> tuple[Array, Array]:
    r"""Largest load at which couplings +-1 store random patterns with a margin; 0.833 at margin 0.

    Where the replica-symmetric entropy of solutions vanishes::

        s = E ln 2cosh(sqrt(q^) z) - q^ (1 - q) / 2 + alpha E ln H(u),      u = (kappa - sqrt(q) z) / sqrt(1 - q),
        q = E tanh^2(sqrt(q^) z),     q^ = alpha / (1 - q) E[(phi(u) / H(u))^2].

    Parameters
    ----------
    margin : float or array
        kappa, in units of the standard deviation of a random pattern's field.

    Returns
    -------
    Solution
        The load patterns / neurons.

    References
    ----------
    .. [1] W. Krauth, M. Mezard, J. Physique 50, 3057 (1989), eq. 4.
    """
    margin = jnp.asarray(margin)

    def branch(log_field: Array) -> tuple[Array, Array]:
        field = jnp.exp(log_field)
        weights = tanh_averages(jnp.zeros(()), jnp.sqrt(field))
        q, left = weights.tanh2, weights.sech2
        width = jnp.sqrt(left / q)

        def tail(z: Array) -> tuple[Array, Array]:
            u = (margin - jnp.sqrt(q) * z) / jnp.sqrt(left)
            return u, log_ndtr(-u)

        def squared_score(z: Array) -> Array:
            u, log_tail = tail(z)
            return jnp.exp(-u * u - 2 * log_tail) / (2 * np.pi)

        turn = margin / jnp.sqrt(q)
        pull = gaussian_average(squared_score, turn, width)
        labels = gaussian_average(lambda z: tail(z)[1], turn, width)
        load = field * left / pull
        # E[v tanh v] = q^ (1 - q), by parts.
        return load, weights.entropy + 0.5 * field * left + load * labels

    log_field, status = bracketed_root(lambda x: branch(x)[1], -6.0, 5.0)
    return branch(log_field)[0], status


@pointwise()
def gardner_margin(load: Array | float) -> tuple[Array, Array]:
    """Largest stability that couplings can give to all unbiased patterns at a load below 2.

    The inverse of `gardner_capacity`; nan with ``NO_SUCH_STATE`` above a load of 2, where no couplings store all.

    Parameters
    ----------
    load : float or array
        alpha = patterns / neurons, > 0.

    Returns
    -------
    Solution
    """
    load = jnp.asarray(load)
    valid = (load > 0) & jnp.isfinite(load)
    exists = load <= 2
    target = 1 / jnp.where(valid & exists, load, 1.0)
    # int Dt max(t + k, 0)^2 > k^2 + 1/2 for k > 0 bounds the root from above.
    margin, _ = bracketed_root(lambda k: squared_ramp_average(k) - target, -1e-12, jnp.sqrt(target))
    status = jnp.where(valid, jnp.where(exists, CONVERGED, NO_SUCH_STATE), OUT_OF_RANGE)
    return jnp.where(valid & exists, margin, jnp.nan), status


@pointwise()
def stability_distribution(stability: Array | float, margin: Array | float = 0.0) -> tuple[dict[str, Array], Array]:
    """Distribution of the stabilities Delta at capacity: a normal density cut at the margin, the rest heaped on it.

    Parameters
    ----------
    stability : float or array
        Delta, where the density is wanted.
    margin : float or array
        kappa >= 0.

    Returns
    -------
    Solution
        `values`: dict of `density` (of the continuous part, zero below the margin) and `weight_at_margin`, the
        fraction of patterns with exactly Delta = kappa.

    References
    ----------
    .. [1] T. B. Kepler, L. F. Abbott, J. Physique 49, 1657 (1988).
    """
    stability, margin = jnp.asarray(stability), jnp.asarray(margin)
    valid = jnp.isfinite(stability) & jnp.isfinite(margin)
    values = dict(
        density=jnp.where(stability >= margin, normal_density(stability), 0.0),
        weight_at_margin=0.5 * erfc(-margin / np.sqrt(2)) + jnp.zeros_like(stability),
    )
    status = jnp.where(valid, jnp.where(margin < 0, REPLICA_SYMMETRY_UNSTABLE, CONVERGED), OUT_OF_RANGE)
    return {name: jnp.where(valid, value, jnp.nan) for name, value in values.items()}, status


@pointwise()
def separation_probability(samples: Array | float, features: Array | float) -> tuple[Array, Array]:
    r"""Probability that random labels of points in general position are linearly separable, for any finite size.

    Cover's count ``2^(1-n) sum_{k<d} C(n-1, k)`` over the ``2^n`` labellings; 1/2 at n = 2d for every d.

    Parameters
    ----------
    samples, features : float or array
        n and d, at least 1; the hyperplane goes through the origin.

    Returns
    -------
    Solution
    """
    n, d = jnp.asarray(samples), jnp.asarray(features)
    valid = (n >= 1) & (d >= 1) & jnp.isfinite(n) & jnp.isfinite(d)
    short = n <= d
    n_, d_ = jnp.where(valid & ~short, n, 2.0), jnp.where(valid & ~short, d, 1.0)
    # The binomial sum is a regularised incomplete beta function.
    value = jnp.where(short, 1.0, betainc(n_ - d_, d_, 0.5))
    return jnp.where(valid, value, jnp.nan), jnp.where(valid, CONVERGED, OUT_OF_RANGE)

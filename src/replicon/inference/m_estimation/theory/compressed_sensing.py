"""The phase transition of noise-free l1 recovery."""

import jax.numpy as jnp
from jax import Array

from replicon.maths.gaussian import ramp_average, squared_ramp_average
from replicon.maths.grids import pointwise
from replicon.maths.roots import bracketed_root


@pointwise()
def donoho_tanner(sparsity: Array | float) -> tuple[Array, Array]:
    r"""Samples per feature above which minimal l1 norm recovers a sparse signal exactly from noise-free data.

    ``alpha_c(e) = min_{z >= 0} e (1 + z^2) + 2 (1 - e) [(1 + z^2) Phi(-z) - z phi(z)]``, whatever the amplitudes of the
    non-zero entries, for designs with independent entries.

    Parameters
    ----------
    sparsity : float or array
        e, the fraction of non-zero entries, in (0, 1]; above or below, the status is ``NOT_CONVERGED``.

    Returns
    -------
    Solution
        alpha_c = samples / features, of the shape of `sparsity`; 0.328794 at e = 0.1.

    References
    ----------
    .. [1] D. Donoho, J. Tanner, Phil. Trans. R. Soc. A 367, 4273 (2009).
    .. [2] D. Donoho, A. Maleki, A. Montanari, PNAS 106, 18914 (2009), eq. 5.
    """
    sparsity = jnp.asarray(sparsity, dtype=float)
    # The minimum's condition; the left side grows and the right one falls with z, and z < 40 for any e above 1e-300.
    threshold, status = bracketed_root(
        lambda z: sparsity * z - 2 * (1 - sparsity) * ramp_average(-z), jnp.zeros(()), jnp.full((), 40.0)
    )
    found = sparsity * (1 + threshold**2) + 2 * (1 - sparsity) * squared_ramp_average(-threshold)
    outside = ~((sparsity > 0) & (sparsity <= 1))
    return jnp.where(outside, jnp.nan, found), jnp.where(outside, 1, status)

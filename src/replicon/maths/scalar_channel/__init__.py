"""The scalar channel of high-dimensional inference: smoothed densities, averages over them, and fixed points.

A high-dimensional convex or Bayesian estimation problem reduces to one scalar problem, x = s + sqrt(q) z, for each
coefficient and one for each residual. This package holds what the theories of M-estimation, message passing and
generalised linear estimation share.
"""

from replicon.maths.scalar_channel.densities import (
    Density,
    GaussianMixture,
    Laplace,
    bernoulli_gauss,
    from_function,
    gaussian,
    laplace,
    student,
)

__all__ = [
    "Density",
    "GaussianMixture",
    "Laplace",
    "bernoulli_gauss",
    "from_function",
    "gaussian",
    "laplace",
    "student",
]

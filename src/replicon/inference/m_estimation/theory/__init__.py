"""Theory of convex M-estimation for infinite size.

Functions take numbers or arrays, which are broadcast, and return a `Solution` of values and an integer status whose
bits ``STATUS_TEXTS`` explains. All can be used inside ``jax.jit``, ``vmap`` and ``grad``.
"""

from replicon.inference.m_estimation.theory.compressed_sensing import donoho_tanner
from replicon.inference.m_estimation.theory.estimator import (
    LOSSES,
    PENALTIES,
    NonConvexLossError,
    check_combination,
    m_estimation,
    optimal_ridge_error,
    optimal_tables,
    ridge_closed_form,
)
from replicon.inference.m_estimation.theory.optimal import Table
from replicon.inference.m_estimation.theory.statuses import NO_ESTIMATOR, NOT_CONVEX, STATUS_TEXTS

__all__ = [
    "LOSSES",
    "NOT_CONVEX",
    "NO_ESTIMATOR",
    "PENALTIES",
    "STATUS_TEXTS",
    "NonConvexLossError",
    "Table",
    "check_combination",
    "donoho_tanner",
    "m_estimation",
    "optimal_ridge_error",
    "optimal_tables",
    "ridge_closed_form",
]

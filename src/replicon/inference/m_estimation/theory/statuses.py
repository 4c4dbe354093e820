"""Status bits of the theory of M-estimation; bit 0 is ``NOT_CONVERGED``."""

NO_ESTIMATOR = 2
"""Without a penalty the estimator needs more samples than features."""
NOT_CONVEX = 4
"""The optimal loss or penalty is not convex, so there is no such M-estimator."""

STATUS_TEXTS = {
    NO_ESTIMATOR: "unregularised M-estimation needs load > 1",
    NOT_CONVEX: "the optimal loss or penalty is not convex here",
}

"""Generalised linear estimation: system and theory."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {"GeneralizedLinear": "replicon.inference.generalized_linear.model"}
    | dict.fromkeys(
        ("bayes_optimal", "binary_branch", "binary_thresholds", "estimate", "max_margin"),
        "replicon.inference.generalized_linear.theory",
    ),
)

"""Ridge regression and double descent: system and theory."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Ridge": "replicon.inference.ridge.model",
        "optimal_penalty": "replicon.maths.ridge",
        "ridge_risk": "replicon.maths.ridge",
    },
)

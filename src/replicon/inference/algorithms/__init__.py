"""Algorithms of high-dimensional inference: separable convex minimisation and approximate message passing."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "ConvexFunction": "replicon.inference.algorithms.functions",
        "Factors": "replicon.inference.algorithms.vector",
        "Iterates": "replicon.inference.algorithms.amp",
        "SeparableFit": "replicon.inference.algorithms.separable",
        "TabulatedFunction": "replicon.inference.algorithms.functions",
        "VectorIterates": "replicon.inference.algorithms.vector",
        "bayes_amp": "replicon.inference.algorithms.posterior",
        "fit_separable": "replicon.inference.algorithms.separable",
        "gamp": "replicon.inference.algorithms.generalized",
        "message_passing": "replicon.inference.algorithms.amp",
        "posterior_mean": "replicon.inference.algorithms.denoisers",
        "vamp": "replicon.inference.algorithms.vector",
    },
)

"""Logistic regression with many features: system, theory, existence of the estimate, and a fast fit."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "LogisticMLE": "replicon.inference.logistic.model",
        "MLEDoesNotExistError": "replicon.inference.logistic.errors",
        "fit_logistic": "replicon.inference.logistic.newton",
        "is_separable": "replicon.inference.logistic.separation",
        "mle_threshold": "replicon.inference.logistic.theory",
        "sur_candes": "replicon.inference.logistic.estimate",
    },
)

"""Optimal inference: convex estimation, classification, double descent. Public names are loaded when first used."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "HighDimLogistic": "replicon.inference.high_dim_logistic",
        "RidgePopulation": "replicon.inference.ridge_curve",
        "RidgeRiskCurve": "replicon.inference.ridge_curve",
        "LogisticMLE": "replicon.inference.logistic.model",
        "MLEDoesNotExistError": "replicon.inference.logistic.errors",
        "PerceptronCapacity": "replicon.inference.perceptron.model",
        "Ridge": "replicon.inference.ridge.model",
        "fit_logistic": "replicon.inference.logistic.newton",
        "gardner_capacity": "replicon.inference.perceptron.capacity",
        "mle_threshold": "replicon.inference.logistic.theory",
        "ridge_risk": "replicon.maths.ridge",
        "sur_candes": "replicon.inference.logistic.estimate",
        "donoho_tanner": "replicon.inference.m_estimation.theory",
        "NonConvexLossError": "replicon.inference.m_estimation.theory",
        "BayesLinear": "replicon.inference.bayes_linear.model",
        "MEstimation": "replicon.inference.m_estimation.model",
        "GeneralizedLinear": "replicon.inference.generalized_linear.model",
        "MessagePassing": "replicon.inference.amp.model",
        "VectorMessagePassing": "replicon.inference.amp.vector",
        "TabulatedFunction": "replicon.inference.algorithms.functions",
        "bayes_amp": "replicon.inference.algorithms.posterior",
        "fit_separable": "replicon.inference.algorithms.separable",
        "gamp": "replicon.inference.algorithms.generalized",
        "posterior_mean": "replicon.inference.algorithms.denoisers",
        "vamp": "replicon.inference.algorithms.vector",
        "HighDimTheory": "replicon.inference.high_dim_theory",
        "OptimalMEstimator": "replicon.inference.optimal_estimator",
        "confidence_intervals": "replicon.inference.intervals",
        "fit_theory": "replicon.inference.theory_fit",
        "tune_penalty": "replicon.inference.tuning",
    },
)

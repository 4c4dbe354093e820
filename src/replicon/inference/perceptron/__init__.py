"""Capacity of the perceptron: system and theory."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "PerceptronCapacity": "replicon.inference.perceptron.model",
        "gardner_capacity": "replicon.inference.perceptron.capacity",
        "gardner_margin": "replicon.maths.perceptron",
        "ising_capacity": "replicon.maths.perceptron",
        "separation_probability": "replicon.maths.perceptron",
        "stability_distribution": "replicon.maths.perceptron",
    },
)

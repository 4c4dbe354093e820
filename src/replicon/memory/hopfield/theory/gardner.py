"""Gardner's optimal capacity, shared by all fields in `replicon.maths.perceptron`."""

from replicon.maths.perceptron import gardner_capacity, gardner_margin, stability_distribution

__all__ = ["gardner_capacity", "gardner_margin", "stability_distribution"]

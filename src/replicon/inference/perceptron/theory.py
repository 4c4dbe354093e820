"""Capacity of the perceptron for random labels: exact count at finite size, margin at infinite size."""

import jax.numpy as jnp
from jax import Array

from replicon.maths.perceptron import gardner_capacity, gardner_margin, separation_probability, stability_distribution

NO_MARGIN = 2
CAPACITY = 2.0

__all__ = [
    "CAPACITY", "NO_MARGIN", "gardner_capacity", "gardner_margin", "separation_probability", "stability_distribution",
    "storage",
]  # fmt: skip


def storage(load: Array, size: Array | int | None) -> tuple[dict[str, Array], Array]:
    """Probability that random labels are separable, and the largest margin at infinite size.

    Parameters
    ----------
    load : scalar
        n / d, realised where a size is given.
    size : scalar or None
        d; None for infinite size, where the probability is a step at load 2.
    """
    if size is None:
        separable = jnp.where(load < CAPACITY, 1.0, jnp.where(load > CAPACITY, 0.0, 0.5))
    else:
        separable = separation_probability(load * size, size).values
    margin = gardner_margin(jnp.minimum(load, CAPACITY)).values
    stored = load < CAPACITY
    return (
        dict(separable=separable, largest_margin=jnp.where(stored, margin, jnp.nan)),
        jnp.where(stored, 0, NO_MARGIN),
    )

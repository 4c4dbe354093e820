"""One draw of a system's quenched disorder, with what is needed to repeat its dynamics."""

from typing import Any

import equinox as eqx


class Instance(eqx.Module):
    """Base of the instances; a system adds its disorder (patterns, data, initial state) as fields.

    Attributes
    ----------
    size : int
        The system size that it was drawn at.
    seed : int
        Seed of the draw, set by the core; the noise of the dynamics comes from other streams of the same seed
        (``generator(instance.seed, "dynamics")``). A simulation in JAX needs ``noise_key(seed)`` as a field.
    """

    size: int = eqx.field(static=True, kw_only=True)
    seed: Any = eqx.field(default=0, kw_only=True)

"""Associative memory. Public names are loaded when first used."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Hopfield": "replicon.memory.hopfield.model",
        "HopfieldMemory": "replicon.memory.hopfield.memory",
        "ParallelRecall": "replicon.memory.hopfield.recall",
        "capacity_report": "replicon.memory.hopfield.capacity",
    },
)

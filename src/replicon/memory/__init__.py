"""Associative memory. Public names are loaded when first used."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Cavity": "replicon.memory.cavity.model",
        "CavityMemory": "replicon.memory.cavity.memory",
        "Hopfield": "replicon.memory.hopfield.model",
        "HopfieldMemory": "replicon.memory.hopfield.memory",
        "ParallelRecall": "replicon.memory.hopfield.recall",
        "capacity_report": "replicon.memory.hopfield.capacity",
        "coupling_density": "replicon.memory.cavity.theory",
        "coupling_moments": "replicon.memory.cavity.theory",
        "spectrum": "replicon.memory.cavity.theory",
    },
)

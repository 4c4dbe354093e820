"""Associative memory. Public names are loaded when first used."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Cavity": "replicon.memory.cavity.model",
        "CavityMemory": "replicon.memory.cavity.memory",
        "DenseMemory": "replicon.memory.dense.model",
        "ExponentialMemory": "replicon.memory.exponential.model",
        "Hopfield": "replicon.memory.hopfield.model",
        "HopfieldMemory": "replicon.memory.hopfield.memory",
        "ParallelRecall": "replicon.memory.hopfield.recall",
        "bit_threshold": "replicon.memory.exponential.theory",
        "critical_load": "replicon.memory.dense.theory",
        "capacity_report": "replicon.memory.hopfield.capacity",
        "coupling_density": "replicon.memory.cavity.theory",
        "coupling_moments": "replicon.memory.cavity.theory",
        "spectrum": "replicon.memory.cavity.theory",
    },
)

"""Confocal cavity memory: system, theory of its couplings, and the memory for the user's own patterns."""

from replicon.core.lazy import lazy

_NAMES = (
    "coupling_density",
    "coupling_distribution",
    "coupling_moments",
    "ferromagnet_error",
    "ferromagnet_width",
    "sampled_spectrum",
    "spectrum",
)

__getattr__, __dir__, __all__ = lazy(
    __name__,
    dict.fromkeys(_NAMES, "replicon.memory.cavity.theory")
    | {
        "Cavity": "replicon.memory.cavity.model",
        "CavityMemory": "replicon.memory.cavity.memory",
        "basin_table": "replicon.memory.cavity.basins",
        "cavity_couplings": "replicon.memory.cavity.simulation",
        "stored_capacity": "replicon.memory.cavity.basins",
    },
)

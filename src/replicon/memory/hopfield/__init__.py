"""The Hopfield model: system, theory, phase diagram, and the memory for user data."""

from replicon.core.lazy import lazy

_THEORY = "replicon.memory.hopfield.theory"
_NAMES = (
    "all_stable_patterns",
    "almeida_thouless_line",
    "amari_maginu",
    "critical_load",
    "critical_overlap",
    "exact_stability_probability",
    "gardner_capacity",
    "gardner_margin",
    "largest_mixture_load",
    "log_almeida_thouless_line",
    "mixture_critical_temperature",
    "mixture_eigenvalues",
    "mixture_overlap",
    "one_step_error",
    "one_step_overlap",
    "projection_capacity",
    "projection_field",
    "projection_one_step",
    "replica_symmetric",
    "retrieval_spinodal",
    "spin_glass_temperature",
    "stability_distribution",
    "stable_patterns",
    "symmetric_mixture",
    "thermodynamic_load",
    "thermodynamic_transition",
    "zero_temperature",
)

__getattr__, __dir__, __all__ = lazy(
    __name__,
    dict.fromkeys(_NAMES, _THEORY)
    | {
        "CapacityReport": "replicon.memory.hopfield.capacity",
        "Hopfield": "replicon.memory.hopfield.model",
        "HopfieldMemory": "replicon.memory.hopfield.memory",
        "ParallelRecall": "replicon.memory.hopfield.recall",
        "PhaseDiagram": "replicon.memory.hopfield.diagram",
        "StoredPatterns": "replicon.memory.hopfield.model",
        "basin_curve": "replicon.memory.hopfield.simulation",
        "capacity_report": "replicon.memory.hopfield.capacity",
        "critical_overlap_of_basin": "replicon.memory.hopfield.simulation",
        "phase_diagram": "replicon.memory.hopfield.diagram",
    },
)

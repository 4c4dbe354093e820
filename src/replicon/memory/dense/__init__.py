"""Dense associative memory: spins whose memories enter the energy with a power higher than two."""

from replicon.core.lazy import lazy

_THEORY = "replicon.memory.dense.theory"
_NAMES = (
    "critical_load",
    "critical_overlap",
    "effective_load",
    "error_free_patterns",
    "finite_one_step_error",
    "one_step_error",
    "retrieval_state",
    "zero_temperature",
)

__getattr__, __dir__, __all__ = lazy(
    __name__,
    dict.fromkeys(_NAMES, _THEORY)
    | {
        "DenseMemory": "replicon.memory.dense.model",
        "StoredMemories": "replicon.memory.dense.model",
        "streamed_errors": "replicon.memory.dense.simulation",
    },
)

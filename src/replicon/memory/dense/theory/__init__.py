"""Theory of binary dense associative memories: one update, the retrieval state, and the largest load.

Every function takes numbers or arrays, which are broadcast, and returns a `Solution` of values and an integer
status whose bits ``STATUS_TEXTS`` explains. All can be used inside ``jax.jit``, ``vmap`` and ``grad``.
"""

from replicon.memory.dense.theory.interaction import INTERACTIONS, noise_strength
from replicon.memory.dense.theory.one_step import (
    effective_load,
    error_free_patterns,
    finite_one_step_error,
    one_step_error,
)
from replicon.memory.dense.theory.states import (
    critical_load,
    critical_overlap,
    equilibrium,
    retrieval_state,
    zero_temperature,
)
from replicon.memory.dense.theory.statuses import (
    NO_RETRIEVAL_STATE,
    NOT_SOLVED,
    OUT_OF_RANGE,
    OUTSIDE_BASIN,
    REPLICA_SYMMETRY_UNSTABLE,
    STATUS_TEXTS,
)

__all__ = [
    "INTERACTIONS",
    "NOT_SOLVED",
    "NO_RETRIEVAL_STATE",
    "OUTSIDE_BASIN",
    "OUT_OF_RANGE",
    "REPLICA_SYMMETRY_UNSTABLE",
    "STATUS_TEXTS",
    "critical_load",
    "critical_overlap",
    "effective_load",
    "equilibrium",
    "error_free_patterns",
    "finite_one_step_error",
    "noise_strength",
    "one_step_error",
    "retrieval_state",
    "zero_temperature",
]

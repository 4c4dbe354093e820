"""Theory of the Hopfield model at infinite size: states, phase boundaries, capacities and dynamics.

Every function takes numbers or arrays, which are broadcast, and returns a `Solution` of values and an integer
status whose bits ``STATUS_TEXTS`` explains. All can be used inside ``jax.jit``, ``vmap`` and ``grad``.
"""

from replicon.memory.hopfield.theory.boundaries import (
    critical_load,
    critical_overlap,
    retrieval_spinodal,
    spin_glass_temperature,
)
from replicon.memory.hopfield.theory.coexistence import thermodynamic_load, thermodynamic_transition
from replicon.memory.hopfield.theory.gardner import gardner_capacity, gardner_margin, stability_distribution
from replicon.memory.hopfield.theory.mixtures import (
    largest_mixture_load,
    mixture_critical_temperature,
    mixture_eigenvalues,
    mixture_overlap,
    symmetric_mixture,
)
from replicon.memory.hopfield.theory.order_parameters import OBSERVABLES
from replicon.memory.hopfield.theory.projection import projection_capacity, projection_field, projection_one_step
from replicon.memory.hopfield.theory.signal_to_noise import (
    all_stable_patterns,
    amari_maginu,
    exact_stability_probability,
    one_step_error,
    one_step_overlap,
    stable_patterns,
)
from replicon.memory.hopfield.theory.stability import almeida_thouless_line, log_almeida_thouless_line
from replicon.memory.hopfield.theory.states import STATES, equilibrium, replica_symmetric, zero_temperature
from replicon.memory.hopfield.theory.statuses import (
    NO_RETRIEVAL_STATE,
    NO_SUCH_STATE,
    OUT_OF_RANGE,
    REPLICA_SYMMETRY_UNSTABLE,
    STATUS_TEXTS,
    status_text,
)

__all__ = [
    "NO_RETRIEVAL_STATE",
    "NO_SUCH_STATE",
    "OBSERVABLES",
    "OUT_OF_RANGE",
    "REPLICA_SYMMETRY_UNSTABLE",
    "STATES",
    "STATUS_TEXTS",
    "all_stable_patterns",
    "almeida_thouless_line",
    "amari_maginu",
    "critical_load",
    "critical_overlap",
    "equilibrium",
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
    "status_text",
    "symmetric_mixture",
    "thermodynamic_load",
    "thermodynamic_transition",
    "zero_temperature",
]

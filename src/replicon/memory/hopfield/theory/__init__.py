"""Theory of the Hopfield model at infinite size: states, phase boundaries, capacities and dynamics."""

from replicon.memory.hopfield.theory.boundaries import (
    critical_load,
    critical_overlap,
    retrieval_spinodal,
    spin_glass_temperature,
)
from replicon.memory.hopfield.theory.coexistence import thermodynamic_load, thermodynamic_transition
from replicon.memory.hopfield.theory.equilibrium import (
    STATES,
    equilibrium,
    replica_symmetric,
    zero_temperature,
)
from replicon.memory.hopfield.theory.order_parameters import OBSERVABLES
from replicon.memory.hopfield.theory.statuses import (
    NO_RETRIEVAL_STATE,
    NO_SUCH_STATE,
    OUT_OF_RANGE,
    REPLICA_SYMMETRY_UNSTABLE,
    STATUS_TEXTS,
    status_text,
)

"""The published numbers of this room, by system."""

from replicon.memory.hopfield.claims_recall import recall_claims
from replicon.memory.hopfield.claims_simulation import simulation_claims
from replicon.memory.hopfield.claims_spinodal import spinodal_claims
from replicon.memory.hopfield.claims_theory import theory_claims

claims = {
    "Hopfield": [*theory_claims(), *simulation_claims(), *spinodal_claims()],
    "ParallelRecall": recall_claims(),
}

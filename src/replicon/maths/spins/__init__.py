"""Dynamics of +-1 spins with symmetric couplings, shared by every system that flips spins.

H = -1/2 sum_ij J_ij s_i s_j - sum_i b_i s_i; a spin whose local field vanishes keeps its value; all temperatures are
in units of the couplings. Configurations are int8 arrays of +-1, batches have the batch axis first.

- `dense`: asynchronous descent and Glauber dynamics on any symmetric matrix
- `steepest`: descent in which the spin of largest energy drop flips first
- `patterns`: the same for Hebbian couplings, keeping only patterns and overlaps
- `hebbian`: whichever of the two is faster for Hebbian couplings; the results are the same bits
- `parallel`: synchronous dynamics of a batch, fixed points and 2-cycles told apart
- `energies`, `enumeration`: energies, overlaps, exact Boltzmann averages for small systems
"""

from replicon.maths.spins.arguments import Descent
from replicon.maths.spins.dense import glauber, local_fields, sequential_descent
from replicon.maths.spins.energies import energy, hebbian_energy, overlaps
from replicon.maths.spins.enumeration import Boltzmann, all_energies, boltzmann, configuration
from replicon.maths.spins.hebbian import hebbian_descent, hebbian_glauber
from replicon.maths.spins.parallel import ParallelRun, parallel_dynamics, parallel_dynamics_patterns
from replicon.maths.spins.patterns import (
    glauber_patterns,
    hebbian_counts,
    sequential_descent_patterns,
    sites_first,
)
from replicon.maths.spins.steepest import steepest_descent

__all__ = [
    "Boltzmann",
    "Descent",
    "ParallelRun",
    "all_energies",
    "boltzmann",
    "configuration",
    "energy",
    "glauber",
    "glauber_patterns",
    "hebbian_counts",
    "hebbian_descent",
    "hebbian_energy",
    "hebbian_glauber",
    "local_fields",
    "overlaps",
    "parallel_dynamics",
    "parallel_dynamics_patterns",
    "sequential_descent",
    "sequential_descent_patterns",
    "sites_first",
    "steepest_descent",
]

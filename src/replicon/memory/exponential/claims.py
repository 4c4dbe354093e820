"""Published numbers of exponential associative memory, recomputed."""

import numpy as np

from replicon.core.claims import Claim
from replicon.memory.exponential import theory

DEMIRCIGIL = "Demircigil et al., J. Stat. Phys. 168, 288 (2017), theorem 3: I(1 - 2 rho) / 2"
ENERGIES = "random energies with random signs: 2 lambda - ln cosh 2 lambda"
PRINTED = 5.000001e-6, "half a unit of the 5 decimals printed"

claims = [
    Claim(
        "bit threshold, lambda = 1", 0.675, ENERGIES, *PRINTED, lambda: theory.bit_threshold(1.0),
        topic="Thresholds", of="load", at={"sharpness": 1, "cue_error": 0},
    ),
    Claim(
        "bit threshold, lambda = 0.5", 0.56622, ENERGIES, *PRINTED, lambda: theory.bit_threshold(0.5),
        topic="Thresholds", of="load", at={"sharpness": 0.5, "cue_error": 0},
    ),
    Claim(
        "all memories at once, undamaged", np.log(2) / 2, DEMIRCIGIL, 1e-12, "closed form",
        lambda: theory.all_patterns_threshold(1.0), topic="Thresholds",
    ),
    Claim(
        "all memories at once, a fifth of the bits wrong", 0.25 * (1.6 * np.log(1.6) + 0.4 * np.log(0.4)), DEMIRCIGIL,
        1e-12, "closed form", lambda: theory.all_patterns_threshold(1.0, 0.2), topic="Thresholds",
    ),
]  # fmt: skip

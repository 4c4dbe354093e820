"""The phase line of dense associative memories: the largest load with a retrieval state, against the temperature."""

from typing import Any

import numpy as np

from replicon.core.phases import PhaseLine
from replicon.memory.dense import theory


def phase_lines() -> list[PhaseLine]:
    """The spinodal of retrieval for degrees 3 and 4 and both interactions."""
    lines = []
    for degree in (3, 4):
        temperatures: Any = np.linspace(0.0, 0.62 * degree, 30)
        for interaction in theory.INTERACTIONS:
            loads = np.asarray(theory.critical_load(degree, interaction, temperatures).values)
            lines.append(
                PhaseLine(
                    f"α_c, n = {degree}: retrieval ends",
                    ("load", "temperature"),
                    (loads, temperatures),
                    at={"degree": degree, "interaction": interaction},
                )
            )
    return lines

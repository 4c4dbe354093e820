"""Lines that part the phases of a system in a plane of two parameters.

A system class offers them by a class method ``phase_lines()`` that returns a list; most offer none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class PhaseLine:
    """One line.

    Attributes
    ----------
    name : str
        Symbol and meaning, as a legend shows it.
    parameters : tuple of str
        The two parameters.
    values : tuple of array
        Values of the first and of the second along the line; nan where there is none.
    at : dict
        Values of other parameters that the line belongs to; those left out do not matter.
    """

    name: str
    parameters: tuple[str, str]
    values: tuple[np.ndarray, np.ndarray]
    at: Mapping[str, Any] = field(default_factory=dict)

    def along(self, x: str, y: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Its values on axes named `x` and `y`, None where these are not its parameters."""
        if {x, y} != set(self.parameters):
            return None
        return self.values if self.parameters == (x, y) else (self.values[1], self.values[0])


def phase_lines_of(system: type) -> list[PhaseLine]:
    """The lines that a system class offers."""
    offer = getattr(system, "phase_lines", None)
    return [] if offer is None else list(offer())

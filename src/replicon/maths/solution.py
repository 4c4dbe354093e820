"""What every pure function of a ``theory`` module returns: values with a status."""

from typing import Any, NamedTuple

import numpy as np

CONVERGED = 0
NOT_CONVERGED = 1
"""Bit 0 of every status; the higher bits belong to the system and are listed in its ``statuses`` table."""


class Solution(NamedTuple):
    """Values and an integer status of the same shape (0: converged and valid).

    Unpacks as ``values, status = ...``. A solution whose `values` is one number or array can be used where a
    number or array is expected (``float(solution)``, ``numpy.asarray(solution)``).
    """

    values: Any
    status: Any

    def __float__(self) -> float:
        return float(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype)

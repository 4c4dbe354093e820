"""The draws that a session has measured, by point and size, and their error bars."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from replicon.core.statistics import summarize

Key = tuple[str, tuple[tuple[str, Any], ...], int, int]
"""System, parameters, size, seed of the study."""


@dataclass
class Cell:
    """The draws at one point and size."""

    system: str
    values: dict[str, Any]
    size: int
    seed: int
    draws: dict[int, dict[str, Any]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)

    def summary(self, name: str) -> tuple[Any, Any, int]:
        """Mean, standard error and number of draws; arrays for a curve."""
        # a run may add draws meanwhile, from its thread
        rows = [draw[name] for draw in list(self.draws.values()) if name in draw]
        if not rows:
            return np.nan, np.nan, 0
        found = summarize(np.asarray(rows, dtype=float))
        return found.mean, found.standard_error, int(np.max(found.count))


class Measurements:
    """All cells of a session."""

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.cells: dict[Key, Cell] = {}

    def __len__(self) -> int:
        return len(self.cells)

    def add(
        self, system: str, values: Mapping[str, Any], size: int, seed: int, draws: Mapping[int, dict[str, Any]],
        failed: Mapping[int, str],
    ) -> None:  # fmt: skip
        """Keep some draws; beyond the limit the oldest cell is forgotten."""
        key = (system, tuple(values.items()), size, seed)
        cell = self.cells.setdefault(key, Cell(system, dict(values), size, seed))
        cell.draws |= draws
        cell.failed |= failed
        while len(self.cells) > self.kept:
            del self.cells[next(iter(self.cells))]

    def count(self, system: str) -> int:
        """Number of cells of a system."""
        return sum(cell.system == system for cell in list(self.cells.values()))

    def forget(self, system: str) -> None:
        """Forget what was measured of a system."""
        self.cells = {key: cell for key, cell in list(self.cells.items()) if cell.system != system}

    def select(self, system: str, values: Mapping[str, Any], free: tuple[str, ...]) -> list[Cell]:
        """The cells at these parameters, those in `free` left open; by size."""
        cells = [c for c in list(self.cells.values()) if c.system == system and same(c.values, values, free)]
        return sorted(cells, key=lambda cell: cell.size)


def same(one: Mapping[str, Any], other: Mapping[str, Any], free: tuple[str, ...] = ()) -> bool:
    """Whether two points agree in every parameter that is not free."""
    return all(equal(value, other.get(name)) for name, value in one.items() if name not in free)


def equal(one: Any, other: Any) -> bool:
    """Whether two values of a parameter are the same one, up to rounding."""
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return bool(np.isclose(one, other, rtol=1e-9, atol=1e-12))
    return one == other

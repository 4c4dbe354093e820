"""What is on the plot, as plain arrays: the page, the PNG and the CSV are made from the same picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from replicon.core.claims import Claim
from replicon.core.observables import Observable
from replicon.core.parameters import Parameter
from replicon.core.phases import PhaseLine
from replicon.core.plotting import COLOURS
from replicon.explorer.measurements import Cell, equal
from replicon.explorer.predictions import Prediction
from replicon.explorer.view import Subject, View

MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "plus", "x")
STYLES = ("sure", "doubtful", "declined")


@dataclass(frozen=True)
class Point:
    """A measured point: mean and standard error of so many draws."""

    x: float
    y: float
    mean: float
    error: float
    count: int
    size: int


@dataclass(frozen=True)
class Mark:
    """A published number on the plot: a point, or a line where one of its coordinates is None."""

    x: float | None
    y: float | None
    text: str
    source: str


@dataclass
class Picture:
    """Everything that is drawn.

    Attributes
    ----------
    x, y : array
        Horizontal values of the line; in a map the two axes.
    lines : dict of str to array
        The theory where it is sure, doubtful (an assumption does not hold) and declined; nan elsewhere.
    labels : dict of str to str
        What the legend says of each line.
    cells : array (y, x) or None
        Colours of a map.
    here : tuple or None
        The theory at the sliders; in a map their place.
    """

    title: str
    x_label: str
    y_label: str
    x: np.ndarray = field(default_factory=lambda: np.zeros(0))
    y: np.ndarray = field(default_factory=lambda: np.zeros(0))
    lines: dict[str, np.ndarray] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    cells: np.ndarray | None = None
    value_label: str = ""
    here: tuple[float, float] | None = None
    points: list[Point] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    phases: list[tuple[str, np.ndarray, np.ndarray]] = field(default_factory=list)

    @property
    def sizes(self) -> list[int]:
        """Sizes that were measured, in order."""
        return sorted({point.size for point in self.points})

    def look(self, size: int) -> tuple[str, str]:
        """Colour and marker of a size."""
        place = self.sizes.index(size) % len(COLOURS)
        return COLOURS[place], MARKERS[place]


def title(name: str, info: Parameter | Observable) -> str:
    """``overlap m`` or ``temperature T [J]``."""
    unit = "" if info.unit == "1" else f" [{info.unit}]"
    return f"{name}{unit}" if info.symbol == name else f"{name} {info.symbol}{unit}"


def said(value: Any) -> str:
    """A value as a caption has it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def caption(subject: Subject, view: View, free: Sequence[str]) -> str:
    """The parameters that the plot does not show on its axes."""
    known = subject.owner.parameters()
    return ", ".join(f"{known[name].symbol} = {said(value)}" for name, value in view.values.items() if name not in free)


def draw_line(
    subject: Subject, view: View, x: np.ndarray, found: Mapping[int, Prediction], here: Prediction | None,
    cells: Sequence[Cell], claims: Sequence[Claim],
) -> Picture:  # fmt: skip
    """A scalar along a parameter; `found` has predictions by place in `x`."""
    entry, name = subject.table[view.observable], view.observable
    picture = Picture(
        caption(subject, view, (view.x,)), title(view.x, subject.owner.parameters()[view.x]), title(name, entry)
    )
    places = sorted(found)
    known = [found[place] for place in places]
    picture.x = x[places]
    picture.lines, picture.labels = styled(picture.x, np.array([one.scalar(name) for one in known]), known)
    if here is not None and np.isfinite(here.scalar(name)):
        picture.here = (float(view.values[view.x]), here.scalar(name))
    picture.points = [
        Point(cell.values[view.x], mean, mean, error, count, cell.size)
        for cell in cells
        for mean, error, count in [cell.summary(name)]
        if count
    ]
    low, high = subject.limits(view, "x")
    picture.points = [point for point in picture.points if low <= point.x <= high or equal(point.x, high)]
    picture.marks = [
        mark
        for claim in claims
        for mark in [_on_line(claim, view)]
        if mark and (mark.x is None or low <= mark.x <= high)
    ]
    return picture


def draw_curve(
    subject: Subject, view: View, coordinate: np.ndarray, here: Prediction | None, cells: Sequence[Cell],
    claims: Sequence[Claim],
) -> Picture:  # fmt: skip
    """A curve or spectrum at the sliders, over its own coordinate."""
    entry, name = subject.table[view.observable], view.observable
    dim = entry.dims[0]
    picture = Picture(caption(subject, view, ()), dim, title(name, entry))
    values = None if here is None else here.values.get(name)
    if here is not None and values is not None:
        picture.x = coordinate[: len(values)]
        picture.lines, picture.labels = styled(picture.x, np.asarray(values, dtype=float), [here] * len(values))
    for cell in cells:
        mean, error, count = cell.summary(name)
        if count:
            picture.points += [
                Point(float(c), float(m), float(m), float(e), count, cell.size)
                for c, m, e in zip(coordinate, np.atleast_1d(mean), np.atleast_1d(error), strict=False)
            ]
    for claim in claims:
        if claim.of == name and dim in claim.at and _matches(claim, view, (dim,)):
            picture.marks.append(Mark(float(claim.at[dim]), claim.published, claim.name, claim.source))
    return picture


def draw_map(
    subject: Subject, view: View, x: np.ndarray, y: np.ndarray, found: Mapping[int, Prediction], cells: Sequence[Cell],
    claims: Sequence[Claim], lines: Sequence[PhaseLine],
) -> Picture:  # fmt: skip
    """A scalar as colour over two parameters; `found` has predictions by place, `y` running fastest."""
    known, name = subject.owner.parameters(), view.observable
    picture = Picture(
        caption(subject, view, (view.x, view.y)), title(view.x, known[view.x]), title(view.y, known[view.y]), x, y
    )
    grid = np.full((len(x), len(y)), np.nan)
    for place, one in found.items():
        grid[np.unravel_index(place, grid.shape)] = one.scalar(name)
    picture.cells = fill_coarse(grid.T, found, grid.shape)
    picture.value_label = title(name, subject.table[name])
    picture.here = (float(view.values[view.x]), float(view.values[view.y]))
    (left, right), (low, high) = subject.limits(view, "x"), subject.limits(view, "y")
    for cell in cells:
        mean, error, count = cell.summary(name)
        across, up = cell.values[view.x], cell.values[view.y]
        if count and left <= across <= right and low <= up <= high:
            picture.points.append(Point(across, up, mean, error, count, cell.size))
    for line in lines:
        if (values := line.along(view.x, view.y)) is not None and _agrees(line.at, view, (view.x, view.y)):
            picture.phases.append((line.name, *values))
    for claim in claims:
        mark = _on_map(claim, view)
        if mark and (mark.x is None or left <= mark.x <= right) and (mark.y is None or low <= mark.y <= high):
            picture.marks.append(mark)
    return picture


def styled(
    x: np.ndarray, values: np.ndarray, known: Sequence[Prediction]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The line in up to three parts by what the theory says of itself, and what the legend calls them."""
    style = np.array([2 if one.declined else 0 if one.valid else 1 for one in known], dtype=int)
    lines = {}
    for number, word in enumerate(STYLES):
        mine = style == number
        if number == 1 and len(mine) > 1:
            # joined to the sure part: nothing jumps where an assumption ends, a declined part may be of another state
            near = np.zeros(len(mine), dtype=bool)
            near[1:] |= mine[:-1]
            near[:-1] |= mine[1:]
            mine = mine | (near & (style == 0))
        lines[word] = np.where(mine, values, np.nan)
    doubts = "; ".join(dict.fromkeys(one.note for one in known if not one.valid and not one.declined and one.note))
    refusals = "; ".join(dict.fromkeys(one.note for one in known if one.declined and one.status >= 0 and one.note))
    labels = {
        "sure": "theory",
        "doubtful": f"theory (caution: {doubts})" if doubts else "theory (caution: an assumption does not hold)",
        "declined": f"no prediction here: {refusals}" if refusals else "no prediction here",
    }
    return lines, labels


def fill_coarse(cells: np.ndarray, found: Mapping[int, Prediction], shape: tuple[int, int]) -> np.ndarray:
    """A map of which only some cells are known yet: the others take the colour of the nearest known one."""
    if len(found) in (0, cells.size):
        return cells
    from scipy.ndimage import distance_transform_edt

    known = np.zeros(shape, dtype=bool)
    known[np.unravel_index(list(found), shape)] = True
    nearest: Any = distance_transform_edt(~known.T, return_distances=False, return_indices=True)
    return cells[tuple(nearest)]


def _on_line(claim: Claim, view: View) -> Mark | None:
    if claim.of == view.observable and _matches(claim, view, (view.x,)):
        x = claim.at.get(view.x)
        return Mark(None if x is None else float(x), claim.published, claim.name, claim.source)
    if claim.of == view.x and view.x not in claim.at and _matches(claim, view, ()):
        return Mark(claim.published, None, claim.name, claim.source)
    return None


def _on_map(claim: Claim, view: View) -> Mark | None:
    axes = (view.x, view.y)
    if not _matches(claim, view, axes):
        return None
    x, y = claim.at.get(view.x), claim.at.get(view.y)
    if claim.of == view.observable and x is not None and y is not None:
        return Mark(float(x), float(y), f"{claim.name}: {claim.published:g}", claim.source)
    if claim.of == view.x:
        return Mark(claim.published, None if y is None else float(y), claim.name, claim.source)
    if claim.of == view.y:
        return Mark(None if x is None else float(x), claim.published, claim.name, claim.source)
    return None


def _matches(claim: Claim, view: View, free: tuple[str, ...]) -> bool:
    return bool(claim.of) and _agrees(claim.at, view, free)


def _agrees(at: Mapping[str, Any], view: View, free: tuple[str, ...]) -> bool:
    return all(equal(value, view.values.get(name)) for name, value in at.items() if name not in free)

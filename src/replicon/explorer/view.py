"""What the page shows: one immutable record, which is also its link."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self
from urllib.parse import urlencode

import numpy as np

from replicon.core.errors import DataError, ParameterError, RepliconError
from replicon.core.observables import Observable
from replicon.core.system import System
from replicon.explorer.reach import Reach, clean, reach_of, read, read_number

Plot = Literal["line", "curve", "map"]
PLOTS: dict[Plot, str] = {"line": "along a parameter", "curve": "curve", "map": "map of two parameters"}
WORDS = ("plot", "observable", "x", "y", "theory", "sizes", "realizations", "seed", "points", "where", "store")
RESERVED = ("system", "x_range", "y_range", *WORDS)


@dataclass(frozen=True)
class View:
    """A system at certain parameters, and a plot of it.

    Attributes
    ----------
    system : str
        Name in the catalogue.
    values : dict
        Every parameter.
    plot : {"line", "curve", "map"}
    observable : str
    x, y : str
        Parameters on the axes; `y` is used by a map only.
    x_range, y_range : tuple of float or None
        None shows the reach of the slider.
    theory : {"infinite", "finite"}
        Finite: at the smallest of the sizes.
    sizes, realizations, seed, points : str
        As typed: they are read when the button is pressed.
    where : {"axis", "here"}
        Whether to simulate along the axes of the plot or at the sliders.
    store : str
        Name of the stored sweep that is shown; empty for none.
    """

    system: str
    values: Mapping[str, Any]
    plot: Plot
    observable: str
    x: str
    y: str
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    theory: str = "infinite"
    sizes: str = "200"
    realizations: str = "8"
    seed: str = "0"
    points: str = "9"
    where: str = "axis"
    store: str = ""

    def query(self) -> str:
        """The link that brings this view back."""
        items = [("system", self.system)]
        for name, value in self.values.items():
            items.append((f"parameter.{name}" if name in RESERVED else name, _text(value)))
        items += [(word, str(getattr(self, word))) for word in WORDS if getattr(self, word) != ""]
        for name in ("x_range", "y_range"):
            if (ends := getattr(self, name)) is not None:
                items.append((name, ",".join(map(_text, ends))))
        return "?" + urlencode(items)

    def at(self, **values: Any) -> dict[str, Any]:
        """The parameters of another point of the same plot."""
        return {**self.values, **values}


@dataclass(frozen=True)
class Subject:
    """A system class and what a page can do with it."""

    name: str
    owner: type[System]
    table: dict[str, Observable] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, owner: type[System]) -> Self:
        """The subject of a class."""
        return cls(name, owner, owner.Observables.table())

    @property
    def defaults(self) -> dict[str, Any]:
        """Default of each parameter."""
        return {name: self.owner.__dataclass_fields__[name].default for name in self.owner.parameters()}

    @property
    def traced(self) -> list[str]:
        """Parameters that vary continuously: those that can be on an axis."""
        return [name for name, info in self.owner.parameters().items() if not info.static]

    @property
    def simulates(self) -> bool:
        """Whether the system has an experiment."""
        return self.owner.sample is not System.sample

    @property
    def predicts(self) -> bool:
        """Whether the system has a theory."""
        return self.owner.theory is not System.theory

    def observables(self, plot: Plot) -> list[str]:
        """The observables that a kind of plot can show, what both sides have first."""
        chosen = [name for name, entry in self.table.items() if bool(entry.dims) == (plot == "curve")]
        return sorted(chosen, key=lambda name: self.table[name].face != "both")

    def plots(self) -> list[Plot]:
        """The kinds of plots that make sense, the best first."""
        scalars, curves = self.observables("line"), self.observables("curve")
        both = [name for name in scalars if self.table[name].face == "both"]
        found: list[Plot] = ["line"] if scalars and self.traced else []
        if curves:
            found.insert(0 if len(both) < len(curves) else len(found), "curve")
        return [*found, "map"] if scalars and len(self.traced) > 1 else found

    def reach(self, name: str) -> Reach:
        """The slider of a parameter."""
        return reach_of(self.owner.parameters()[name], float(self.defaults[name]))

    def first(self) -> View:
        """The view that opens."""
        plots, traced = self.plots(), self.traced
        plot = plots[0]
        y = traced[1] if len(traced) > 1 else traced[0] if traced else ""
        size = max(200, self.owner.smallest_size)
        return View(
            self.name, self.defaults, plot, self.observables(plot)[0], traced[0] if traced else "", y, sizes=str(size)
        )  # fmt: skip

    def limits(self, view: View, axis: str) -> tuple[float, float]:
        """Ends of an axis of the plot."""
        chosen = view.x_range if axis == "x" else view.y_range
        reach = self.reach(view.x if axis == "x" else view.y)
        return chosen if chosen is not None else (reach.start, reach.end)

    def axis(self, view: View, axis: str, count: int) -> np.ndarray:
        """`count` equally spaced values on an axis."""
        low, high = self.limits(view, axis)
        return np.asarray([clean(v) for v in np.linspace(low, high, count)])

    def apart(self, view: View, other: str = "") -> View:
        """The view with a vertical parameter that is not the horizontal one: `other`, or the next there is."""
        if view.y != view.x or len(self.traced) < 2:
            return view
        other = other if other not in ("", view.x) else next(name for name in self.traced if name != view.x)
        return replace(view, y=other, y_range=None)

    def check(self, view: View) -> View:
        """The view with its values in the system's own types.

        Raises
        ------
        ParameterError
            For values that the system refuses, names that do not exist, and ranges that are none.
        """
        if view.plot not in self.plots():
            raise ParameterError(f"{self.name} has no {PLOTS.get(view.plot, view.plot)!r}")
        if view.observable not in self.observables(view.plot):
            raise ParameterError(f"{self.name} has no observable {view.observable!r} for this plot")
        for axis in ("x", "y") if view.plot == "map" else ("x",) if view.plot == "line" else ():
            name, low, high = getattr(view, axis), *self.limits(view, axis)
            info = self.owner.parameters()[name]
            ends = np.asarray([low, high])
            if not low < high:
                raise ParameterError(f"the {axis} axis goes from {low:g} to {high:g}; give a larger upper end")
            if not info.allows(ends).all():
                raise ParameterError(
                    f"{name} ({info.symbol}) from {low:g} to {high:g} leaves its range; stay in {info.range}"
                )
        if view.plot == "map" and view.x == view.y:
            raise ParameterError(f"both axes show {view.x}; choose two parameters")
        return replace(view, values=self.owner.make(**view.values).values())

    def from_query(self, query: Mapping[str, str]) -> tuple[View, list[str]]:
        """The view of a link, and what of it could not be used."""
        view, notes = self.first(), []
        known = self.owner.parameters()
        for key, text in sorted(query.items(), key=lambda item: item[0] != "plot"):
            name = key.removeprefix("parameter.")
            try:
                if key == "system":
                    continue
                if key in ("x_range", "y_range"):
                    low, _, high = text.partition(",")
                    ends = (read_number(key, low), read_number(key, high))
                    view = replace(view, **{key: ends})
                elif key in ("x", "y"):
                    if text not in self.traced:
                        raise ParameterError(f"{key} = {text!r} is no parameter that can be on an axis")
                    view = replace(view, **{key: text})
                elif key == "plot":
                    if text not in self.plots():
                        raise ParameterError(f"there is no plot {text!r}")
                    wanted: Any = text
                    view = replace(view, plot=wanted, observable=self.observables(wanted)[0])
                elif key in WORDS:
                    view = replace(view, **{key: text[:200]})
                elif name in known:
                    view = replace(view, values=view.at(**{name: read(name, text, known[name])}))
                else:
                    notes.append(f"the link names {key[:40]!r}, which {self.name} does not have; it was left out")
            except RepliconError as error:
                notes.append(f"the link could not be followed in one point: {error}")
        if view.observable not in self.observables(view.plot):
            view = replace(view, observable=self.observables(view.plot)[0])
        view = self.apart(view)
        if view.theory not in ("infinite", "finite"):
            view = replace(view, theory="infinite")
        if view.where not in ("axis", "here"):
            view = replace(view, where="axis")
        try:
            return self.check(view), notes
        except (ParameterError, DataError) as error:
            return self.check(replace(view, values=self.defaults, x_range=None, y_range=None)), [*notes, str(error)]


def _text(value: Any) -> str:
    return repr(clean(value)) if isinstance(value, float) else str(value)

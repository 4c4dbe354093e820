"""The groups of widgets of the page: which system, which plot, the simulation, what to take away."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import panel as pn

from replicon.explorer import exports, page_text, style
from replicon.explorer.answers import LINE, SIDE
from replicon.explorer.controls import SLIM, Control, number
from replicon.explorer.measurements import Cell
from replicon.explorer.page_plot import PagePlot
from replicon.explorer.picture import Picture
from replicon.explorer.reach import read_number
from replicon.explorer.runner import Progress
from replicon.explorer.shared import Shared
from replicon.explorer.view import PLOTS, Subject, View

if TYPE_CHECKING:
    from replicon.explorer.session import Session

WIDE: dict[str, Any] = {"sizing_mode": "stretch_width"}
NONE = "(none)"


def heading(text: str) -> Any:
    """The title of a group."""
    return pn.pane.HTML(f"<h2>{page_text.escape(text)}</h2>", stylesheets=[style.TEXT], margin=(0, 6), **WIDE)


class SystemPanel:
    """Which system, and its parameters."""

    def __init__(self, shared: Shared, changed: Callable[[], None], press: Callable[[str], None]) -> None:
        self.shared, self.changed = shared, changed
        self.choice = pn.widgets.Select(
            name="System",
            options={f"{n}: {e.line}" if e.line else n: n for n, e in shared.entries.items()},
            **WIDE,
            **SLIM,
        )
        self.stored = pn.widgets.Select(name="Stored sweep", options=[NONE, *shared.stores], **WIDE, **SLIM)
        self.stored.visible = bool(shared.stores)
        self.text = pn.pane.HTML("", stylesheets=[style.TEXT], margin=(0, 6), **WIDE)
        self.state = pn.pane.HTML("", stylesheets=[style.TEXT], margin=(0, 6), visible=False, **WIDE)
        self.layout = pn.Column(self.choice, self.stored, self.state, self.text, margin=0, **WIDE)
        self.parameters = pn.Column(margin=0, **WIDE)
        self.defaults = pn.widgets.Button(name="Back to the defaults", button_type="default", **SLIM)
        self.defaults.on_click(lambda event: press("defaults"))
        self.controls: dict[str, Control] = {}
        self._shown: dict[str, Any] = {}
        for widget in (self.choice, self.stored):
            widget.param.watch(lambda event: changed(), "value")

    def build(self, subject: Subject, view: View, varied: dict[str, list[Any]]) -> None:
        """Widgets for a system; parameters that vary in a stored sweep take its values only."""
        self.choice.value = view.system
        self.stored.value = view.store or NONE
        line = self.shared.entries[subject.name].line
        self.text.object = page_text.about(subject, line)
        known = subject.owner.parameters()
        self.controls = {
            name: Control(name, info, None if info.static else subject.reach(name), view.values[name], self.changed)
            for name, info in known.items()
        }
        self.grid = {
            name: pn.widgets.Select(
                name=f"{name}: values of the sweep", options={number(v): v for v in values}, value=view.values[name],
                **WIDE, **SLIM,
            )
            for name, values in varied.items()
            if view.values[name] in values
        }  # fmt: skip
        for widget in self.grid.values():
            widget.param.watch(lambda event: self.changed(), "value")
        self._shown = dict(view.values)
        self.parameters.objects = [
            heading("Parameters"),
            *[self.grid.get(name) or control.view for name, control in self.controls.items()],
            self.defaults,
        ]

    def wanted(self) -> tuple[str, str]:
        """The system and the stored sweep that are chosen."""
        return self.choice.value, "" if self.stored.value == NONE else self.stored.value

    def wants(self, view: View) -> bool:
        """Whether something else than this view's system or store is chosen."""
        return self.wanted() != (view.system, view.store)

    def read(self) -> dict[str, Any]:
        """The values that the widgets show."""
        return {
            name: self.grid[name].value if name in self.grid else control.read()
            for name, control in self.controls.items()
        }

    def show(self, view: View) -> None:
        """Bring slider and field of each parameter together."""
        for name, control in self.controls.items():
            if name not in self.grid:
                control.show(view.values[name])

    def report(self, state: str) -> None:
        """How far the stored sweep is."""
        text = f'<p class="note" role="status">Sweep: {page_text.escape(state)}</p>' if state else ""
        if self.state.object != text:
            self.state.param.update(object=text, visible=bool(text))


class PlotPanel:
    """What is plotted against what, and the plot."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.changed = changed
        self.kind = pn.widgets.RadioButtonGroup(
            name="Plot", button_type="primary", button_style="outline", **WIDE, **SLIM
        )
        self.observable = pn.widgets.Select(name="Observable", **WIDE, **SLIM)
        self.x = pn.widgets.Select(name="Horizontal axis", **WIDE, **SLIM)
        self.y = pn.widgets.Select(name="Vertical axis", **WIDE, **SLIM)
        self.ends = {name: pn.widgets.TextInput(**WIDE, **SLIM) for name in ("x0", "x1", "y0", "y1")}
        self.theory = pn.widgets.Select(
            name="Theory for",
            options={"infinite size": "infinite", "the smallest size below": "finite"},
            **WIDE,
            **SLIM,
        )
        self.x_row = pn.Row(self.ends["x0"], self.ends["x1"], margin=0, **WIDE)
        self.y_row = pn.Row(self.ends["y0"], self.ends["y1"], margin=0, **WIDE)
        self.layout = pn.Column(
            heading("Plot"), self.kind, self.observable, self.x, self.x_row, self.y, self.y_row, self.theory, margin=0,
            **WIDE,
        )  # fmt: skip
        self.plot_holder = pn.Column(margin=0, **WIDE)
        self.plot: PagePlot | None = None
        self._building = False
        for widget in (self.kind, self.observable, self.x, self.y, self.theory, *self.ends.values()):
            widget.param.watch(lambda event: None if self._building else self.changed(), "value")

    def build(self, subject: Subject, view: View) -> None:
        """Widgets for a system."""
        self._building = True
        try:
            self.kind.param.update(options={PLOTS[kind]: kind for kind in subject.plots()}, value=view.plot)
            self.x.options = self.y.options = subject.traced
            self.theory.param.update(value=view.theory)
            self.theory.visible = "finite" in subject.owner.theory_kinds and subject.predicts
        finally:
            self._building = False
        self.show(subject, view)

    def show(self, subject: Subject, view: View) -> None:
        """Bring the widgets into the state of a view whose kind or axes are new."""
        self._building = True
        try:
            table = subject.table
            labels = {
                f"{name} {table[name].symbol}: {table[name].doc}": name for name in subject.observables(view.plot)
            }
            self.observable.param.update(options=labels, value=view.observable)
            for axis, widget in (("x", self.x), ("y", self.y)):
                if subject.traced:
                    widget.value = view.x if axis == "x" else view.y
                    low, high = subject.limits(view, axis)
                    for end, word, value in (("0", "from", low), ("1", "to", high)):
                        name = f"{view.x if axis == 'x' else view.y} {word}"
                        self.ends[axis + end].param.update(name=name, value=number(value))
            self.x.visible = self.x_row.visible = view.plot != "curve"
            self.y.visible = self.y_row.visible = view.plot == "map"
        finally:
            self._building = False
        if self.plot is None or self.plot.kind != view.plot:
            self.plot = PagePlot(view.plot)
            self.plot_holder.objects = [pn.pane.Bokeh(self.plot.figure, margin=0, **WIDE)]

    def read(self, subject: Subject, view: View) -> dict[str, Any]:
        """The part of the view that these widgets describe."""
        found: dict[str, Any] = {"plot": self.kind.value, "theory": self.theory.value}
        found["observable"] = self.observable.value
        if found["observable"] not in subject.observables(found["plot"]):
            found["observable"] = subject.observables(found["plot"])[0]
        for axis, widget in (("x", self.x), ("y", self.y)):
            found[axis] = widget.value or ""
        if found["x"] == found["y"] != "":
            # choosing the parameter of the other axis exchanges them
            moved = replace(view, x=found["x"], y=found["y"])
            found["y"] = subject.apart(moved, view.y if view.x == found["x"] else view.x).y
        for axis in ("x", "y"):
            if found["plot"] == "curve" or (axis == "y" and found["plot"] == "line"):
                continue
            if found[axis] != getattr(view, axis):
                found[f"{axis}_range"] = None
                continue
            low = read_number(f"the lower end of the {axis} axis", self.ends[f"{axis}0"].value)
            high = read_number(f"the upper end of the {axis} axis", self.ends[f"{axis}1"].value)
            reach = subject.reach(found[axis])
            found[f"{axis}_range"] = None if (low, high) == (reach.start, reach.end) else (low, high)
        return found

    def draw(self, picture: Picture) -> None:
        """Put a picture into the plot."""
        if self.plot is not None and (self.plot.kind == "map") == (picture.cells is not None):
            self.plot.show(picture)


class SimulationPanel:
    """Where, how large and how often to simulate; progress."""

    def __init__(self, changed: Callable[[], None], press: Callable[[str], None]) -> None:
        box: dict[str, Any] = {"width": 92, "margin": (2, 6)}
        self.where = pn.widgets.Select(name="Where", width=190, margin=(2, 6))
        self.points = pn.widgets.TextInput(name="Points", **box)
        self.sizes = pn.widgets.TextInput(name="Sizes N", width=110, margin=(2, 6))
        self.draws = pn.widgets.TextInput(name="Draws each", **box)
        self.seed = pn.widgets.TextInput(name="Seed", **box)
        self.button = pn.widgets.Button(name="▶ Simulate", button_type="primary", width=130, margin=(2, 6))
        self.cancel = pn.widgets.Button(
            name="Cancel", button_type="danger", button_style="outline", disabled=True, width=90, margin=(2, 6)
        )
        self.clear = pn.widgets.Button(name="Remove points", button_type="default", width=130, margin=(2, 6))
        self.bar = pn.indicators.Progress(
            name="Progress", value=0, max=100, height=14, margin=(4, 6), visible=False, **WIDE
        )
        self.state = pn.pane.HTML("", stylesheets=[style.TEXT], margin=(0, 6), visible=False, **WIDE)
        fields = pn.FlexBox(self.where, self.points, self.sizes, self.draws, self.seed, margin=0, **WIDE)
        buttons = pn.FlexBox(self.button, self.cancel, self.clear, margin=0, **WIDE)
        self.layout = pn.Column(heading("Simulation"), buttons, self.bar, self.state, fields, margin=0, **WIDE)
        for name, button in (("simulate", self.button), ("cancel", self.cancel), ("clear", self.clear)):
            button.on_click(lambda event, name=name: press(name))
        for widget in (self.where, self.points, self.sizes, self.draws, self.seed):
            widget.param.watch(lambda event: changed(), "value")

    def build(self, subject: Subject, view: View) -> None:
        """Widgets for a system."""
        self.where.param.update(
            options={"points along the axes": "axis", "at the sliders only": "here"}, value=view.where
        )
        self.points.value, self.sizes.value = view.points, view.sizes
        self.draws.value, self.seed.value = view.realizations, view.seed
        self.layout.visible = subject.simulates

    def read(self) -> dict[str, Any]:
        """The part of the view that these widgets describe."""
        return {
            "where": self.where.value, "points": self.points.value.strip(), "sizes": self.sizes.value.strip(),
            "realizations": self.draws.value.strip(), "seed": self.seed.value.strip(),
        }  # fmt: skip

    def report(self, progress: Progress | None, kept: int) -> None:
        """How far the simulation is."""
        running = progress is not None and not progress.finished
        self.button.disabled, self.cancel.disabled, self.clear.disabled = running, not running, running or not kept
        if progress is None:
            return
        text = progress.state if progress.finished else f"{progress.state}: {progress.done} of {progress.planned} draws"
        shown = f'<p class="note" role="status">{page_text.escape(text)}</p>'
        if self.state.object != shown:
            self.state.param.update(object=shown, visible=True)
        self.bar.param.update(value=int(100 * progress.share), visible=running)


class TakeAwayPanel:
    """Downloads, and the lines of Python."""

    def __init__(self, session: "Session") -> None:
        self.session = session
        self.cells: list[Cell] = []
        makers: dict[str, Callable[[], bytes]] = {
            "png": lambda: exports.to_png(self._picture),
            "csv": lambda: exports.to_csv(session.subject, session.view, self._picture).encode(),
            "nc": lambda: exports.to_netcdf(session.subject, session.view, self._picture),
            "py": lambda: self._python().encode(),
        }
        labels = {"png": "PNG", "csv": "CSV", "nc": "netCDF", "py": "Python"}
        self.buttons = {
            ending: pn.widgets.FileDownload(
                callback=lambda make=make: io.BytesIO(make()), filename=f"replicon.{ending}", label=labels[ending],
                button_type="default", width=96, margin=(2, 6),
            )
            for ending, make in makers.items()
        }  # fmt: skip
        self.code = pn.pane.HTML("", stylesheets=[style.TEXT], margin=(0, 6), **WIDE)
        self.layout = pn.Column(
            heading("Take it away"), pn.FlexBox(*self.buttons.values(), margin=0, **WIDE), self.code, margin=0, **WIDE
        )

    def update(self, view: View, cells: list[Cell]) -> None:
        """Remember what is shown."""
        self.cells = cells
        lines = page_text.escape(self._python())
        text = f"<details><summary>The Python that gives these numbers</summary><pre>{lines}</pre></details>"
        if self.code.object != text:
            self.code.object = text
        stem = view.system.replace(":", ".").rpartition(".")[2]
        for ending, button in self.buttons.items():
            if button.filename != f"{stem}.{ending}":
                button.filename = f"{stem}.{ending}"

    @property
    def _picture(self) -> Picture:
        assert self.session.picture is not None
        return self.session.picture

    def _python(self) -> str:
        view = self.session.view
        return exports.to_python(self.session.subject, view, SIDE if view.plot == "map" else LINE, self.cells)

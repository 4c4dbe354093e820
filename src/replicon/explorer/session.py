"""One visitor's page. All that happens only sets a flag and asks the document for one update, the latest state wins."""

import threading
import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import panel as pn
from bokeh.models import CustomJS, Div
from panel.io.state import set_curdoc

from replicon.core.errors import RepliconError
from replicon.core.system import check_size
from replicon.explorer import page_scripts, page_text, style
from replicon.explorer.answers import Answer, Answerer
from replicon.explorer.measurements import Cell, Measurements
from replicon.explorer.panels import PlotPanel, SimulationPanel, SystemPanel, TakeAwayPanel
from replicon.explorer.picture import Picture, draw_curve, draw_line, draw_map
from replicon.explorer.reach import clean, read_sizes, read_whole
from replicon.explorer.runner import Run, Task
from replicon.explorer.shared import Shared
from replicon.explorer.stored import StoredSweep
from replicon.explorer.view import View

SETTLED, REFRESH = 400, 2000
"""Milliseconds of rest after which the address bar follows, and between two looks at a sweep that runs."""


class Session:
    """The state and the widgets of one document."""

    def __init__(self, shared: Shared, document: Any, query: Mapping[str, str]) -> None:
        self.shared, self.document = shared, document
        self._lock = threading.Lock()
        self._pending = self._closed = False
        self.pressed: set[str] = set()
        self.messages: list[str] = []
        self.measurements = Measurements(shared.limits.kept)
        self.answers = Answerer(shared, self.touch)
        self.run: Run | None = None
        self.store: StoredSweep | None = None
        self.stored: list[Cell] = []
        self.stored_state = ""
        self._stored_view: View | None = None
        self._reading = False
        self.picture: Picture | None = None
        self.view = self._open(query)
        self.subject = shared.subject(self.view.system)
        self._address_due = False
        self.system_panel = SystemPanel(shared, self.touch, self.press)
        self.plot_panel = PlotPanel(self.touch)
        self.simulation_panel = SimulationPanel(self.touch, self.press)
        self.take_away = TakeAwayPanel(self)
        self.address, self.caption = Div(text="", visible=False), Div(text="", visible=False)
        self.address.js_on_change("text", CustomJS(code=page_scripts.ADDRESS))
        name_all = CustomJS(args={"caption": self.caption}, code=page_scripts.NAMES)
        self.caption.js_on_change("text", name_all)
        document.js_on_event("document_ready", name_all)
        self._rebuild()
        document.on_session_destroyed(lambda context: self.close())
        document.add_periodic_callback(self._look_at_store, REFRESH)
        self._ask()

    # what the widgets and threads call

    def touch(self) -> None:
        """Something changed: update the page soon. May be called from any thread."""
        with self._lock:
            if self._pending or self._closed:
                return
            self._pending = True
        self.document.add_next_tick_callback(self._tick)

    def press(self, what: str) -> None:
        """A button was pressed."""
        self.pressed.add(what)
        self.touch()

    def close(self) -> None:
        """The visitor has gone."""
        with self._lock:
            self._closed = True
        self.answers.close()
        if self.run is not None:
            self.run.cancel()

    # the page

    def layout(self) -> Any:
        """The whole page."""
        plain: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (0, 6)}
        self.alert = pn.pane.HTML("", stylesheets=[style.TEXT], visible=False, **wide)
        self.busy = pn.pane.HTML("", stylesheets=[style.TEXT], visible=False, **wide)
        self.heading = pn.pane.HTML("", stylesheets=[style.TEXT], **wide)
        self.answered = pn.pane.HTML("", stylesheets=[style.TEXT], **wide)
        self.numbers = pn.pane.HTML("", stylesheets=[style.TEXT], **wide)
        self.published = pn.pane.HTML("", stylesheets=[style.TEXT], **wide)
        title = pn.pane.HTML("<h1>Replicon: theory beside simulation</h1>", stylesheets=[style.TEXT], **wide)
        controls = pn.Column(
            self.system_panel.parameters, self.plot_panel.layout, css_classes=["controls"], **plain
        )  # fmt: skip
        plot = pn.Column(
            self.alert, self.busy, self.heading, self.plot_panel.plot_holder, self.answered, css_classes=["plot"],
            **plain,
        )  # fmt: skip
        rest = pn.Column(
            self.simulation_panel.layout, self.numbers, self.published, self.take_away.layout, css_classes=["rest"],
            **plain,
        )  # fmt: skip
        split = pn.Column(controls, plot, rest, stylesheets=[style.SPLIT], **plain)
        hidden = pn.Row(pn.pane.Bokeh(self.address), pn.pane.Bokeh(self.caption), visible=True, height=0, margin=0)
        page = pn.Column(
            title, self.system_panel.layout, split, hidden, stylesheets=[style.WHOLE], sizing_mode="stretch_width"
        )  # fmt: skip
        self.touch()
        return page

    def _tick(self) -> None:
        with self._lock:
            self._pending = False
            if self._closed:
                return
        with set_curdoc(self.document):
            try:
                self._update()
            except Exception as error:  # one mistake must not leave a page that does not answer any more
                traceback.print_exc()
                self._say([f"this page made a mistake, {type(error).__name__}: {error}"])

    def _update(self) -> None:
        pressed, self.pressed = self.pressed, set()
        if pressed or self.system_panel.wants(self.view):
            self.messages = []
        try:
            if self.system_panel.wants(self.view):
                self._choose()
            view = self._read()
        except RepliconError as error:
            self._say([*self.messages, str(error)])
            self._draw()
            return
        if view != self.view:
            self.messages = []
            previous, self.view = self.view, view
            self._follow(previous)
        for what in pressed:
            try:
                self._act(what)
            except RepliconError as error:
                self.messages.append(str(error))
        self._say(self.messages)
        self._draw()

    def _read(self) -> View:
        """The view that the widgets describe."""
        view = replace(self.view, values={**self.view.values, **self.system_panel.read()})
        view = replace(view, **self.plot_panel.read(self.subject, view), **self.simulation_panel.read())
        view = self.subject.check(view)
        read_sizes(view.sizes)
        self.system_panel.show(view)
        return view

    def _follow(self, previous: View) -> None:
        """What a new view entails."""
        quiet = replace(
            previous, sizes=self.view.sizes, realizations=self.view.realizations, seed=self.view.seed,
            points=self.view.points, where=self.view.where,
        )  # fmt: skip
        if self.view != quiet or (self.view.theory == "finite" and previous.sizes != self.view.sizes):
            self._ask()
        if (previous.plot, previous.x, previous.y) != (self.view.plot, self.view.x, self.view.y):
            self.plot_panel.show(self.subject, self.view)
        if not self._address_due:
            self._address_due = True
            self.document.add_timeout_callback(self._set_address, SETTLED)

    def _ask(self) -> None:
        self.answers.ask(self.view)
        if self.store is not None:
            self._read_store()

    def _set_address(self) -> None:
        self._address_due = False
        with set_curdoc(self.document):
            self.address.text = self.view.query()

    # choosing what is shown

    def _open(self, query: Mapping[str, str]) -> View:
        """The view of a link; a stored sweep, where the page was started with one and the link names no system."""
        wanted = query.get("store", "")
        try:
            if wanted and wanted not in self.shared.stores:
                self.messages.append(f"the link names the stored sweep {wanted[:60]!r}, which this page does not have")
            if (not query and self.shared.stores) or (wanted in self.shared.stores and len(query) == 1):
                return self._open_store(wanted or next(iter(self.shared.stores)))
            subject = self.shared.subject(query.get("system", self.shared.first))
            view, notes = subject.from_query(query)
            self.messages += notes
            self.store = self.shared.stores.get(view.store)
            return view if self.store is not None else replace(view, store="")
        except RepliconError as error:
            self.messages.append(str(error))
            return self.shared.subject(self.shared.first).first()

    def _open_store(self, name: str) -> View:
        self.store = self.shared.stores[name]
        return self.store.first(self.shared.subject(self.shared.name_of(self.store)))

    def _choose(self) -> None:
        """Another system, or another stored sweep."""
        name, store = self.system_panel.wanted()
        if store != self.view.store and store:
            self.view = self._open_store(store)
        else:
            self.store = None
            self.view = self.shared.subject(name).first() if name != self.view.system else replace(self.view, store="")
        self.stored, self.stored_state, self._stored_view = [], "", None
        if self.run is not None and not self.run.progress.finished:
            self.run.cancel()
        self.subject = self.shared.subject(self.view.system)
        self.answers.answer = None
        self._rebuild()
        self._set_address()
        self._ask()

    def _rebuild(self) -> None:
        varied = {} if self.store is None else self.store.varied
        self.system_panel.build(self.subject, self.view, varied)
        self.plot_panel.build(self.subject, self.view)
        self.simulation_panel.build(self.subject, self.view)
        # new sliders have no names yet: the script that gives them follows the caption
        self.caption.text = ""

    # simulating

    def _act(self, what: str) -> None:
        if what == "simulate":
            self._simulate()
        elif what == "cancel" and self.run is not None:
            self.run.cancel()
        elif what == "clear":
            self.measurements.forget(self.view.system)
        elif what == "defaults":
            fresh = self.subject.first()
            self.view = replace(self.view, values=fresh.values, x_range=None, y_range=None)
            self._rebuild()
            self._ask()

    def _simulate(self) -> None:
        if self.run is not None and not self.run.progress.finished:
            return
        view, name, system = self.view, self.view.system, self.subject.owner
        sizes = read_sizes(view.sizes)
        draws = read_whole("draws", view.realizations, 1, self.shared.limits.realizations)
        seed = read_whole("seed", view.seed, 0, 2**63 - 1)
        places, left_out = [], ""
        for values in self._places(view):
            point = system.make(**values)
            try:
                for size in sizes:
                    check_size(point, size)
                    self.shared.limits.check(point, size)
            except RepliconError as error:
                left_out = left_out or str(error)
                continue
            places.append(values)
        if not places:
            self.messages.append(left_out)
            return
        if left_out:
            self.messages.append(f"some points are left out: {left_out}")
        width = max(system.batch, 1)
        target = self.shared.entries[name].target
        tasks = [
            Task(target, values, size, seed, tuple(range(start, min(start + width, draws))))
            for start in range(0, draws, width)
            for size in sizes
            for values in places
        ]

        def found(task: Task, rows: dict[int, dict[str, Any]], failed: dict[int, str]) -> None:
            self.measurements.add(name, task.values, task.size, task.seed, rows, failed)

        self.run = Run(self.shared.places, tasks, self.shared.limits, found, self.touch)
        self.run.start()

    def _places(self, view: View) -> list[dict[str, Any]]:
        """The points to simulate."""
        if view.where == "here" or view.plot == "curve":
            return [dict(view.values)]
        count = read_whole("points", view.points, 1, self.shared.limits.points)
        if view.plot == "map" and count**2 > self.shared.limits.points:
            side = int(self.shared.limits.points**0.5)
            read_whole("points on each side of a map", view.points, 1, side)
        inner = [
            [self._rounded(name, v) for v in self.subject.axis(view, axis, count + 2)[1:-1]]
            for axis, name in (("x", view.x), ("y", view.y))
            if axis == "x" or view.plot == "map"
        ]
        if view.plot == "map":
            return [view.at(**{view.x: a, view.y: b}) for a in inner[0] for b in inner[1]]
        return [view.at(**{view.x: a}) for a in inner[0]]

    def _rounded(self, name: str, value: float) -> float:
        """A number of the axis as one would write it: a quarter of the slider's step is fine enough."""
        step = self.subject.reach(name).step / 4
        whole = clean(round(value / step) * step)
        return whole if bool(self.subject.owner.parameters()[name].allows(np.asarray(whole))) else clean(value)

    # a stored sweep

    def _look_at_store(self) -> None:
        if self.store is not None and not self.stored_state.startswith("complete"):
            self._read_store()

    def _read_store(self) -> None:
        with self._lock:
            if self._reading or self._closed:
                return
            self._reading = True
        self.shared.pool.submit(self._load_store, self.store, self.view)

    def _load_store(self, store: StoredSweep | None, view: View) -> None:
        assert store is not None
        try:
            status = store.status()
            cells = store.cells(view)
            state = f"{status.done + status.failed} of {status.total} draws done"
            running = "running now" if status.running is not None else "not running"
            state = f"complete, {state}" if status.complete else f"{state}, {running}"
        except RepliconError as error:
            cells, state = [], f"complete as far as it can be read: {error}"
        except Exception as error:  # a store that changes under the reader
            cells, state = self.stored, f"could not be read just now ({type(error).__name__})"
        finally:
            self._reading = False
        if store is self.store:
            self.stored, self.stored_state = list(cells), state
            self.touch()
            if view != self.view:
                self._read_store()

    # drawing

    def _draw(self) -> None:
        answer = self.answers.answer
        if answer is not None and answer.view.system == self.view.system and answer.view.plot == self.view.plot:
            self._draw_answer(answer)
        self._set(
            self.busy,
            self.answers.note and f'<div class="busy" role="status">{page_text.escape(self.answers.note)} …</div>',
        )
        run = self.run
        self.simulation_panel.report(None if run is None else run.progress, len(self.measurements))
        self.system_panel.report(self.stored_state if self.store is not None else "")

    def _draw_answer(self, answer: Answer) -> None:
        view = answer.view
        free = (view.x, view.y) if view.plot == "map" else (view.x,) if view.plot == "line" else ()
        measured: list[Cell] = self.measurements.select(view.system, view.values, free)
        cells = [*measured, *self.stored]
        claims = self.shared.claims(view.system)
        if view.plot == "map" and len(answer.x):
            lines = self.shared.phase_lines(view.system, self.touch)
            picture = draw_map(self.subject, view, answer.x, answer.y, answer.found, cells, claims, lines)
        elif view.plot == "curve":
            picture = draw_curve(self.subject, view, answer.coordinate, answer.here, cells, claims)
        else:
            picture = draw_line(self.subject, view, answer.x, answer.found, answer.here, cells, claims)
        self.picture = picture
        self.plot_panel.draw(picture)
        self.take_away.update(view, [c for c in measured if c.summary(view.observable)[2]])
        here = self.measurements.select(view.system, view.values, ())
        self._set(self.numbers, page_text.numbers(self.subject, view, answer.here, here))
        self._set(self.published, page_text.published(self.subject, view, claims, len(picture.marks)))
        hidden = self.measurements.count(view.system) - len(measured)
        aside = f" {hidden} measured points belong to other parameters and are not shown." if hidden else ""
        state = "complete" if answer.complete else "getting finer"
        said = f"theory answered in {1000 * answer.seconds:.0f} ms, {state}" if not answer.error else ""
        self._set(
            self.answered,
            f'<div class="answered" data-answers="{self.answers.count}" data-state="{state}">{said}.{aside}</div>',
        )
        if answer.error:
            self._say([*self.messages, f"the theory: {answer.error}"])
        self._set(self.heading, page_text.heading(picture))
        text = f"{picture.value_label or picture.y_label} against {picture.x_label}. {picture.title}"
        if self.caption.text != text:
            self.caption.text = text

    def _say(self, messages: list[str]) -> None:
        shown = "".join(f"<p>{page_text.escape(message)}</p>" for message in dict.fromkeys(messages))
        self._set(self.alert, f'<div class="alert" role="alert">{shown}</div>' if shown else "")

    @staticmethod
    def _set(pane: Any, text: str) -> None:
        if pane.object != text:
            pane.param.update(object=text, visible=bool(text))

"""The picture on the page: one Bokeh figure a kind of plot, whose data are replaced and whose models stay."""

from typing import Any

import numpy as np
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    HoverTool,
    Legend,
    LegendItem,
    LinearColorMapper,
    Range1d,
    ResetTool,
    WheelZoomTool,
)
from bokeh.plotting import figure

from replicon.explorer.picture import Picture

INK, CLAIM, PHASES = "#000000", "#AA3377", ("#FFFFFF", "#D55E00", "#56B4E9", "#CC79A7")
FONT = "13px"
FRAME, ENTRY = 330, 22
"""Pixels of the plot with its axes, and of an entry of the legend below it."""


class PagePlot:
    """A figure and its sources; `show` puts a picture into it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.figure = figure(
            height=FRAME, sizing_mode="stretch_width", min_width=280, tools="pan,box_zoom", toolbar_location="above",
            x_range=Range1d(start=0, end=1), y_range=Range1d(start=0, end=1),
        )  # fmt: skip
        plot: Any = self.figure
        plot.add_tools(WheelZoomTool(dimensions="both"), ResetTool())
        plot.toolbar.logo = None
        plot.toolbar.autohide = False
        for axis in (*plot.xaxis, *plot.yaxis):
            axis.axis_label_text_font_size = "15px"
            axis.axis_label_text_font_style = "normal"
            axis.axis_label_text_color = INK
            axis.major_label_text_font_size = FONT
            axis.major_label_text_color = INK
        plot.grid.grid_line_color = "#E6E6E6"
        plot.grid.visible = kind != "map"
        self.sources: dict[str, ColumnDataSource] = {}
        self.items: dict[str, LegendItem] = {}
        self.legend: Any = Legend(
            items=[], label_text_font_size=FONT, border_line_color=None, background_fill_alpha=0.0, spacing=2,
            margin=4, ncols=1, location="top_left",
        )  # fmt: skip
        if kind == "map":
            self._make_map()
        else:
            self._make_lines()
        self._make_marks()
        plot.add_layout(self.legend, "below")

    def show(self, picture: Picture) -> None:
        """Replace the data."""
        plot: Any = self.figure
        _set(plot.xaxis[0], axis_label=picture.x_label)
        _set(plot.yaxis[0], axis_label=picture.y_label)
        self._show_map(picture) if self.kind == "map" else self._show_lines(picture)
        points = [mark for mark in picture.marks if mark.x is not None and mark.y is not None]
        self._fill("claims", x=[m.x for m in points], y=[m.y for m in points], text=[m.text for m in points],
                   source=[m.source for m in points])  # fmt: skip
        for name, rows, column in (
            ("vertical", [m for m in picture.marks if m.y is None], "x"),
            ("horizontal", [m for m in picture.marks if m.x is None], "y"),
        ):
            self._fill(name, **{column: [getattr(m, column) for m in rows], "text": [m.text for m in rows],
                                "source": [m.source for m in rows]})  # fmt: skip
        both = "published (point at it for the source)"
        self._item("claims", both, bool(points))
        self._item("vertical", both, bool(picture.marks) and not points)
        entries = sum(item.visible for item in self.items.values()) + max(len(picture.sizes) - 1, 0)
        _set(plot, height=FRAME + ENTRY * entries)

    def _make_lines(self) -> None:
        plot: Any = self.figure
        for name, width, dash, colour in (
            ("sure", 2.5, "solid", INK), ("doubtful", 2.5, "dashed", INK), ("declined", 1.5, "dotted", "#767676"),
        ):  # fmt: skip
            source = self._source(name, x=[], y=[])
            drawn = [plot.line("x", "y", source=source, line_width=width, line_dash=dash, line_color=colour)]
            if self.kind == "curve":
                # its coordinate may be a count: then the points are the theory, and the line guides the eye
                drawn.append(plot.scatter("x", "y", source=source, size=5, color=colour))
            self._legend(name, drawn)
        errors = self._source("errors", x0=[], y0=[], x1=[], y1=[], colour=[])
        plot.segment("x0", "y0", "x1", "y1", source=errors, line_color="colour", line_width=1.6)
        self._points()

    def _make_map(self) -> None:
        plot: Any = self.figure
        self.mapper = LinearColorMapper(palette="Cividis256", low=0, high=1, nan_color="rgba(0, 0, 0, 0)")
        image = self._source("image", image=[], x=[], y=[], dw=[], dh=[])
        plot.image("image", x="x", y="y", dw="dw", dh="dh", source=image, color_mapper=self.mapper)
        self.bar = ColorBar(color_mapper=self.mapper, width=14, padding=6, major_label_text_font_size="12px",
                            title_text_font_size=FONT, title_text_font_style="normal")  # fmt: skip
        plot.add_layout(self.bar, "right")
        for number, colour in enumerate(PHASES):
            source = self._source(f"phase{number}", x=[], y=[])
            under = plot.line("x", "y", source=source, line_width=4.5, line_color=INK)
            over = plot.line("x", "y", source=source, line_width=2.5, line_color=colour,
                             line_dash=("solid", "dashed", "dotdash", "dotted")[number])  # fmt: skip
            self._legend(f"phase{number}", [under, over])
        self._points()

    def _points(self) -> None:
        """Measured points; those of a map have the colour of their value."""
        plot: Any = self.figure
        columns = {name: [] for name in ("x", "y", "value", "error", "count", "size", "colour", "marker", "label")}
        source = self._source("points", **columns)
        fill: Any = {"field": "value", "transform": self.mapper} if self.kind == "map" else "colour"
        edge = "white" if self.kind == "map" else "colour"
        found = plot.scatter(
            "x", "y", source=source, size=12 if self.kind == "map" else 9, marker="marker", fill_color=fill,
            line_color=edge, line_width=1.5,
        )  # fmt: skip
        self.items["points"] = LegendItem(label={"field": "label"}, renderers=[found], visible=False)
        self.legend.items.append(self.items["points"])
        tips = [("simulated", "@label"), ("mean", "@value{0.00000} ± @error{0.00000}"), ("draws", "@count")]
        plot.add_tools(HoverTool(renderers=[found], tooltips=tips, visible=False))

    def _make_marks(self) -> None:
        plot: Any = self.figure
        tips = [("published", "@text"), ("source", "@source")]
        vertical = plot.vspan(
            x="x",
            source=self._source("vertical", x=[], text=[], source=[]),
            line_color=CLAIM,
            line_width=1.8,
            line_dash=[2, 4],
        )
        horizontal = plot.hspan(
            y="y",
            source=self._source("horizontal", y=[], text=[], source=[]),
            line_color=CLAIM,
            line_width=1.8,
            line_dash=[2, 4],
        )
        stars = self._source("claims", x=[], y=[], text=[], source=[])
        cross = plot.scatter(
            "x", "y", source=stars, marker="star", size=15, fill_color="white", line_color=CLAIM, line_width=2
        )
        plot.add_tools(HoverTool(renderers=[cross, vertical, horizontal], tooltips=tips, visible=False))
        self._legend("claims", [cross])
        self._legend("vertical", [vertical])
        here = self._source("here", x=[], y=[])
        spot = plot.scatter(
            "x", "y", source=here, marker="diamond", size=17, fill_color="#F0E442", line_color=INK, line_width=1.5
        )
        self._legend("here", [spot])

    def _show_lines(self, picture: Picture) -> None:
        plot: Any = self.figure
        points = picture.points
        self._span(plot.x_range, [*picture.x, *[p.x for p in points]], 0.02)
        ends = [p.mean + sign * (p.error if np.isfinite(p.error) else 0.0) for p in points for sign in (-1, 1)]
        marks = [mark.y for mark in picture.marks if mark.y is not None]
        self._span(plot.y_range, [*ends, *marks, *[v for line in picture.lines.values() for v in line]], 0.06)
        for name in ("sure", "doubtful", "declined"):
            values = picture.lines.get(name, np.zeros(0))
            visible = bool(np.isfinite(values).any())
            self._fill(name, x=picture.x if len(values) else [], y=values)
            self._item(name, picture.labels.get(name, name), visible)
        looks = [picture.look(p.size) for p in points]
        errors = [p.error if np.isfinite(p.error) else 0.0 for p in picture.points]
        self._fill("errors", x0=[p.x for p in picture.points], x1=[p.x for p in picture.points],
                   y0=[p.mean - e for p, e in zip(picture.points, errors, strict=True)],
                   y1=[p.mean + e for p, e in zip(picture.points, errors, strict=True)],
                   colour=[look[0] for look in looks])  # fmt: skip
        self._show_points(picture, "simulated, N = {} (mean ± standard error)")
        here = [] if picture.here is None else [picture.here]
        self._fill("here", x=[h[0] for h in here], y=[h[1] for h in here])
        self._item("here", "theory at the slider", bool(here))

    def _show_map(self, picture: Picture) -> None:
        plot: Any = self.figure
        cells, x, y = picture.cells, picture.x, picture.y
        assert cells is not None
        half = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
        left, right, low, high = x[0] - half[0], x[-1] + half[0], y[0] - half[1], y[-1] + half[1]
        self._fill("image", image=[cells], x=[left], y=[low], dw=[right - left], dh=[high - low])
        for extent, ends in ((plot.x_range, (left, right)), (plot.y_range, (low, high))):
            _set(extent, start=ends[0], end=ends[1], reset_start=ends[0], reset_end=ends[1])
        if np.isfinite(cells).any():
            bottom, top = float(np.nanmin(cells)), float(np.nanmax(cells))
            _set(self.mapper, low=bottom, high=top if top > bottom else bottom + 1e-9)
        _set(self.bar, title=picture.value_label)
        for number in range(len(PHASES)):
            here = picture.phases[number : number + 1]
            self._fill(f"phase{number}", x=here[0][1] if here else [], y=here[0][2] if here else [])
            self._item(f"phase{number}", here[0][0] if here else "", bool(here))
        self._show_points(picture, "simulated, N = {} (colour: mean)")
        self._fill("here", x=[picture.here[0]] if picture.here else [], y=[picture.here[1]] if picture.here else [])
        self._item("here", "where the sliders are", picture.here is not None)

    def _show_points(self, picture: Picture, label: str) -> None:
        points = picture.points
        looks = [picture.look(p.size) for p in points]
        self._fill(
            "points", x=[p.x for p in points], y=[p.y for p in points], value=[p.mean for p in points],
            error=[p.error for p in points], count=[p.count for p in points], size=[p.size for p in points],
            colour=[look[0] for look in looks], marker=[look[1] for look in looks],
            label=[label.format(p.size) for p in points],
        )  # fmt: skip
        _set(self.items["points"], visible=bool(points))

    def _span(self, extent: Any, values: list[Any], margin: float) -> None:
        """The range of an axis, with a margin so that nothing lies on the frame."""
        finite = [value for value in values if np.isfinite(value)]
        if finite:
            low, high = min(finite), max(finite)
            wide = margin * ((high - low) or abs(high) or 1.0)
            _set(extent, start=low - wide, end=high + wide, reset_start=low - wide, reset_end=high + wide)

    def _source(self, name: str, **columns: Any) -> ColumnDataSource:
        self.sources[name] = ColumnDataSource(columns)
        return self.sources[name]

    def _legend(self, name: str, renderers: list[Any]) -> None:
        self.items[name] = LegendItem(label=name, renderers=renderers, visible=False)
        self.legend.items.append(self.items[name])

    def _item(self, name: str, label: str, visible: bool) -> None:
        _set(self.items[name], visible=visible)
        if visible:
            _set(self.items[name], label={"value": _shorten(label)})

    def _fill(self, name: str, **columns: Any) -> None:
        """Replace the data of a source where they are others: what stays the same is not sent again."""
        old = self.sources[name].data
        same = all(np.array_equal(np.asarray(old[key]), np.asarray(column), equal_nan=_numeric(column))
                   for key, column in columns.items())  # fmt: skip
        if not same:
            self.sources[name].data = dict(columns)


def _numeric(column: Any) -> bool:
    return np.asarray(column).dtype.kind in "fiu"


def _shorten(text: str, width: int = 52) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _set(model: Any, **values: Any) -> None:
    changed = {name: value for name, value in values.items() if getattr(model, name) != value}
    if changed:
        model.update(**changed)

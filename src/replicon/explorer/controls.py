"""Widgets: a parameter is a slider with a field, a field, or a list, by what the system says of it."""

from collections.abc import Callable
from typing import Any

import panel as pn

from replicon.core.parameters import Parameter
from replicon.explorer.page_text import escape
from replicon.explorer.reach import Reach, clean, read

SLIM: dict[str, Any] = {"margin": (2, 6)}


class Control:
    """The widgets of one parameter.

    Parameters
    ----------
    name, info, reach, value
        The parameter, the ends of its slider (None for a static one), its value.
    changed : callable
        Called after any change by the user.
    """

    def __init__(
        self, name: str, info: Parameter, reach: Reach | None, value: Any, changed: Callable[[], None]
    ) -> None:
        self.name, self.info, self.reach, self.changed = name, info, reach, changed
        self._last = "field"
        self._setting = False
        label = name if info.symbol == name else f"{name} {info.symbol}"
        unit = "" if info.unit == "1" else f" [{info.unit}]"
        self.slider: Any = None
        if info.choices is not None:
            self.field: Any = pn.widgets.Select(
                name=f"{label}{unit}", options=list(info.choices), value=value, sizing_mode="stretch_width", **SLIM
            )
            row: Any = self.field
        elif reach is None:
            self.field = pn.widgets.TextInput(
                name=f"{label}{unit}", value=str(value), sizing_mode="stretch_width", **SLIM
            )
            row = self.field
        else:
            self.slider = pn.widgets.FloatSlider(
                name=f"{label}{unit}", start=reach.start, end=reach.end, step=reach.step, value=float(value),
                show_value=False, sizing_mode="stretch_width", margin=(2, 6), bar_color="#0072B2",
            )  # fmt: skip
            self.field = pn.widgets.TextInput(name=f"{info.symbol} =", value=number(value), width=92, **SLIM)
            self.slider.param.watch(lambda event: self._moved("slider"), "value")
            row = pn.Row(self.slider, self.field, sizing_mode="stretch_width", margin=0)
        self.field.param.watch(lambda event: self._moved("field"), "value")
        bounds = "" if info.choices is not None else f", in {info.range.replace('inf', '∞')}{unit}"
        self.view = pn.Column(
            row,
            pn.pane.HTML(f'<div class="doc">{escape(info.doc)}{escape(bounds)}</div>', margin=(0, 6, 6, 6),
                         sizing_mode="stretch_width", stylesheets=[DOC]),
            sizing_mode="stretch_width", margin=0,
        )  # fmt: skip

    def read(self) -> Any:
        """The value, not yet checked by the system."""
        if self._last == "slider":
            return clean(self.slider.value)
        return read(self.name, str(self.field.value), self.info)

    def show(self, value: Any) -> None:
        """Put a value into all widgets; a slider grows to take one that lies beyond its ends."""
        self._setting = True
        try:
            if self.info.choices is not None:
                self.field.value = value
                return
            if self._last == "slider" or str(self.field.value) != number(value):
                self.field.value = number(value)
            if self.slider is not None and self._last != "slider":
                self.slider.param.update(
                    start=min(self.slider.start, value), end=max(self.slider.end, value), value=float(value)
                )
        finally:
            self._setting = False

    def _moved(self, which: str) -> None:
        if not self._setting:
            self._last = which
            self.changed()


def number(value: Any) -> str:
    """A value as a field shows it."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


DOC = ".doc { font-size: 12.5px; line-height: 1.3; color: #4a5560; }"

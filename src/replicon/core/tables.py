"""Results as tables for the terminal and for notebooks."""

import html
import io
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from replicon.core.comparison import Comparison

WIDTH = 132


def with_error(value: float, error: float) -> str:
    """A number with its standard error in the last digits: ``0.9983(8)``."""
    if not math.isfinite(value):
        return "-"
    if not math.isfinite(error):
        return f"{value:.5g}"
    if error == 0:
        return f"{value:.6g}"
    digits = 1 - math.floor(math.log10(error)) if error < 1 else 1
    digits = min(max(digits, 0), 12)
    if digits == 0 or abs(value) >= 1e6 or (abs(value) < 1e-6 and value != 0):
        return f"{value:.3g} +- {error:.1g}"
    return f"{value:.{digits}f}({round(error * 10**digits)})"


def plain(value: float) -> str:
    """A number without error bar."""
    return f"{value:.7g}" if math.isfinite(value) else "-" if math.isnan(value) else str(value)


def rows_of(result: "Comparison") -> tuple[list[str], list[list[str]]]:
    """Header and rows of a comparison: one row per scalar, one per curve."""
    symbols = json.loads(result.attrs["symbols"])
    sizes = [int(size) for size in result["size"].values]
    header = ["observable", "theory", *[f"N = {size}" for size in sizes], "N -> inf", "p", "verdict"]
    rows = []
    for name in [str(n) for n in result["observable"].values]:
        line = result.sel(observable=name)
        measured = [_measured(line, size) for size in sizes]
        p = float(line["p_value"])
        rows.append([
            label_of(name, symbols),
            plain(float(line["theory_infinite"])),
            *measured,
            with_error(float(line["extrapolated"]), float(line["extrapolated_error"])),
            f"{p:.2g}" if math.isfinite(p) else "-",
            _word(p, bool(line["rejected"])),
        ])  # fmt: skip
        if np.isfinite(line["success_fraction"].values).any():
            fractions = [
                with_error(float(line["success_fraction"].sel(size=s)), float(line["success_error"].sel(size=s)))
                for s in sizes
            ]
            rows.append([f"  fraction {symbols[name][0]} >= {symbols[name][3]:g}", "", *fractions, "", "", ""])
    for name, (_, _) in json.loads(result.attrs["curves"]).items():
        worst = [float(np.nanmax(np.abs(z))) if np.isfinite(z).any() else math.nan for z in result[f"{name}_z"].values]
        cells = [f"max |z| = {z:.1f}" if math.isfinite(z) else "-" for z in worst]
        bad = name in result.attrs["disagreeing"].split(", ")
        word = "disagrees" if bad else "agrees" if any(map(math.isfinite, worst)) else ""
        rows.append([label_of(name, symbols), "curve", *cells, "", "", word])
    return header, rows


def label_of(name: str, symbols: dict[str, list[str]]) -> str:
    """Name and symbol of an observable."""
    return name if symbols[name][0] == name else f"{name} {symbols[name][0]}"


def title_of(result: "Comparison") -> str:
    """``Hopfield (load = 0.1, temperature = 0): agree``."""
    values = ", ".join(f"{name} = {value}" for name, value in json.loads(result.attrs["parameters"]).items())
    return f"{result.attrs['system']} ({values})"


def remarks_of(result: "Comparison") -> list[str]:
    """What the reader must know besides the table."""
    lines = [f"theory: {result.attrs['theory_used']}"]
    if result.attrs["note"]:
        lines.append(f"note: {result.attrs['note']}")
    if result.attrs["failed"]:
        lines.append(f"{result.attrs['failed']} realisations failed and are left out")
    tail = f" ({result.attrs['disagreeing']})" if result.attrs["disagreeing"] else ""
    lines.append(f"verdict (Holm, family-wise level {result.attrs['level']:g}): {result.attrs['verdict']}{tail}")
    return lines


def comparison_text(result: "Comparison") -> str:
    """The comparison as a table of plain characters."""
    header, rows = rows_of(result)
    return render(title_of(result), header, rows, remarks_of(result))


def comparison_html(result: "Comparison") -> str:
    """The comparison as an HTML table, self-contained."""
    header, rows = rows_of(result)
    return html_table(title_of(result), header, rows, remarks_of(result))


def render(title: str, header: list[str], rows: list[list[str]], remarks: list[str], width: int = WIDTH) -> str:
    """Any table as plain characters."""
    from rich.console import Console

    buffer = io.StringIO()
    print_table(Console(file=buffer, width=width, color_system=None), title, header, rows, remarks)
    return buffer.getvalue().rstrip("\n")


def print_table(
    console: Any, title: str, header: list[str], rows: list[list[str]], remarks: list[str], words: tuple[int, ...] = ()
) -> None:
    """Any table on a rich console; the columns numbered in `words` are text and start at the left."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(header):
        left = number == 0 or number in words
        table.add_column(Text(name), justify="left" if left else "right", no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*[Text(cell) for cell in row])
    console.print(table)
    for line in remarks:
        console.print(Text(line))


def html_table(title: str, header: list[str], rows: list[list[str]], remarks: list[str]) -> str:
    """Any table as HTML."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    below = "".join(f"<p>{html.escape(line)}</p>" for line in remarks)
    return (
        f'<div class="replicon"><table><caption>{html.escape(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}</div>"
    )


def _measured(line: Any, size: int) -> str:
    at = line.sel(size=size)
    text = with_error(float(at["mean"]), float(at["standard_error"]))
    z = float(at["z"])
    return f"{text} z={z:+.1f}" if math.isfinite(z) else text


def _word(p: float, rejected: bool) -> str:
    return "" if math.isnan(p) else "disagrees" if rejected else "agrees"

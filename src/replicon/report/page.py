"""Sections as one HTML page: inline style, embedded figures, no script."""

import base64
import html
import io
from collections.abc import Sequence

from replicon.core.sections import Code, Picture, Section, Table
from replicon.report.style import STYLE

LARGEST_VECTOR = 300_000
"""Bytes above which a figure is embedded as pixels: a phase diagram's vector file is one patch for each point."""


def render_page(title: str, summary: Sequence[str], sections: Sequence[Section]) -> str:
    """A whole page; every text is escaped."""
    lead = "".join(f"<p>{html.escape(line)}</p>" for line in summary)
    body = "\n".join(render_section(section) for section in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{html.escape(title)}</h1>{lead}</header>\n{body}\n</main>\n</body>\n</html>\n"
    )


def render_section(section: Section) -> str:
    """Title, text, tables, figures, code."""
    parts = [f"<h2>{html.escape(section.title)}</h2>"]
    parts += [f"<p>{html.escape(line)}</p>" for line in section.text]
    parts += [render_table(table) for table in section.tables]
    if section.pictures:
        pictures = "".join(render_picture(picture) for picture in section.pictures)
        parts.append(f'<div class="figures">{pictures}</div>')
    parts += [render_code(code) for code in section.code]
    return "<section>" + "\n".join(parts) + "</section>"


def render_table(table: Table) -> str:
    """A table that scrolls sideways by itself where the screen is narrow."""
    text = {0, *table.words}

    def row(cells: Sequence[str], tag: str) -> str:
        classes = ["" if number in text else ' class="number"' for number in range(len(cells))]
        return (
            "<tr>"
            + "".join(f"<{tag}{c}>{html.escape(cell)}</{tag}>" for c, cell in zip(classes, cells, strict=True))
            + "</tr>"
        )

    caption = f"<caption>{html.escape(table.caption)}</caption>" if table.caption else ""
    body = "".join(row(cells, "td") for cells in table.rows)
    return (
        f'<div class="wide" tabindex="0"><table>{caption}<thead>{row(table.header, "th")}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def render_picture(picture: Picture) -> str:
    """A figure as vector graphics, or as pixels where those are smaller."""
    kind, data = "svg+xml", _drawn(picture, "svg")
    if len(data) > LARGEST_VECTOR:
        kind, data = "png", _drawn(picture, "png")
    width = round(96 * picture.figure.get_figwidth())
    caption = f"<figcaption>{html.escape(picture.caption)}</figcaption>" if picture.caption else ""
    return (
        f'<figure style="--width: {width}px"><img alt="{html.escape(picture.alt)}" '
        f'src="data:image/{kind};base64,{base64.b64encode(data).decode()}">{caption}</figure>'
    )


def render_code(code: Code) -> str:
    """Lines to copy."""
    caption = f"<h3>{html.escape(code.caption)}</h3>" if code.caption else ""
    return f'{caption}<pre tabindex="0"><code>{html.escape(code.text)}</code></pre>'


def _drawn(picture: Picture, kind: str) -> bytes:
    buffer = io.BytesIO()
    # Without a date the same numbers give the same file.
    picture.figure.savefig(buffer, format=kind, dpi=160, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()

"""The words of the page: what a system is, its numbers at the sliders, what was published. Everything is escaped."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from replicon.core.claims import Claim
from replicon.core.tables import with_error
from replicon.explorer.measurements import Cell
from replicon.explorer.picture import Picture
from replicon.explorer.predictions import Prediction
from replicon.explorer.view import Subject, View


def escape(text: Any) -> str:
    """Text for HTML."""
    return html.escape(str(text))


def about(subject: Subject, line: str) -> str:
    """One line on a system; its description and references to unfold."""
    owner = subject.owner
    doc = [part.strip() for part in (owner.__doc__ or "").split("\n\n")]
    body = [part for part in doc[1:] if not part.startswith("References")]
    paragraphs = "".join(f"<p>{escape(' '.join(part.split()))}</p>" for part in body)
    sources = "".join(f"<li>{escape(reference.short)}</li>" for reference in owner.references)
    listed = f"<ul>{sources}</ul>" if sources else ""
    return (
        f'<p class="line">{escape(line or (doc[0] if doc else subject.name))}</p>'
        f"<details><summary>What is it? References</summary>{paragraphs}{listed}</details>"
    )


def heading(picture: Picture) -> str:
    """What the plot shows, and the parameters that are not on its axes."""
    if picture.cells is not None:
        shown = f"{picture.value_label} as colour over {picture.x_label} and {picture.y_label}"
    else:
        shown = f"{picture.y_label} against {picture.x_label}"
    others = f' <span class="weak">at {escape(picture.title)}</span>' if picture.title else ""
    return f"<p><b>{escape(shown)}</b>{others}</p>"


def numbers(subject: Subject, view: View, here: Prediction | None, cells: Sequence[Cell]) -> str:
    """Theory and measurements at the sliders, a row for each scalar."""
    sizes = list(dict.fromkeys(cell.size for cell in cells))
    head = "".join(f'<th scope="col">N = {size}</th>' for size in sizes)
    rows = []
    for name, entry in subject.table.items():
        if entry.dims:
            continue
        theory = "" if here is None or name not in here.values else f"{here.scalar(name):.6g}"
        theory = "no solution" if theory == "nan" else theory
        if theory and here is not None and here.declined:
            theory = f'<span class="weak">({theory})</span>'
        found = []
        for size in sizes:
            mean, error, count = next(c for c in cells if c.size == size).summary(name)
            found.append(with_error(float(mean), float(error)) if count else "")
        symbol = "" if entry.symbol == name else f" <i>{escape(entry.symbol)}</i>"
        shown = ' class="shown"' if name == view.observable else ""
        measured = "".join(f"<td>{escape(text)}</td>" for text in found)
        rows.append(
            f'<tr{shown}><th scope="row" title="{escape(entry.doc)}">{escape(name)}{symbol}</th>'
            f"<td>{theory}</td>{measured}</tr>"
        )
    if not rows:
        return ""
    note = "" if here is None or not here.note else f'<p class="note">The theory says: {escape(here.note)}.</p>'
    if here is not None and here.declined and here.status >= 0:
        note += '<p class="note">Values in brackets are no prediction of the simulation.</p>'
    return (
        f"<h2>At the sliders</h2>{note}"
        '<div class="wide"><table><thead><tr><th scope="col">observable</th><th scope="col">theory</th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def published(subject: Subject, view: View, claims: Sequence[Claim], shown: int) -> str:
    """The published numbers, and links to the plots that show those whose place is known."""
    if not claims:
        return ""
    rows = []
    for claim in claims:
        target = _place(subject, view, claim)
        link = f'<a href="{escape(target)}">show</a>' if target else ""
        error = f" ± {claim.published_error:g}" if claim.published_error else ""
        caution = "" if claim.reproduces else f' <span class="weak">(does not reproduce: {escape(claim.remark)})</span>'
        rows.append(
            f'<tr><th scope="row">{escape(claim.name)}{caution}</th><td>{claim.published:.8g}{error}</td>'
            f"<td>{link}</td><td>{escape(claim.source)}</td></tr>"
        )
    marked = f", {shown} on this plot" if shown else ""
    return (
        f"<details><summary>Published numbers ({len(claims)}{marked})</summary>"
        '<div class="wide"><table><thead><tr><th scope="col">what</th><th scope="col">number</th>'
        '<th scope="col">plot</th><th scope="col">source</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _place(subject: Subject, view: View, claim: Claim) -> str:
    """Link to a plot on which a published number lies; nothing where its place is not known."""
    from dataclasses import replace

    fixed = {name: value for name, value in claim.at.items() if name in subject.owner.parameters()}
    defaults = subject.defaults
    if claim.of in subject.table and subject.table[claim.of].dims:
        wanted: Any = replace(view, plot="curve", observable=claim.of, values=defaults | fixed)
    elif claim.of in subject.table:
        axes = [name for name in claim.at if name in subject.traced] or subject.traced[:1]
        wanted = replace(view, plot="line", observable=claim.of, x=axes[0], x_range=None, values=defaults | fixed)
    elif claim.of in subject.traced and "line" in subject.plots():
        kept = view.observable if view.observable in subject.observables("line") else subject.observables("line")[0]
        wanted = replace(view, plot="line", observable=kept, x=claim.of, x_range=None,
                         values=defaults | fixed | {claim.of: claim.published})  # fmt: skip
    else:
        return ""
    if wanted.plot == "line":
        reach, at = subject.reach(wanted.x), float(wanted.values[wanted.x])
        if not reach.start <= at <= reach.end and math.isfinite(at):
            wanted = replace(wanted, x_range=(min(reach.start, at), max(reach.end, float(np.round(1.25 * at, 6)))))
    return wanted.query()

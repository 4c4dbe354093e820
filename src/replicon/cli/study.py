"""The command run: a comparison, the system's demonstrations, and a report in a folder of its own."""

import datetime
import re
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from replicon.cli.numbers import measure, print_comparison
from replicon.cli.output import console, print_json, print_section, working
from replicon.core.errors import ParameterError, RepliconError, StoreError

if TYPE_CHECKING:
    from replicon.core.sections import Section

ALLOWED = re.compile(r"[\w][\w.+-]*")


def run(
    name: str,
    words: tuple[str, ...],
    *,
    sizes: str | None,
    realizations: int,
    seed: int,
    kind: str,
    workers: int,
    out: str,
    label: str | None,
    browse: bool,
    as_json: bool,
) -> None:
    """Compare, demonstrate, save and report."""
    folder = _choose_folder(Path(out), name, label)
    system, result = measure(
        name, words, sizes=sizes, realizations=realizations, seed=seed, kind=kind, workers=workers
    )
    if not as_json:
        print_comparison(result)
    sections = _demonstrate(type(system), as_json)
    from replicon.core.files import save_comparison
    from replicon.report import write_report

    with working("writing the report"):
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise StoreError(f"{folder} cannot be made: {error}") from error
        data = save_comparison(result, folder / "result.zarr")
        page = write_report(result, folder / "report.html", sections)
    if as_json:
        from replicon.cli.documents import comparison_document

        document = comparison_document(name, system, result)
        print_json({**document, "report": str(page), "data": str(data)})
    else:
        # A path is printed whole: whoever copies it must not meet a line break.
        console().print(f"\nreport: {page}", markup=False, soft_wrap=True)
    if browse:
        webbrowser.open(page.resolve().as_uri())


def _demonstrate(owner: type, quiet: bool) -> "list[Section]":
    """The sections of the system's demonstrations; one that fails says so and the run goes on."""
    from replicon.core.sections import Section, demonstrations_of

    sections = []
    for title, call in demonstrations_of(owner):
        try:
            with working(title):
                section = call()
        except RepliconError as error:
            section = Section(title, (f"failed: {error}",))
        sections.append(section)
        if not quiet:
            print_section(section)
    return sections


def _choose_folder(parent: Path, name: str, label: str | None) -> Path:
    """A folder that does not exist yet: the label, or system and time."""
    if label is not None:
        if not ALLOWED.fullmatch(label):
            raise ParameterError(f"name is {label!r}; give letters, digits and . + - _ (no folders, see --out)")
        folder = parent / label
        if folder.exists():
            raise ParameterError(f"{folder} exists and is never overwritten; give another --name")
        return folder
    stamp = f"{name}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    candidates = (parent / (stamp if number == 1 else f"{stamp}-{number}") for number in range(1, 1000))
    return next(folder for folder in candidates if not folder.exists())

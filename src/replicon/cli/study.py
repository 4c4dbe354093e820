"""The command run: a comparison, the system's demonstrations, and a report in a folder of its own."""

import datetime
import re
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replicon.cli.numbers import measure, print_comparison
from replicon.cli.output import console, print_json, print_section, working
from replicon.core.errors import ParameterError, RepliconError, RunFailedError, StoreError

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
    options = {"sizes": sizes, "realizations": realizations, "seed": seed, "kind": kind, "workers": workers}
    with _new_folder(Path(out), name, label) as folder:
        _run_in(folder, name, words, options, browse, as_json)


def report(source: str, out: Path | None, as_json: bool) -> None:
    """Write the report of a finished run or of a stored study, beside it unless told where; here for a URL."""
    import replicon as rp

    if out is None:
        place = Path(source.rstrip("/").rpartition("/")[2]) if "://" in source else Path(source)
        inside = place.is_dir() and (place / "result.npz").exists()
        out = place / "report.html" if inside else place.with_suffix(".html")
    with working("writing the report"):
        page = rp.report(source, out)
    if as_json:
        print_json({"source": str(source), "report": str(page)})
    else:
        console().print(f"report: {page}", markup=False, soft_wrap=True)


def _run_in(
    folder: Path, name: str, words: tuple[str, ...], options: dict[str, Any], browse: bool, as_json: bool
) -> None:
    system, result = measure(name, words, **options)
    if not as_json:
        print_comparison(result)
    sections, failures = _demonstrate(type(system), as_json)
    import replicon as rp

    with working("writing the report"):
        data = rp.save_result(result, folder / "result.npz")
        page = rp.report(result, folder / "report.html", sections)
    if as_json:
        from replicon.cli.documents import comparison_document

        document = comparison_document(name, system, result)
        print_json({**document, "report": str(page), "data": str(data)})
    else:
        # A path is printed whole: whoever copies it must not meet a line break.
        console().print(f"\nreport: {page}", markup=False, soft_wrap=True)
    if browse:
        webbrowser.open(page.resolve().as_uri())
    if failures:
        raise RunFailedError(f"the report is written, but failed: {'; '.join(failures)}")


def _demonstrate(owner: type, quiet: bool) -> "tuple[list[Section], list[str]]":
    """The sections of the system's demonstrations; one that fails says so, is named, and the run goes on."""
    from replicon.core.sections import Section, demonstrations_of

    sections, failures = [], []
    for title, call in demonstrations_of(owner):
        try:
            with working(title):
                section = call()
        except RepliconError as error:
            section = Section(title, (f"failed: {error}",))
            failures.append(f"{title}: {error}")
        sections.append(section)
        if not quiet:
            print_section(section)
    return sections, failures


@contextmanager
def _new_folder(parent: Path, name: str, label: str | None) -> Iterator[Path]:
    """A folder that is made before the work, and removed where the work left nothing in it."""
    folder = _choose_folder(parent, name, label)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made: {error.strerror}") from error
    try:
        yield folder
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


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

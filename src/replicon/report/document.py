"""Writing a report: which sections a result has, and the file."""

from collections.abc import Sequence
from pathlib import Path

from replicon.core.comparison import Comparison
from replicon.core.errors import DataError, StoreError
from replicon.core.files import load_comparison
from replicon.core.sections import Section
from replicon.core.tables import title_of
from replicon.report import comparison
from replicon.report.page import render_page


def write_report(result: Comparison | str | Path, path: str | Path, sections: Sequence[Section] = ()) -> Path:
    """Write one self-contained HTML file: no script, nothing loaded from elsewhere.

    Parameters
    ----------
    result : Comparison, or path of one saved with `save_comparison`
    path : str or Path
        The file; an existing one is replaced.
    sections : sequence of Section
        Shown after the figures, such as demonstrations.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    DataError
        When the result is of another kind.
    StoreError
        When the path of the result holds none, or the file cannot be written.
    """
    if isinstance(result, (str, Path)):
        result = load_comparison(result)
    if not isinstance(result, Comparison):
        raise DataError(f"a report is made of a comparison or the path of a saved one, not of {type(result).__name__}")
    page = render_page(
        title_of(result),
        comparison.summary(result),
        [
            comparison.measurements(result),
            *comparison.figures(result),
            *sections,
            comparison.reproduction(result),
            comparison.provenance(result),
            comparison.sources(result),
        ],
    )
    path = Path(path)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
    return path

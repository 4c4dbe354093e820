"""Writing a report: which sections a result has, and the file."""

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from replicon.core.comparison import Comparison
from replicon.core.errors import DataError, StoreError
from replicon.core.saving import load_result
from replicon.core.sections import Section
from replicon.core.store.place import is_url
from replicon.core.store.reading import open_study
from replicon.core.tables import title_of
from replicon.report import comparison, study
from replicon.report.page import render_page

RESULT = "result.npz"
"""Name of a run's saved comparison."""


def write_report(result: xr.Dataset | str | Path, path: str | Path, sections: Sequence[Section] = ()) -> Path:
    """Write one self-contained HTML file: no script, nothing loaded from elsewhere.

    Parameters
    ----------
    result : Comparison, stored study, path or URL
        A path is a run's folder, a file of `save_result`, or the store of a sweep; a URL is such a store.
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
    place = str(result) if isinstance(result, (str, Path)) else ""
    if isinstance(result, (str, Path)):
        result = open_study(result) if is_url(result) else _read(Path(result))
    if isinstance(result, Comparison):
        page = _comparison_page(result, sections)
    elif isinstance(result, xr.Dataset) and "study" in result.attrs:
        page = _study_page(result, place or str(result.attrs.get("store", "study.zarr")), sections)
    else:
        raise DataError(f"a report is made of a comparison, a stored study, or a path, not of {type(result).__name__}")
    path = Path(path)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
    return path


def _read(path: Path) -> xr.Dataset:
    if path.is_dir() and (path / RESULT).exists():
        return load_result(path / RESULT)
    return open_study(path) if path.is_dir() else load_result(path)


def _comparison_page(result: Comparison, sections: Sequence[Section]) -> str:
    return render_page(
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


def _study_page(result: xr.Dataset, path: str, sections: Sequence[Section]) -> str:
    return render_page(
        study.title(result),
        study.summary(result),
        [
            *study.figures(result),
            study.table(result),
            *sections,
            study.reproduction(result, path),
            study.provenance(result),
            study.sources(result),
        ],
    )

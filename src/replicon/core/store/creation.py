"""Making a new store, so that it appears under its name complete or not at all, whoever else makes it too."""

import errno
import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replicon.core.errors import StoreError
from replicon.core.provenance import provenance
from replicon.core.seeds import digest
from replicon.core.store import layout
from replicon.core.store.layout import ArraySpec
from replicon.core.store.opening import FOLDERS, GROUP, StudyStore
from replicon.core.store.place import Folder, Place
from replicon.core.store.record import check_format, require_same
from replicon.core.store.writing import write_error, write_json

if TYPE_CHECKING:
    from replicon.core.store.remote import Remote

CLAIM = "creation.json"
"""In an object store: the record of whoever was first to make the store, which every other maker follows."""


def is_absent(place: Place) -> bool:
    """Whether a store is still to be made here."""
    if place.folder is not None:
        return not place.folder.exists() or (place.folder.is_dir() and not any(place.folder.iterdir()))
    try:
        place.read("zarr.json")
    except FileNotFoundError:
        return True
    return False


def create_store(
    place: Place,
    study: dict[str, Any],
    columns: dict[str, np.ndarray],
    coordinates: dict[str, np.ndarray],
    attributes: dict[str, Any],
    *,
    width: tuple[int, int],
    theory_chunk: int,
    seconds: dict[str, float],
) -> StudyStore:
    """Make a store.

    Parameters
    ----------
    place : Place
        Must not exist, or be an empty folder.
    study, columns, width, theory_chunk
        See `replicon.core.store.layout.arrays`.
    coordinates : dict of str to array (point, k)
        Coordinate values of the curves.
    attributes : dict
        Symbols, units, references, for whoever opens the group without Replicon.
    seconds : dict of str to float
        Time of one realisation at each size, as timed before.
    """
    specs = layout.arrays(study, columns, width, theory_chunk)
    record = {
        "format": layout.FORMAT,
        "replicon": provenance()["versions"].get("replicon"),
        "study": study,
        "sha256": digest(study),
        "block": list(width),
        "theory_chunk": theory_chunk,
        "seconds": seconds,
        "extended": False,
        "arrays": {spec.name: spec.summary() for spec in specs},
        "provenance": provenance(),
    }
    if place.folder is not None:
        _in_folder(place.folder, record, attributes, specs, columns, coordinates)
    else:
        _in_bucket(place, record, attributes, columns, coordinates)  # type: ignore[arg-type]
    return StudyStore.open(place, writable=True)


def _in_folder(
    path: Path,
    record: dict[str, Any],
    attributes: dict[str, Any],
    specs: list[ArraySpec],
    columns: dict[str, np.ndarray],
    coordinates: dict[str, np.ndarray],
) -> None:
    """Make the store beside its path and rename it."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for name in ("", *record["arrays"], *FOLDERS):
            (partial / name).mkdir()
        store = StudyStore(Folder(partial), record, attributes, writable=True)
        _fill(store, specs, columns, coordinates)
        store.write_record()
        os.rename(partial, path)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise StoreError(f"{path} exists already; nothing was changed") from error
        raise error if isinstance(error, StoreError) else write_error(path, "the new store", error) from error


def _in_bucket(
    place: "Remote",
    record: dict[str, Any],
    attributes: dict[str, Any],
    columns: dict[str, np.ndarray],
    coordinates: dict[str, np.ndarray],
) -> None:
    """Claim the place by a conditional put, then write what the claim says, the group's own metadata last.

    Makers that come at the same moment, or after one that was killed, find its claim and write the very same.
    """
    names = place.names("")
    if names and CLAIM not in names:
        raise StoreError(f"{place} has no zarr.json: it is a folder and no store; nothing was changed")
    mine = {"record": record, "attributes": attributes, "points": _digest(columns)}
    claim = json.loads(place.create(CLAIM, json.dumps(mine, sort_keys=True).encode()))
    record = claim["record"]
    check_format(place, record)
    require_same(place, record["study"], mine["record"]["study"], extend=False)
    if claim["points"] != mine["points"]:
        raise StoreError(f"{place} is being made with the same points in another order; give them in that order")
    store = StudyStore(place, record, claim["attributes"], writable=True)
    specs = layout.arrays(store.study, columns, tuple(record["block"]), record["theory_chunk"])
    _fill(store, specs, columns, coordinates)
    place.create("zarr.json", store.group())


def _fill(
    store: StudyStore,
    specs: list[ArraySpec],
    columns: dict[str, np.ndarray],
    coordinates: dict[str, np.ndarray],
) -> None:
    for spec in specs:
        store.place.write(f"{spec.name}/zarr.json", layout.array_metadata(spec))
    for folder in FOLDERS:
        write_json(store.place, f"{folder}/zarr.json", GROUP)
    store.write_columns(columns, coordinates, store.study["sizes"])


def _digest(columns: dict[str, np.ndarray]) -> str:
    content = hashlib.sha256()
    for name, column in columns.items():
        content.update(name.encode() + b"\0" + np.ascontiguousarray(column).tobytes())
    return content.hexdigest()

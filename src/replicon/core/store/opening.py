"""Opening and enlarging a study's store."""

import dataclasses
import itertools
import json
import os
import warnings
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import zarr

from replicon.core.errors import StoreError
from replicon.core.seeds import digest
from replicon.core.store import layout
from replicon.core.store.layout import ArraySpec, Blocks
from replicon.core.store.place import Place, place_of
from replicon.core.store.record import check_format
from replicon.core.store.writing import persistently, read_json, write_error

GROUP = {"zarr_format": 3, "node_type": "group", "attributes": {}}
FOLDERS = ("runs", "failed")
LISTED_GAP = 16
"""Chunks that are not listed and yet read with their neighbours, as that is quicker than to read twice."""


class StudyStore:
    """An open store.

    Attributes
    ----------
    place : Place
        Where it lies.
    record : dict
        Format, study, its checksum, block shape and the arrays that belong to the study.
    """

    def __init__(self, place: Place, record: dict[str, Any], attributes: dict[str, Any], *, writable: bool) -> None:
        self.place, self.record, self.attributes, self.writable = place, record, attributes, writable
        self._arrays: dict[str, Any] = {}

    @classmethod
    def open(cls, store: "str | Path | Place", *, writable: bool = False) -> Self:
        """Open a store and compare its arrays with its record.

        Raises
        ------
        StoreError
            Where there is no store, its format is newer, or metadata is missing or damaged.
        """
        place = place_of(store)
        if place.folder is not None:
            _require_store(place.folder)
        content = read_json(place, "zarr.json", missing={})
        if not content:
            raise StoreError(f"there is no store at {place}")
        attributes = content.get("attributes", {})
        record = attributes.get("replicon")
        if not isinstance(record, dict):
            raise StoreError(f"{place} is a Zarr group that Replicon did not write; choose another path")
        check_format(place, record)
        return cls(place, record, attributes, writable=writable)

    @property
    def study(self) -> dict[str, Any]:
        """The canonical study."""
        return self.record["study"]

    @property
    def grid(self) -> dict[str, list[Any]] | None:
        """The axes of which the points are the product, in their order; None for points listed one by one."""
        grid = self.study["grid"]
        return None if grid is None else {name: grid[name] for name in self.study["varied"]}

    @cached_property
    def blocks(self) -> Blocks:
        """The blocks of the simulations."""
        width = self.record["block"]
        realizations = self.study["realizations"] if self.study["sizes"] else 0
        return Blocks(self.study["points"]["count"], len(self.study["sizes"]), realizations, (width[0], width[1]))

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Points, sizes and realisations."""
        return self.blocks.points, self.blocks.sizes, self.blocks.realizations

    @cached_property
    def columns(self) -> dict[str, np.ndarray]:
        """Value of each varied parameter at each point; words as words."""
        from replicon.core.store.integrity import reading

        found = {}
        for name in self.study["varied"]:
            with reading(self, layout.column_name(name)):
                values = self.array(layout.column_name(name))[: self.study["points"]["count"]]
            words = self.study["words"].get(name)
            found[name] = values if words is None else np.asarray(words)[values]
        return found

    def names(self) -> list[str]:
        """The arrays of a block in the order in which they are written; the mark that it is done comes last."""
        curves = [f"curve_{name}" for name in self.study["measured"]["curves"]]
        return ["scalars", *curves, "seed", "done"] if self.study["sizes"] else []

    def theory_names(self) -> list[str]:
        """The arrays of the theory, in the order in which they are written."""
        predicted = self.study["predicted"]
        if predicted is None:
            return []
        return ["theory", *[f"theory_curve_{name}" for name in predicted["curves"]], "theory_status", "theory_done"]

    def array(self, name: str) -> Any:
        """One array of the group."""
        if name not in self._arrays:
            self._check_array(name)
            try:
                self._arrays[name] = self._open_array(name, writable=self.writable)
            except StoreError:
                raise
            except OSError as error:
                raise StoreError(f"{self.place}: array {name} cannot be opened: {error}") from error
        return self._arrays[name]

    def check_arrays(self) -> None:
        """Raise `StoreError` unless every array of the record is there, as it was made."""
        for name in self.record["arrays"]:
            self._check_array(name)

    def missing_arrays(self) -> list[str]:
        """Arrays whose metadata is missing or damaged."""
        found = []
        for name in self.record["arrays"]:
            try:
                self._check_array(name)
            except StoreError:
                found.append(name)
        return found

    def done(self, *, listed: bool = False) -> np.ndarray:
        """The marks (point, size, realization): 0 open, 1 done, 2 failed.

        Parameters
        ----------
        listed : bool
            Read only the chunks that the place lists, which takes no time for a study that is just begun. An object
            store may list too few: good enough for whoever lets workers read the marks of the others again.
        """
        from replicon.core.store.integrity import reading

        marks = np.zeros(self.shape, dtype=np.uint8)
        if not self.study["sizes"]:
            return marks
        points, sizes, realizations = self.shape
        runs = self._listed_runs() if listed else [(slice(0, points), slice(0, sizes), slice(0, realizations))]
        with reading(self, "done"):
            for run in runs:
                marks[run] = self.array("done")[run]
        return marks

    def _listed_runs(self) -> list[tuple[slice, slice, slice]]:
        """Regions that hold all listed chunks of the marks: along the points, over small gaps."""
        blocks, found = self.blocks, list[tuple[slice, slice, slice]]()
        keys = [name.removeprefix("c.").split(".") for name in self.place.names("done") if name.startswith("c.")]
        numbers = sorted((int(s), int(r), int(p)) for p, s, r in keys)
        for (size, realization), group in itertools.groupby(numbers, key=lambda number: number[:2]):
            listed = np.asarray([number[2] for number in group])
            for run in np.split(listed, np.flatnonzero(np.diff(listed) > LISTED_GAP) + 1):
                begin = blocks.at(int(run[0]), size, realization).region
                end = blocks.at(int(run[-1]), size, realization).region
                found.append((slice(begin[0].start, end[0].stop), begin[1], begin[2]))
        return found

    def extend(self, study: dict[str, Any], columns: dict[str, np.ndarray], coordinates: dict[str, np.ndarray]) -> None:
        """Enlarge the store to a study that contains the present one; what is stored stays as it is.

        Parameters
        ----------
        study : dict
            With the new extent.
        columns : dict of str to array (point,)
            All points, those already stored first and in their order; words as codes.
        coordinates : dict of str to array (point, k)
        """
        width = self.record["block"]
        specs = layout.arrays(study, columns, (width[0], width[1]), self.record["theory_chunk"])
        stored = self.record["arrays"]
        specs = [dataclasses.replace(spec, chunks=tuple(stored[spec.name]["chunks"])) for spec in specs]
        self.forget_consolidated()
        try:
            for spec in specs:
                self.array(spec.name).resize(spec.shape)
            self.array_attributes(specs)
            self._arrays.clear()
            self.write_columns(columns, coordinates, study["sizes"])
            self.record |= {
                "study": study,
                "sha256": digest(study),
                "extended": True,
                "arrays": {spec.name: spec.summary() for spec in specs},
            }
            # the record comes last: a kill before this line leaves arrays larger than the record, which is allowed
            self.write_record()
        except OSError as error:
            raise write_error(self.place, "the extension", error) from error
        for name in ("blocks", "shape", "columns"):
            self.__dict__.pop(name, None)
        self._arrays.clear()

    def array_attributes(self, specs: list[ArraySpec]) -> None:
        """Write the meaning of the codes of words, which may have become more."""
        for spec in specs:
            if "flag_meanings" in spec.attrs and spec.name not in ("done",):
                self.array(spec.name).update_attributes(spec.attrs)

    def restore_columns(self, columns: dict[str, np.ndarray], coordinates: dict[str, np.ndarray]) -> None:
        """Write the parameters' values again, after damage."""
        self.__dict__.pop("columns", None)
        self.write_columns(columns, coordinates, self.study["sizes"])

    def restore_arrays(self, names: list[str], columns: dict[str, np.ndarray]) -> None:
        """Write the metadata of arrays again, after damage; their chunks stay."""
        width = self.record["block"]
        for spec in layout.arrays(self.study, columns, (width[0], width[1]), self.record["theory_chunk"]):
            if spec.name in names:
                if self.place.folder is not None:
                    (self.place.folder / spec.name).mkdir(exist_ok=True)
                self.place.write(f"{spec.name}/zarr.json", layout.array_metadata(spec))

    def clean(self, *, older_than: float = 3600.0) -> None:
        """Remove files that a killed writer left half-written; an object store has none."""
        if self.place.folder is None:
            return
        now = datetime.now(UTC).timestamp()
        for folder in [self.place.folder / name for name in [*self.record["arrays"], *FOLDERS]]:
            for entry in os.scandir(folder) if folder.exists() else ():
                if entry.name.endswith(".partial") and now - entry.stat().st_mtime > older_than:
                    Path(entry.path).unlink(missing_ok=True)

    def consolidate(self) -> None:
        """Gather the metadata of a finished store, which spares `xarray.open_zarr` a warning and some time.

        Not in an object store, whose listing, from which Zarr gathers, may be old.
        """
        if self.place.folder is None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            persistently(self.place, "the metadata", lambda: zarr.consolidate_metadata(str(self.place)))

    def forget_consolidated(self) -> None:
        """Remove the gathered metadata before anything is written: what came later would be invisible."""
        if "consolidated_metadata" in read_json(self.place, "zarr.json"):
            self.write_record()

    def write_record(self) -> None:
        """Write the group's own metadata, which holds the record."""
        content = self.group()
        persistently(self.place, "the study's record", lambda: self.place.write("zarr.json", content))

    def group(self) -> bytes:
        """The group's own metadata."""
        columns = " ".join(layout.column_name(name) for name in self.study["varied"])
        self.attributes |= {"replicon": self.record, **({"coordinates": columns} if columns else {})}
        content = {"zarr_format": 3, "node_type": "group", "attributes": self.attributes}
        return json.dumps(content, sort_keys=True, indent=1).encode()

    def write_columns(
        self, columns: dict[str, np.ndarray], coordinates: dict[str, np.ndarray], sizes: list[int]
    ) -> None:
        """Write the parameters of the points, the coordinates of the curves and the sizes."""
        named = {layout.column_name(name): values for name, values in columns.items()}
        named |= {f"coordinate_{dim}": values for dim, values in coordinates.items()}
        if sizes:
            named["size"] = np.asarray(sizes, dtype=np.int64)
        for name, values in named.items():
            array = self._open_array(name, writable=True)
            array[:] = values

    def _check_array(self, name: str) -> None:
        metadata = read_json(self.place, f"{name}/zarr.json")
        expected = self.record["arrays"].get(name)
        if expected is None:
            raise StoreError(f"{self.place}: the study has no array {name}")
        shape = metadata.get("shape", [])
        chunks = metadata.get("chunk_grid", {}).get("configuration", {}).get("chunk_shape")
        smaller = len(shape) != len(expected["shape"]) or any(
            mine < wanted for mine, wanted in itertools.zip_longest(shape, expected["shape"], fillvalue=0)
        )
        if smaller or chunks != expected["chunks"]:
            raise StoreError(f"{self.place}: array {name} has shape {shape}, chunks {chunks}, not as its record says")

    def _open_array(self, name: str, *, writable: bool) -> Any:
        target, mode = self.place.array(name, writable=writable), "r+" if writable else "r"
        # a chunk that happens to equal the fill value must still be written: its absence means damage
        return zarr.open_array(target, mode=mode).with_config({"write_empty_chunks": True})


def _require_store(path: Path) -> None:
    """Raise `StoreError` unless this folder has the metadata of a group."""
    if not path.exists():
        raise StoreError(f"there is no store at {path}")
    if not path.is_dir():
        raise StoreError(f"{path} is a file and no store; choose another path")
    if not (path / "zarr.json").exists():
        known = "its metadata was deleted" if (path / "runs").exists() else "it is a folder and no store"
        raise StoreError(f"{path} has no zarr.json: {known}; nothing was changed")

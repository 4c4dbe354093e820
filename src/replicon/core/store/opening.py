"""Creating, opening and enlarging a study's store."""

import dataclasses
import errno
import itertools
import os
import shutil
import uuid
import warnings
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import zarr

from replicon.core.errors import StoreError
from replicon.core.provenance import provenance
from replicon.core.seeds import digest
from replicon.core.store import layout
from replicon.core.store.layout import ArraySpec, Blocks
from replicon.core.store.record import check_format
from replicon.core.store.writing import persistently, read_json, write_error, write_json

GROUP = {"zarr_format": 3, "node_type": "group", "attributes": {}}
FOLDERS = ("runs", "failed")


class StudyStore:
    """An open store.

    Attributes
    ----------
    path : Path
    record : dict
        Format, study, its checksum, block shape and the arrays that belong to the study.
    """

    def __init__(self, path: Path, record: dict[str, Any], attributes: dict[str, Any], *, writable: bool) -> None:
        self.path, self.record, self.attributes, self.writable = path, record, attributes, writable
        self._arrays: dict[str, Any] = {}

    @classmethod
    def create(
        cls,
        path: Path,
        study: dict[str, Any],
        columns: dict[str, np.ndarray],
        coordinates: dict[str, np.ndarray],
        attributes: dict[str, Any],
        *,
        width: tuple[int, int],
        theory_chunk: int,
        seconds: dict[str, float],
    ) -> Self:
        """Make a store. It appears under its name complete or not at all.

        Parameters
        ----------
        path : Path
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
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.mkdir()
            for spec in specs:
                layout.create_array(partial, spec)
            store = cls(partial, record, attributes, writable=True)
            store._write_columns(columns, coordinates, study["sizes"])
            for folder in FOLDERS:
                (partial / folder).mkdir()
                write_json(partial / folder / "zarr.json", GROUP)
            store._write_record()
            os.rename(partial, path)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise StoreError(f"{path} exists already; nothing was changed") from error
            raise write_error(path, "the new store", error) from error
        return cls.open(path, writable=True)

    @classmethod
    def open(cls, path: Path | str, *, writable: bool = False) -> Self:
        """Open a store and compare its arrays with its record.

        Raises
        ------
        StoreError
            Where there is no store, its format is newer, or metadata is missing or damaged.
        """
        path = Path(path)
        if not path.exists():
            raise StoreError(f"there is no store at {path}")
        if not path.is_dir():
            raise StoreError(f"{path} is a file and no store; choose another path")
        if not (path / "zarr.json").exists():
            known = "its metadata was deleted" if (path / "runs").exists() else "it is a folder and no store"
            raise StoreError(f"{path} has no zarr.json: {known}; nothing was changed")
        attributes = read_json(path / "zarr.json").get("attributes", {})
        record = attributes.get("replicon")
        if not isinstance(record, dict):
            raise StoreError(f"{path} is a Zarr group that Replicon did not write; choose another path")
        check_format(path, record)
        return cls(path, record, attributes, writable=writable)

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
                self._arrays[name] = _open_array(self.path / name, "r+" if self.writable else "r")
            except OSError as error:
                raise StoreError(f"{self.path}: array {name} cannot be opened: {error}") from error
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

    def done(self) -> np.ndarray:
        """The marks (point, size, realization): 0 open, 1 done, 2 failed."""
        from replicon.core.store.integrity import reading

        if not self.study["sizes"]:
            return np.zeros(self.shape, dtype=np.uint8)
        points, sizes, realizations = self.shape
        with reading(self, "done"):
            return self.array("done")[:points, :sizes, :realizations]

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
            self._write_columns(columns, coordinates, study["sizes"])
            self.record |= {
                "study": study,
                "sha256": digest(study),
                "extended": True,
                "arrays": {spec.name: spec.summary() for spec in specs},
            }
            # the record comes last: a kill before this line leaves arrays larger than the record, which is allowed
            self._write_record()
        except OSError as error:
            raise write_error(self.path, "the extension", error) from error
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
        self._write_columns(columns, coordinates, self.study["sizes"])

    def restore_arrays(self, names: list[str], columns: dict[str, np.ndarray]) -> None:
        """Write the metadata of arrays again, after damage; their chunks stay."""
        width = self.record["block"]
        for spec in layout.arrays(self.study, columns, (width[0], width[1]), self.record["theory_chunk"]):
            if spec.name in names:
                folder = self.path / "runs" / f"restored.{uuid.uuid4().hex}"
                layout.create_array(folder, spec)
                (self.path / spec.name).mkdir(exist_ok=True)
                os.replace(folder / spec.name / "zarr.json", self.path / spec.name / "zarr.json")
                shutil.rmtree(folder)

    def clean(self, *, older_than: float = 3600.0) -> None:
        """Remove files that a killed writer left half-written."""
        now = datetime.now(UTC).timestamp()
        for folder in [self.path / name for name in [*self.record["arrays"], *FOLDERS]]:
            for entry in os.scandir(folder) if folder.exists() else ():
                if entry.name.endswith(".partial") and now - entry.stat().st_mtime > older_than:
                    Path(entry.path).unlink(missing_ok=True)

    def consolidate(self) -> None:
        """Gather the metadata of a finished store, which spares `xarray.open_zarr` a warning and some time."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            persistently(self.path, "the metadata", lambda: zarr.consolidate_metadata(str(self.path)))

    def forget_consolidated(self) -> None:
        """Remove the gathered metadata before anything is written: what came later would be invisible."""
        if "consolidated_metadata" in read_json(self.path / "zarr.json"):
            self._write_record()

    def _write_record(self) -> None:
        columns = " ".join(layout.column_name(name) for name in self.study["varied"])
        self.attributes |= {"replicon": self.record, **({"coordinates": columns} if columns else {})}
        content = {"zarr_format": 3, "node_type": "group", "attributes": self.attributes}
        persistently(self.path, "the study's record", lambda: write_json(self.path / "zarr.json", content))

    def _write_columns(
        self, columns: dict[str, np.ndarray], coordinates: dict[str, np.ndarray], sizes: list[int]
    ) -> None:
        named = {layout.column_name(name): values for name, values in columns.items()}
        named |= {f"coordinate_{dim}": values for dim, values in coordinates.items()}
        if sizes:
            named["size"] = np.asarray(sizes, dtype=np.int64)
        for name, values in named.items():
            array = _open_array(self.path / name, "r+")
            array[:] = values

    def _check_array(self, name: str) -> None:
        metadata = read_json(self.path / name / "zarr.json")
        expected = self.record["arrays"].get(name)
        if expected is None:
            raise StoreError(f"{self.path}: the study has no array {name}")
        shape = metadata.get("shape", [])
        chunks = metadata.get("chunk_grid", {}).get("configuration", {}).get("chunk_shape")
        smaller = len(shape) != len(expected["shape"]) or any(
            mine < wanted for mine, wanted in itertools.zip_longest(shape, expected["shape"], fillvalue=0)
        )
        if smaller or chunks != expected["chunks"]:
            raise StoreError(f"{self.path}: array {name} has shape {shape}, chunks {chunks}, not as its record says")


def _open_array(folder: Path, mode: Literal["r", "r+"]) -> Any:
    # a chunk that happens to equal the fill value must still be written: its absence means damage
    return zarr.open_array(str(folder), mode=mode).with_config({"write_empty_chunks": True})

"""What a study's Zarr group holds: which arrays, of which shape, in which chunks.

One chunk of `scalars` holds every scalar of a block, so a block costs three or four files whatever the number of
observables. Chunks end with a CRC-32C: a flipped bit is an error and never a number.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import MemoryStore

FORMAT = 1
POINT_CHUNK = 65_536
"""Points in a chunk of a parameter's column."""
RESERVED = {"scalars", "theory", "theory_status", "theory_done", "seed", "done", "size", "runs", "failed", "point"}
"""Names of the group that no parameter's column can take."""
LARGEST_FILE_COUNT = 200_000
COUNTED = 2**20
"""Flags that are counted at once."""


@dataclass(frozen=True)
class ArraySpec:
    """One array of the store."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dims: tuple[str, ...]
    fill: Any = 0
    attrs: dict[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """What the study's record keeps of it, to notice what has vanished or changed."""
        return {"dtype": self.dtype, "shape": list(self.shape), "chunks": list(self.chunks)}


@dataclass(frozen=True)
class Block:
    """A rectangle of the study at one size: the unit of work, of storage and of resuming.

    Attributes
    ----------
    key : str
        Numbers of the block along points, sizes and realisations; part of the names of its chunk files.
    points, realizations : range
    size : int
        Position of the size in the study.
    """

    key: str
    points: range
    size: int
    realizations: range

    @property
    def region(self) -> tuple[slice, slice, slice]:
        """The block in an array (point, size, realization)."""
        return (
            slice(self.points.start, self.points.stop),
            slice(self.size, self.size + 1),
            slice(self.realizations.start, self.realizations.stop),
        )


@dataclass(frozen=True)
class Blocks:
    """The blocks of a study of so many points, sizes and realisations."""

    points: int
    sizes: int
    realizations: int
    width: tuple[int, int]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Number of blocks along points, sizes, realisations."""
        return -(-self.points // self.width[0]), self.sizes, -(-self.realizations // self.width[1])

    def __len__(self) -> int:
        a, b, c = self.counts
        return a * b * c

    def __iter__(self) -> Iterator[Block]:
        """Small sizes first: the first blocks give a picture of the whole study."""
        a, b, c = self.counts
        for size, realization, point in itertools.product(range(b), range(c), range(a)):
            yield self.at(point, size, realization)

    def at(self, point: int, size: int, realization: int) -> Block:
        """The block with these numbers."""
        pc, rc = self.width
        return Block(
            f"{point}.{size}.{realization}",
            range(point * pc, min((point + 1) * pc, self.points)),
            size,
            range(realization * rc, min((realization + 1) * rc, self.realizations)),
        )

    def of_key(self, key: str) -> Block:
        """The block of this key."""
        point, size, realization = (int(part) for part in key.split("."))
        return self.at(point, size, realization)

    def count(self, flags: np.ndarray) -> np.ndarray:
        """How many flags of an array (point, size, realization) are set in each block."""
        if flags.size == 0:
            return np.zeros(self.counts, dtype=np.int64)
        columns = np.arange(0, self.realizations, self.width[1])
        counts = np.empty(self.counts, dtype=np.int64)
        # in pieces, for a study may have 10^8 flags and NumPy widens all that it is given
        step = max(COUNTED // (self.width[0] * self.sizes * self.realizations), 1)
        for first in range(0, self.counts[0], step):
            piece = flags[first * self.width[0] : (first + step) * self.width[0]].view(np.uint8)
            along = np.add.reduceat(piece, np.arange(0, len(piece), self.width[0]), axis=0, dtype=np.int64)
            counts[first : first + step] = np.add.reduceat(along, columns, axis=2)
        return counts

    @property
    def volumes(self) -> np.ndarray:
        """Realisations of each block, in the shape of `counts`."""
        a, b, c = self.counts
        along = np.minimum(self.width[0], self.points - self.width[0] * np.arange(a))
        across = np.minimum(self.width[1], self.realizations - self.width[1] * np.arange(c))
        return along[:, None, None] * across * np.ones((1, b, 1), dtype=np.int64)

    def select(self, wanted: np.ndarray) -> list[Block]:
        """The blocks where an array of the shape of `counts` is true, in order of work."""
        return [self.at(p, s, r) for s, r, p in np.argwhere(wanted.transpose(1, 2, 0)).tolist()]


def arrays(
    study: dict[str, Any], columns: dict[str, np.ndarray], width: tuple[int, int], theory_chunk: int
) -> list[ArraySpec]:
    """Every array of a study's store.

    Parameters
    ----------
    study : dict
        The canonical study, see `replicon.core.sweep.study`.
    columns : dict of str to array (point,)
        The parameters that vary; words as codes.
    width : (int, int)
        Points and realisations in a block.
    theory_chunk : int
        Points in a chunk of the theory.
    """
    points, sizes, realizations = study["points"]["count"], len(study["sizes"]), study["realizations"]
    measured, predicted = study["measured"], study["predicted"]
    found = []
    for name, values in columns.items():
        words = (
            {"flag_values": list(range(len(w))), "flag_meanings": " ".join(w)}
            if (w := study["words"].get(name))
            else {}
        )
        found.append(
            ArraySpec(
                column_name(name), values.dtype.str, (points,), (min(max(points, 1), POINT_CHUNK),), ("point",),
                np.nan if values.dtype.kind == "f" else 0, words,
            )
        )  # fmt: skip
    for dim, length in study["coordinates"].items():
        found.append(
            ArraySpec(
                f"coordinate_{dim}", "<f8", (points, length), (min(points, POINT_CHUNK), length), ("point", dim), np.nan
            )
        )
    if sizes:
        pc, rc = width
        shape, chunk = (points, sizes, realizations), (pc, 1, rc)
        dims = ("point", "size", "realization")
        names = {"observable_names": measured["scalars"]}
        count = len(measured["scalars"])
        found.append(ArraySpec("size", "<i8", (sizes,), (1,), ("size",)))
        found.append(
            ArraySpec("scalars", "<f8", (*shape, count), (*chunk, count), (*dims, "observable"), np.nan, names)
        )
        for name, dim in measured["curves"].items():
            k = study["coordinates"][dim]
            found.append(ArraySpec(f"curve_{name}", "<f8", (*shape, k), (*chunk, k), (*dims, dim), np.nan))
        found.append(ArraySpec("seed", "<u8", shape, chunk, dims))
        meaning = {"flag_values": [0, 1, 2], "flag_meanings": "open done failed"}
        found.append(ArraySpec("done", "|u1", shape, chunk, dims, 0, meaning))
    if predicted is not None:
        sized = bool(sizes) and predicted["finite"]
        shape, dims = ((points, sizes), ("point", "size")) if sized else ((points,), ("point",))
        chunk = (theory_chunk, 1) if sized else (theory_chunk,)
        names = {"observable_names": predicted["scalars"]}
        count = max(len(predicted["scalars"]), 1)
        found.append(ArraySpec("theory", "<f8", (*shape, count), (*chunk, count), (*dims, "prediction"), np.nan, names))
        for name, dim in predicted["curves"].items():
            k = study["coordinates"][dim]
            found.append(ArraySpec(f"theory_curve_{name}", "<f8", (*shape, k), (*chunk, k), (*dims, dim), np.nan))
        found.append(ArraySpec("theory_status", "<i4", shape, chunk, dims))
        found.append(ArraySpec("theory_done", "|u1", shape, chunk, dims))
    return found


def column_name(parameter: str) -> str:
    """Name of a parameter's column in the group."""
    taken = parameter in RESERVED or parameter.startswith(("curve_", "theory_", "coordinate_"))
    return f"parameter_{parameter}" if taken else parameter


def array_metadata(spec: ArraySpec) -> bytes:
    """Content of the ``zarr.json`` of one array."""
    memory = MemoryStore()
    zarr.create_array(
        memory,
        shape=spec.shape,
        chunks=spec.chunks,
        dtype=spec.dtype,
        fill_value=spec.fill,
        dimension_names=spec.dims,
        attributes=spec.attrs,
        compressors=[ZstdCodec(level=1), Crc32cCodec()],
        filters=None,
        # one folder per array instead of a tree of folders per block
        chunk_key_encoding={"name": "default", "separator": "."},
    )
    return memory._store_dict["zarr.json"].to_bytes()


def file_count(specs: list[ArraySpec]) -> int:
    """Files that a finished study has at most."""
    chunks = sum(int(np.prod([-(-n // c) for n, c in zip(spec.shape, spec.chunks, strict=True)])) + 1 for spec in specs)
    failures = next(
        (int(np.prod([-(-n // c) for n, c in zip(s.shape, s.chunks, strict=True)])) for s in specs if s.name == "done"),
        0,
    )
    return chunks + failures

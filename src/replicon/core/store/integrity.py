"""Damage to a store: finding it by the checksums, naming it, opening the damaged blocks again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import google_crc32c
import numpy as np

from replicon.core.errors import StoreError
from replicon.core.store.writing import write_error

if TYPE_CHECKING:
    from replicon.core.store.opening import StudyStore

SHOWN = 3


@dataclass(frozen=True)
class Damage:
    """A chunk that cannot be trusted."""

    array: str
    chunk: str
    reason: str

    def __str__(self) -> str:
        return f"chunk {self.chunk} of array {self.array} is {self.reason}"


@contextmanager
def reading(store: "StudyStore", name: str) -> Iterator[None]:
    """Turn the errors of a damaged chunk, which name neither array nor chunk, into one that does."""
    try:
        yield
    except StoreError:
        raise
    except (ValueError, RuntimeError, OSError, json.JSONDecodeError) as error:
        raise damage_error(store, find_damage(store, [name]), f"array {name} cannot be read: {error}") from error


def damage_error(store: "StudyStore", damages: list[Damage], otherwise: str = "") -> StoreError:
    """The one line for damaged chunks."""
    if not damages:
        return StoreError(f"{store.place}: {otherwise}")
    more = f" (and {len(damages) - SHOWN} more)" if len(damages) > SHOWN else ""
    listed = "; ".join(str(damage) for damage in damages[:SHOWN])
    return StoreError(
        f"{store.place}: {listed}{more}; repair=True (--repair) computes exactly the damaged blocks again and keeps "
        "the others"
    )


def find_damage(store: "StudyStore", names: list[str] | None = None) -> list[Damage]:
    """Chunks of finished blocks that are missing, truncated or changed, of all arrays or of those named.

    The checksum at the end of each file is compared with its bytes; nothing is decompressed.
    """
    wanted = list(store.record["arrays"]) if names is None else names
    block_arrays, theory_arrays = store.names(), store.theory_names()
    found = []
    for name in wanted:
        if name not in block_arrays and name not in theory_arrays:
            found += _check_files(store, name, required=_all_chunks(store, name))
    found += _check_group(store, "done", [name for name in block_arrays if name in wanted])
    found += _check_group(store, "theory_done", [name for name in theory_arrays if name in wanted])
    return found


def reopen(store: "StudyStore", damages: list[Damage]) -> int:
    """Mark the blocks of damaged chunks as open and remove these chunks; returns how many blocks."""
    blocks = set()
    for damage in damages:
        if damage.array in store.names():
            mark, dims = "done", 3
        elif damage.array in store.theory_names():
            mark, dims = "theory_done", store.array("theory_done").ndim
        else:
            continue
        key = ".".join(damage.chunk.split(".")[1 : 1 + dims])
        blocks.add((mark, key))
        try:
            for name, chunk in ((mark, f"c.{key}"), (damage.array, damage.chunk)):
                store.place.remove(f"{name}/{chunk}")
        except StoreError:
            raise
        except OSError as error:
            raise write_error(store.place, "the repair", error) from error
    return len(blocks)


def missing_chunks(store: "StudyStore", done: np.ndarray) -> list[Damage]:
    """Chunks that finished blocks should have and that are not there."""
    finished = store.blocks.select(store.blocks.count(done != 0) > 0)
    found = []
    for name in store.names()[:-1]:
        tail = ".0" if len(store.record["arrays"][name]["shape"]) == 4 else ""
        found += _missing(store, name, {f"c.{block.key}{tail}" for block in finished})
    return found


def _check_group(store: "StudyStore", mark: str, names: list[str]) -> list[Damage]:
    """Check the chunks of arrays that are written together and closed by a mark.

    Chunks without their mark are of a block that was cut short, and will be written again.
    """
    if not names:
        return []
    finished = {name.removeprefix("c.") for name in _files(store, mark)}
    found = []
    for name in names:
        tail = ".0" if len(store.record["arrays"][name]["shape"]) > len(store.record["arrays"][mark]["shape"]) else ""
        found += _check_files(store, name, required={f"c.{key}{tail}" for key in finished})
    return found


def _check_files(store: "StudyStore", name: str, *, required: set[str]) -> list[Damage]:
    found = _missing(store, name, required)
    absent = {damage.chunk for damage in found}
    for chunk in sorted(required - absent):
        try:
            content = store.place.read(f"{name}/{chunk}")
        except StoreError:  # an object store that refuses is no damage
            raise
        except OSError as error:
            found.append(Damage(name, chunk, f"unreadable ({error.strerror or error})"))
            continue
        if len(content) < 5 or google_crc32c.value(content[:-4]) != int.from_bytes(content[-4:], "little"):
            found.append(Damage(name, chunk, "damaged (its checksum does not match)"))
    return found


def _missing(store: "StudyStore", name: str, required: set[str]) -> list[Damage]:
    """Which of these chunks are not there; what the listing of an object store leaves out is asked for itself."""
    absent = sorted(required - _files(store, name))
    if store.place.folder is None:
        absent = [chunk for chunk in absent if not _is_there(store, f"{name}/{chunk}")]
    return [Damage(name, chunk, "missing") for chunk in absent]


def _is_there(store: "StudyStore", key: str) -> bool:
    try:
        store.place.read(key)
    except FileNotFoundError:
        return False
    return True


def _files(store: "StudyStore", name: str) -> set[str]:
    return {file for file in store.place.names(name) if file.startswith("c.")}


def _all_chunks(store: "StudyStore", name: str) -> set[str]:
    summary = store.record["arrays"][name]
    counts = [-(-n // c) for n, c in zip(summary["shape"], summary["chunks"], strict=True)]
    return {"c." + ".".join(str(k) for k in index) for index in np.ndindex(*counts)}

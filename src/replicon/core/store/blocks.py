"""Reading and writing one block: data first, then the failures' file, then the mark that it is done."""

import os
import time
from typing import Any

import numpy as np

from replicon.core.store.integrity import reading
from replicon.core.store.layout import Block
from replicon.core.store.opening import StudyStore
from replicon.core.store.writing import persistently, read_json, write_json

OPEN, DONE, FAILED = 0, 1, 2
LOG_VARIABLE = "REPLICON_BLOCK_LOG"
"""Environment variable naming a file to which each start and end of a block is appended."""


def read_block(store: StudyStore, block: Block, mark: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of a block with these marks as they are stored; where nothing is, nan and zeros."""
    found = {}
    for name in store.names()[:-1]:
        array = store.array(name)
        if mark.any():
            found[name] = _region(store, name, block)
        else:
            shape = (len(block.points), 1, len(block.realizations), *array.shape[3:])
            found[name] = np.full(shape, array.fill_value, dtype=array.dtype)
    return {**found, "done": mark.copy()}


def read_mark(store: StudyStore, block: Block) -> np.ndarray:
    """The done-marks of a block (point, 1, realization), read again from the store."""
    return _region(store, "done", block)


def write_block(store: StudyStore, block: Block, values: dict[str, np.ndarray], failures: list[dict[str, Any]]) -> None:
    """Store a block.

    Parameters
    ----------
    values : dict of str to array (point, 1, realization, ...)
        By array name, with "done".
    failures : list of dict
        What is kept of each realisation marked as failed.
    """
    key = failure_file(block)
    for name in store.names()[:-1]:
        _write(store, name, block, values[name])
    if failures:
        write_json(store.place, key, {"failures": failures})
    _write(store, "done", block, values["done"])
    if not failures:
        # only now: until the mark was there these realisations counted as failed
        persistently(store.place, key, lambda: store.place.remove(key))


def read_failures(store: StudyStore, block: Block) -> list[dict[str, Any]]:
    """What is known of the failed realisations of a block."""
    return read_json(store.place, failure_file(block), missing={}).get("failures", [])


def failure_file(block: Block) -> str:
    """Where the failures of a block are kept."""
    return f"failed/{block.key}.json"


def log(event: str, key: str) -> None:
    """Append a line to the log of blocks, where one is asked for: one write, so that lines never mix."""
    target = os.environ.get(LOG_VARIABLE)
    if target:
        line = f"{event} {key} {os.getpid()} {time.time():.6f}\n".encode()
        descriptor = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _region(store: StudyStore, name: str, block: Block) -> np.ndarray:
    with reading(store, name):
        return store.array(name)[block.region]


def _write(store: StudyStore, name: str, block: Block, values: np.ndarray) -> None:
    def write() -> None:
        store.array(name)[block.region] = values

    persistently(store.place, f"chunk {block.key} of array {name}", write)

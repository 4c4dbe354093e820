"""What a worker does with one block: read its marks, compute what is open, write it."""

import functools
import os
from typing import Any

import numpy as np

from replicon.core.errors import Cancelled
from replicon.core.realization import Draws, realize_seeds, single_threaded
from replicon.core.seeds import realization_seed
from replicon.core.store import blocks as storage
from replicon.core.store.layout import Block
from replicon.core.store.lock import working
from replicon.core.store.opening import StudyStore
from replicon.core.sweep.study import Study
from replicon.core.system import System


def study_of(store: StudyStore, owner: type[System]) -> Study:
    """The study of a store, its points in the order of the store."""
    record = store.study
    return Study(
        owner=owner,
        columns=store.columns,
        fixed=record["fixed"],
        grid=store.grid,
        sizes=tuple(record["sizes"]),
        realizations=record["realizations"],
        seed=record["seed"],
        common_draws=record["common_draws"],
        words=record["words"],
    )


def compute_block(path: str, run: str, owner: type[System], key: str, retry_failed: bool, parent: int | None) -> None:
    """Compute the open realisations of a block and store them.

    Parameters
    ----------
    path, run : str
        Path or URL of the store, and the name of this run: what is read once per run is kept for its blocks.
    owner : type of System
    key : str
        Which block.
    retry_failed : bool
        Also compute failed realisations again.
    parent : int, optional
        Process that must be alive for this work to make sense.
    """
    if parent is not None and parent not in (os.getpid(), os.getppid()):
        return
    store, study = _opened(path, run, owner)
    block = store.blocks.of_key(key)
    with working(store.place):
        # read again: another worker, since dead, may have finished this block
        mark = storage.read_mark(store, block)
        wanted = (mark == storage.OPEN) | ((mark == storage.FAILED) if retry_failed else False)
        if wanted.any():
            _compute(store, study, block, mark, wanted)


def give_up(store: StudyStore, study: Study, key: str, message: str) -> None:
    """Mark the open realisations of a block as failed without computing them."""
    block = store.blocks.of_key(key)
    mark = storage.read_mark(store, block)
    values = storage.read_block(store, block, mark)
    failures = _kept(store, block, mark, mark == storage.OPEN)
    for row, point in enumerate(block.points):
        columns = np.flatnonzero(mark[row, 0] == storage.OPEN)
        system, seeds = _seeds(study, point, study.sizes[block.size], [block.realizations[k] for k in columns])[:2]
        del system
        draws = Draws(seeds=np.asarray(seeds, dtype=np.int64), errors=dict.fromkeys(range(len(seeds)), message))
        failures += _place(store, study, block, row, columns, draws, values)
    storage.write_block(store, block, values, failures)


def seed_of(study: Study, point: int, size: int, index: int) -> int:
    """Seed of one realisation of a study."""
    return _seeds(study, point, size, [index])[1][0]


@functools.lru_cache(maxsize=4)
def _opened(path: str, run: str, owner: type[System]) -> tuple[StudyStore, Study]:
    store = StudyStore.open(path, writable=True)
    return store, study_of(store, owner)


def block_name(path: str, run: str, owner: type[System], key: str, *rest: Any) -> str:
    """Name of the task of a block, one for each store and run."""
    return f"{owner.__name__.lower()}-{run[:12]}-{key}"


def _compute(store: StudyStore, study: Study, block: Block, mark: np.ndarray, wanted: np.ndarray) -> None:
    storage.log("start", block.key)
    values = storage.read_block(store, block, mark)
    failures = _kept(store, block, mark, wanted)
    size = study.sizes[block.size]
    with single_threaded():
        for row, point in enumerate(block.points):
            columns = np.flatnonzero(wanted[row, 0])
            if columns.size == 0:
                continue
            draws = _realize(study, point, size, [block.realizations[k] for k in columns])
            failures += _place(store, study, block, row, columns, draws, values)
    if not np.array_equal(storage.read_mark(store, block), mark):
        # a worker that counted as lost, or that of another sweep, was quicker: the same numbers are there
        storage.log("left", block.key)
        return
    storage.write_block(store, block, values, failures)
    storage.log("end", block.key)


def _realize(study: Study, point: int, size: int, indices: list[int]) -> Draws:
    """Draws of a point; whatever a system raises stays with the realisation that raised it."""
    system, seeds, refusal = _seeds(study, point, size, indices)
    if system is None:
        return Draws(np.asarray(seeds, dtype=np.int64), errors=dict.fromkeys(range(len(seeds)), refusal))
    try:
        return realize_seeds(system, size, seeds, catch=Exception)
    except (Cancelled, KeyboardInterrupt):
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return Draws(np.asarray(seeds, dtype=np.int64), errors=dict.fromkeys(range(len(seeds)), text))


def _seeds(study: Study, point: int, size: int, indices: list[int]) -> tuple[System | None, list[int], str]:
    """The system at a point, or None with the reason why it refuses these parameters, and the seeds."""
    system, refusal = None, ""
    try:
        system = study.system(point)
        identity = system.identity()
    except Exception as error:
        refusal = f"{type(error).__name__}: {error}"
        values = study.values(point)
        identity = {
            "system": f"{study.owner.__module__}:{study.owner.__qualname__}",
            "version": study.owner.model_version,
            "batch": study.owner.batch,
            "parameters": {name: values[name] for name in study.owner.parameters()},
        }
    if study.common_draws:
        identity = {**identity, "parameters": "common"}
    return system, [realization_seed(study.seed, identity, size, index) for index in indices], refusal


def _kept(store: StudyStore, block: Block, mark: np.ndarray, wanted: np.ndarray) -> list[dict[str, Any]]:
    """Known failures of realisations that are not computed now."""
    if not (mark == storage.FAILED).any():
        return []
    return [
        failure
        for failure in storage.read_failures(store, block)
        if mark[(at := _place_of(block, failure))] == storage.FAILED and not wanted[at]
    ]


def _place_of(block: Block, failure: dict[str, Any]) -> tuple[int, int, int]:
    return failure["point"] - block.points.start, 0, failure["realization"] - block.realizations.start


def _place(
    store: StudyStore,
    study: Study,
    block: Block,
    row: int,
    columns: np.ndarray,
    draws: Draws,
    values: dict[str, np.ndarray],
) -> list[dict[str, Any]]:
    """Put the draws of a point into the block's arrays; returns what is kept of those that failed."""
    measured = store.study["measured"]
    for j, name in enumerate(measured["scalars"]):
        values["scalars"][row, 0, columns, j] = draws.values.get(name, np.nan)
    for name in measured["curves"]:
        target = values[f"curve_{name}"]
        target[row, 0, columns] = np.nan
        if name in draws.values:
            found = draws.values[name]
            target[row, 0, columns, : found.shape[1]] = found
    values["seed"][row, 0, columns] = draws.seeds.astype(np.uint64)
    values["done"][row, 0, columns] = storage.DONE
    failures = []
    for i, message in draws.errors.items():
        at = int(columns[i])
        values["done"][row, 0, at] = storage.FAILED
        values["scalars"][row, 0, at] = np.nan
        failures.append(
            {
                "point": block.points[row],
                "parameters": study.values(block.points[row]),
                "size": study.sizes[block.size],
                "realization": block.realizations[at],
                "seed": int(draws.seeds[i]),
                "error": message,
            }
        )
    return failures

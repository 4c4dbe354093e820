"""`sweep`: parameters x sizes x realisations in one call, resumed where it stopped."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from replicon.core.cluster import Cluster, SchedulerLost
from replicon.core.errors import ParameterError, ResourceError, RunFailedError, StoreError
from replicon.core.execution import (
    Executor,
    Processes,
    Serial,
    WorkerDied,
    available_cores,
    forbid_import,
    make_executor,
    visible_to_workers,
)
from replicon.core.realization import single_threaded
from replicon.core.store.creation import create_store, is_absent
from replicon.core.store.lock import writer
from replicon.core.store.opening import StudyStore
from replicon.core.store.place import Folder, Place, place_of
from replicon.core.store.reading import open_study
from replicon.core.store.runs import Run
from replicon.core.sweep import theory as theories
from replicon.core.sweep.plan import BLOCK_SECONDS, allowed_workers, shape_blocks, total_seconds, worker_memory
from replicon.core.sweep.prepare import prepare
from replicon.core.sweep.study import Points, Study, describe
from replicon.core.sweep.work import block_name, compute_block, give_up, study_of
from replicon.core.system import System

SERIAL_SECONDS = 5.0
"""Work below which worker processes, which take seconds to start, are not started unasked."""
DEATHS = 3
"""Times that a block may be in work when a worker dies, before it is tried alone."""
HOPELESS = 5
"""Blocks that kill their worker, without a single one that does not, after which a sweep stops."""


class SweepInterrupted(KeyboardInterrupt):
    """Ctrl-C during a sweep: the store is valid, and the message says how to go on."""


def sweep(
    system: type[System] | System | str,
    *,
    sizes: Sequence[int] | int | None = None,
    realizations: int = 16,
    points: Points | None = None,
    parameters: Mapping[str, Any] | None = None,
    store: str | Path | None = None,
    seed: int = 0,
    common_draws: bool = False,
    theory: bool = True,
    workers: int | None = None,
    executor: Executor | None = None,
    client: Any = None,
    progress: Callable[[int, int], Any] | None = None,
    block: tuple[int, int] | None = None,
    block_seconds: float = BLOCK_SECONDS,
    memory_limit: float | None = None,
    retry_failed: bool = False,
    extend: bool = False,
    repair: bool = False,
    **axes: Any,
) -> xr.Dataset:
    """Measure and predict a system over a grid of parameters, sizes and realisations.

    Work is stored block by block, so that a killed sweep loses at most the blocks in work: the same call goes on
    where it stopped. The numbers are equal to the bit for any number of workers, block shape, order and restart.

    Parameters
    ----------
    system : System class, System or str
        A class, an instance (whose values hold for parameters without an axis), or a name of the catalogue.
    sizes : sequence of int, optional
        System sizes to simulate; without them only the theory is evaluated.
    realizations : int
        Draws at each point and size.
    points : list of dict, or dict of columns, optional
        Points listed one by one, instead of the product of axes.
    parameters : dict, optional
        Axes and values, for parameters that are named like an argument of this function.
    store : str or Path, optional
        Folder of the Zarr store, or a URL such as ``s3://bucket/study.zarr``; made when missing. Without it nothing
        is kept.
    seed : int
        Seed of the study; a realisation's own seed comes from it, the parameters, the size and its number.
    common_draws : bool
        Leave the parameters out of the seeds: the same disorder at every point (correlated errors).
    theory : bool
        Also evaluate the theory.
    workers : int or None
        Single-threaded processes; 1 computes here, None takes every core unless the study is short.
    executor : Executor, optional
        Where to run instead: `replicon.core.execution.Serial`, ``Threads``, ``Processes`` or one like them.
    client : distributed.Client, optional
        Run on this Dask cluster: its workers, of one thread each, write to the store, which all of them must reach.
    progress : callable, optional
        Called with (realisations finished, realisations planned), first with what was stored before.
    block : (int, int), optional
        Points and realisations of a block, for a new store; by default from a timed pilot.
    block_seconds : float
        Work of a block that the pilot aims at.
    memory_limit : float, optional
        Bytes that all workers together may use; by default 80 % of what is free.
    retry_failed : bool
        Compute realisations that failed again.
    extend : bool
        Allow the study to be larger than the one stored (more points, sizes or realisations); what is stored stays.
    repair : bool
        Compute damaged blocks again. Without it damage is an error that names array and chunk.
    **axes : number, word, or sequence of them
        Parameters by name: a sequence is an axis of the grid, in the order given.

    Returns
    -------
    xarray.Dataset
        See `replicon.open_study`; read from the store when used, or in memory where there is no store.

    Raises
    ------
    ParameterError, DataError
        For unknown names, values out of range, or a study of too many files.
    StoreError
        Where the store is of another study, damaged, in use, of a newer format, or cannot be written.
    ResourceError
        Where not even one realisation fits the memory.
    RunFailedError
        Where a cluster has no workers, workers of other versions, or has lost its scheduler.
    SweepInterrupted
        After Ctrl-C. It is a `KeyboardInterrupt`.
    """
    forbid_import()
    study = describe(system, {**(parameters or {}), **axes}, points, sizes, realizations, seed, common_draws)
    if not block_seconds > 0:
        raise ParameterError(f"block_seconds is {block_seconds!r}; give a positive time")
    if client is not None:
        if executor is not None or workers is not None or store is None:
            raise ParameterError(
                "client was given: leave workers and executor out, and give a store that every worker can reach"
            )
        executor = Cluster(client, block_name)
    options = _Options(theory, workers, executor, progress, block, block_seconds, memory_limit)
    if store is not None:
        place = place_of(store)
        _sweep(study, place, options, retry_failed=retry_failed, extend=extend, repair=repair)
        return open_study(place)
    with tempfile.TemporaryDirectory(prefix="replicon-") as folder:
        place = Folder(Path(folder) / "study.zarr")
        _sweep(study, place, options)
        result = open_study(place).load()
    result.attrs["store"] = ""
    return result


class _Options:
    """How a sweep is computed: nothing here changes a number."""

    def __init__(
        self,
        theory: bool,
        workers: int | None,
        executor: Executor | None,
        progress: Callable[[int, int], Any] | None,
        block: tuple[int, int] | None,
        block_seconds: float,
        memory_limit: float | None,
    ) -> None:
        self.theory, self.workers, self.executor = theory, workers, executor
        self.progress, self.block, self.block_seconds, self.memory_limit = progress, block, block_seconds, memory_limit

    def count(self, study: Study) -> int:
        """Workers that may be used, within the memory."""
        if isinstance(self.executor, Cluster):
            self.executor.check(worker_memory(study) if study.sizes else 0.0)
            return self.executor.workers
        if self.executor is not None:
            wanted = self.executor.workers
        else:
            wanted = available_cores() if self.workers is None else make_executor(self.workers).workers
        return allowed_workers(study, wanted, self.memory_limit, fixed=self.executor is not None) if study.sizes else 1

    def make(self, study: Study, store: StudyStore, share: float) -> Executor:
        """The executor, for the share of the study that is still to do."""
        if self.executor is not None:
            return self.executor
        if share == 0.0 or (
            self.workers is None
            and (
                share * total_seconds(study, store.record["seconds"]) < SERIAL_SECONDS
                or not visible_to_workers(study.owner)
            )
        ):
            return Serial()
        return make_executor(self.count(study))


def _sweep(
    study: Study,
    place: Place,
    options: _Options,
    *,
    retry_failed: bool = False,
    extend: bool = False,
    repair: bool = False,
) -> None:
    workers = options.count(study)
    if is_absent(place):
        shape = shape_blocks(study, options.block, options.block_seconds, workers)
        create_store(
            place,
            study.canonical(),
            study.coded(),
            study.coordinates,
            study.attributes(),
            width=shape.width,
            theory_chunk=shape.theory_chunk,
            seconds=shape.seconds,
        )
    StudyStore.open(place)
    with writer(place), single_threaded():
        store = prepare(study, place, extend=extend, repair=repair)
        study = study_of(store, study.owner)
        done = store.done(listed=True)
        _Sweep(study, store, options, done, retry_failed).run()


class _Sweep:
    """One invocation on an open, locked store."""

    def __init__(
        self, study: Study, store: StudyStore, options: _Options, done: np.ndarray, retry_failed: bool
    ) -> None:
        self.study, self.store, self.options, self.retry_failed = study, store, options, retry_failed
        wanted = done == 0
        if retry_failed:
            wanted |= done == 2
        blocks, share = store.blocks, 0.0
        self.keys: list[str] = []
        self.stored = np.zeros((0, 0, 0), dtype=np.int64)
        if done.size:
            open_ = blocks.count(wanted)
            share = open_.sum() / done.size
            self.keys = [block.key for block in blocks.select(open_ > 0)]
            self.stored = blocks.volumes - open_
        self.total = done.size or study.count
        self.finished = int(self.stored.sum())
        self.executor = options.make(study, store, share)
        self.deaths = self.given_up = self.computed = 0

    def run(self) -> None:
        """Theory, then the blocks; the record of the run says how it ended, whatever happened."""
        chunks = theories.open_chunks(self.store, self.retry_failed) if self.options.theory else []
        if not self.keys and not chunks:
            self._report()
            return
        self.store.forget_consolidated()
        record = Run(self.store.place, workers=self.executor.workers, finished=self.finished, total=self.total)
        outcome = "interrupted"
        try:
            self._report()
            for chunk in chunks:
                theories.compute_chunk(self.store, self.study, chunk, self.retry_failed)
            if not self.study.sizes:
                self.finished = self.study.count
                self._report()
            self._compute(record.identity)
            outcome = "complete"
        except KeyboardInterrupt:
            self._stop()
            # workers may have finished blocks that were not counted yet
            self.finished = int((self.store.done(listed=True) != 0).sum()) if self.study.sizes else 0
            raise SweepInterrupted(
                f"interrupted; {self.store.place} keeps {self.finished} of {self.total} realisations, and the same "
                "sweep goes on from there"
            ) from None
        except SchedulerLost as error:
            outcome = str(error)
            self.finished = int((self.store.done(listed=True) != 0).sum())
            raise RunFailedError(
                f"{error}; {self.store.place} is valid and keeps {self.finished} of {self.total} realisations: run the "
                "same sweep again to resume"
            ) from error
        except Exception as error:
            self._stop()
            outcome = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._close(record, outcome)

    def _compute(self, run: str) -> None:
        """Compute the open blocks; those in work when a worker dies are submitted again."""
        waiting, deaths = list(self.keys), Counter[str]()
        while waiting:
            submitted: list[str] = []
            finished: set[str] = set()
            try:
                for number, result in self.executor.run(compute_block, self._tasks(run, waiting, submitted)):
                    key = submitted[number]
                    finished.add(key)
                    if isinstance(result, WorkerDied):
                        self.deaths += 1
                        self._give_up(key)
                    else:
                        self.computed += 1
                        self._count(key)
                return
            except BrokenExecutor as error:
                self._survive(error)
                deaths.update(key for key in submitted if key not in finished)
                waiting = [key for key in waiting if key not in finished]
                for key in [key for key in waiting if deaths[key] >= DEATHS]:
                    self._alone(run, key)
                    waiting.remove(key)

    def _alone(self, run: str, key: str) -> None:
        """A block that was in work at several deaths, in a worker of its own; it fails if it kills that one, too."""
        for _ in range(2):
            try:
                for _ in Processes(1).run(compute_block, self._tasks(run, [key], [])):
                    self.computed += 1
                    self._count(key)
                return
            except BrokenExecutor as error:
                self._survive(error)
        self._give_up(key)

    def _give_up(self, key: str) -> None:
        """Mark a block as failed that ends its workers."""
        self.given_up += 1
        if self.given_up == HOPELESS and not self.computed:
            raise ResourceError(
                f"{self.study.owner.__name__}: every worker process died (out of memory, or a crash) and no block was "
                "finished; try one point with simulate, or smaller sizes"
            )
        give_up(self.store, self.study, key, "the worker process died (out of memory, or a crash)")
        self._count(key)

    def _survive(self, error: BrokenExecutor) -> None:
        """Count the death of a worker; where workers cannot even start on a task, say so."""
        if "un-serialize" in str(error):
            raise ParameterError(
                f"worker processes cannot import {self.study.owner.__module__}, where {self.study.owner.__name__} is "
                "defined; install its package, put its folder on PYTHONPATH, or use workers=1"
            ) from error
        self.deaths += 1

    def _tasks(self, run: str, keys: list[str], submitted: list[str]) -> Iterator[tuple[Any, ...]]:
        parent = os.getpid() if isinstance(self.executor, Processes) else None
        folder = self.store.place.folder
        place = str(self.store.place if folder is None else folder.absolute())
        for key in keys:
            submitted.append(key)
            yield place, run, self.study.owner, key, self.retry_failed, parent

    def _count(self, key: str) -> None:
        """Report a block, of which everything is done or failed now."""
        block, at = self.store.blocks.of_key(key), tuple(int(part) for part in key.split("."))
        whole = len(block.points) * len(block.realizations)
        self.finished += whole - int(self.stored[at])
        self.stored[at] = whole
        self._report()

    def _stop(self) -> None:
        """End workers at once: blocks that they were given must not be written after the lock is gone."""
        getattr(self.executor, "stop", lambda: None)()

    def _report(self) -> None:
        if self.options.progress is not None:
            self.options.progress(self.finished, self.total)

    def _close(self, record: Run, outcome: str) -> None:
        try:
            record.end(outcome, self.finished, self.deaths)
            if outcome == "complete":
                self.store.consolidate()
        except StoreError:
            # the study itself is stored; where the disk is full its own error is already on its way
            if outcome == "complete":
                raise

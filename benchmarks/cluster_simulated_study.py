"""A study of 10^6 points x 100 draws on 1,000 workers, simulated from what is measured here.

Really run: the plan of the whole study (points, blocks, store, keys), with its time and memory; draws at random points,
for the durations; blocks of the planned shape written to the store; the marks of a part of the blocks read back; tasks
through a scheduler, for its cost and the client's. Simulated: 1,000 workers, one scheduler and one client, each of
which serves one task after the other, and blocks whose durations are sums of measured ones.
Run: python benchmarks/cluster_simulated_study.py [points on an axis] [workers]
"""

import heapq
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cluster_scaling import task_costs

from replicon.core.realization import realize_seeds
from replicon.core.store import blocks as storage
from replicon.core.store import integrity, layout
from replicon.core.store.creation import create_store
from replicon.core.store.opening import StudyStore
from replicon.core.store.place import Folder
from replicon.core.sweep import plan
from replicon.core.sweep.prepare import prepare
from replicon.core.sweep.study import Study, describe
from replicon.core.sweep.work import seed_of, study_of
from replicon.memory import Hopfield

SIZE, REALIZATIONS = 200, 100
SAMPLED_POINTS, SAMPLED_DRAWS = 300, 3
WRITTEN = 2000
"""Blocks that are really written, to be scaled to all."""


def lap(what: str, began: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {what:<46} {time.perf_counter() - began:7.2f} s   peak memory {peak:5.0f} MB")


def durations(study: Study) -> np.ndarray:
    """Seconds of a draw at random points: the median of some draws each."""
    chance, found = np.random.default_rng(1), []
    for point in chance.integers(0, study.count, SAMPLED_POINTS):
        system, times = study.system(int(point)), []
        for index in range(SAMPLED_DRAWS):
            began = time.perf_counter()
            realize_seeds(system, SIZE, [seed_of(study, int(point), SIZE, index)], catch=Exception)
            times.append(time.perf_counter() - began)
        found.append(np.median(times))
    return np.asarray(found)


def planned(axis: int, workers: int, folder: Path) -> tuple[Study, StudyStore, int]:
    """The plan as `sweep` makes it; returns study, store and the number of keys."""
    began = time.perf_counter()
    axes = {"load": np.linspace(0.01, 0.2, axis), "temperature": np.linspace(0.0, 1.2, axis)}
    study = describe(Hopfield, axes, None, [SIZE], REALIZATIONS, 0, False)
    lap(f"describe {study.count} points", began)
    began = time.perf_counter()
    shape = plan.shape_blocks(study, None, plan.BLOCK_SECONDS, workers)
    lap("pilot and shape of the blocks", began)
    began = time.perf_counter()
    place = Folder(folder / "study.zarr")
    create_store(
        place, study.canonical(), study.coded(), study.coordinates, study.attributes(), width=shape.width,
        theory_chunk=shape.theory_chunk, seconds=shape.seconds,
    )  # fmt: skip
    lap("create the store", began)
    began = time.perf_counter()
    store = prepare(study, place, extend=False, repair=False)
    stored = study_of(store, study.owner)
    lap("open it as a worker does", began)
    began = time.perf_counter()
    done = store.done(listed=True)
    keys = [block.key for block in store.blocks.select(store.blocks.count(done == 0) > 0)]
    lap(f"marks and {len(keys)} keys", began)
    return stored, store, len(keys)


def write(store: StudyStore, count: int) -> tuple[float, float]:
    """Write blocks of random numbers; seconds and bytes of a block."""
    chance, seconds = np.random.default_rng(2), []
    chosen = [block for block, _ in zip(store.blocks, range(count), strict=False)]
    for block in chosen:
        values = storage.read_block(store, block, np.zeros((1,), np.uint8))
        for name, array in values.items():
            if array.dtype.kind == "f":
                values[name] = chance.standard_normal(array.shape)
        shape = (len(block.points), 1, len(block.realizations))
        values["seed"] = chance.integers(0, 2**63, shape).astype(np.uint64)
        values["done"] = np.ones(shape, np.uint8)
        began = time.perf_counter()
        storage.read_mark(store, block)
        storage.read_mark(store, block)
        storage.write_block(store, block, values, [])
        seconds.append(time.perf_counter() - began)
    folder = store.place.folder
    assert folder is not None
    size = sum(path.stat().st_size for name in store.names() for path in (folder / name).glob("c.*"))
    return float(np.median(seconds)), size / count


@dataclass
class Outcome:
    """What a simulated run took: seconds, and the share of it that scheduler, client and workers were busy."""

    seconds: float
    scheduler: float
    client: float
    workers: float


def simulate(blocks: np.ndarray, workers: int, scheduler: float, client: float, window: int) -> Outcome:
    """Serve blocks of these durations; scheduler and client take so many seconds for each and do one at a time."""
    waiting, submitted = list(range(len(blocks)))[::-1], []
    idle, running = list(range(workers)), []
    free = {"scheduler": 0.0, "client": 0.0}

    def serve(who: str, now: float, cost: float) -> float:
        free[who] = max(now, free[who]) + cost
        return free[who]

    for _ in range(min(window, len(waiting))):
        submitted.append((serve("client", 0.0, client), waiting.pop()))
    submitted = submitted[::-1]
    end = 0.0
    while running or submitted:
        while idle and submitted:
            ready, block = submitted.pop()
            begin = serve("scheduler", max(ready, end), scheduler)
            heapq.heappush(running, (begin + blocks[block], idle.pop()))
        end, worker = heapq.heappop(running)
        idle.append(worker)
        if waiting:
            submitted.insert(0, (serve("client", end, client), waiting.pop()))
    total = len(blocks)
    return Outcome(end, total * scheduler / end, total * client / end, float(blocks.sum()) / (workers * end))


def main(axis: int, workers: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"plan of {axis**2} points x {REALIZATIONS} draws of Hopfield, N = {SIZE}, for {workers} workers")
        study, store, count = planned(axis, workers, folder)
        draw = durations(study)
        costs = task_costs(2000, folder)
        seconds, size = write(store, min(WRITTEN, count))
        began = time.perf_counter()
        store.done(listed=True)
        marks = time.perf_counter() - began
        began = time.perf_counter()
        assert not integrity.find_damage(store, store.names())
        checked = time.perf_counter() - began
        scale = count / min(WRITTEN, count)
        width = store.record["block"]
        specs = layout.arrays(store.study, study.coded(), (width[0], width[1]), store.record["theory_chunk"])
        chance = np.random.default_rng(3)
        print(f"a draw takes {1e3 * draw.mean():.2f} ms ({1e3 * draw.min():.2f} to {1e3 * draw.max():.2f})")
        print(
            f"a task takes {1e3 * costs['scheduler']:.2f} ms of the scheduler and {1e3 * costs['client']:.2f} ms of "
            f"the client; a block {1e3 * seconds:.1f} ms of reading marks and writing"
        )
        print(
            f"store: blocks of {width[0]} x {width[1]}, {count} of them; at most {layout.file_count(specs)} files, "
            f"{count} in a folder; {size / 1024:.0f} kB a block, {size * count / 2**30:.1f} GiB"
        )
        print(
            f"to resume when all is done (scaled from {min(WRITTEN, count)} blocks): marks {scale * marks:.0f} s, "
            f"checksums {scale * checked:.0f} s"
        )
        print("  blocks of    number   run       ideal     scheduler  client   workers")
        for points in sorted({1, max(width[0] // 10, 1), width[0], 10 * width[0]}):
            number = -(-study.count // points)
            length = chance.choice(draw, (number, points)).sum(axis=1) * width[1] + seconds
            found = simulate(length, workers, costs["scheduler"], costs["client"], 4 * workers)
            ideal = length.sum() / workers
            mark = "  as planned" if points == width[0] else ""
            print(
                f"  {length.mean():7.2f} s {number:10d} {found.seconds:8.0f} s {ideal:8.0f} s "
                f"{100 * found.scheduler:8.1f} % {100 * found.client:6.1f} % {100 * found.workers:7.1f} %{mark}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 1000)

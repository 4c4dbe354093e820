"""How a study is cut into blocks, and how many workers its memory allows."""

import time
from dataclasses import dataclass

import numpy as np

from replicon.core.errors import ParameterError, ResourceError
from replicon.core.realization import MEMORY_SHARE, free_memory, realize_seeds
from replicon.core.store import layout
from replicon.core.sweep.study import Study
from replicon.core.sweep.work import seed_of

BLOCK_SECONDS = 2.0
"""Work of a block: what a kill costs at most, and much more than the few milliseconds of storing it."""
LONGEST_BLOCK = 10.0
SMALLEST_BYTES = 65_536
MANY_BLOCKS = 2_000
"""Above so many blocks they are made larger, up to `LONGEST_BLOCK` seconds, to spare files."""
THEORY_CHUNK = 4096
LOOPED_THEORY_CHUNK = 16
WORKER_BYTES = 0.4 * 2**30
"""Resident memory of a worker process with JAX, before any realisation."""
PILOT_SECONDS = 0.5
TASK_SECONDS = 0.004
"""Time of the scheduler or the client, whichever is slower, for a task on a cluster; measured."""
TASK_SHARE = 0.5
"""Part of its time that it may spend on them."""


@dataclass(frozen=True)
class Shape:
    """Points and realisations of a block, and the timing behind them."""

    width: tuple[int, int]
    theory_chunk: int
    seconds: dict[str, float]


def shape_blocks(study: Study, block: tuple[int, int] | None, block_seconds: float, workers: int) -> Shape:
    """Cut a study into blocks.

    Parameters
    ----------
    study : Study
    block : (int, int), optional
        Points and realisations of a block, where the caller decides.
    block_seconds : float
        Time that a block may take.
    workers : int
        How many will share the work: a small study is cut so that each has several blocks.

    Raises
    ------
    ParameterError
        Where the study would need more files than a file system bears.
    """
    theory_chunk = min(study.count, THEORY_CHUNK if study.owner.traceable else LOOPED_THEORY_CHUNK)
    seconds: dict[str, float] = {}
    if not study.sizes:
        width = (study.count, 1)
    elif block is not None:
        width = _given(study, block)
    else:
        seconds = time_realizations(study)
        width = _fitting(study, seconds, block_seconds, workers)
    specs = layout.arrays(study.canonical(), study.coded(), width, theory_chunk)
    files = layout.file_count(specs)
    if files > layout.LARGEST_FILE_COUNT:
        raise ParameterError(
            f"{study.owner.__name__}: {study.count} points x {len(study.sizes)} sizes x {study.realizations} "
            f"realisations in blocks of {width[0]} x {width[1]} make up to {files} files, more than "
            f"{layout.LARGEST_FILE_COUNT}; give larger blocks (block=, block_seconds=) or split the study"
        )
    return Shape(width, theory_chunk, {str(size): value for size, value in seconds.items()})


def time_realizations(study: Study) -> dict[str, float]:
    """Seconds of one realisation by size, smallest size first, until one is long; compilation is left out."""
    found: dict[str, float] = {}
    points = list(dict.fromkeys([study.count // 2, 0, study.count - 1]))
    for size in study.sizes:
        times = []
        for point in points:
            try:
                times.append(_time(study, point, size))
            except Exception:  # a point that fails says so in the study; here it only has no time
                continue
            if times[-1] > PILOT_SECONDS:
                break
        if times:
            found[str(size)] = max(times)
            if found[str(size)] > BLOCK_SECONDS:
                break
    return found


def total_seconds(study: Study, seconds: dict[str, float]) -> float:
    """Time of the whole study on one core, as far as timed; sizes beyond the last one timed count like that one."""
    if not seconds:
        return float("inf")
    slowest = max(seconds.values())
    return study.count * study.realizations * sum(seconds.get(str(size), slowest) for size in study.sizes)


def allowed_workers(study: Study, wanted: int, memory_limit: float | None, *, fixed: bool) -> int:
    """Workers whose realisations fit the memory together, at most those wanted.

    Raises
    ------
    ResourceError
        Where not even one fits, or fewer than the executor that was given uses.
    """
    needed = _largest_footprint(study)
    limit = MEMORY_SHARE * free_memory() if memory_limit is None else float(memory_limit)
    # a single worker is this process, which is there already
    fits = int(limit // (needed + WORKER_BYTES)) if wanted > 1 else 1
    if needed > limit or (fixed and fits < wanted):
        raise ResourceError(
            f"{study.owner.__name__}: a realisation of size {max(study.sizes)} needs about {needed / 2**30:.2f} GiB, "
            f"{wanted if fixed else 1} at once are more than the {limit / 2**30:.2f} GiB that may be used; choose "
            "smaller sizes, fewer workers or a higher memory_limit"
        )
    return max(1, min(wanted, fits))


def worker_memory(study: Study) -> float:
    """Bytes that a worker process needs for the costliest realisation."""
    return _largest_footprint(study) + WORKER_BYTES


def _time(study: Study, point: int, size: int) -> float:
    """Seconds of one realisation, of the second batch where the first was short enough to repeat."""
    system, best = study.system(point), float("inf")
    seeds = [seed_of(study, point, size, index) for index in range(study.owner.batch)]
    for _ in range(4):
        began = time.perf_counter()
        draws = realize_seeds(system, size, seeds, catch=Exception)
        best = min(best, time.perf_counter() - began)
        if len(draws.errors) == len(seeds):
            raise ParameterError(f"the pilot failed: {draws.errors[0]}")
        if best > BLOCK_SECONDS:
            break
    return best / study.owner.batch


def _fitting(study: Study, seconds: dict[str, float], block_seconds: float, workers: int) -> tuple[int, int]:
    slowest = max(max(seconds.values(), default=block_seconds / 20), 1e-7)
    batch = study.owner.batch
    total = total_seconds(study, seconds) if seconds else float("inf")
    # several blocks for each worker, unless blocks become too short to be worth their files
    target = min(block_seconds, max(total / (8 * workers), 0.1))
    wanted = max(int(target / slowest), 1)
    blocks = study.count * study.realizations * len(study.sizes) / wanted
    if blocks > MANY_BLOCKS:
        row = 8 * (len(study.canonical()["measured"]["scalars"]) + sum(c.shape[1] for c in study.coordinates.values()))
        enough = max(SMALLEST_BYTES // row, int(wanted * blocks / MANY_BLOCKS))
        wanted = max(wanted, min(enough, int(LONGEST_BLOCK / slowest)))
    # a scheduler hands out a task in so many milliseconds, whoever waits: the more workers, the longer the blocks
    wanted = max(wanted, int(workers * TASK_SECONDS / TASK_SHARE / slowest))
    # and a file system bears only so many files, however long a block then takes
    wanted = max(wanted, -(-study.count * study.realizations * len(study.sizes) // _most_blocks(study)))
    if wanted >= study.realizations:
        return min(study.count, max(wanted // study.realizations, 1)), study.realizations
    return 1, min(study.realizations, -(-wanted // batch) * batch)


def _most_blocks(study: Study) -> int:
    """Blocks whose files, with one for failures, stay within the limit; a tenth of it is for what else there is."""
    files = 4 + len(study.canonical()["measured"]["curves"])
    return max(int(0.9 * layout.LARGEST_FILE_COUNT / files), 1)


def _given(study: Study, block: tuple[int, int]) -> tuple[int, int]:
    try:
        points, realizations = (int(width) for width in block)
    except (TypeError, ValueError):
        raise ParameterError(f"block is {block!r}; give the number of points and of realisations in a block") from None
    if points < 1 or realizations < 1:
        raise ParameterError(f"block is {block!r}; give whole numbers of at least 1")
    return min(points, study.count), min(realizations, study.realizations)


def _largest_footprint(study: Study) -> float:
    """Bytes of the costliest realisation (a batch counts as one), judged at the extreme points of each parameter."""
    points = {0, study.count - 1}
    for column in study.columns.values():
        if column.dtype.kind in "if":
            points |= {int(np.argmin(column)), int(np.argmax(column))}
    if study.grid:
        corners = np.ones(study.count, dtype=bool)
        for column in study.columns.values():
            if column.dtype.kind in "if":
                corners &= (column == column.min()) | (column == column.max())
        points |= set(np.flatnonzero(corners)[:64].tolist())
    costs = [0.0]
    for point in points:
        try:
            costs.append(study.system(point).footprint(max(study.sizes)).bytes)
        except Exception:  # a point that the system refuses costs nothing
            continue
    return study.owner.batch * max(costs)

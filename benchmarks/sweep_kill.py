"""A sweep of the Hopfield model killed with SIGKILL at random moments, against one left alone.

Each kill takes the whole process group, parent and workers, from 0 to 1 s after a block was started. At the end the
chunk files must be equal byte for byte to those of the sweep left alone, and no block may have been finished twice.
Then the same numbers, bit for bit, from 1, 2 and 3 workers, other blocks, another order, and in one go.
Run: python benchmarks/sweep_kill.py [kills]
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from replicon import open_study, study_status, sweep
from replicon.core.store.blocks import LOG_VARIABLE
from replicon.core.store.opening import StudyStore
from replicon.core.sweep.toml import read_study

STUDY = """
[study]
system = "memory.hopfield"
sizes = [200, 300]
realizations = 48
block = [1, 8]

[parameters]
load = {start = 0.05, stop = 0.15, count = 7}
temperature = [0.0, 0.3, 0.4, 0.5]
"""
LONGEST_WAIT = 1.0


class Shuffled:
    """Runs the blocks in this process in a random order."""

    workers = 1

    def run(self, function, tasks):
        tasks = list(enumerate(tasks))
        random.Random(1).shuffle(tasks)
        for number, task in tasks:
            yield number, function(*task)


def launch(study: Path, store: Path, log: Path, workers: int) -> subprocess.Popen:
    """Start the command line in a process group of its own."""
    program = Path(sys.executable).with_name("replicon")
    command = [str(program), "sweep", str(study), "--store", str(store), "--workers", str(workers), "--json"]
    environment = {**os.environ, LOG_VARIABLE: str(log)}
    return subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)


def events(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def starts(log: Path) -> int:
    return sum(line[0] == "start" for line in events(log))


def in_work(lines: list[list[str]]) -> set[str]:
    """Blocks that these lines start and do not end."""
    count = Counter({})
    for event, key, *_ in lines:
        count[key] += 1 if event == "start" else -1
    return {key for key, n in count.items() if n > 0}


def chunks(store: Path) -> dict[str, bytes]:
    names = StudyStore.open(store).record["arrays"]
    paths = [path for name in names for path in sorted((store / name).glob("c.*"))]
    # a kill in the middle of a write leaves the half file under another name, which nobody reads
    return {f"{p.parent.name}/{p.name}": p.read_bytes() for p in paths if p.suffix != ".partial"}


def equal_numbers(store: Path, other: Path) -> bool:
    left, right = open_study(store).load(), open_study(other).load()
    return all(left[n].values.tobytes() == right[n].values.tobytes() for n in right.data_vars) and bool(
        np.all(left.done == 1)
    )


def main(kills: int, folder: Path) -> None:
    study, log, store, alone = (folder / name for name in ("study.toml", "log", "killed.zarr", "alone.zarr"))
    study.write_text(STUDY)
    began = time.perf_counter()
    assert launch(study, alone, folder / "alone.log", 2).wait() == 0
    print(f"left alone: {study_status(alone).blocks} blocks, {time.perf_counter() - began:.1f} s with start")
    chance, met, cut = random.Random(), 0, 0
    for kill in range(kills):
        before, seen = starts(log), len(events(log))
        process = launch(study, store, log, 1 + kill % 3)
        while starts(log) == before and process.poll() is None:
            time.sleep(0.002)
        if process.poll() is not None:
            print(f"the sweep was complete before kill {kill + 1}")
            break
        time.sleep(chance.uniform(0.0, LONGEST_WAIT))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        running = in_work(events(log)[seen:])
        met, cut = met + bool(running), cut + len(running)
        done = study_status(store).blocks_done if store.exists() else 0
        print(f"kill {kill + 1:2d}: workers {1 + kill % 3}, {len(running)} blocks in work, {done} blocks done")
    assert launch(study, store, log, 2).wait() == 0
    ends = [(number, line[1]) for number, line in enumerate(events(log)) if line[0] == "end"]
    last_end = dict(reversed([(key, number) for number, key in ends]))
    repeated = [line[1] for n, line in enumerate(events(log)) if line[0] == "start" and n > last_end.get(line[1], n)]
    print(f"{met} of {kills} kills met a running block ({cut} blocks cut); {len(ends)} blocks finished, ", end="")
    print(f"{len(ends) - len(last_end)} finished twice, {len(repeated)} started after they were finished")
    mine, theirs = chunks(store), chunks(alone)
    differing = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
    same = not differing
    print(f"chunk files byte for byte as left alone: {same} ({len(mine)} files){' '.join(['', *differing])}")
    outcomes = [same, not repeated, len(ends) == len(last_end)]
    described = read_study(study)
    for name, options in {
        "1 worker": {"workers": 1},
        "2 workers": {"workers": 2},
        "3 workers": {"workers": 3},
        "blocks of 5 x 7": {"workers": 1, "block": (5, 7)},
        "one block a size": {"workers": 1, "block": (28, 48)},
        "random order": {"executor": Shuffled()},
    }.items():
        other = folder / f"{name.replace(' ', '-')}.zarr"
        sweep(described.system, store=other, **described.options | options)
        outcomes.append(equal_numbers(store, other))
        print(f"{name}: bits {'equal' if outcomes[-1] else 'DIFFER'}")
    assert all(outcomes)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, Path(scratch))

"""A sweep on a Dask cluster whose workers, scheduler and client are killed with SIGKILL at random moments.

Scheduler, workers and the sweep are processes of their own. A killed worker is started again by its nanny while the
sweep goes on; after the death of the scheduler or of the sweep everything is started anew and the new sweep resumes,
while the old workers end the block they are in. Each kill comes up to half a second after a block was started. At the
end the chunks must be equal byte for byte to those of a sweep left alone in this process, and no block may have been
started after it was finished. "s3" does the same in a bucket of a server (moto) that answers one request in twenty
with 500 or 503, half of them after it has done what was asked.
Run: python benchmarks/cluster_kill.py [kills] [folder | s3]
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from replicon import study_status, sweep
from replicon.core.store.blocks import LOG_VARIABLE
from replicon.core.sweep.toml import read_study
from tests.core.bucket import serve

STUDY = """
[study]
system = "memory.hopfield"
sizes = [500, 700]
realizations = 24
block = [1, 8]

[parameters]
load = {start = 0.05, stop = 0.15, count = 10}
temperature = [0.0, 0.4, 0.5, 0.6]
"""
PROGRAMS = Path(sys.executable).parent
LONGEST_WAIT = 0.5
VICTIMS = ("worker", "worker", "scheduler", "sweep")


class Group:
    """Processes that are started together, each in a session of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment, self.started = environment, []

    def start(self, *command: object, **more) -> subprocess.Popen:
        process = subprocess.Popen(
            [str(word) for word in command], env=self.environment, stdout=subprocess.DEVNULL, start_new_session=True,
            **{"stderr": subprocess.DEVNULL, **more},
        )  # fmt: skip
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def events(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def in_work(lines: list[list[str]]) -> dict[str, int]:
    """Block and process of each start that these lines do not end, by the last start of a process."""
    current: dict[int, str] = {}
    for event, key, pid, _ in lines:
        if event == "start":
            current[int(pid)] = key
        else:
            current.pop(int(pid), None)
    return {key: pid for pid, key in current.items() if Path(f"/proc/{pid}").exists()}


def launch(folder: Path, number: int, store: str, log: Path) -> tuple[Group, subprocess.Popen, subprocess.Popen]:
    """A scheduler, two workers and a sweep."""
    group = Group({**os.environ, LOG_VARIABLE: str(log), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
    file = folder / f"scheduler-{number}.json"
    scheduler = group.start(
        PROGRAMS / "dask", "scheduler", "--scheduler-file", file, "--port", 0, "--host", "127.0.0.1", "--no-dashboard"
    )
    while not file.exists() or not file.read_text().rstrip().endswith("}"):
        time.sleep(0.05)
    address = json.loads(file.read_text())["address"]
    for _ in range(2):
        group.start(PROGRAMS / "dask", "worker", address, "--nthreads", 1, "--no-dashboard")
    said = open(folder / f"sweep-{number}.txt", "w")  # noqa: SIM115
    running = group.start(
        PROGRAMS / "replicon", "sweep", folder / "study.toml", "--store", store, "--cluster", address, stderr=said
    )
    return group, scheduler, running


def main(kills: int, kind: str, folder: Path) -> None:
    log, alone = folder / "log", folder / "alone.zarr"
    (folder / "study.toml").write_text(STUDY)
    described = read_study(folder / "study.toml")
    sweep(described.system, store=alone, workers=1, **described.options)
    with contextlib.ExitStack() as stack:
        bucket = stack.enter_context(serve()) if kind == "s3" else None
        store = str(folder / "killed.zarr") if bucket is None else bucket.url()
        if bucket is not None:
            bucket.fail(codes=[500, 503], share=0.05)
        chance, met, cut, who, number, orphans = random.Random(), 0, 0, Counter(), 0, []
        group, scheduler, running = launch(folder, number, store, log)
        done = 0
        while done < kills:
            seen = len([line for line in events(log) if line[0] == "start"])
            while len([line for line in events(log) if line[0] == "start"]) == seen and running.poll() is None:
                time.sleep(0.002)
            if running.poll() is not None:
                print(f"the sweep was complete before kill {done + 1}")
                break
            time.sleep(chance.uniform(0.0, LONGEST_WAIT))
            work, victim = in_work(events(log)), chance.choice(VICTIMS)
            if victim == "worker":
                if not work:
                    continue  # between two blocks no process is known to be a worker; another moment
                os.kill(chance.choice(list(work.values())), signal.SIGKILL)
            else:
                (scheduler if victim == "scheduler" else running).kill()
            done, met, cut = done + 1, met + bool(work), cut + (len(work) if victim != "worker" else 1)
            who[victim] += 1
            if victim != "worker":
                running.wait()
                said = (folder / f"sweep-{number}.txt").read_text().strip()
                number += 1
                orphans.append(group)
                group, scheduler, running = launch(folder, number, store, log)
                if victim == "scheduler":
                    print(f"    {said}")
            ends = sum(line[0] == "end" for line in events(log))
            print(f"kill {done:2d}: {victim}, {len(work)} blocks in work, {ends} blocks finished", flush=True)
        assert running.wait() == 0, (folder / f"sweep-{number}.txt").read_text()
        for old in [*orphans, group]:
            old.end()
        failed = 0 if bucket is None else bucket.fail()
        status = study_status(store)
        assert status.complete and not status.failed
        mine = chunks(store) if bucket is None else bucket.chunks(store)
    lines = events(log)
    ends = Counter(line[1] for line in lines if line[0] == "end")
    first_end = {key: number for number, (event, key, *_) in reversed(list(enumerate(lines))) if event == "end"}
    late = [key for number, (event, key, *_) in enumerate(lines) if event == "start" and number > first_end[key]]
    print(
        f"{met} of {done} kills met a running block ({dict(who)}, {cut} blocks cut off or orphaned); {failed} requests "
        "failed on purpose"
    )
    print(
        f"{sum(ends.values())} blocks finished, {sum(ends.values()) - len(ends)} of them twice, {len(late)} started "
        f"after they were finished, {sum(line[0] == 'left' for line in lines)} left to a quicker worker"
    )
    same = mine == chunks(alone)
    print(f"chunks byte for byte as left alone: {same} ({len(mine)} chunks)")
    assert same and not late


def chunks(store: str | Path) -> dict[str, bytes]:
    found = [path for path in Path(store).glob("*/c.*") if path.suffix != ".partial"]
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in found}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(
            int(sys.argv[1]) if len(sys.argv) > 1 else 20,
            sys.argv[2] if len(sys.argv) > 2 else "folder",
            Path(scratch),
        )

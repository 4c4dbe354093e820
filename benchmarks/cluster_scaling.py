"""What a cluster costs: the share of the second worker, and the time of the scheduler and the client for a task.

1. Realisations of 100 ms on one worker and on two, turn by turn: efficiency = t(1) / (2 t(2)). They sleep, so that the
   number tells of Replicon and Dask and not of who else uses the machine; "spin" keeps the processor busy instead.
2. Tasks that do nothing, through the same executor: processor time of the scheduler's process and of this one, and
   time that passes, for each. From these follow the shortest blocks for a number of workers.
Run: python benchmarks/cluster_scaling.py [sleep | spin] [rounds]
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from replicon import Instance, Observables, Scalar, System, generator, observable, parameter, study_status, sweep
from replicon.core.cluster import Cluster, connect
from replicon.core.execution import SINGLE_THREAD
from replicon.core.sweep import plan

DASK = Path(sys.executable).with_name("dask")


class Timed(System):
    """Takes 100 ms a draw."""

    seconds: float = parameter(0.1, symbol="t", unit="s", low=0, doc="time of a realisation")
    field: float = parameter(0.0, symbol="h", doc="makes points")
    kind: str = parameter("sleep", symbol="k", doc="how the time is spent", choices=("sleep", "spin"))

    class Observables(Observables):
        """What is measured."""

        average: Scalar = observable("a", "average of some numbers", face="measured")

    def sample(self, size, seed):
        return Instance(size=size)

    def simulate(self, instance):
        numbers = generator(instance.seed, "numbers")
        end = time.perf_counter() + self.seconds
        average = numbers.standard_normal(1000).mean()
        if self.kind == "sleep":
            time.sleep(self.seconds)
        while time.perf_counter() < end:
            numbers.standard_normal(1000)
        return self.Observables(average=average + self.field)


def nothing(number: int) -> None:
    """A task without work."""


@contextlib.contextmanager
def processes(workers: int, folder: Path):
    """A scheduler and workers in processes of their own: (pid of the scheduler, its address, the workers)."""
    file = folder / f"scheduler-{time.monotonic_ns()}.json"
    environment = {**os.environ, **SINGLE_THREAD, "PYTHONPATH": str(Path(__file__).parent)}
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    start = [DASK, "scheduler", "--scheduler-file", file, "--port", "0", "--host", "127.0.0.1", "--no-dashboard"]
    started = [subprocess.Popen(start, **quiet)]
    try:
        while not file.exists() or not file.read_text().rstrip().endswith("}"):
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        for _ in range(workers):
            started.append(
                subprocess.Popen([DASK, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"], **quiet)
            )
        yield started[0].pid, address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def efficiency(kind: str, rounds: int, folder: Path) -> float:
    """Median over rounds of t(1) / (2 t(2)) for 80 realisations of 100 ms in blocks of 10."""
    found = []
    with contextlib.ExitStack() as stack:
        clients = {}
        for workers in (1, 2):
            _, address, _ = stack.enter_context(processes(workers, folder))
            clients[workers] = stack.enter_context(connect(address, None))
            clients[workers].wait_for_workers(workers)
        for number in range(-1, rounds):
            times = {}
            for workers, client in clients.items():
                store = folder / f"{number}-{workers}.zarr"
                began = time.perf_counter()
                sweep(
                    Timed, kind=kind, field=np.arange(8.0), sizes=[10], realizations=10, block=(1, 10), store=store,
                    client=client,
                )  # fmt: skip
                times[workers] = time.perf_counter() - began
                status = study_status(store)
                assert status.done == 80, status.failures[:1]
            if number >= 0:  # the first round imports and compiles
                found.append(times[1] / (2 * times[2]))
                print(f"  {times[1]:.2f} s on one worker, {times[2]:.2f} s on two: {100 * found[-1]:.1f} %")
    return statistics.median(found)


def task_costs(tasks: int, folder: Path) -> dict[str, float]:
    """Seconds of a task: processor time of scheduler and client, and time that passes; two workers."""
    with processes(2, folder) as (scheduler, address, _), connect(address, None) as client:
        client.wait_for_workers(2)
        executor = Cluster(client)
        for _ in executor.run(nothing, [(k,) for k in range(200)]):
            pass
        before, own, began = processor_seconds(scheduler), processor_seconds(os.getpid()), time.perf_counter()
        for _ in executor.run(nothing, [(k,) for k in range(tasks)]):
            pass
        passed = time.perf_counter() - began
        return {
            "scheduler": (processor_seconds(scheduler) - before) / tasks,
            "client": (processor_seconds(os.getpid()) - own) / tasks,
            "passed": passed / tasks,
        }


def main(kind: str, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        costs = task_costs(2000, folder)
        print(
            f"a task without work: {1e3 * costs['scheduler']:.2f} ms of the scheduler's processor, "
            f"{1e3 * costs['client']:.2f} ms of the client's, {1e3 * costs['passed']:.2f} ms pass (2 workers, window 8)"
        )
        slower = max(costs["scheduler"], costs["client"])
        print(f"planned with {1e3 * plan.TASK_SECONDS:.1f} ms, of which {100 * plan.TASK_SHARE:.0f} % may be used:")
        for workers in (2, 100, 1000):
            shortest = workers * plan.TASK_SECONDS / plan.TASK_SHARE
            busy = workers * slower / shortest
            print(f"  {workers} workers: blocks of at least {shortest:.2f} s, busiest process {100 * busy:.0f} % busy")
        print(f"realisations of 100 ms ({kind}), 80 in blocks of 10")
        result = efficiency(kind, rounds, folder)
        print(f"efficiency from 1 to 2 workers: {100 * result:.1f} % (target 90 %)")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sleep", int(sys.argv[2]) if len(sys.argv) > 2 else 5)

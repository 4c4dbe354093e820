"""What a sweep costs beyond the work itself, and that neither memory nor the number of files grows without bound.

1. Realisations of 50 ms, 5 ms and 1 ms (loops that keep the processor busy): `sweep` in this process against a bare
   loop of the same kernel over the same seeds.
2. 10^5 points x 10 seeds of a system that takes `seconds` each (0.05 ms by default): resident memory at the start, in
   the middle and at the end, files, and the time of a realisation.
Run: python benchmarks/sweep_overhead.py [points] [seconds]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from replicon import Instance, Observables, Scalar, System, generator, observable, parameter, study_status, sweep


def busy(generator: np.random.Generator, seconds: float) -> float:
    """Average numbers until the time is over."""
    end, total, count = time.perf_counter() + seconds, 0.0, 0
    while time.perf_counter() < end:
        total += generator.standard_normal()
        count += 1
    return total / max(count, 1)


class Busy(System):
    """Draws numbers for a given time."""

    seconds: float = parameter(0.001, symbol="t", unit="s", low=0, doc="time of a realisation")
    field: float = parameter(0.0, symbol="h", doc="makes points")

    class Observables(Observables):
        """What is measured."""

        average: Scalar = observable("a", "average of the numbers", face="measured")
        size_seen: Scalar = observable("N", "size", face="measured")

    def sample(self, size, seed):
        return Instance(size=size)

    def simulate(self, instance):
        return self.Observables(
            average=self.field + busy(generator(instance.seed, "numbers"), self.seconds), size_seen=float(instance.size)
        )


def resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def overhead(seconds: float, points: int, realizations: int, rounds: int = 5) -> None:
    """Compare a sweep with a bare loop, turn by turn."""
    bare, swept = [], []
    fields = np.arange(points, dtype=float)
    for _ in range(rounds):
        began = time.perf_counter()
        for seed in range(points * realizations):
            busy(generator(seed, "numbers"), seconds)
        bare.append(time.perf_counter() - began)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            sweep(
                Busy, seconds=seconds, field=fields, sizes=[10], realizations=realizations, workers=1,
                store=Path(folder) / "study.zarr", block=(max(1, 20 // realizations), realizations),
            )  # fmt: skip
            swept.append(time.perf_counter() - began)
    extra = statistics.median(s - b for s, b in zip(swept, bare, strict=True))
    count = points * realizations
    print(
        f"{1e3 * seconds:5.1f} ms x {count} in blocks of 20: bare loop {statistics.median(bare):.2f} s, overhead "
        f"{100 * extra / statistics.median(bare):.1f} %, {1e3 * extra / count:.2f} ms a realisation"
    )


def large(points: int, seconds: float) -> None:
    """A study of many points: memory, files, time."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "study.zarr"
        seen: list[tuple[float, float]] = []
        began = time.perf_counter()
        start = resident()

        def watch(done: int, total: int) -> None:
            seen.append((done / total, resident()))

        result = sweep(
            Busy, seconds=seconds, field=np.arange(points, dtype=float), sizes=[10], realizations=10, workers=1,
            store=store, progress=watch,
        )  # fmt: skip
        elapsed = time.perf_counter() - began
        status = study_status(store)
        files = sum(1 for path in store.rglob("*") if path.is_file())
        at = {share: next(memory for done, memory in seen if done >= share) for share in (0.1, 0.5, 1.0)}
        megabytes = sum(path.stat().st_size for path in store.rglob("*") if path.is_file()) / 2**20
        print(
            f"{points} points x 10 seeds of {1e3 * seconds:g} ms: {elapsed:.0f} s, "
            f"{1e3 * (elapsed / points / 10 - seconds):.3f} ms overhead a realisation, {status.blocks} blocks, "
            f"{files} files, {megabytes:.1f} MB"
        )
        print(
            f"  resident: {start:.0f} MB before, {at[0.1]:.0f} MB at 10 %, {at[0.5]:.0f} MB at 50 %, "
            f"{at[1.0]:.0f} MB at the end"
        )
        assert status.complete and status.failed == 0
        began = time.perf_counter()
        assert int((result.average.mean("realization").values >= 0).sum()) > 0
        print(f"  read back in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    sweep(Busy, seconds=0.0, sizes=[2], realizations=2, workers=1)
    if len(sys.argv) <= 1:
        overhead(0.05, 3, 20)
        overhead(0.005, 5, 20)
        overhead(0.001, 100, 10)
    large(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, float(sys.argv[2]) if len(sys.argv) > 2 else 5e-5)

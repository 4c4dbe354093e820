"""Speed of the +-1 kernels beside the yardstick of each: an axpy, a matrix product, a NumPy implementation.

Run with one BLAS thread: ``OPENBLAS_NUM_THREADS=1 python benchmarks/hopfield_kernels.py``. Every figure is the median
CPU time of repeats that alternate between the competitors; compilation (or loading the compiled cache) is reported by
itself.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numba import njit

from replicon.maths import spins as dynamics
from replicon.maths.spins.dense import heat_bath_updates
from replicon.maths.spins.patterns import heat_bath_updates_patterns, pattern_sums
from replicon.maths.spins.streams import draw_streams
from replicon.memory.hopfield.simulation import draw_patterns


def seconds(competitors: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median CPU time of each, in rounds that run all of them, after one warm-up round."""
    times: dict[str, list[float]] = {name: [] for name in competitors}
    for repeat in range(repeats + 1):
        for name, run in competitors.items():
            begin = time.process_time()
            run()
            if repeat:
                times[name].append(time.process_time() - begin)
    return {name: float(np.median(values)) for name, values in times.items()}


@njit
def axpy_rows(matrix, target, order):
    """Add twice a row of the matrix to the target, for each row of `order`, in the dtype of the target."""
    factor = target.dtype.type(2)
    for index in order:
        row = matrix[index]
        for site in range(target.size):
            # Without the casts Numba widens int32 to int64.
            target[site] += target.dtype.type(factor * target.dtype.type(row[site]))


def numpy_sequential(couplings: np.ndarray, cue: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Sequential recall as usually written: one dot product per visited spin."""
    spins = cue.astype(couplings.dtype)
    for _ in range(1000):
        moved = False
        for site in generator.permutation(spins.size):
            field = couplings[site] @ spins
            if field * spins[site] < 0:
                spins[site] = -spins[site]
                moved = True
        if not moved:
            break
    return spins


def glauber_updates(repeats: int) -> None:
    """Cost of an attempted update and of an accepted flip, N = 2000, P = 200."""
    size, count, sweeps = 2000, 200, 500
    generator = np.random.default_rng(1)
    patterns = draw_patterns(size, count, generator)
    counts = dynamics.hebbian_counts(patterns)
    sites = dynamics.sites_first(patterns)
    single = counts.astype(np.float32)
    order = generator.integers(0, size, 5000)
    axpy = seconds(
        {
            "float32": lambda: axpy_rows(single, np.zeros(size, np.float32), order),
            "int16 on int32": lambda: axpy_rows(counts, np.zeros(size, np.int32), order),
        },
        repeats,
    )
    print(f"\nGlauber N = {size}, P = {count}, from a pattern; axpy of N: ", end="")
    print(", ".join(f"{name} {value / 5000 * 1e9:.0f} ns" for name, value in axpy.items()))
    print("kernel    T      ns/attempt  flips/attempt  ns/flip net of attempts  / axpy float32  / axpy own dtype")
    refused = 0.0
    for temperature in (0.1, 0.3, 0.5, 1.0):
        beta = 1.0 / (size * temperature)

        def dense(passes: int, beta: float = beta) -> int:
            spins = patterns[0].copy()
            local = dynamics.local_fields(counts, spins)
            stream = draw_streams(np.random.default_rng(2), 1)[0]
            return heat_bath_updates(counts, spins, local, np.zeros(size), beta, stream, passes * size)

        def matrix_free(passes: int, beta: float = beta) -> int:
            spins = patterns[0].copy()
            sums = pattern_sums(sites, spins[None])[0]
            stream = draw_streams(np.random.default_rng(2), 1)[0]
            return heat_bath_updates_patterns(sites, spins, sums, beta, stream, passes * size)

        # The difference of a long and a short run leaves out the initial fields.
        runs = {"dense": dense, "patterns": matrix_free}
        times = seconds(
            {f"{name} {passes}": partial(run, passes) for name, run in runs.items() for passes in (0, sweeps)}, repeats
        )
        for name, run in runs.items():
            attempt = (times[f"{name} {sweeps}"] - times[f"{name} 0"]) / (sweeps * size)
            share = run(sweeps) / (sweeps * size)
            line = f"{name:9s} {temperature:4.1f} {attempt * 1e9:11.1f} {share:13.4f}"
            if name == "dense" and share < 0.01:
                refused = attempt
            elif name == "dense":
                flip = (attempt - refused) / share
                own, single_precision = axpy["int16 on int32"] / 5000, axpy["float32"] / 5000
                line += f" {flip * 1e9:20.0f} {flip / single_precision:18.2f} {flip / own:16.2f}"
            print(line)


def recall_of_cues(repeats: int) -> None:
    """Sequential recall of 200 damaged cues, N = 1000, P = 80, 20 % of the spins turned over."""
    size, count, cues = 1000, 80, 200
    generator = np.random.default_rng(3)
    patterns = draw_patterns(size, count, generator)
    starts = patterns[np.arange(cues) % count].copy()
    starts[generator.random(starts.shape) < 0.2] *= -1
    counts = dynamics.hebbian_counts(patterns)
    couplings = counts / size
    times = seconds(
        {
            "dense int16": lambda: dynamics.sequential_descent(counts, starts, np.random.default_rng(4)),
            "dense float64": lambda: dynamics.sequential_descent(couplings, starts, np.random.default_rng(4)),
            "matrix-free": lambda: dynamics.sequential_descent_patterns(patterns, starts, np.random.default_rng(4)),
            "parallel": lambda: dynamics.parallel_dynamics(counts, starts),
            "parallel matrix-free": lambda: dynamics.parallel_dynamics_patterns(patterns, starts),
        },
        repeats,
    )
    some = 10
    peer = seconds(
        {"numpy": lambda: [numpy_sequential(couplings, cue, np.random.default_rng(4)) for cue in starts[:some]]}, 3
    )
    each = peer["numpy"] / some
    print(
        f"\nRecall of {cues} cues, N = {size}, P = {count}: ms per cue"
        f" (NumPy, a dot product per visit: {each * 1e3:.2f})"
    )
    for name, value in times.items():
        print(f"{name:22s} {value / cues * 1e3:8.4f}   {each / (value / cues):7.0f} x")


def parallel_against_gemm(repeats: int) -> None:
    """Rate of batched parallel recall against the bare matrix product in the same run."""
    print("\nParallel steps: share of the bare matrix product's rate, counting the steps that each cue needs")
    for size, count, batch in ((1000, 80, 200), (2000, 200, 200), (2000, 200, 64), (4000, 400, 128)):
        generator = np.random.default_rng(5)
        patterns = draw_patterns(size, count, generator)
        starts = patterns[np.arange(batch) % count].copy()
        starts[generator.random(starts.shape) < 0.45] *= -1
        couplings = dynamics.hebbian_counts(patterns).astype(np.float32)
        configurations = starts.astype(np.float32)
        single = patterns.astype(np.float32)
        run = dynamics.parallel_dynamics(couplings, starts)
        steps = int(run.steps.sum())
        products = seconds(
            {
                "gemm": lambda: configurations @ couplings,
                "dense": lambda: dynamics.parallel_dynamics(couplings, starts),
                "two gemm": lambda: (configurations @ single.T) @ single,
                "patterns": lambda: dynamics.parallel_dynamics_patterns(patterns, starts),
            },
            repeats,
        )
        flops = 2 * batch * size * size / products["gemm"]
        dense = products["gemm"] * (steps / batch) / products["dense"]
        lowrank = products["two gemm"] * (steps / batch) / products["patterns"]
        print(
            f"N {size:5d} P {count:4d} batch {batch:4d} mean steps {steps / batch:5.2f}:"
            f" gemm {flops / 1e9:6.1f} GFlop/s,"
            f" dense {dense:5.2f}, through the patterns {lowrank:5.2f} of their own products"
        )


def dense_or_patterns(repeats: int) -> None:
    """Where building the matrix pays: sequential recall of a batch and Glauber sweeps, both ways."""
    print("\nms dense (building the matrix) | ms matrix-free")
    for size, count in ((500, 25), (500, 100), (1000, 80), (1000, 300), (2000, 200), (2000, 600)):
        generator = np.random.default_rng(6)
        patterns = draw_patterns(size, count, generator)
        starts = patterns[np.arange(200) % count].copy()
        starts[generator.random(starts.shape) < 0.2] *= -1

        def descend(cues: np.ndarray, patterns: np.ndarray = patterns) -> None:
            dynamics.sequential_descent(dynamics.hebbian_counts(patterns), cues, np.random.default_rng(7))

        def descend_free(cues: np.ndarray, patterns: np.ndarray = patterns) -> None:
            dynamics.sequential_descent_patterns(patterns, cues, np.random.default_rng(7))

        def heat(sweeps: int, patterns: np.ndarray = patterns, size: int = size) -> None:
            counts = dynamics.hebbian_counts(patterns)
            dynamics.glauber(counts, patterns[0], 0.3, sweeps, np.random.default_rng(7), scale=1 / size)

        def heat_free(sweeps: int, patterns: np.ndarray = patterns) -> None:
            dynamics.glauber_patterns(patterns, patterns[0], 0.3, sweeps, np.random.default_rng(7))

        pairs = {f"{cues} cues": (descend, descend_free, starts[:cues]) for cues in (1, 20, 200)}
        pairs |= {f"{sweeps} sweeps": (heat, heat_free, sweeps) for sweeps in (280, 2000)}
        cells = []
        for name, (dense, free, work) in pairs.items():
            times = seconds({"dense": partial(dense, work), "free": partial(free, work)}, repeats)
            cells.append(f"{name} {times['dense'] * 1e3:7.2f} | {times['free'] * 1e3:7.2f}")
        print(f"N {size:5d} P {count:4d}:  " + ";  ".join(cells))


def large_recall() -> None:
    """Recall at N = 20,000, P = 2,000 in a process of its own, with its peak memory."""
    code = "from benchmarks.hopfield_kernels import recall_large; recall_large()"
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    print(
        "\n" + subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    )


def recall_large() -> None:
    """Print time, quality and peak memory of a sequential and a Glauber run at N = 20,000, P = 2,000."""
    size, count = 20_000, 2_000
    generator = np.random.default_rng(8)
    begin = time.perf_counter()
    patterns = draw_patterns(size, count, generator)
    drawn = time.perf_counter()
    cue = patterns[0].copy()
    cue[generator.permutation(size)[: size // 10]] *= -1
    descent = dynamics.sequential_descent_patterns(patterns, cue, generator)
    recalled = time.perf_counter()
    dynamics.glauber_patterns(patterns, cue, 0.1, 20, generator)
    heated = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"N = {size}, P = {count}: drawing {drawn - begin:.2f} s, recall {recalled - drawn:.2f} s"
        f" ({int(descent.sweeps)} sweeps, {int(descent.flips)} flips,"
        f" overlap {descent.spins @ patterns[0].astype(int) / size:.4f}),"
        f" 20 Glauber sweeps {heated - recalled:.2f} s, peak memory {peak:.2f} GB"
    )


def compilation() -> None:
    """Time of the first calls, with compiled code cached or not."""
    begin = time.perf_counter()
    patterns = draw_patterns(64, 4, np.random.default_rng(0))
    counts = dynamics.hebbian_counts(patterns)
    generator = np.random.default_rng(0)
    dynamics.sequential_descent(counts, patterns[0], generator)
    dynamics.sequential_descent_patterns(patterns, patterns[0], generator)
    dynamics.glauber(counts, patterns[0], 0.5, 1, generator)
    dynamics.glauber_patterns(patterns, patterns[0], 0.5, 1, generator)
    dynamics.parallel_dynamics(counts, patterns[0])
    print(f"first calls (compiling, or loading the cache): {time.perf_counter() - begin:.2f} s")


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    compilation()
    glauber_updates(repeats)
    recall_of_cues(repeats)
    parallel_against_gemm(repeats)
    dense_or_patterns(min(repeats, 5))
    large_recall()


if __name__ == "__main__":
    main()

"""Binary dense associative memory against a NumPy loop, and the cost of one-step errors of streamed memories.

The loop keeps the overlaps up to date as the compiled kernel does and takes one vector operation per visit; the
plain one, as a first script would have it, computes both energies of each spin anew.

    OMP_NUM_THREADS=1 python benchmarks/dense_memory_binary.py [--stream]

``--stream`` adds one-step errors of 2.8 million memories of 200 spins (degree 5; about 15 s).
"""

import argparse
import time

import numpy as np

from replicon.maths.spins.patterns import pattern_sums
from replicon.maths.spins.streams import draw_streams
from replicon.memory.dense import simulation
from replicon.memory.dense.kernels import descend


def numpy_sweep(memories: np.ndarray, spins: np.ndarray, degree: int, order: np.ndarray) -> None:
    """One sweep with kept overlaps, a vector operation per visit, in place."""
    sums = (memories.astype(np.int64) @ spins).astype(float)
    columns = memories.T.astype(float)
    for site in order:
        column = columns[site]
        others = sums - column * spins[site]
        drive = column @ ((others + 1) ** degree - (others - 1) ** degree)
        if spins[site] * drive < 0:
            spins[site] = -spins[site]
            sums += 2 * spins[site] * column


def plain_sweep(memories: np.ndarray, spins: np.ndarray, degree: int, order: np.ndarray) -> None:
    """One sweep that computes the energies of both values of a spin anew, in place."""
    wide = memories.astype(float)
    for site in order:
        energies = []
        for value in (1, -1):
            spins[site] = value
            energies.append(-np.sum((wide @ spins) ** degree))
        spins[site] = 1 if energies[0] <= energies[1] else -1


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--stream", action="store_true", help="also 2.8 million memories of 200 spins")
    chosen = options.parse_args()
    print(f"{'N':>5}{'n':>3}{'K':>8}{'kernel us/visit':>17}{'numpy':>9}{'plain':>9}{'ratios':>16}")
    for size, degree, load in ((150, 3, 0.05), (200, 3, 0.05), (100, 4, 0.01), (60, 5, 0.0015)):
        random = np.random.default_rng(0)
        memories = simulation.draw_memories(size, round(load * size ** (degree - 1)), random)
        start = simulation.start_from(memories[0], 0.8, random)
        table, sites = simulation.difference_table(size, degree, "power"), np.ascontiguousarray(memories.T)

        def kernel(repeats: int, sites=sites, start=start, table=table) -> tuple[float, np.ndarray]:
            began = time.process_time()
            for _ in range(repeats):
                spins, stream = start.copy(), draw_streams(np.random.default_rng(1), 1)[0]
                sums = pattern_sums(sites, spins[None])[0]
                descend(sites, spins, sums, table, np.arange(start.size), stream, 1)
            return (time.process_time() - began) / repeats, spins

        kernel(1)
        fast, _ = kernel(50)
        slow = []
        for sweep in (numpy_sweep, plain_sweep):
            spins = start.astype(float) if sweep is plain_sweep else start.copy().astype(np.int64)
            began = time.process_time()
            sweep(memories, spins, degree, random.permutation(size))
            slow.append(time.process_time() - began)
        each = 1e6 / size
        print(
            f"{size:>5}{degree:>3}{memories.shape[0]:>8}{fast * each:>17.3f}{slow[0] * each:>9.1f}"
            f"{slow[1] * each:>9.0f}{slow[0] / fast:>8.0f}{slow[1] / fast:>8.0f}",
            flush=True,
        )
    if chosen.stream:
        began = time.process_time()
        errors = simulation.streamed_errors(200, [2_800_000], np.random.default_rng(0), 5)
        seconds = time.process_time() - began
        print(f"2.8 million memories of 200 spins, n = 5, 32 starts: {errors[0]:.4f} errors, {seconds:.1f} CPU-s")


if __name__ == "__main__":
    main()

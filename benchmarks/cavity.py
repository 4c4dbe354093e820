"""Steepest descent of 1000 cues beside a NumPy loop, the largest size, and the crossover of the cavity with its width.

CPU seconds on one thread, median of the repeats, compile time apart; no peer is public. Two NumPy loops are timed, one
that recomputes all fields at every flip and one that keeps them.

    python benchmarks/cavity.py [--repeats 5] [--largest 4000] [--crossover] [--draws 40]
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from replicon.maths.spins import energy
from replicon.maths.spins.steepest import steepest_descent
from replicon.memory.cavity import simulation
from replicon.memory.cavity.basins import count_attractors

SPINS, CUES = 200, 1000
SIZES = (50, 100, 200, 400, 800)
WIDTHS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1.0)


def naive(couplings: np.ndarray, cues: np.ndarray) -> np.ndarray:
    """One cue at a time, all fields anew at every flip."""
    ends = cues.astype(float)
    for spins in ends:
        while True:
            stability = spins * (couplings @ spins)
            site = stability.argmin()
            if stability[site] >= 0:
                break
            spins[site] = -spins[site]
    return ends


def kept_fields(couplings: np.ndarray, cues: np.ndarray) -> np.ndarray:
    """One cue at a time, fields updated at every flip."""
    ends = cues.astype(float)
    for spins in ends:
        fields = couplings @ spins
        while True:
            stability = spins * fields
            site = stability.argmin()
            if stability[site] >= 0:
                break
            spins[site] = -spins[site]
            fields += 2 * spins[site] * couplings[site]
    return ends


def cpu_seconds(function: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return statistics.median(times)


def speed(repeats: int) -> None:
    """Print the time per cue from random starts in the cavity and in the spin glass."""
    generator = np.random.default_rng(0)
    start = time.process_time()
    steepest_descent(np.zeros((2, 2)), np.ones((1, 2)))
    print(f"first call {time.process_time() - start:.2f} s (compiles, or loads what was compiled)")
    cavity = simulation.cavity_couplings(simulation.draw_positions(SPINS, 1.0, generator))
    for name, couplings in (("cavity w = 1", cavity), ("spin glass", simulation.glass_couplings(SPINS, generator))):
        cues = simulation.random_spins(CUES, SPINS, generator)
        run = steepest_descent(couplings, cues)
        ours = cpu_seconds(lambda: steepest_descent(couplings, cues), repeats)
        print(f"{name}, N = {SPINS}, {CUES} cues, {run.flips.mean():.1f} flips each: {ours:.4f} s")
        for label, loop in (("all fields anew", naive), ("fields kept", kept_fields)):
            same = (loop(couplings, cues) == run.spins).all(axis=1).mean()
            theirs = cpu_seconds(lambda: loop(couplings, cues), max(repeats // 2, 1))
            print(f"  NumPy loop, {label}: {theirs:.3f} s, {theirs / ours:.0f} times as long, same ends {same:.3f}")


def largest(size: int) -> None:
    """Print time and memory of dense float32 couplings."""
    generator = np.random.default_rng(1)
    positions = simulation.draw_positions(size, 1.0, generator).astype(np.float32)
    couplings = np.cos(2 * positions @ positions.T).astype(np.float32)
    np.fill_diagonal(couplings, 0)
    cues = simulation.random_spins(10, size, generator)
    start = time.process_time()
    run = steepest_descent(couplings, cues)
    seconds = time.process_time() - start
    before, after = (np.mean(energy(couplings, states)) / size**2 for states in (cues, run.spins))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"N = {size}, float32, 10 starts: {seconds:.2f} s, {run.flips.mean():.0f} flips each, all converged: "
        f"{run.converged.all()}, e/N {before:.4f} -> {after:.4f}, peak memory of the process {memory:.2f} GiB"
    )


def crossover(draws: int) -> None:
    """Print mean numbers of attractors, the share of draws with more than one, and the width where it is a half."""
    print(f"attractors of 300 starts under steepest descent, {draws} draws: mean (share of draws with more than one)")
    print("N     " + "  ".join(f"w={width:<9}" for width in WIDTHS) + "half at")
    for size in SIZES:
        counts = [count_attractors(width, size, draws=draws, seed=5) for width in WIDTHS]
        shares = np.array([(found > 1).mean() for found in counts])
        above = int(np.argmax(shares >= 0.5))
        slope = (WIDTHS[above] - WIDTHS[above - 1]) / (shares[above] - shares[above - 1])
        half = WIDTHS[above - 1] + slope * (0.5 - shares[above - 1])
        cells = "  ".join(f"{c.mean():5.2f} ({s:.2f})" for c, s in zip(counts, shares, strict=True))
        print(f"{size:<5} {cells} {half:.3f}", flush=True)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--largest", type=int, default=4000)
    parser.add_argument("--crossover", action="store_true")
    parser.add_argument("--draws", type=int, default=40)
    options = parser.parse_args()
    with threadpool_limits(1):
        speed(options.repeats)
        largest(options.largest)
        if options.crossover:
            crossover(options.draws)


if __name__ == "__main__":
    main()

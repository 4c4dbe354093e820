"""Recall of 200 damaged patterns, N = 1000, P = 80, 20 % of the bits flipped: Replicon beside its peer and BLAS.

CPU seconds on one thread, median of the repeats, everything measured in this run; compile time apart. Cues are the
same for all. The peer (requirements-peers.txt) is left out with a note where it is not installed; Replicon and its
rules need nothing of it.

    python benchmarks/hopfield_recall.py [--repeats 7] [--peer-cues 20]
"""

import argparse
import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable

# Before Numba is imported: an empty cache, so that the first call of each kernel shows its compilation.
os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="recall-kernels-")

import numpy as np
from threadpoolctl import threadpool_limits

from replicon.maths.spins.parallel import parallel_dynamics
from replicon.memory.hopfield.memory import HopfieldMemory
from replicon.memory.hopfield.storage import correlated_patterns, flip_bits

NEURONS, PATTERNS, CUES, FLIPPED, STEPS = 1000, 80, 200, 0.2, 10


def cpu_seconds(function: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return statistics.median(times)


def time_peer(patterns: np.ndarray, cues: np.ndarray, stored: np.ndarray, repeats: int) -> float | None:
    """CPU seconds per cue of hopfieldkit's sequential recall, None where it is not installed."""
    if importlib.util.find_spec("hopfieldkit") is None:
        return None
    from hopfieldkit.hebbian import HopfieldNetwork

    network = HopfieldNetwork(patterns.shape[1])
    network.fit(patterns)
    final = np.array([network.recall(cue, seed=index) for index, cue in enumerate(cues)])
    print(f"  hopfieldkit: mean overlap {np.mean(final * stored):.4f}")
    seconds = cpu_seconds(lambda: [network.recall(cue, seed=index) for index, cue in enumerate(cues)], repeats)
    return seconds / len(cues)


def sequential(patterns: np.ndarray, cues: np.ndarray, wanted: np.ndarray, repeats: int, peer_cues: int) -> None:
    """Print sequential recall per cue, and the ratio to the peer."""
    print(f"sequential recall, {CUES} cues; the first call compiles")
    for rule in ("hebb", "storkey", "pinv"):
        memory = HopfieldMemory(rule=rule, random_state=0).fit(patterns)
        start = time.process_time()
        memory.transform(cues[:1])
        first = time.process_time() - start
        overlap = memory.score(cues, wanted)
        seconds = cpu_seconds(lambda memory=memory: memory.transform(cues), repeats) / CUES
        print(f"  {rule:<8} {seconds * 1e3:8.4f} ms/cue, mean overlap {overlap:.4f}, first call {first:.2f} s")
        if rule == "hebb":
            ours = seconds
    peer = time_peer(patterns, cues[:peer_cues], patterns[wanted[:peer_cues]], max(repeats // 2, 3))
    if peer is None:
        print("  hopfieldkit is not installed: pip install -r benchmarks/requirements-peers.txt")
    else:
        print(f"  hopfieldkit {peer * 1e3:.3f} ms/cue: ratio {peer / ours:.1f} (target 20)")


def parallel(patterns: np.ndarray, cues: np.ndarray, repeats: int) -> None:
    """Print the rate of parallel recall through the matrix, as a share of the bare matrix products'."""
    print(f"parallel recall, {CUES} cues, {STEPS} steps")
    # Noise instead of damaged patterns keeps every cue moving for all the steps.
    noise = np.where(np.random.default_rng(1).random(cues.shape) < 0.5, 1, -1).astype(np.int8)
    couplings = HopfieldMemory().fit(patterns).couplings_.astype(np.float32)
    batch = noise.astype(np.float32)

    def products() -> None:
        for _ in range(STEPS):
            batch @ couplings

    run = parallel_dynamics(couplings, noise, max_steps=STEPS)
    made = run.steps.sum() / (CUES * STEPS)
    bare = cpu_seconds(products, repeats)
    dense = cpu_seconds(lambda: parallel_dynamics(couplings, noise, max_steps=STEPS), repeats)
    work = 2 * CUES * STEPS * NEURONS**2
    print(f"  bare gemm {work / bare / 1e9:.1f} GFLOP/s; recall on the matrix {made * work / dense / 1e9:.1f} GFLOP/s")
    print(f"  share of the gemm rate {made * bare / dense:.2f} (target 0.5), {made:.0%} of the steps made")
    for rule in ("hebb", "pinv"):
        memory = HopfieldMemory(rule=rule, dynamics="parallel", max_sweeps=STEPS).fit(patterns)
        memory.transform(noise)
        seconds = cpu_seconds(lambda memory=memory: memory.transform(noise), repeats)
        form = "through the patterns" if rule == "hebb" else "float64 matrix"
        print(f"  HopfieldMemory, {rule} ({form}): {seconds * 1e3:.1f} ms, bare float32 products {bare * 1e3:.1f} ms")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument("--peer-cues", type=int, default=20)
    chosen = options.parse_args()
    generator = np.random.default_rng(0)
    patterns = correlated_patterns(PATTERNS, NEURONS, 0.0, generator)
    wanted = np.arange(CUES) % PATTERNS
    cues = flip_bits(patterns[wanted], FLIPPED, generator)
    with threadpool_limits(1):
        sequential(patterns, cues, wanted, chosen.repeats, chosen.peer_cues)
        parallel(patterns, cues, chosen.repeats)


if __name__ == "__main__":
    main()

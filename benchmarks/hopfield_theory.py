"""Time of the Hopfield theory: one point after compilation, and the 60 x 60 phase diagram with its four lines.

Targets: a point under 5 ms; the diagram under 30 s on one core, compilation counted.

    taskset -c 0 python benchmarks/hopfield_theory.py
"""

import statistics
import time

import numpy as np

from replicon.memory import Hopfield
from replicon.memory.hopfield import phase_diagram


def main() -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    diagram = phase_diagram()
    print(
        f"phase diagram {dict(diagram.theory.sizes)} with {len(diagram.boundaries)} lines, compilation counted: "
        f"{time.perf_counter() - wall:.1f} s wall, {time.process_time() - cpu:.1f} s CPU"
    )
    wall = time.perf_counter()
    phase_diagram()
    print(f"the same again, compiled: {time.perf_counter() - wall:.2f} s")
    for title, temperature in (("T = 0", 0.0), ("T = 0.3", 0.3)):
        points = [Hopfield(load=load, temperature=temperature) for load in np.linspace(0.02, 0.09, 40)]
        points[0].theory()
        times = []
        for point in points:
            began = time.perf_counter()
            point.theory()
            times.append(time.perf_counter() - began)
        print(f"one point, {title}: median {1e3 * statistics.median(times):.2f} ms, largest {1e3 * max(times):.2f} ms")


if __name__ == "__main__":
    main()

"""What `compare` costs over calling the kernel in a bare loop.

Targets: at most 5 % for realisations of 50 ms or more, at most 1 ms per realisation otherwise. Both loops draw and
measure the same instances in the same process; rounds alternate, medians of CPU time are quoted.

    python benchmarks/compare_overhead.py
"""

import statistics
import time

from replicon import compare
from replicon.core.realization import single_threaded
from replicon.core.seeds import generator, realization_seed
from replicon.memory import Hopfield
from replicon.memory.hopfield import simulation

ROUNDS = 5


def bare(model: Hopfield, size: int, realizations: int) -> None:
    """The loop that a user would write, without the library's core."""
    with single_threaded():
        for index in range(realizations):
            seed = realization_seed(0, model.identity(), size, index)
            patterns = simulation.draw_patterns(size, round(model.load * size), generator(seed, "patterns"))
            noise = generator(seed, "replica a"), generator(seed, "replica b")
            if model.temperature > 0:
                simulation.measure_glauber(patterns, patterns[0].copy(), model.temperature, *noise)
            else:
                simulation.measure_descent(patterns, patterns[0].copy(), generator(seed, "dynamics"))


def seconds(call) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def main() -> None:
    cases = [
        ("descent, N = 200", Hopfield(load=0.05), 200, 400),
        ("descent, N = 2000", Hopfield(load=0.05), 2000, 100),
        ("two replicas, N = 1000", Hopfield(load=0.05, temperature=0.5), 1000, 60),
        ("two replicas, N = 6000", Hopfield(load=0.1, temperature=0.5), 6000, 6),
    ]
    print(f"{'case':<26}{'realisation':>14}{'bare loop':>12}{'compare':>12}{'overhead':>22}")
    for title, model, size, count in cases:
        model.theory(size=size)
        bare(model, size, 2)
        pairs = [
            (seconds(lambda: bare(model, size, count)), seconds(lambda: compare(model, [size], count)))
            for _ in range(ROUNDS)
        ]
        loop, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
        extra = statistics.median((b - a) / count for a, b in pairs)
        print(
            f"{title:<26}{1e3 * loop / count:>11.2f} ms{loop:>10.3f} s{ours:>10.3f} s"
            f"{1e3 * extra:>11.3f} ms = {100 * extra * count / loop:5.1f} %"
        )


if __name__ == "__main__":
    main()

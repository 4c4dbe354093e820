"""How many patterns each learning rule holds, on the same patterns: random, correlated and handwritten digits.

Loads P/N, mean +- standard error over draws, at which 95 % of the stored patterns are fixed points, and at which 95 %
are recalled (overlap at least 0.95) after 10 % of the bits were flipped.

    python benchmarks/hopfield_rule_capacity.py [--neurons 200] [--realizations 8]
"""

import argparse

import numpy as np
from sklearn.datasets import load_digits

from replicon.memory.hopfield.storage import correlated_patterns, storage_capacity


def distinct_digits() -> np.ndarray:
    """Binarise the 8 x 8 digits (ink above half), drop repeated images and pixels that never change."""
    spins = np.where(load_digits().data > 7.5, 1, -1)
    spins = np.unique(spins, axis=0)
    return spins[:, np.ptp(spins, axis=0) > 0]


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--neurons", type=int, default=200)
    options.add_argument("--realizations", type=int, default=8)
    chosen = options.parse_args()
    neurons = chosen.neurons
    digits = distinct_digits()
    kinds = {
        "random": lambda generator: correlated_patterns(int(2.4 * neurons), neurons, 0.0, generator),
        "correlation 0.2": lambda generator: correlated_patterns(int(2.4 * neurons), neurons, 0.2, generator),
        f"digits, N={digits.shape[1]}": lambda generator: generator.permutation(digits)[: int(2.4 * digits.shape[1])],
    }
    rules = {
        "hebb": {"rule": "hebb"},
        "hebb, J_ii kept": {"rule": "hebb", "self_coupling": True},
        "storkey": {"rule": "storkey"},
        "pinv": {"rule": "pinv"},
        "pinv, J_ii kept": {"rule": "pinv", "self_coupling": True},
        "gardner": {"rule": "gardner"},
    }
    print(f"N = {neurons}, {chosen.realizations} draws of the patterns, the same for all rules")
    print(f"{'patterns':<18}{'rule':<18}{'fixed points':>18}{'from 10 % flips':>20}")
    for kind, draw in kinds.items():
        for rule, parameters in rules.items():
            measured = storage_capacity(draw, realizations=chosen.realizations, seed=1, parameters=parameters)
            cells = [f"{mean:.4f} +- {error:.4f}" for mean, error in measured.summary().values()]
            print(f"{kind:<18}{rule:<18}{cells[0]:>18}{cells[1]:>20}", flush=True)


if __name__ == "__main__":
    main()

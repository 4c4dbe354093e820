"""The load at which half of the Hopfield networks lose a stored pattern, at several sizes, and its limit.

Descent at T = 0 from a stored pattern; a draw succeeds where the final overlap is at least 0.8. The theory's spinodal
is at 0.1379056.

    python benchmarks/hopfield_spinodal.py [--sizes 500,1000,2000,4000] [--draws 1500] [--workers 1] [--figures FOLDER]
"""

import argparse
import time
from pathlib import Path

from replicon import boundary, collapse
from replicon.memory import Hopfield


def main() -> None:
    """Measure, extrapolate, collapse and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", default="500,1000,2000,4000")
    options.add_argument("--draws", type=int, default=1500)
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--figures", type=Path)
    chosen = options.parse_args()
    begin = time.perf_counter()
    line = boundary(
        Hopfield,
        "load",
        between=(0.1, 0.25),
        simulation=True,
        sizes=[int(size) for size in chosen.sizes.split(",")],
        realizations=chosen.draws,
        workers=chosen.workers,
    )
    print(f"{'N':>6}{'50 % load':>12}{'error':>9}{'bootstrap':>11}{'width':>9}{'chi2/dof':>12}{'draws':>7}")
    for size in line["size"].values:
        at = line.sel(size=size)
        fit = f"{float(at['chi_square']):.1f}/{int(at['degrees_of_freedom'])}"
        numbers = [float(at[name]) for name in ("boundary", "boundary_error", "bootstrap_error", "width")]
        print(f"{size:>6}{numbers[0]:>12.5f}{numbers[1]:>9.5f}{numbers[2]:>11.5f}{numbers[3]:>9.5f}", end="")
        print(f"{fit:>12}{int(at['draws']):>7}")
    limit, error = float(line["extrapolated"]), float(line["extrapolated_error"])
    freedom = line.sizes["size"] - 2
    slope, slope_error = float(line["slope"]), float(line["slope_error"])
    quality = f"chi2/dof = {float(line['extrapolation_chi_square']):.2f}/{freedom}"
    print(f"a + b N^-1/2: a = {limit:.5f} +- {error:.5f}, b = {slope:.4f} +- {slope_error:.4f}, {quality}")
    theory = float(line["theory"])
    print(f"theory's spinodal: {theory:.7f}, z = {(limit - theory) / error:+.2f}")
    for options_of in ({}, {"inverse_nu": 0.5}):
        scaled = collapse(line, **options_of)
        print(f"{scaled} {'with 1/nu = 1/2 given' if options_of else ''}")
        print(f"  1/nu = {float(scaled['inverse_nu']):.4f} +- {float(scaled['inverse_nu_error']):.4f}")
    print(f"{time.perf_counter() - begin:.0f} s")
    if chosen.figures:
        chosen.figures.mkdir(parents=True, exist_ok=True)
        line.plot().savefig(chosen.figures / "hopfield_spinodal.png", dpi=150)
        scaled.plot().savefig(chosen.figures / "hopfield_collapse.png", dpi=150)


if __name__ == "__main__":
    main()

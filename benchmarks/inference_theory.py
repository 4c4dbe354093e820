"""Speed of the theory of M-estimation, beside a plain NumPy iteration of the same equations.

    python benchmarks/inference_theory.py

Targets: a point within 5 ms once compiled, a phase diagram of 64 x 64 points (load x noise) within 10 s on two cores.
"""

import time
from collections.abc import Callable

import numpy as np

from replicon.inference.bayes_linear.theory import bayes_linear
from replicon.inference.m_estimation.theory import m_estimation

LAPLACE = {"noise": "laplace", "signal": "laplace"}
CASES = {
    "MAP (absolute, lasso), Laplace": {"loss": "absolute", "penalty": "lasso", **LAPLACE},
    "Huber and lasso, Bernoulli-Gauss": {
        "loss": "huber", "penalty": "lasso", "noise": "laplace", "signal": "bernoulli_gauss", "sparsity": 0.2,
    },
    "lasso, Gaussian noise, Bernoulli-Gauss": {
        "loss": "square", "penalty": "lasso", "signal": "bernoulli_gauss", "sparsity": 0.2,
    },
    "optimal, Laplace": {"loss": "optimal", "penalty": "optimal", **LAPLACE},
    "Huber and lasso, Student noise": {"loss": "huber", "penalty": "lasso", "noise": "student", "signal": "laplace"},
}  # fmt: skip


def numpy_map(load: float, points: int = 6001, tolerance: float = 1e-8) -> float:
    """Error of MAP for Laplace noise and signal by damped iteration on a grid; smoothed densities by convolution."""
    x = np.linspace(-25, 25, points)
    dx = x[1] - x[0]
    source = np.exp(-np.sqrt(2) * np.abs(x)) / np.sqrt(2)

    def smoothed(q: float) -> tuple[np.ndarray, np.ndarray]:
        reach = int(np.ceil(8 * np.sqrt(q) / dx))
        y = np.arange(-reach, reach + 1) * dx
        kernel = np.exp(-0.5 * y**2 / q)
        kernel /= kernel.sum()
        density = np.convolve(source, kernel, "same")
        return density * dx, np.gradient(density, dx) / np.maximum(density, 1e-300)

    q, step = 1.0, 1.0
    for _ in range(500):
        weight, score = smoothed(q)
        slope = np.clip(x / step, -1, 1)
        curvature = -np.sum(weight * slope * score)
        noise, coefficient = np.sum(weight * slope**2) / (load * curvature**2), 1 / (load * curvature)
        weight, score = smoothed(noise)
        h = x - np.clip(x, -coefficient, coefficient)
        mean_slope = -np.sum(weight * h * score)
        new = np.array([np.sum(weight * (h - x) ** 2) + 2 * noise * mean_slope - noise, coefficient * mean_slope])
        change = np.max(np.abs(np.log(new / [q, step])))
        q, step = np.sqrt(new * [q, step])
        if change < tolerance:
            break
    return float(q)


def clock(function: Callable[[], object], repeats: int = 20, timer: Callable[[], float] = time.perf_counter) -> float:
    """Smallest time of a call, after one that compiles."""
    function()
    times = []
    for _ in range(repeats):
        start = timer()
        function()
        times.append(timer() - start)
    return min(times)


def both(function: Callable[[], object]) -> str:
    """Wall and CPU milliseconds: the first counts, the second is less disturbed by other work on the machine."""
    return f"{1e3 * clock(function):8.2f} {1e3 * clock(function, timer=time.process_time):8.2f}"


def main() -> None:
    """Print the table."""
    print(f"{'one point, milliseconds':<44} {'wall':>8} {'CPU':>8}")
    for title, words in CASES.items():
        print(f"  {title:<42} {both(lambda words=words: m_estimation(1.3, **words))}")
    hard = {"noise_variance": 1e-4, "sparsity": 0.4}
    print(f"  {'Bayes, both branches':<42} {both(lambda: bayes_linear(0.55, **hard))}")
    reference = clock(lambda: numpy_map(1.3), repeats=2)
    ours = m_estimation(1.3, **CASES["MAP (absolute, lasso), Laplace"]).values["estimation_error"]
    print(
        f"  {'MAP, NumPy on a grid':<42} {1e3 * reference:8.2f}   (relative difference {numpy_map(1.3) / ours - 1:.1e})"
    )
    load, noise = np.meshgrid(np.linspace(0.3, 4, 64), np.geomspace(0.05, 5, 64), indexing="ij")
    print("64 x 64 points (load x noise variance), wall seconds")
    for title in ("MAP (absolute, lasso), Laplace", "optimal, Laplace"):
        words = CASES[title]
        start = time.perf_counter()
        _, status = m_estimation(load, noise_variance=noise, **words)
        first = time.perf_counter() - start
        again = clock(lambda words=words: m_estimation(load, noise_variance=noise, **words), repeats=1)
        print(f"  {title:<42} {again:8.2f}   first call {first:.2f}, not converged {np.count_nonzero(status)}")


if __name__ == "__main__":
    main()

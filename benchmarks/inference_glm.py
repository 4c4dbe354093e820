"""Speed of generalised linear estimation, beside scikit-learn, and its learning curves as a figure.

Targets: a point of state evolution at most 10 ms once compiled; 50 loads of five estimators at most 5 s;
a logistic fit of 20000 samples with 2000 features no slower than scikit-learn's lbfgs to the same norm of the gradient.

With ``--figure`` instead: test errors of five estimators against the load, and double descent with and without the
best penalty, theory as lines and trained students as points; prints how many standard errors lie between them.

    python benchmarks/inference_glm.py [--samples 20000] [--features 2000] [--figure curves.png]
"""

import argparse
import statistics
import time

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from replicon.core.realization import realize
from replicon.core.system import System
from replicon.inference import GeneralizedLinear, Ridge, fit_logistic
from replicon.inference.generalized_linear import estimate

LOSSES = ("square", "hinge", "logistic", "max_margin", "bayes")


def curves() -> None:
    load = np.linspace(0.2, 10, 50)
    for title in ("compilation counted", "compiled"):
        began = time.perf_counter()
        for loss in LOSSES:
            estimate(load, 0.5, loss)
        print(f"50 loads of five estimators, {title}: {time.perf_counter() - began:.2f} s")


def points() -> None:
    for loss in LOSSES:
        times = []
        for load in np.linspace(0.5, 8, 21):
            system = GeneralizedLinear(load=load, loss=loss)
            began = time.perf_counter()
            system.theory()
            times.append(time.perf_counter() - began)
        print(f"one point, {loss}: median {1e3 * statistics.median(times[1:]):.2f} ms, first {times[0]:.2f} s")


def fits(samples: int, features: int, penalty: float = 1.0) -> None:
    stream = np.random.default_rng(0)
    matrix = stream.standard_normal((samples, features)) / np.sqrt(features)
    weights = 3 * stream.standard_normal(features)
    labels = np.where(stream.random(samples) < expit(matrix @ weights), 1.0, -1.0)

    def gradient(w: np.ndarray) -> float:
        return float(np.linalg.norm(penalty * w - (labels * expit(-labels * (matrix @ w))) @ matrix))

    for tolerance in (1e-4, 1e-6):
        # scikit-learn stops on the largest entry of the gradient of the mean loss.
        peer = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=tolerance / samples, max_iter=1000)
        began = time.perf_counter()
        peer.fit(matrix, labels)
        theirs, reached = time.perf_counter() - began, gradient(peer.coef_[0])
        began = time.perf_counter()
        ours = fit_logistic(matrix, labels, penalty, tolerance=reached)
        mine = time.perf_counter() - began
        print(
            f"logistic fit {samples} x {features}, gradient {reached:.1e}: scikit-learn {theirs:.2f} s "
            f"({peer.n_iter_[0]} "
            f"steps), ours {mine:.2f} s ({ours.iterations} steps, {ours.gradient:.1e}), ratio {mine / theirs:.2f}"
        )


def students(system: System, name: str, size: int, draws: int) -> tuple[float, float, float]:
    """Mean and standard error of an observable over draws, and their distance from theory in standard errors."""
    values = realize(system, size, range(draws), seed=0).values[name]
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(draws))
    return mean, error, (mean - float(getattr(system.theory(size=size), name))) / error


def figure(path: str, size: int = 300, draws: int = 16) -> None:
    left, right = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")[1]
    penalties = {"square": np.pi / 2 - 1, "hinge": 0.5, "logistic": 0.1, "max_margin": 0.1, "bayes": 0.1}
    titles = {"square": "ridge, best λ", "hinge": "hinge, λ = 0.5", "logistic": "logistic, λ = 0.1"}
    titles |= {"max_margin": "largest margin", "bayes": "Bayes"}
    line, points, scores = np.geomspace(0.25, 8, 60), np.geomspace(0.3, 6, 6), []
    for colour, (loss, penalty) in enumerate(penalties.items()):
        theory = GeneralizedLinear(load=line, loss=loss, penalty_level=penalty).theory()
        left.plot(line, theory.test_error_01, color=f"C{colour}", label=titles[loss])
        for load in points:
            system = GeneralizedLinear(load=float(load), loss=loss, penalty_level=penalty)
            mean, error, score = students(system, "test_error_01", size, draws)
            scores.append(score)
            left.errorbar(load, mean, 2 * error, fmt="o", ms=4, color=f"C{colour}")
    left.set(xscale="log", xlabel="load α", ylabel="test error E_gen", title=f"sign teacher; points: d = {size}")
    left.legend(frameon=False)
    aspects = np.geomspace(0.2, 5, 81)
    for colour, (penalty, title) in enumerate(((1e-3, "λ = 0.001"), (0.25, "best λ = noise / signal"))):
        theory = Ridge(aspect=aspects, penalty_level=penalty).theory()
        right.plot(aspects, theory.test_error, color=f"C{colour}", label=title)
        right.plot(aspects, theory.train_error, "--", color=f"C{colour}")
        for aspect in np.geomspace(0.25, 4, 7):
            system = Ridge(aspect=float(aspect), penalty_level=penalty)
            mean, error, score = students(system, "test_error", size, draws)
            scores.append(score)
            right.errorbar(aspect, mean, 2 * error, fmt="o", ms=4, color=f"C{colour}")
    right.set(
        xscale="log", yscale="log", ylim=(0.02, 30), xlabel="aspect p/n", ylabel="squared error (dashed: training)"
    )
    right.set_title("ridge regression: double descent")
    right.legend(frameon=False)
    for axis, ticks in ((left, (0.3, 1, 3, 8)), (right, (0.2, 0.5, 1, 2, 5))):
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_xticks([], minor=True)
    plt.savefig(path, dpi=110)
    array = np.abs(scores)
    print(f"{path}: {len(array)} points, {np.mean(array < 1):.0%} within 1, largest {array.max():.1f} standard errors")


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed and learning curves of generalised linear estimation.")
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=2_000)
    parser.add_argument("--figure")
    arguments = parser.parse_args()
    if arguments.figure:
        figure(arguments.figure)
        return
    curves()
    points()
    fits(arguments.samples, arguments.features)


if __name__ == "__main__":
    main()

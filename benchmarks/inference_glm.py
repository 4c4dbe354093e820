"""Speed of generalised linear estimation: state evolution, and the logistic fit beside scikit-learn.

Targets: a point of state evolution at most 10 ms once compiled; 50 loads of five estimators at most 5 s;
a logistic fit of 20000 samples with 2000 features no slower than scikit-learn's lbfgs to the same norm of the gradient.

    python benchmarks/inference_glm.py [samples features]
"""

import statistics
import sys
import time

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from replicon.inference import GeneralizedLinear, fit_logistic
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


def main() -> None:
    curves()
    points()
    fits(*(int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (20_000, 2_000))


if __name__ == "__main__":
    main()

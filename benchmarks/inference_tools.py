"""Acceptance of the regression tools over many splits: prediction, gain, coverage.

Run: OPENBLAS_NUM_THREADS=1 python benchmarks/inference_tools.py [splits]

Per law of noise and coefficients it prints mean +- standard error of the estimation errors of the estimator with
estimated densities, with the true ones, and of the best cross-validated ridge, lasso and Huber ridge; the share of the
gain that estimated densities reach; predicted over measured test error; and the coverage of 95 % intervals.
"""

import sys
import time

import numpy as np

from replicon.inference import OptimalMEstimator, confidence_intervals, fit_separable, tune_penalty
from replicon.inference.high_dim_theory import as_noise, as_prior

SAMPLES, FEATURES = 300, 200
LAWS = {
    "laplace/laplace": ("laplace", "laplace", 1.0),
    "gaussian/gaussian": ("gaussian", "gaussian", 1.0),
    "laplace/gaussian": ("laplace", "gaussian", 0.25),
    "student/laplace": ("student", "laplace", 1.0),
}


def draw(law, size, generator):
    if law == "laplace":
        return generator.laplace(scale=0.5**0.5, size=size)
    if law == "student":
        return generator.standard_t(3, size=size) / np.sqrt(3)
    return generator.standard_normal(size)


def split(noise, prior, variance, seed):
    generator = np.random.default_rng(seed)
    X = generator.standard_normal((SAMPLES, FEATURES)) / np.sqrt(FEATURES)
    signal = draw(prior, FEATURES, generator)
    y = X @ signal + np.sqrt(variance) * draw(noise, SAMPLES, generator)
    auto = OptimalMEstimator(fit_intercept=False).fit(X, y)
    known = OptimalMEstimator(as_noise(noise, variance), as_prior(prior), fit_intercept=False).fit(X, y)
    peers = []
    for loss, penalty in (("square", "ridge"), ("square", "lasso"), ("huber", "ridge")):
        scale = 0.7 * np.sqrt(variance)
        found = tune_penalty(
            X, y, loss, penalty, loss_scale=scale, method="cross_validation", levels=np.geomspace(0.03, 10, 11)
        )
        fit = fit_separable(X, y, loss, penalty, loss_scale=scale, penalty_level=found.penalty_level)
        peers.append(np.mean((fit.coefficients - signal) ** 2))
    coverage = confidence_intervals(X, y, "huber", "ridge", loss_scale=np.sqrt(variance), penalty_level=0.5).coverage(
        signal
    )
    errors = [np.mean((m.coef_ - signal) ** 2) for m in (auto, known)]
    return [*errors, *peers, auto.predicted_test_mse_, known.predicted_test_mse_, coverage]


def main(splits=50):
    for name, (noise, prior, variance) in LAWS.items():
        begin = time.perf_counter()
        rows = np.array([split(noise, prior, variance, seed) for seed in range(splits)])
        mean, error = rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(splits)
        best = 2 + int(np.argmin(mean[2:5]))
        print(f"{name}, {splits} splits of {SAMPLES} x {FEATURES}, {time.perf_counter() - begin:.0f} s")
        for label, k in (("auto", 0), ("known", 1), ("ridge cv", 2), ("lasso cv", 3), ("huber ridge cv", 4)):
            print(f"  error {label:15s} {mean[k]:.4f} +- {error[k]:.4f}")
        gain = mean[best] - mean[0], mean[best] - mean[1]
        paired = (rows[:, best] - rows[:, 0]).std(ddof=1) / np.sqrt(splits)
        print(f"  gain over the best of them: auto {gain[0]:.4f} +- {paired:.4f}, known {gain[1]:.4f}")
        print(f"  auto against ridge: {mean[0] / mean[2] - 1:+.2%} of the error")
        for label, test, k in (("auto", 5, 0), ("known", 6, 1)):
            print(f"  predicted / measured test error, {label}: {mean[test] / (mean[k] + variance):.4f}")
        print(f"  coverage of 95 % intervals: {mean[7]:.4f} +- {error[7]:.4f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)

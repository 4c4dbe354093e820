"""Acceptance of the regression tools over many splits: error, gain, prediction of the test error, coverage.

Run: OPENBLAS_NUM_THREADS=1 python benchmarks/inference_tools.py [splits [samples features]]
(samples and features are those of the independent entries; when given, the real designs are left out)

Per law of noise / coefficients it prints mean +- standard error of the estimation error of the estimator with estimated
densities (auto), with the true ones (known), and of ridge, lasso and Huber ridge at the levels (and threshold) of
cross-validation; the share of the gain of "known" over the best of the three that "auto" reaches; the loss to ridge;
predicted over measured test error; and the coverage of 95 % intervals. Then the same on rows of real designs with
planted truth: the features of `load_diabetes` to second degree and of `load_breast_cancer`, whitened, in subsets.
Fifty splits take about five minutes of one core.
"""

import sys
import time
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.preprocessing import PolynomialFeatures

from replicon.inference import OptimalMEstimator, confidence_intervals, fit_separable, tune_penalty
from replicon.inference.high_dim_theory import as_noise, as_prior

LAWS = {
    "laplace/laplace": ("laplace", "laplace", 1.0),
    "student/laplace": ("student", "laplace", 1.0),
    "laplace/gaussian": ("laplace", "gaussian", 0.25),
    "gaussian/gaussian": ("gaussian", "gaussian", 1.0),
}
PEERS = ("ridge cv", "lasso cv", "huber cv")
COLUMNS = ("auto", "known", *PEERS)


def draw(law, size, generator):
    """Entries of variance one."""
    if law == "laplace":
        return generator.laplace(scale=0.5**0.5, size=size)
    if law == "student":
        return generator.standard_t(3, size=size) / np.sqrt(3)
    return generator.standard_normal(size)


def cross_validated(X, y):
    """Coefficients of ridge, lasso and Huber ridge, each at what cross-validation finds best on a grid."""
    root = np.sqrt(X.shape[1])
    ridge = RidgeCV(np.geomspace(0.03, 30, 25), fit_intercept=False).fit(X, y).coef_
    lasso = root * LassoCV(alphas=25, cv=5, fit_intercept=False).fit(root * X, y).coef_
    tried = []
    for scale in np.median(np.abs(y)) * np.array([0.3, 0.6, 1.2]):
        found = tune_penalty(
            X, y, "huber", "ridge", loss_scale=scale, method="cross_validation", levels=np.geomspace(0.05, 3, 6)
        )
        tried.append((found.test_error, scale, found.penalty_level))
    _, scale, level = min(tried)
    huber = fit_separable(X, y, "huber", "ridge", loss_scale=scale, penalty_level=level).coefficients
    return ridge, lasso, huber, (scale, level)


def split(X, law, generator, test=None):
    """Errors of all methods on one planted problem; a design with dependent columns brings rows to test on."""
    noise, prior, variance = law
    samples, features = X.shape
    signal = draw(prior, features, generator)
    y = X @ signal + np.sqrt(variance) * draw(noise, samples, generator)
    auto = OptimalMEstimator(fit_intercept=False).fit(X, y)
    known = OptimalMEstimator(as_noise(noise, variance), as_prior(prior), fit_intercept=False).fit(X, y)
    *peers, (scale, level) = cross_validated(X, y)
    estimates = [auto.coef_, known.coef_, *peers]
    if test is None:
        errors = [np.mean((s - signal) ** 2) for s in estimates]
    else:
        errors = [np.mean((test @ (s - signal)) ** 2) for s in estimates]
    coverage = confidence_intervals(X, y, "huber", "ridge", loss_scale=scale, penalty_level=level).coverage(signal)
    passed = [m.solver_ == "message_passing" for m in (auto, known)]
    return [*errors, auto.predicted_test_mse_, known.predicted_test_mse_, coverage, *passed]


def report(title, rows, variance, seconds):
    rows = np.array(rows, dtype=float)
    splits = len(rows)
    mean, error = rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(splits)
    best = 2 + int(np.argmin(mean[2:5]))
    print(f"{title}, {splits} splits, {seconds:.0f} s")
    print("  error: " + ", ".join(f"{c} {m:.4f} +- {e:.4f}" for c, m, e in zip(COLUMNS, mean, error, strict=False)))
    gain, reached = rows[:, best] - rows[:, 1], rows[:, best] - rows[:, 0]
    share = reached.mean() / gain.mean()
    # First-order error of a ratio of means.
    spread = np.std((reached - share * gain) / gain.mean(), ddof=1) / np.sqrt(splits)
    print(
        f"  gain of known over {COLUMNS[best]}: {gain.mean():.4f} +- {gain.std(ddof=1) / np.sqrt(splits):.4f}", end=""
    )
    print(f"; auto reaches {share:.0%} +- {spread:.0%} of it")
    ridge = (rows[:, 0] - rows[:, 2]) / mean[2]
    print(
        f"  auto against ridge: {ridge.mean():+.1%} +- {ridge.std(ddof=1) / np.sqrt(splits):.1%} of the error", end=""
    )
    test = (rows[:, 0] - rows[:, 2]) / (mean[2] + variance)
    print(f", {test.mean():+.1%} of the test error")
    for label, k in (("auto", 0), ("known", 1)):
        ratio = rows[:, 5 + k] / (mean[k] + variance)
        print(
            f"  predicted / measured test error, {label}: {ratio.mean():.3f} +- {ratio.std(ddof=1) / splits**0.5:.3f}"
        )
    print(f"  coverage of 95 % intervals: {mean[7]:.4f} +- {error[7]:.4f}", end="")
    print(f"; message passing converged in {mean[8]:.0%} (auto) and {mean[9]:.0%} (known)", flush=True)


def whitened(table):
    """Columns of mean zero, uncorrelated, of variance 1 / columns."""
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    left, _, right = np.linalg.svd(table, full_matrices=False)
    return left @ right * np.sqrt(len(table) / table.shape[1])


def real_designs():
    squares = PolynomialFeatures(2, include_bias=False).fit_transform(load_diabetes(return_X_y=True)[0])
    # The square of the sex, a column of two values, is the sex again.
    yield "diabetes to second degree", whitened(np.delete(squares, 20, axis=1)), (60, 130, 240)
    yield "breast cancer", whitened(load_breast_cancer(return_X_y=True)[0]), (30, 60, 120)


def main(splits=50, *shape):
    samples, features = shape or (400, 200)
    warnings.simplefilter("ignore", ConvergenceWarning)
    for name, law in LAWS.items():
        begin, rows = time.perf_counter(), []
        for seed in range(splits):
            generator = np.random.default_rng(seed)
            X = generator.standard_normal((samples, features)) / np.sqrt(features)
            rows.append(split(X, law, generator))
        report(f"{name}, {samples} x {features}", rows, law[2], time.perf_counter() - begin)
    for name, table, sizes in () if shape else real_designs():
        for size in sizes:
            for law in ("laplace/laplace", "student/laplace"):
                begin, rows = time.perf_counter(), []
                for seed in range(splits):
                    generator = np.random.default_rng(seed)
                    order = generator.permutation(len(table))
                    rows.append(split(table[order[:size]], LAWS[law], generator, table[order[size:]]))
                title = f"{name}, {law}, {size} x {table.shape[1]}"
                report(title, rows, LAWS[law][2], time.perf_counter() - begin)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))

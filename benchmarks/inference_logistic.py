"""Coverage of 95 % intervals, null p-values and signal strength of HighDimLogistic, beside textbook inference.

Simulated data at p/n = 0.2 and gamma^2 = 5, half of the coefficients zero, then planted labels on row subsets of real
features (breast cancer, pairs of digits; scikit-learn ships them). One thread: the fits are small.

    python benchmarks/inference_logistic.py [--fits 200] [--samples 2000] [--real-fits 200] [--speed]
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import expit
from scipy.stats import kstest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from replicon.inference.high_dim_logistic import HighDimLogistic
from replicon.inference.logistic.newton import fit_logistic

ASPECT, STRENGTH = 0.2, 5**0.5
Draw = tuple[np.ndarray, np.ndarray, np.ndarray]


def normal_draw(samples: int, correlation: float, rng: np.random.Generator) -> Draw:
    """Normal features, autoregressive with this correlation, labels, and coefficients, a random half of them zero."""
    count = round(ASPECT * samples)
    noise = rng.standard_normal((samples, count))
    features = noise.copy()
    for j in range(1, count):
        features[:, j] = correlation * features[:, j - 1] + np.sqrt(1 - correlation**2) * noise[:, j]
    places = np.arange(count)
    covariance = correlation ** np.abs(places[:, None] - places) if correlation else np.eye(count)
    beta = sparse_normal(count, rng)
    beta *= STRENGTH / np.sqrt(beta @ covariance @ beta)
    return features, rng.random(samples) < expit(features @ beta), beta


def sparse_normal(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.where(np.arange(count) < count // 2, rng.standard_normal(count), 0.0))


def real_features(name: str) -> np.ndarray:
    """Standardised real features; digit pixels that are inked in fewer than 30 images are left out."""
    if name == "breast cancer":
        features = load_breast_cancer().data
    else:
        digits = load_digits()
        pair = [int(digit) for digit in name.split() if digit.isdigit()]
        features = digits.data[np.isin(digits.target, pair)]
        features = features[:, ((features != np.median(features, axis=0)).sum(axis=0) >= 30)]
    return (features - features.mean(axis=0)) / features.std(axis=0)


def planted_draw(features: np.ndarray, rng: np.random.Generator) -> Draw:
    """Rows drawn without replacement, p/n as near to 0.2 as there are rows, planted coefficients and labels."""
    beta = sparse_normal(features.shape[1], rng)
    beta *= STRENGTH / np.std(features @ beta)
    rows = features[rng.permutation(len(features))[: round(features.shape[1] / ASPECT)]]
    return rows, rng.random(len(rows)) < expit(rows @ beta), beta


def study(draw: Callable[[np.random.Generator], Draw], fits: int, fit_intercept: bool) -> None:
    """Print coverage over all and over null coefficients, null p-values and signal strength, with standard errors."""
    found: dict[str, list[float]] = {}
    nulls: dict[str, list[np.ndarray]] = {"corrected": [], "textbook": []}
    missing = 0
    for seed in range(fits):
        features, labels, beta = draw(np.random.default_rng(seed))
        for name in nulls:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                model = HighDimLogistic(name == "corrected", fit_intercept=fit_intercept).fit(features, labels)
            if not model.mle_exists_:
                missing += name == "corrected"
                continue
            interval = model.confidence_interval()
            inside = (interval[:, 0] <= beta) & (beta <= interval[:, 1])
            found.setdefault(f"{name}: coverage", []).append(float(inside.mean()))
            found.setdefault(f"{name}: coverage of non-zero", []).append(float(inside[beta != 0].mean()))
            # Of each fit one null p-value, so that the test sees independent ones; the shares use all.
            nulls[name].append(model.p_values_[beta == 0])
            found.setdefault(f"{name}: null p < 0.05", []).append(float((nulls[name][-1] < 0.05).mean()))
            if name == "corrected":
                found.setdefault("gamma_hat_", []).append(model.gamma_hat_)
    features = draw(np.random.default_rng(0))[0]
    print(f"  n = {len(features)}, p = {features.shape[1]}, {fits} fits, without a maximum: {missing}")
    for name, values in found.items():
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        extra = f"   (spread {np.std(values):.3f}, true {STRENGTH:.4f})" if name == "gamma_hat_" else ""
        print(f"  {name:36s} {np.mean(values):.4f} +- {error:.4f}{extra}")
    for name, values in nulls.items():
        single = kstest([row[0] for row in values], "uniform")
        pooled = kstest(np.concatenate(values), "uniform")
        print(
            f"  {name}: KS of one null p-value per fit {single.statistic:.3f} (p = {single.pvalue:.2g}), "
            f"of all {sum(map(len, values))} {pooled.statistic:.4f} (p = {pooled.pvalue:.2g})"
        )


def speed() -> None:
    """CPU seconds of one fit of 20000 samples, 2000 features, penalty 1, to the gradient norm that lbfgs reached."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((20000, 2000)) / np.sqrt(2000)
    labels = np.where(rng.random(20000) < expit(3 * features @ rng.standard_normal(2000)), 1.0, -1.0)
    start = time.process_time()
    peer = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-9, max_iter=1000).fit(features, labels).coef_[0]
    theirs = time.process_time() - start
    gradient = float(np.linalg.norm(peer - (labels * expit(-labels * (features @ peer))) @ features))
    start = time.process_time()
    ours = fit_logistic(features, labels, 1.0, tolerance=gradient)
    print(
        f"  lbfgs {theirs:.2f} s, Newton {time.process_time() - start:.2f} s, to {gradient:.1e} ({ours.gradient:.1e})"
    )


def cases(
    samples: int, fits: int, real_fits: int
) -> Iterator[tuple[str, Callable[[np.random.Generator], Draw], int, bool]]:
    yield "Independent normal features", lambda rng: normal_draw(samples, 0.0, rng), fits, False
    yield "Autoregressive normal features, correlation 0.5", lambda rng: normal_draw(samples, 0.5, rng), fits, True
    for name in ("breast cancer", "digits 3 8", "digits 4 9"):
        features = real_features(name)
        yield f"Planted labels on {name}", lambda rng, features=features: planted_draw(features, rng), real_fits, True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--real-fits", type=int, default=200)
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        for title, draw, fits, intercept in cases(arguments.samples, arguments.fits, arguments.real_fits):
            if fits:
                print(title, flush=True)
                study(draw, fits, intercept)
        if arguments.speed:
            print("Speed, n = 20000, d = 2000")
            speed()


if __name__ == "__main__":
    main()

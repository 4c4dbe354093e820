"""Message passing against its own two products and its memory, and the separable solver against its peers.

Targets: an iteration of GAMP within 1.5 times its two products with X, measured side by side; X of 20,000 x 10,000 in
float32 in under 1.2 times its memory (``--large``); absolute loss with l1 converged where skglm fails; Huber's loss
within twice skglm's time. Peers (requirements-peers.txt) are left out where they are not installed.

    OPENBLAS_NUM_THREADS=1 python benchmarks/inference_algorithms.py [--large]

One thread, and CPU time: threads that wait for one another count as work otherwise.
"""

import resource
import sys
import time
import warnings

import numpy as np

from replicon.inference.algorithms import fit_separable, gamp
from replicon.inference.algorithms.functions import as_loss


def matrix(samples, features, dtype=np.float64, seed=0):
    """Gaussian entries of variance 1 / features, drawn block by block in their own precision."""
    rng = np.random.default_rng(seed)
    X = np.empty((samples, features), dtype)
    for start in range(0, samples, 500):
        block = X[start : start + 500]
        rng.standard_normal(out=block, dtype=dtype)
        block /= np.sqrt(features)
    return X


def iteration_against_products(samples, features, dtype, iterations=15, rounds=9):
    """Both measured in turn; the least of the rounds of each, which other work on the machine disturbs least."""
    X = matrix(samples, features, dtype)
    rng = np.random.default_rng(1)
    y = rng.standard_normal(samples)
    s, g = rng.standard_normal(features).astype(dtype), rng.standard_normal(samples).astype(dtype)

    def timed(call):
        began = time.process_time()
        call()
        return time.process_time() - began

    def products():
        for _ in range(iterations):
            X @ s
            X.T @ g

    def passing(count):
        gamp(X, y, "huber", "lasso", penalty_level=0.3, iterations=count, tolerance=0.0)

    calls = (products, lambda: passing(iterations), lambda: passing(2 * iterations))
    plain, short, long = (
        min(column) for column in zip(*([timed(c) for c in calls] for _ in range(rounds)), strict=True)
    )
    # The difference of the two runs leaves out the check of the data, which is made once.
    print(
        f"GAMP (Huber + l1), {samples} x {features} {np.dtype(dtype).name}: an iteration takes "
        f"{(long - short) / plain:.2f} x its two products ({1e3 * plain / iterations:.2f} ms)"
    )


def memory():
    """Peak memory of the process against the matrix."""
    X = matrix(20_000, 10_000, np.float32)
    truth = np.random.default_rng(2).laplace(size=10_000)
    y = (X @ truth.astype(np.float32)).astype(float) + np.random.default_rng(3).laplace(size=20_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    began = time.perf_counter()
    run = gamp(X, y, "huber", "lasso", penalty_level=0.3, iterations=30, tolerance=0.0, truth=truth)
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"GAMP, 20000 x 10000 float32: X {X.nbytes / 1e9:.2f} GB; peak of the whole process {after / 1e9:.2f} GB, "
        f"{after / X.nbytes:.2f} x X; grown in the run by {(after - before) / 1e9:.3f} GB; 30 iterations {took:.1f} s; "
        f"error {run.estimation_error[-1]:.4f}"
    )


def separable():
    """Time to a certified gap, beside the peers where they have the problem."""
    for features, load in ((200, 1.5), (600, 1.5)):
        samples = round(load * features)
        X = matrix(samples, features)
        rng = np.random.default_rng(4)
        y = X @ rng.laplace(size=features) + rng.laplace(size=samples)
        for loss, penalty, level in (("absolute", "lasso", 1.0), ("huber", "lasso", 0.3), ("square", "lasso", 0.3)):
            began = time.process_time()
            fit = fit_separable(X, y, loss, penalty, penalty_level=level)
            took = time.process_time() - began
            print(
                f"{loss} + {penalty}, {samples} x {features}: {took:.3f} s CPU, {fit.iterations} iterations, gap "
                f"{fit.gap / fit.objective:.1e}"
            )
            peer(X, y, loss, level, fit.objective)


def peer(X, y, loss, level, minimum):
    """Time and excess of the objective of skglm and celer at the same problem."""
    samples = len(y)
    rho = as_loss(loss)

    def report(name, solve):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                solve()  # compiled
                began = time.process_time()
                s = solve()
                took = time.process_time() - began
            except Exception as error:
                print(f"    {name}: fails, {type(error).__name__}: {error}")
                return
        excess = (rho.value(y - X @ s).sum() + level * np.abs(s).sum()) / minimum - 1
        print(f"    {name}: {took:.3f} s CPU, objective {excess:+.1e} relative to ours")

    try:
        import celer
        import skglm
        from skglm.datafits import Huber
        from skglm.experimental import Pinball
        from skglm.experimental.pdcd_ws import PDCD_WS
        from skglm.penalties import L1
        from skglm.solvers import AndersonCD
    except ImportError:
        print("    peers are not installed")
        return
    columns = np.asfortranarray(X)
    if loss == "absolute":
        # The pinball loss at 1/2 is half the absolute one.
        solver = PDCD_WS(max_iter=20, max_epochs=500, tol=1e-9)

        def quantile():
            datafit, penalty = skglm.utils.jit_compilation.compiled_clone(Pinball(0.5)), L1(0.5 * level)
            return solver.solve(columns, y, datafit, skglm.utils.jit_compilation.compiled_clone(penalty))[0]

        report("skglm PDCD_WS", quantile)
    elif loss == "huber":
        estimator = skglm.GeneralizedLinearEstimator(
            Huber(1.0), L1(level / samples), AndersonCD(tol=1e-10, fit_intercept=False, max_iter=200)
        )
        report("skglm", lambda: estimator.fit(columns, y).coef_)
    else:
        lasso = celer.Lasso(alpha=level / samples, fit_intercept=False, tol=1e-12, max_iter=200)
        report("celer", lambda: lasso.fit(columns, y).coef_)
        other = skglm.Lasso(alpha=level / samples, fit_intercept=False, tol=1e-10)
        report("skglm", lambda: other.fit(columns, y).coef_)


if __name__ == "__main__":
    if "--large" in sys.argv:
        memory()
    else:
        for dtype in (np.float32, np.float64):
            iteration_against_products(3000, 2000, dtype)
        separable()

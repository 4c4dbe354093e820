"""Speed and memory of optimal convex inference beside scikit-learn, celer, skglm and plain NumPy: every target at once.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python benchmarks/inference_peers.py [SECTION ...]

Sections (without arguments all but ``memory``):

- ``lasso``: square loss with l1. Target: at most twice the fastest peer at equal duality gap, 2000 x 4000.
- ``huber``: Huber's loss with l1. Target: at most twice skglm's time.
- ``absolute``: absolute loss with l1, 1500 samples, where skglm's PDCD_WS does not converge. Target: certified.
- ``edges``: cases that the peers document. Target: the same answer.
- ``theory``: a point of the theory beside a NumPy fixed point. Target: 5 ms (more in inference_theory.py).
- ``gamp``: an iteration of GAMP beside its two products with X. Target: 1.5 times.
- ``memory``: X of 20,000 x 10,000 in float32. Target: less than 1.2 times the memory of X.

CPU seconds of one thread, the least of a few runs, after one that compiles. Peers (requirements-peers.txt) are left out
where they are not installed. Two tolerances of each peer are shown, with the duality gap that its answer has: equal
gaps are to be compared.
"""

import importlib.util
import resource
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from inference_theory import CASES, clock, numpy_map
from sklearn.linear_model import Lasso

from replicon.inference.algorithms import fit_separable, gamp
from replicon.inference.algorithms.functions import as_loss
from replicon.inference.bayes_linear.theory import bayes_linear
from replicon.inference.m_estimation.theory import m_estimation

LEVEL, THRESHOLD = 0.1, 0.3
HAVE_PEERS = all(importlib.util.find_spec(name) for name in ("celer", "skglm"))


def matrix(samples, features, dtype=np.float64, seed=0):
    """Gaussian entries of variance 1 / features, drawn block by block in their own precision."""
    rng = np.random.default_rng(seed)
    X = np.empty((samples, features), dtype)
    for start in range(0, samples, 500):
        block = X[start : start + 500]
        rng.standard_normal(out=block, dtype=dtype)
        block /= np.sqrt(features)
    return X


def sparse_problem(samples, features, seed=0):
    """15 % of the coefficients normal, the others zero; noise variance 0.05."""
    rng = np.random.default_rng(seed)
    # With contiguous columns, as the peers like it best.
    X = np.asfortranarray(matrix(samples, features, seed=seed))
    truth = rng.standard_normal(features) * (rng.random(features) < 0.15)
    return X, X @ truth + np.sqrt(0.05) * rng.standard_normal(samples)


def relative_gap(X, y, s, loss, level, threshold=1.0):
    """Duality gap over the objective, of any coefficients."""
    rho = as_loss(loss, threshold)
    residuals = y - X @ s
    objective = rho.value(residuals).sum() + level * np.abs(s).sum()
    slopes = np.sign(residuals) if loss == "absolute" else np.clip(residuals, -rho.steepest, rho.steepest)
    slopes *= min(1.0, level / np.abs(X.T @ slopes).max())
    return (objective - (slopes @ y - rho.conjugate(slopes).sum())) / objective


def least_time(solve: Callable[[], np.ndarray], rounds: int = 3) -> tuple[float, np.ndarray]:
    """CPU seconds of the fastest of some runs, after one that compiles, and the answer."""
    solve()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        answer = solve()
        times.append(time.process_time() - began)
    return min(times), answer


def compare_fits(X, y, loss, peers):
    """Ours, and each peer with its gap and its time relative to ours."""

    def ours():
        return fit_separable(X, y, loss, "lasso", loss_scale=THRESHOLD, penalty_level=LEVEL, tolerance=1e-8)

    took, fit = least_time(ours)
    print(f"{loss} + l1, {X.shape[0]} x {X.shape[1]}, {np.count_nonzero(fit.coefficients)} non-zero")
    print(f"    {'replicon':<24} {took:.4f} s   gap {fit.gap / fit.objective:.1e}")
    for name, solve in peers:
        theirs, s = least_time(solve)
        gap = relative_gap(X, y, s, loss, LEVEL, THRESHOLD)
        print(f"    {name:<24} {theirs:.4f} s   gap {gap:.1e}   replicon takes {took / theirs:.2f} x its time")


def lasso_peers(X, y):
    """Each at a looser and a tighter tolerance."""
    alpha = LEVEL / len(y)
    for tolerance in (1e-9, 1e-10):
        model = Lasso(alpha=alpha, fit_intercept=False, tol=tolerance, max_iter=100_000)
        yield f"scikit-learn, {tolerance:g}", lambda model=model: model.fit(X, y).coef_
    if not HAVE_PEERS:
        return
    import celer
    import skglm

    for tolerance in (1e-9, 1e-10):
        model = celer.Lasso(alpha=alpha, fit_intercept=False, tol=tolerance, max_iter=200)
        yield f"celer, {tolerance:g}", lambda model=model: model.fit(X, y).coef_
    for tolerance in (1e-10, 1e-11):
        model = skglm.Lasso(alpha=alpha, fit_intercept=False, tol=tolerance)
        yield f"skglm, {tolerance:g}", lambda model=model: model.fit(X, y).coef_


def huber_peers(X, y):
    """Skglm's working sets with Anderson acceleration."""
    if not HAVE_PEERS:
        return
    import skglm
    from skglm.datafits import Huber
    from skglm.penalties import L1
    from skglm.solvers import AndersonCD

    for tolerance in (1e-8, 1e-10):
        solver = AndersonCD(tol=tolerance, fit_intercept=False, max_iter=200)
        model = skglm.GeneralizedLinearEstimator(Huber(THRESHOLD), L1(LEVEL / len(y)), solver)
        yield f"skglm, {tolerance:g}", lambda model=model: model.fit(X, y).coef_


def lasso():
    """Plain lasso."""
    for samples, features in ((1000, 2000), (2000, 4000)):
        X, y = sparse_problem(samples, features)
        compare_fits(X, y, "square", lasso_peers(X, y))


def huber():
    """Huber's loss."""
    for samples, features in ((1000, 2000), (2000, 4000)):
        X, y = sparse_problem(samples, features)
        compare_fits(X, y, "huber", huber_peers(X, y))


def absolute():
    """Least absolute deviations with l1."""
    for features in (1000, 200):
        rng = np.random.default_rng(4)
        X = np.asfortranarray(matrix(1500, features))
        y = X @ rng.laplace(size=features) + rng.laplace(size=1500)
        took, fit = least_time(lambda X=X, y=y: fit_separable(X, y, "absolute", "lasso", penalty_level=1.0), 1)
        print(
            f"absolute + l1, 1500 x {features}: {took:.2f} s, converged {fit.converged}, "
            f"gap {fit.gap / fit.objective:.1e}"
        )
    if not HAVE_PEERS:
        return
    from skglm.experimental import Pinball
    from skglm.experimental.pdcd_ws import PDCD_WS
    from skglm.penalties import L1
    from skglm.utils.jit_compilation import compiled_clone

    # The pinball loss at 1/2 is half the absolute one.
    datafit, penalty = compiled_clone(Pinball(0.5)), compiled_clone(L1(0.5))
    began = time.process_time()
    s, _, criterion = PDCD_WS(max_iter=10, max_epochs=200, tol=1e-6).solve(X, y, datafit, penalty)
    excess = (np.abs(y - X @ s).sum() + np.abs(s).sum()) / fit.objective - 1
    print(
        f"    skglm PDCD_WS, 10 x 200 epochs, with compiling: {time.process_time() - began:.1f} s, optimality "
        f"{criterion:.1e} (asked 1e-6), objective {excess:+.1e} relative to ours"
    )


def edges():
    """All coefficients zero, a constant column, a column twice, one sample, one feature."""
    X, y = sparse_problem(60, 40, seed=3)
    constant, twice = np.column_stack([X, np.ones(60)]), np.column_stack([X, X[:, 0]])
    cases = {
        "penalty above the largest": (X, y, 1.001 * np.abs(X.T @ y).max()),
        "constant column": (constant, y, LEVEL),
        "column of zeros": (np.column_stack([X, np.zeros(60)]), y, LEVEL),
        "column twice": (twice, y, LEVEL),
        "one sample": (X[:1], y[:1], 1e-3),
        "one feature": (X[:, :1], y, 1e-3),
        "outcomes all zero": (X, np.zeros(60), LEVEL),
    }
    for title, (design, outcomes, level) in cases.items():
        design = np.asfortranarray(design)
        fit = fit_separable(design, outcomes, "square", "lasso", penalty_level=level)
        alpha, answers = level / len(outcomes), [f"replicon {fit.objective:.9f}"]
        models = {"scikit-learn": lambda a=alpha: Lasso(alpha=a, fit_intercept=False, tol=1e-12, max_iter=100_000)}
        if HAVE_PEERS:
            import celer
            import skglm

            models["celer"] = lambda alpha=alpha: celer.Lasso(alpha=alpha, fit_intercept=False, tol=1e-12)
            models["skglm"] = lambda alpha=alpha: skglm.Lasso(alpha=alpha, fit_intercept=False, tol=1e-12)
        for name, make in models.items():
            try:
                s = make().fit(design, outcomes).coef_
                objective = 0.5 * np.sum((outcomes - design @ s) ** 2) + level * np.abs(s).sum()
                answers.append(f"{name} {objective - fit.objective:+.0e}")
            except Exception as error:
                answers.append(f"{name} fails ({type(error).__name__})")
        print(f"{title:<26} objective: " + ", ".join(answers))


def theory():
    """One point, by us and by damped iteration on a grid."""
    words = CASES["MAP (absolute, lasso), Laplace"]
    ours = clock(lambda: m_estimation(1.3, **words), timer=time.process_time)
    plain = clock(lambda: numpy_map(1.3), repeats=2, timer=time.process_time)
    print(f"theory of MAP, one point: {1e3 * ours:.2f} ms; NumPy on a grid {1e3 * plain:.0f} ms, {plain / ours:.0f} x")
    laplace = {"noise": "laplace", "signal": "laplace"}
    for title, load, rest in (
        ("Laplace noise and signal", 1.5, laplace),
        ("hard phase", 0.55, {"noise_variance": 1e-4, "sparsity": 0.4}),
    ):
        took = clock(lambda load=load, rest=rest: bayes_linear(load, **rest), timer=time.process_time)
        print(f"Bayes, both branches, {title}: {1e3 * took:.2f} ms")


def gamp_iteration(iterations=15, rounds=9):
    """Both measured in turn; the least of the rounds of each, which other work on the machine disturbs least."""
    for dtype in (np.float32, np.float64):
        X = matrix(3000, 2000, dtype)
        rng = np.random.default_rng(1)
        y = rng.standard_normal(3000)
        s, g = rng.standard_normal(2000).astype(dtype), rng.standard_normal(3000).astype(dtype)

        def products(X=X, s=s, g=g):
            for _ in range(iterations):
                X @ s
                X.T @ g

        def passing(count, X=X, y=y):
            gamp(X, y, "huber", "lasso", penalty_level=0.3, iterations=count, tolerance=0.0)

        def once(call):
            began = time.process_time()
            call()
            return time.process_time() - began

        calls = (products, lambda: passing(iterations), lambda: passing(2 * iterations))
        plain, short, long = (
            min(column) for column in zip(*([once(c) for c in calls] for _ in range(rounds)), strict=True)
        )
        # The difference of the two runs leaves out the check of the data, which is made once.
        print(
            f"GAMP (Huber + l1), 3000 x 2000 {np.dtype(dtype).name}: an iteration takes {(long - short) / plain:.2f} x "
            f"its two products ({1e3 * plain / iterations:.2f} ms)"
        )


def memory():
    """What the run needs beside X, and the peak of the process with all its libraries."""
    X = matrix(20_000, 10_000, np.float32)
    truth = np.random.default_rng(2).laplace(size=10_000)
    y = (X @ truth.astype(np.float32)).astype(float) + np.random.default_rng(3).laplace(size=20_000)
    with open("/proc/self/statm") as table:
        resident = int(table.read().split()[1]) * resource.getpagesize()
    began = time.process_time()
    run = gamp(X, y, "huber", "lasso", penalty_level=0.3, iterations=30, tolerance=0.0, truth=truth)
    took, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"GAMP, 20000 x 10000 float32: X {X.nbytes / 1e9:.2f} GB; X and what the run adds "
        f"{1 + (peak - resident) / X.nbytes:.3f} x X; the process with its libraries {peak / X.nbytes:.2f} x X; "
        f"30 iterations {took:.1f} s CPU; error {run.estimation_error[-1]:.4f}"
    )


SECTIONS = {
    "lasso": lasso, "huber": huber, "absolute": absolute, "edges": edges, "theory": theory, "gamp": gamp_iteration,
    "memory": memory,
}  # fmt: skip


def main(names: list[str]) -> None:
    """Run the sections."""
    warnings.simplefilter("ignore")
    if not HAVE_PEERS:
        print("celer and skglm are not installed; see requirements-peers.txt")
    for name in names or [name for name in SECTIONS if name != "memory"]:
        SECTIONS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])

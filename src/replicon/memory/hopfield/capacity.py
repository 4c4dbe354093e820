"""What a Hopfield network can be expected to do with given patterns, told from their Gram matrix before learning."""

from dataclasses import dataclass
from functools import cache
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from replicon.core.errors import DataError
from replicon.memory.hopfield.coding import find_coding, require_coding, to_spins

TRACY_WIDOM_99 = 2.0234
"""99 % point of the Tracy-Widom law of real matrices (Johnstone, Ann. Statist. 29, 295 (2001), table 1)."""

NORMAL_99 = 2.5758
"""Two-sided 99 % point of the normal distribution."""

HEBB_ERRORS = 0.05
"""Share of unstable bits in a pattern from which Hebb's rule counts as failing for it: three times the 1.6 % wrong
bits of retrieval at the limit of random patterns."""

SMALLEST_SIGNAL = 1e-9
"""1 - J_ii of the projection rule below which a neuron counts as without signal (rounding is near 1e-14)."""


@dataclass(frozen=True)
class RuleOutlook:
    """Whether a learning rule should recall the patterns, and why."""

    rule: str
    works: bool
    reason: str


@dataclass(frozen=True, eq=False)
class CapacityReport:
    """Size, correlations and Hebbian noise of a set of patterns, with an outlook for each learning rule.

    ``str(report)`` is a readable summary; notebooks show a table.
    """

    patterns: int
    """Patterns P."""
    neurons: int
    """Neurons N."""
    load: float
    """P/N."""
    effective_load: float
    """Load at which random patterns would have the same mean square overlap, mean(eigenvalue^2) - 1 + 1/N."""
    activity: float
    """Mean of the spins, 0 for unbiased patterns."""
    constant_neurons: int
    """Neurons with the same value in all patterns, 0 for a single pattern."""
    repeated_patterns: int
    """Patterns that repeat an earlier one or its mirror image."""
    smallest_distance: int
    """Smallest Hamming distance of two different patterns or their mirror images, N when there is no such pair."""
    rank: int
    """Rank of the Gram matrix."""
    eigenvalues: NDArray[np.float64]
    """Of the Gram matrix of overlaps, (1/N) sum_i xi_i^mu xi_i^nu, ascending, shape (patterns,)."""
    marchenko_pastur_edges: tuple[float, float]
    """Edges (1 -+ sqrt(P/N))^2 between which random patterns have their eigenvalues (the lower 0 for P > N)."""
    largest_random_eigenvalue: float
    """Value that the largest eigenvalue of random patterns of this size exceeds in one case of a hundred."""
    signal_to_noise: NDArray[np.float64]
    """Mean over standard deviation of xi_i h_i over the neurons, Hebb's couplings without diagonal, shape (patterns,);
    about 1/sqrt(load) for random patterns, infinite without noise."""
    unstable_bits: NDArray[np.int64]
    """Neurons whose Hebbian field opposes the stored pattern, shape (patterns,)."""
    biased: bool
    """The mean activity is further from 0 than that of random patterns in 99 cases of 100."""
    correlated: bool
    """The largest eigenvalue lies above `largest_random_eigenvalue`."""
    outlook: tuple[RuleOutlook, ...]
    """For the rules hebb, storkey, pinv, gardner."""

    def works(self, rule: str) -> bool:
        """Whether a rule should recall the patterns, by name."""
        return {entry.rule: entry.works for entry in self.outlook}[rule]

    def _rows(self) -> list[tuple[str, str]]:
        low, high = self.marchenko_pastur_edges
        unstable = int(self.unstable_bits.sum())
        return [
            ("patterns P, neurons N", f"{self.patterns}, {self.neurons}"),
            ("load P/N, effective load", f"{self.load:.4g}, {self.effective_load:.4g}"),
            ("mean activity", f"{self.activity:+.4f} ({'biased' if self.biased else 'unbiased'})"),
            (
                "eigenvalues of the overlaps",
                f"{self.eigenvalues[0]:.3g} to {self.eigenvalues[-1]:.3g}; random patterns {low:.3g} to {high:.3g} "
                f"({'correlated' if self.correlated else 'as for random patterns'})",
            ),
            ("rank, repeated patterns", f"{self.rank}, {self.repeated_patterns}"),
            ("smallest distance of two patterns", f"{self.smallest_distance} bits"),
            ("constant neurons", f"{self.constant_neurons}"),
            (
                "Hebb: signal to noise, median and worst",
                f"{np.median(self.signal_to_noise):.3g}, {self.signal_to_noise.min():.3g}",
            ),
            (
                "Hebb: unstable bits",
                f"{unstable} ({unstable / (self.patterns * self.neurons):.2%}), "
                f"in {np.count_nonzero(self.unstable_bits)} patterns",
            ),
        ]

    def __str__(self) -> str:
        """Summarise line by line."""
        rows = self._rows()
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        lines += [
            f"rule {entry.rule:<8} {'should work' if entry.works else 'should fail'}: {entry.reason}"
            for entry in self.outlook
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = self._rows() + [
            (f"rule {entry.rule}", f"{'should work' if entry.works else 'should fail'}: {entry.reason}")
            for entry in self.outlook
        ]
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
        return f"<table><caption>Storage of {self.patterns} patterns</caption>{cells}</table>"


def capacity_report(X: ArrayLike, *, binarize: float | None = None) -> CapacityReport:
    r"""Tell from the patterns' Gram matrix which learning rule should be able to store them.

    Hebb's noise at a stored pattern is :math:`\sum_{\nu \ne \mu} \xi_i^\mu \xi_i^\nu q_{\mu\nu}` with the overlaps q;
    for independent neurons its variance is :math:`\sum_{\nu \ne \mu} q_{\mu\nu}^2`, whose mean over the patterns,
    plus 1/N, is the *effective load*: P/N on average for random patterns, more for correlated or biased ones.

    Parameters
    ----------
    X : array of shape (n_patterns, n_features)
        Patterns coded as {0, 1}, {-1, 1} or bool; anything numeric with `binarize`.
    binarize : float, optional
        Threshold above which a value counts as +1.

    Returns
    -------
    CapacityReport
        Its outlook is an expectation, not a proof: Hebb's limit, the load where retrieval states of random patterns
        vanish, and Gardner's 2 N both hold for large networks of independent unbiased neurons.

    Raises
    ------
    DataError
        X is not binary (and `binarize` is None), not two-dimensional, empty or has missing values.

    References
    ----------
    D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985).
    V. A. Marchenko, L. A. Pastur, Math. USSR Sb. 1, 457 (1967).
    I. M. Johnstone, Ann. Statist. 29, 295 (2001), theorem 1.1.
    E. Gardner, J. Phys. A 21, 257 (1988).
    """
    spins = _as_float_spins(X, binarize)
    count, neurons = spins.shape
    overlaps = spins @ spins.T / neurons
    eigenvalues = np.asarray(np.linalg.eigvalsh(overlaps), dtype=np.float64)
    rank = int(np.count_nonzero(eigenvalues > eigenvalues[-1] * max(spins.shape) * np.finfo(float).eps))
    load = count / neurons
    effective_load = float((overlaps**2).sum() / count - 1 + 1 / neurons)
    activity = float(spins.mean())
    stabilities = spins * (overlaps @ spins - load * spins)
    spread = stabilities.std(axis=1)
    smallest = _smallest_distance(overlaps, neurons)
    distinct = np.unique(spins * spins[:, :1], axis=0).shape[0]
    edges = ((1 - np.sqrt(load)) ** 2 if load < 1 else 0.0, (1 + np.sqrt(load)) ** 2)
    limit = _largest_random_eigenvalue(count, neurons)
    pinv_outlook = _pinv_outlook(count, neurons, rank, _weakest_projection_signal(spins, overlaps, rank))
    unstable_bits = np.count_nonzero(stabilities < 0, axis=1)
    return CapacityReport(
        patterns=count,
        neurons=neurons,
        load=load,
        effective_load=effective_load,
        activity=activity,
        constant_neurons=int(np.count_nonzero(np.ptp(spins, axis=0) == 0)) if count > 1 else 0,
        repeated_patterns=count - distinct,
        smallest_distance=smallest,
        rank=rank,
        eigenvalues=eigenvalues,
        marchenko_pastur_edges=edges,
        largest_random_eigenvalue=limit,
        signal_to_noise=np.divide(stabilities.mean(axis=1), spread, out=np.full(count, np.inf), where=spread > 1e-12),
        unstable_bits=unstable_bits,
        biased=abs(activity) * np.sqrt(spins.size) > NORMAL_99,
        correlated=bool(eigenvalues[-1] > limit),
        outlook=(
            _hebb_outlook(effective_load, unstable_bits, neurons),
            _storkey_outlook(effective_load, neurons),
            pinv_outlook,
            _gardner_outlook(distinct, neurons, smallest, pinv_outlook.works),
        ),
    )


def _as_float_spins(data: ArrayLike, binarize: float | None) -> NDArray[np.float64]:
    try:
        array = check_array(data)
    except ValueError as error:
        raise DataError(str(error)) from error
    coding = require_coding(array) if binarize is None else find_coding(array) or "binary"
    return to_spins(array, coding, binarize).astype(np.float64)


def _smallest_distance(overlaps: NDArray[np.float64], neurons: int) -> int:
    """Smallest Hamming distance of two different patterns; the mirror image of a pattern is as good as the pattern."""
    pairs = np.abs(overlaps[np.triu_indices(overlaps.shape[0], 1)])
    distances = np.rint(neurons * (1 - pairs) / 2).astype(int)
    apart = distances[distances > 0]
    return int(apart.min()) if apart.size else neurons


def _weakest_projection_signal(spins: NDArray[np.float64], overlaps: NDArray[np.float64], rank: int) -> float:
    """Smallest 1 - J_ii of the projector on the patterns' span; 0 for dependent patterns."""
    count, neurons = spins.shape
    if rank < count:
        return 0.0
    leverage = np.einsum("mi,mi->i", spins, np.linalg.solve(overlaps, spins)) / neurons
    return float(1 - leverage.max())


def _largest_random_eigenvalue(count: int, neurons: int) -> float:
    """99 % point of the largest eigenvalue of X X^T / N (Johnstone's centring and scaling)."""
    roots = np.sqrt(max(neurons - 1, 1)), np.sqrt(count)
    centre = (roots[0] + roots[1]) ** 2
    scale = (roots[0] + roots[1]) * (1 / roots[0] + 1 / roots[1]) ** (1 / 3)
    return float((centre + TRACY_WIDOM_99 * scale) / neurons)


@cache
def _theory_limits() -> tuple[float, float]:
    """Give the loads up to which random patterns are retrieved under Hebb's rule, and stored by any couplings."""
    # At the call: listing or fitting a memory has no need of the theory, nor of what it imports.
    from replicon.memory.hopfield.theory import critical_load, gardner_capacity

    return float(np.asarray(critical_load())), float(np.asarray(gardner_capacity(0.0)))


def _hebb_outlook(effective_load: float, unstable_bits: NDArray[np.int64], neurons: int) -> RuleOutlook:
    if unstable_bits.size == 1:
        return RuleOutlook("hebb", True, "a single pattern meets no noise")
    limit = _theory_limits()[0]
    worst = float(unstable_bits.max() / neurons)
    if effective_load > limit:
        return RuleOutlook(
            "hebb", False, f"effective load {effective_load:.4g} above {limit:.4g}, the limit of random patterns"
        )
    if worst > HEBB_ERRORS:
        return RuleOutlook("hebb", False, f"one pattern has {worst:.1%} of its bits unstable")
    return RuleOutlook(
        "hebb", True, f"effective load {effective_load:.4g} below {limit:.4g}, at most {worst:.1%} unstable"
    )


def _storkey_outlook(effective_load: float, neurons: int) -> RuleOutlook:
    limit = 1 / np.sqrt(2 * np.log(max(neurons, 2)))
    works = effective_load <= limit
    return RuleOutlook(
        "storkey",
        bool(works),
        f"effective load {effective_load:.4g} {'below' if works else 'above'} 1/sqrt(2 ln N) = {limit:.3g} "
        "(error-free storage of random patterns)",
    )


def _pinv_outlook(count: int, neurons: int, rank: int, weakest: float) -> RuleOutlook:
    if rank < count:
        return RuleOutlook("pinv", False, f"rank {rank} below the number of patterns {count}")
    if count >= neurons:
        return RuleOutlook("pinv", False, f"{count} patterns are not fewer than {neurons} neurons")
    if weakest < SMALLEST_SIGNAL:
        return RuleOutlook(
            "pinv", False, "some neuron is left without signal (J_ii = 1) once its self-coupling is removed"
        )
    return RuleOutlook("pinv", True, f"independent patterns are fixed points; weakest signal 1 - J_ii = {weakest:.3g}")


def _gardner_outlook(distinct: int, neurons: int, smallest_distance: int, pinv_works: bool) -> RuleOutlook:
    if pinv_works:
        return RuleOutlook("gardner", True, "separable at every neuron, since the projection rule stores the patterns")
    if smallest_distance == 1:
        return RuleOutlook("gardner", False, "two patterns differ in a single bit: impossible without self-coupling")
    limit = _theory_limits()[1]
    works = distinct <= limit * neurons
    return RuleOutlook(
        "gardner",
        works,
        f"{distinct} distinct patterns, random ones are storable up to {limit:g} N = {limit * neurons:g}"
        + ("" if works else " (biased or correlated ones possibly beyond)"),
    )

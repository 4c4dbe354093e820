"""The result of `compare`: a labelled dataset that prints as a table, in a notebook too, and draws itself."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from replicon.core import statistics
from replicon.core.observables import KINDS, Observable, Observables
from replicon.core.provenance import provenance
from replicon.core.realization import Draws
from replicon.core.seeds import canonical
from replicon.maths.extrapolation import extrapolate

if TYPE_CHECKING:
    from replicon.core.system import System

VERDICTS = {
    "agree": "no observable disagrees",
    "disagree": "at least one observable disagrees",
    "undecided": "nothing could be compared",
}


@dataclass
class SizeResult:
    """What was measured and predicted at one size; no prediction where the theory did not converge."""

    size: int
    draws: Draws
    prediction: Observables | None


class Comparison(xr.Dataset):
    """Theory beside simulation at several sizes, as an `xarray.Dataset`.

    The draws are variables named after the observables, with dims (size, realization[, coordinate]). Scalars are
    summarised with dims (observable, size): ``theory``, ``mean``, ``standard_error``, ``spread``, ``count``, ``z``,
    ``success_fraction``; and with dims (observable,): ``theory_infinite``, ``extrapolated``,
    ``extrapolated_error``, ``p_value``, ``rejected``. A curve ``c`` has ``c_theory``, ``c_mean``,
    ``c_standard_error`` and ``c_z``. Where an observable declares a success threshold and the theory predicts
    success, means run over the successful draws and ``success_fraction`` says how many they are.

    A z-score and the extrapolation use the larger of the sample's own standard error and the one that the spread
    pooled over all sizes gives (`replicon.core.statistics.trusted_errors`): the spread of a few draws with rare
    events is often much too small.
    """

    __slots__ = ()

    @property
    def verdict(self) -> str:
        """The family-wise verdict: agree, disagree or undecided."""
        return self.attrs["verdict"]

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, commit, machine, seed and wall time."""
        return json.loads(self.attrs["provenance"])

    def __repr__(self) -> str:
        from replicon.core.tables import comparison_text

        return comparison_text(self) if "verdict" in self.attrs else super().__repr__()

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from replicon.core.tables import comparison_html

        return comparison_html(self) if "verdict" in self.attrs else super()._repr_html_()

    def plot(self, observables: Any = None, **options: Any) -> Any:  # type: ignore[override]
        """Draw one panel per observable: scalars against size, curves and spectra against their coordinate.

        Parameters
        ----------
        observables : str or sequence of str, optional
            Which ones; all that were measured by default.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from replicon.core.plotting import plot_comparison

        return plot_comparison(self, observables, **options)


def build(
    system: "System",
    results: list[SizeResult],
    *,
    infinite: Observables | None,
    kind: str,
    exponent: float,
    level: float,
    seed: int,
    wall_time: float,
) -> Comparison:
    """Assemble the dataset: draws, summaries, z-scores, extrapolation and verdict."""
    table = system.Observables.table()
    measured = [name for name in table if any(name in result.draws.values for result in results)]
    predicted = [name for name in table if infinite is not None and getattr(infinite, name) is not None]
    names = [name for name in table if name in measured or name in predicted]
    views = [_SizeView(system, result, kind) for result in results]
    scalars = [name for name in names if not table[name].dims]
    curves = [name for name in names if table[name].dims]
    sizes = [result.size for result in results]
    coords: dict[str, Any] = {"size": sizes, "observable": scalars, "quantile": list(statistics.QUANTILES)}
    coords |= {dim: np.asarray(values) for dim, values in system.coords().items()}
    data: dict[str, Any] = _draws_of(measured, table, results)
    p_values: dict[str, float] = {}
    rows = {name: _scalar_row(name, table[name], views, infinite, exponent) for name in scalars}
    for column in ("theory", "mean", "standard_error", "spread", "count", "z", "success_fraction", "success_error"):
        data[column] = (("observable", "size"), _matrix([rows[name][column] for name in scalars], len(sizes)))
    quantiles = [rows[name]["quantiles"] for name in scalars]
    data["quantiles"] = (
        ("observable", "size", "quantile"),
        np.asarray(quantiles, float).reshape(len(scalars), len(sizes), len(statistics.QUANTILES)),
    )
    for column in ("theory_infinite", "extrapolated", "extrapolated_error", "p_value"):
        data[column] = (("observable",), np.asarray([rows[name][column] for name in scalars], dtype=float))
    p_values |= {name: rows[name]["p_value"] for name in scalars}
    for name in curves:
        entry, p_values[name] = _curve(name, table[name], views, exponent)
        data |= entry
        data[f"{name}_p_value"] = p_values[name]
    rejected = statistics.holm(p_values, level)
    data["rejected"] = (("observable",), np.asarray([rejected[name] for name in scalars], dtype=bool))
    data["theory_status"] = (("size",), [view.status for view in views])
    verdict = _verdict(p_values, rejected)
    dataset = Comparison(data, coords=coords)
    for name in names:
        if name in dataset:
            dataset[name].attrs.update(symbol=table[name].symbol, units=table[name].unit, long_name=table[name].doc)
    dataset.attrs = {
        "system": type(system).__name__,
        "identity": canonical(system.identity()),
        "parameters": json.dumps(system.values()),
        "theory_asked": kind,
        "theory_used": KINDS[views[-1].kind] if views[-1].kind else "none",
        "verdict": verdict,
        "disagreeing": ", ".join(name for name in rejected if rejected[name]),
        "level": level,
        "exponent": exponent,
        "note": "; ".join(dict.fromkeys(text for view in views for text in view.notes)),
        "failed": sum(len(result.draws.errors) for result in results),
        "errors": canonical([[r.size, int(r.draws.seeds[i]), e] for r in results for i, e in r.draws.errors.items()]),
        "symbols": canonical(
            {name: [entry.symbol, entry.unit, entry.doc, entry.success] for name, entry in table.items()}
        ),
        "curves": canonical({name: [table[name].dims[0], table[name].spectrum] for name in curves}),
        "references": canonical([reference.short for reference in system.references]),
        "provenance": canonical(provenance(seed=seed, wall_time_seconds=round(wall_time, 3))),
    }
    return dataset


class _SizeView:
    """The draws of one size beside the theory that they are compared with."""

    def __init__(self, system: "System", result: SizeResult, kind: str) -> None:
        self.size, self.draws, self.prediction = result.size, result.draws, result.prediction
        self.paired = bool(result.draws.predictions)
        self.kind = "" if self.prediction is None else "instance" if self.paired else self.prediction.kind
        self.status = 1 if self.prediction is None else int(np.asarray(self.prediction.status))
        self.declined = self.prediction is None or bool(self.prediction.declined)
        self.notes = [] if self.prediction is None else [self.prediction.note] if self.prediction.note else []
        if self.prediction is None:
            self.notes.append("the theory did not converge or does not exist")
        if kind == "instance" and not self.paired:
            self.notes.append("there is no theory of a single draw of this system")
        self.selected, self.fraction = self._select(system.Observables.table())

    def _select(self, table: dict[str, Observable]) -> tuple[np.ndarray, dict[str, tuple[float, float]]]:
        """Draws that are in the predicted state, and the success fraction of each observable that declares one."""
        selected = np.ones(len(self.draws.seeds), dtype=bool)
        fractions = {}
        for name, entry in table.items():
            if entry.success is None or name not in self.draws.values:
                continue
            values = self.draws.values[name]
            hits = values >= entry.success
            fractions[name] = statistics.fraction_error(int(hits.sum()), int(np.isfinite(values).sum()))
            expected = None if self.declined or self.prediction is None else getattr(self.prediction, name)
            if expected is not None and expected >= entry.success:
                selected &= hits
                if not hits.all():
                    self.notes.append(
                        f"size {self.size}: {int(hits.sum())} of {len(hits)} draws are in the predicted state "
                        f"({entry.symbol} >= {entry.success:g}); means are over these"
                    )
        if selected.sum() < 0.5 * len(selected):
            self.declined = True
            self.notes.append(f"size {self.size}: fewer than half of the draws are in the predicted state, no z")
            selected = np.ones_like(selected)
        return selected, fractions

    def predicted(self, name: str) -> Any:
        """The prediction shown: the mean over draws where each draw has its own."""
        if self.paired and name in self.draws.predictions:
            return np.nanmean(self.draws.predictions[name][self.selected], axis=0)
        return None if self.prediction is None else getattr(self.prediction, name)

    def difference(self, name: str) -> statistics.Summary | None:
        """Measurement minus prediction, paired draw by draw where each draw has its own prediction."""
        expected = self.predicted(name)
        if self.declined or expected is None or name not in self.draws.values:
            return None
        if self.paired and name in self.draws.predictions:
            expected = self.draws.predictions[name][self.selected]
        return statistics.summarize(self.draws.values[name][self.selected] - np.asarray(expected))


def _scalar_row(
    name: str, entry: Observable, views: list[_SizeView], infinite: Observables | None, exponent: float
) -> dict[str, Any]:
    """Everything that is said of one scalar."""
    row: dict[str, Any] = {column: [] for column in (
        "theory", "mean", "standard_error", "spread", "count", "z", "success_fraction", "success_error", "quantiles"
    )}  # fmt: skip
    outside, errors, counts = [], [], []
    differences = [view.difference(name) for view in views]
    trusted = statistics.trusted_errors([view.size for view in views], differences, entry.quantum)
    for view, difference, error_bar in zip(views, differences, trusted, strict=True):
        expected = view.predicted(name)
        values = view.draws.values.get(name)
        summary = statistics.summarize(np.full(1, np.nan) if values is None else values[view.selected])
        row["theory"].append(np.nan if expected is None else float(expected))
        row["mean"].append(summary.mean)
        row["standard_error"].append(summary.standard_error)
        row["spread"].append(summary.spread)
        row["count"].append(summary.count)
        row["quantiles"].append(summary.quantiles)
        fraction, error = view.fraction.get(name, (np.nan, np.nan))
        row["success_fraction"].append(fraction)
        row["success_error"].append(error)
        if difference is None or difference.count < 2:
            row["z"].append(np.nan)
            outside.append(np.nan)
            errors.append(np.nan)
            continue
        scale = np.maximum(np.abs(summary.mean), abs(float(expected)))  # type: ignore[arg-type]
        row["z"].append(
            statistics.z_score(statistics.excess(difference.mean, scale, entry.prediction, entry.tolerance), error_bar)
        )
        outside.append(difference.mean)
        errors.append(error_bar)
        counts.append(int(difference.count))
    limit = np.nan if infinite is None or getattr(infinite, name) is None else float(getattr(infinite, name))
    row["theory_infinite"] = limit
    row["extrapolated"], row["extrapolated_error"], row["p_value"] = _limit(
        entry, [view.size for view in views], outside, errors, counts, limit, exponent
    )
    return row


def _limit(
    entry: Observable, sizes: list[int], differences: list, errors: list, counts: list, limit: float, exponent: float
) -> tuple[float, float, float]:
    """Extrapolated value, its error, and the p-value of its difference from the theory.

    The difference from the prediction is extrapolated, not the value: the rounding of a load to whole patterns is
    in both and drops out. With one size the difference at that size is tested.
    """
    usable = np.isfinite(differences)
    if not usable.any():
        return np.nan, np.nan, np.nan
    if usable.sum() == 1:
        at = int(np.flatnonzero(usable)[0])
        difference, error, value, value_error = differences[at], errors[at], np.nan, np.nan
    elif np.all(np.asarray(errors)[usable] == 0):
        last = np.flatnonzero(usable)[-1]
        difference, error = differences[last], 0.0
        value, value_error = limit + difference, 0.0
    else:
        fit = extrapolate(sizes, differences, errors, exponent)
        difference, error = fit.intercept, fit.intercept_error
        value, value_error = limit + difference, error
    if entry.prediction == "approximation":
        return float(value), float(value_error), float("nan")
    outside = statistics.excess(
        difference, abs(limit) if np.isfinite(limit) else 1.0, entry.prediction, entry.tolerance
    )
    z = float(statistics.z_score(outside, error))
    return float(value), float(value_error), statistics.p_value(z, min(counts) - 1)


def _curve(name: str, entry: Observable, views: list[_SizeView], exponent: float) -> tuple[dict[str, Any], float]:
    """Variables of one curve or spectrum, and its p-value (Bonferroni over its points)."""
    dims = ("size", *entry.dims)
    columns: dict[str, list[Any]] = {"theory": [], "mean": [], "standard_error": [], "z": []}
    summaries = [view.difference(name) for view in views]
    trusted = statistics.trusted_errors([view.size for view in views], summaries, entry.quantum)
    differences, counts = [], []
    shapes = [np.shape(view.predicted(name)) for view in views if view.predicted(name) is not None]
    shapes += [view.draws.values[name].shape[1:] for view in views if name in view.draws.values]
    blank = np.full(shapes[0], np.nan)
    for view, difference, error_bar in zip(views, summaries, trusted, strict=True):
        expected = view.predicted(name)
        values = view.draws.values.get(name)
        summary = statistics.summarize(blank[None] if values is None else values[view.selected])
        columns["theory"].append(blank if expected is None else np.asarray(expected))
        columns["mean"].append(summary.mean)
        columns["standard_error"].append(summary.standard_error)
        if difference is None:
            columns["z"].append(blank)
            continue
        scale = np.maximum(np.abs(summary.mean), np.abs(np.asarray(expected)))
        outside = statistics.excess(difference.mean, scale, entry.prediction, entry.tolerance)
        columns["z"].append(statistics.z_score(outside, error_bar))
        differences.append((view.size, difference.mean, error_bar))
        counts.append(int(difference.count.min()))
    data = {f"{name}_{column}": (dims, np.asarray(values, dtype=float)) for column, values in columns.items()}
    if not differences:
        return data, float("nan")
    p_values = []
    sizes = [size for size, _, _ in differences]
    for k in range(blank.size):
        means = [mean.ravel()[k] for _, mean, _ in differences]
        errors = [np.ravel(error)[k] for _, _, error in differences]
        p_values.append(_limit(entry, sizes, means, errors, counts, np.nan, exponent)[2])
    known = [p for p in p_values if np.isfinite(p)]
    return data, min(1.0, min(known) * len(known)) if known else float("nan")


def _draws_of(measured: list[str], table: dict[str, Observable], results: list[SizeResult]) -> dict[str, Any]:
    """The raw draws, padded with nan to the largest number of realisations."""
    most = max(len(result.draws.seeds) for result in results)

    def pad(array: np.ndarray) -> np.ndarray:
        widths = [(0, most - len(array))] + [(0, 0)] * (array.ndim - 1)
        return np.pad(np.asarray(array, dtype=float), widths, constant_values=np.nan)

    data: dict[str, Any] = {}
    for name in measured:
        shape = next(r.draws.values[name].shape[1:] for r in results if name in r.draws.values)
        blank = np.full((1, *shape), np.nan)
        rows = [pad(result.draws.values.get(name, blank)) for result in results]
        data[name] = (("size", "realization", *table[name].dims), np.stack(rows))
    seeds = [np.pad(result.draws.seeds, (0, most - len(result.draws.seeds)), constant_values=-1) for result in results]
    data["seed"] = (("size", "realization"), np.stack(seeds))
    return data


def _matrix(rows: list[Any], sizes: int) -> np.ndarray:
    return np.asarray(rows, dtype=float).reshape(len(rows), sizes)


def _verdict(p_values: dict[str, float], rejected: dict[str, bool]) -> str:
    if all(np.isnan(p) for p in p_values.values()):
        return "undecided"
    return "disagree" if any(rejected.values()) else "agree"

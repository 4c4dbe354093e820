"""The commands that compute: theory, simulate and compare."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from replicon.cli import process
from replicon.cli.arguments import make_grid, make_system, parse_sizes
from replicon.cli.catalogue import find_system
from replicon.cli.output import print_json, print_table, progress
from replicon.core.errors import DataError, ParameterError, RunFailedError

if TYPE_CHECKING:
    from replicon.core.comparison import Comparison
    from replicon.core.realization import Draws
    from replicon.core.system import System

TheoryKind = Literal["infinite", "finite", "instance"]

LARGEST_PRINTED = 40
"""Rows of a theory grid that are printed as a table; JSON has them all."""


@contextmanager
def running() -> Iterator[None]:
    """Around work whose input has been checked: an error about data is then a failed run, not wrong usage."""
    try:
        yield
    except (ParameterError, DataError) as error:
        raise RunFailedError(str(error)) from error


def theory(name: str, words: tuple[str, ...], size: int | None, as_json: bool) -> None:
    """Print a prediction, or one at each point of a grid."""
    process.prepare()
    owner = find_system(name).load()
    grid = make_grid(owner, words)
    if any(isinstance(value, list) for value in grid.values()):
        _theory_grid(name, owner, grid, size, as_json)
        return
    from replicon.cli.documents import theory_document

    system = owner.make(**grid)
    record = system.theory(size=size)
    if as_json:
        print_json(theory_document(name, system, record, size))
    else:
        _print_theory(name, system, record, size)


def _theory_grid(name: str, owner: Any, grid: dict[str, Any], size: int | None, as_json: bool) -> None:
    from replicon.cli.documents import grid_document, note_of
    from replicon.core.prediction import predict

    dataset = predict(owner, size=size, **grid)
    if as_json:
        print_json(grid_document(name, owner, dataset, size))
        return
    import numpy as np

    from replicon.core.sections import Table
    from replicon.core.tables import plain

    symbols = {key: info.symbol for key, info in owner.Observables.table().items()}
    axes = [str(dim) for dim in dataset["status"].dims]
    scalars = [key for key in symbols if key in dataset and dataset[key].ndim == len(axes)]
    rows = []
    for index in list(np.ndindex(dataset["status"].shape))[:LARGEST_PRINTED]:
        place = [dataset[axis].values[k] for axis, k in zip(axes, index, strict=True)]
        cells = [plain(float(dataset[key].values[index])) for key in scalars]
        rows.append([*(value if isinstance(value, str) else f"{value:.6g}" for value in place), *cells])
    remarks = [f"theory: {_kind_text(dataset.attrs['theory'])}"]
    note = note_of(owner.Observables, dataset["status"].values)
    remarks += [f"note: {note}"] if note else []
    if dataset["status"].size > len(rows):
        remarks.append(f"{dataset['status'].size - len(rows)} more rows; --json has them all")
    header = [*axes, *(f"{key}\n{symbols[key]}" for key in scalars)]
    print_table(Table(header, rows, name), remarks)


def _print_theory(name: str, system: "System", record: Any, size: int | None) -> None:
    import numpy as np

    from replicon.core.sections import Table
    from replicon.core.tables import plain

    table = record.table()
    rows = []
    for key, value in record.present().items():
        array = np.asarray(value, dtype=float)
        text = plain(array.item()) if array.ndim == 0 else f"{plain(array[0])} ... {plain(array[-1])} ({array.size})"
        rows.append([key, table[key].symbol, text, _unit(table[key].unit), table[key].doc])
    remarks = [f"theory: {_kind_text(record.kind)}"]
    remarks += [f"note: {record.note}"] if record.note else []
    title = _title(name, system, size)
    print_table(Table(["observable", "symbol", "value", "unit", "meaning"], rows, title, (1, 3, 4)), remarks)


def simulate(name: str, words: tuple[str, ...], size: int, realizations: int, seed: int, as_json: bool) -> None:
    """Print what is measured on several draws of one size."""
    process.prepare()
    system = make_system(find_system(name).load(), words)
    from replicon.core.realization import check_memory, realize, require_realizations
    from replicon.core.system import check_seed, check_size

    check_size(system, size)
    require_realizations(realizations)
    check_seed(seed)
    check_memory(system, size)
    began = time.perf_counter()
    with running(), progress(f"{name}, N = {size}") as listener:
        done = 0

        def count(finished: int) -> None:
            nonlocal done
            done += finished
            if listener is not None:
                listener(done, realizations)

        draws = realize(system, size, range(realizations), seed=seed, progress=count)
    if len(draws.errors) == realizations:
        raise RunFailedError(f"every realisation failed; the first with {next(iter(draws.errors.values()))}")
    from replicon.cli.documents import simulation_document

    document = simulation_document(name, system, size, seed, draws, time.perf_counter() - began)
    if as_json:
        print_json(document)
    else:
        _print_simulation(name, system, size, document, draws)


def _print_simulation(name: str, system: "System", size: int, document: dict[str, Any], draws: "Draws") -> None:
    import numpy as np

    from replicon.core.sections import Table
    from replicon.core.tables import plain, with_error

    rows = []
    for key, entry in document["observables"].items():
        if np.ndim(entry["mean"]) > 0:
            rows.append(
                [key, entry["symbol"], f"{np.size(entry['mean'])} points", "", "", "", "", _unit(entry["unit"])]
            )
            continue
        mean = with_error(float(entry["mean"]), float(entry["standard_error"]))
        quantiles = entry["quantiles"]
        low, high = plain(float(quantiles["0.05"])), plain(float(quantiles["0.95"]))
        success = entry.get("success_fraction")
        rows.append([
            key, entry["symbol"], mean, plain(float(entry["spread"])), str(int(entry["count"])), f"{low} ... {high}",
            "" if success is None else with_error(success, entry["success_error"]), _unit(entry["unit"]),
        ])  # fmt: skip
    header = ["observable", "symbol", "mean", "spread", "count", "5 % ... 95 %", "success", "unit"]
    remarks = [f"note: {document['note']}"] if document["note"] else []
    seeds = ", ".join(str(seed) for seed in draws.seeds[:3])
    remarks.append(f"seeds of the draws, for sample(size, seed): {seeds}{', ...' if len(draws.seeds) > 3 else ''}")
    print_table(Table(header, rows, _title(name, system, size), (1, 7)), remarks)


def compare(
    name: str,
    words: tuple[str, ...],
    *,
    sizes: str | None,
    realizations: int,
    seed: int,
    kind: TheoryKind,
    level: float,
    target_se: float | None,
    workers: int,
    as_json: bool,
) -> None:
    """Print theory beside simulation."""
    system, result = measure(
        name, words, sizes=sizes, realizations=realizations, seed=seed, kind=kind, level=level, target_se=target_se,
        workers=workers,
    )  # fmt: skip
    if as_json:
        from replicon.cli.documents import comparison_document

        print_json(comparison_document(name, system, result))
    else:
        print_comparison(result)


def print_comparison(result: "Comparison") -> None:
    """Print a comparison as a table."""
    from replicon.core import tables
    from replicon.core.sections import Table

    header, rows = tables.rows_of(result)
    print_table(Table(header, rows, tables.title_of(result)), tables.remarks_of(result))


def measure(
    name: str,
    words: tuple[str, ...],
    *,
    sizes: str | None,
    realizations: int,
    seed: int,
    kind: TheoryKind = "finite",
    level: float = 0.05,
    target_se: float | None = None,
    workers: int = 1,
) -> "tuple[System, Comparison]":
    """Check what was typed, then compare, with a progress bar on a terminal."""
    process.prepare()
    system = make_system(find_system(name).load(), words)
    from replicon.core import compare as core
    from replicon.core.execution import make_executor
    from replicon.core.realization import require_realizations
    from replicon.core.system import check_seed, check_size

    chosen = parse_sizes(sizes) or list(core.DEFAULT_SIZES)
    for size in chosen:
        check_size(system, size)
    require_realizations(realizations)
    check_seed(seed)
    make_executor(workers)
    if not 0 < level < 1:
        raise ParameterError(f"level is {level!r}; give a probability between 0 and 1")
    if target_se is not None and not 0 < target_se < float("inf"):
        raise ParameterError(f"target-se is {target_se!r}; give a positive standard error")
    with running(), progress(name) as listener:
        result = core.compare(
            system, chosen, realizations, seed=seed, theory=kind, level=level, target_se=target_se, workers=workers,
            progress=listener,
        )  # fmt: skip
    return system, result


def _title(name: str, system: "System", size: int | None) -> str:
    values = ", ".join(f"{key} = {value}" for key, value in system.values().items())
    return f"{name} ({values})" + ("" if size is None else f", N = {size}")


def _kind_text(kind: str) -> str:
    from replicon.core.observables import KINDS

    return KINDS[kind]


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit

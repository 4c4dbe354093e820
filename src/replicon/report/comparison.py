"""The sections of a comparison's report, one function each."""

import json
import shlex
import sys
from typing import Any

import numpy as np

from replicon.core import tables
from replicon.core.comparison import VERDICTS, Comparison
from replicon.core.sections import Code, Picture, Section, Table
from replicon.report.sources import catalogue_name, class_of, provenance_table, sources_section


def summary(result: Comparison) -> list[str]:
    """The verdict and what the reader must know before the numbers."""
    what = VERDICTS[result.verdict]
    named = f": {result.attrs['disagreeing']}" if result.attrs["disagreeing"] else ""
    lines = [f"{what[0].upper()}{what[1:]}{named} (Holm's test, family-wise level {result.attrs['level']:g})."]
    lines.append(f"Simulations are compared with {result.attrs['theory_used']}.")
    lines += [f"Note: {text}." for text in result.attrs["note"].split("; ") if text]
    if result.attrs["failed"]:
        lines.append(f"{result.attrs['failed']} realisations failed and are left out.")
    return lines


def measurements(result: Comparison) -> Section:
    """The table of theory beside simulation."""
    header, rows = tables.rows_of(result)
    text = (
        "Means over draws; the digits in brackets are the standard error of the last digits, z the deviation from "
        "the theory at that size in standard errors, N -> inf the extrapolation and p its agreement with the theory.",
    )
    return Section("Theory beside simulation", text, (Table(header, rows),))


def figures(result: Comparison) -> list[Section]:
    """One figure for each observable that was measured: first what the theory predicts too, then the others."""
    curves = json.loads(result.attrs["curves"])
    symbols = json.loads(result.attrs["symbols"])
    both, alone = [], []
    for name in [str(key) for key in result["observable"].values]:
        line = result.sel(observable=name)
        if np.isfinite(line["mean"]).any():
            (both if np.isfinite(line["theory"]).any() else alone).append(name)
    both += [name for name in curves if f"{name}_mean" in result and np.isfinite(result[f"{name}_mean"]).any()]
    groups = (("Figures", both), ("Measured, without a prediction", alone))
    return [
        Section(title, pictures=tuple(_picture(result, name, symbols[name], name in curves) for name in names))
        for title, names in groups
        if names
    ]


def _picture(result: Comparison, name: str, symbol: list[Any], curve: bool) -> Picture:
    figure = result.plot(name)
    # The page's title says which system and parameters these are.
    figure.suptitle("")
    against = "its coordinate" if curve else "system size"
    sizes = ", ".join(str(size) for size in result["size"].values)
    return Picture(figure, f"{name} against {against}, simulation with error bars at N = {sizes} and theory", symbol[2])


def reproduction(result: Comparison) -> Section:
    """The command and the Python lines that give the same numbers again."""
    identity = json.loads(result.attrs["identity"])
    seed = result.provenance.get("seed", 0)
    code = []
    name = catalogue_name(identity["system"])
    if name is not None:
        code.append(Code(_command(result, name, identity["parameters"], seed), "In a shell"))
    code.append(Code(_python(result, identity, seed), "In Python"))
    return Section("Again", ("The same versions on the same kind of machine give the same numbers.",), code=tuple(code))


def _command(result: Comparison, name: str, parameters: dict[str, Any], seed: int) -> str:
    words = ["replicon", "compare", name, *(f"{key}={value}" for key, value in parameters.items())]
    words += ["--sizes", ",".join(str(size) for size in result["size"].values)]
    words += ["--realizations", str(result.sizes["realization"]), "--seed", str(seed)]
    if result.attrs["theory_asked"] != "finite":
        words += ["--theory", result.attrs["theory_asked"]]
    if result.attrs["level"] != 0.05:
        words += ["--level", f"{result.attrs['level']:g}"]
    return shlex.join(words)


def _python(result: Comparison, identity: dict[str, Any], seed: int) -> str:
    module, _, name = identity["system"].partition(":")
    options = (
        f"sizes={[int(n) for n in result['size'].values]}, realizations={result.sizes['realization']}, seed={seed}"
    )
    if result.attrs["theory_asked"] != "finite":
        options += f", theory={result.attrs['theory_asked']!r}"
    if result.attrs["level"] != 0.05:
        options += f", level={result.attrs['level']!r}"
    values = ", ".join(f"{key}={value!r}" for key, value in identity["parameters"].items())
    lines = [
        "import replicon as rp",
        f"from {_shortest_home(module, name)} import {name}",
        "",
        f"model = {name}({values})",
        f"result = rp.compare(model, {options})",
        "print(result)",
    ]
    return "\n".join(lines)


def provenance(result: Comparison) -> Section:
    """Versions, machine, seed and time."""
    return Section("Where the numbers come from", tables=(provenance_table(result.provenance),))


def sources(result: Comparison) -> Section:
    """The literature, and BibTeX where the system's class is at hand."""
    owner = class_of(json.loads(result.attrs["identity"])["system"])
    return sources_section(tuple(json.loads(result.attrs["references"])), owner)


def _shortest_home(module: str, name: str) -> str:
    """The package nearest to the root that offers a class, which is where its users import it from."""
    parts = module.split(".")
    wanted = getattr(sys.modules.get(module), name, None)
    for count in range(1, len(parts)):
        package = sys.modules.get(".".join(parts[:count]))
        if wanted is not None and package is not None and getattr(package, name, None) is wanted:
            return ".".join(parts[:count])
    return module

"""What there is: the list, one system or tool in full, and versions. Listing imports no model."""

import inspect
import json
from typing import Any

from replicon.cli.output import console, print_json
from replicon.core import catalog
from replicon.core.errors import ParameterError


def find_system(name: str) -> catalog.Entry:
    """The system of this name; the error for a tool's name says how a tool is used."""
    for tool in catalog.tools():
        if tool.name == name:
            raise ParameterError(f"{name} is a tool for your own data, used from Python: {import_line(tool)}")
    return catalog.find(name)


def import_line(tool: catalog.Entry) -> str:
    """The import of a tool from its field."""
    field, _, name = tool.name.rpartition(".")
    return f"from replicon.{field} import {name}"


def list_all(as_json: bool) -> None:
    """Print every system and tool, one line each."""
    systems, tools = catalog.entries(), catalog.tools()
    if as_json:
        print_json({"systems": [_row(entry) for entry in systems], "tools": [_row(entry) for entry in tools]})
        return
    width = max(len(entry.name) for entry in [*systems, *tools]) + 2
    for title, group in (("systems", systems), ("tools, for your own data", tools)):
        print(title)
        for entry in group:
            origin = "" if entry.provider == "replicon" else f" [{entry.provider}]"
            print(f"  {entry.name:<{width}}{entry.line}{origin}")
    print("\n'replicon show NAME' tells more, 'replicon run NAME' compares theory with simulation.")


def _row(entry: catalog.Entry) -> dict[str, str]:
    return {"name": entry.name, "description": entry.line, "target": entry.target, "provider": entry.provider}


def show(name: str, bibtex: bool, as_json: bool) -> None:
    """Print what a system or tool is."""
    tool = next((entry for entry in catalog.tools() if entry.name == name), None)
    if tool is not None:
        _show_tool(tool, bibtex, as_json)
        return
    from replicon.core.citation import cite

    owner = catalog.find(name).load()
    if as_json:
        print_json(_system_document(name, owner) | ({"bibtex": cite(owner)} if bibtex else {}))
    elif bibtex:
        print(cite(owner))
    else:
        _print_system(name, owner)


def _show_tool(tool: catalog.Entry, bibtex: bool, as_json: bool) -> None:
    loaded = tool.load()
    text, line = inspect.getdoc(loaded) or "", import_line(tool)
    if bibtex:
        raise ParameterError(
            f"{tool.name} is a tool; its sources are in its docstring, see 'replicon show {tool.name}'"
        )
    signature = f"{loaded.__name__}{inspect.signature(loaded)}"
    if as_json:
        print_json({"tool": tool.name, "import": line, "signature": signature, "docstring": text})
        return
    print(f"{line}\n\n{signature}\n\n{text}")


def _system_document(name: str, owner: Any) -> dict[str, Any]:
    defaults = owner().values()
    parameters = {
        key: {
            "symbol": info.symbol,
            "unit": info.unit,
            "range": info.range,
            "low": info.low,
            "high": info.high,
            "choices": info.choices,
            "default": defaults[key],
            "description": info.doc,
        }
        for key, info in owner.parameters().items()
    }
    observables = {
        key: {
            "symbol": info.symbol,
            "unit": info.unit,
            "face": info.face,
            "dims": info.dims,
            "prediction": info.prediction,
            "description": info.doc,
        }
        for key, info in owner.Observables.table().items()
    }
    return {
        "system": name,
        "docstring": inspect.getdoc(owner) or "",
        "parameters": parameters,
        "observables": observables,
        "theories": owner.theory_kinds,
        "references": [reference.short for reference in owner.references],
    }


def _print_system(name: str, owner: Any) -> None:
    from rich.text import Text

    from replicon.cli.output import print_table
    from replicon.core.observables import KINDS
    from replicon.core.sections import Table

    document = _system_document(name, owner)
    output = console()
    output.print(Text(f"{name}\n", style="bold"))
    output.print(Text(document["docstring"] + "\n"))
    rows = [
        [key, info["symbol"], info["unit"], info["range"], str(info["default"]), info["description"]]
        for key, info in document["parameters"].items()
    ]
    print_table(
        Table(["parameter", "symbol", "unit", "range", "default", "meaning"], rows, "parameters", (1, 2, 3, 4, 5))
    )
    rows = [
        [key, info["symbol"], info["unit"], _face(info), info["description"]]
        for key, info in document["observables"].items()
    ]
    print_table(Table(["observable", "symbol", "unit", "known from", "meaning"], rows, "observables", (1, 2, 3, 4)))
    output.print(Text("theories"))
    for kind in owner.theory_kinds:
        output.print(Text(f"  {kind:<10}{KINDS[kind]}"))
    output.print(Text("\nreferences"))
    for reference in document["references"]:
        output.print(Text(f"  {reference}"))


def _face(info: dict[str, Any]) -> str:
    words = {"both": "theory and simulation", "predicted": "theory", "measured": "simulation"}[info["face"]]
    curve = f", against {', '.join(info['dims'])}" if info["dims"] else ""
    return words + curve + ("" if info["prediction"] == "equal" else f" ({info['prediction']})")


def version(as_json: bool) -> None:
    """Print the version; as JSON with those of the packages that determine the numbers."""
    from replicon import __version__

    if not as_json:
        print(f"replicon {__version__}")
        return
    from replicon.core.provenance import commit, machine, versions

    print(
        json.dumps({"version": __version__, "versions": versions(), "commit": commit(), "machine": machine()}, indent=2)
    )

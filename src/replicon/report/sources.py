"""What every report says of its origin: provenance, literature, and where a system's class is."""

import sys
from typing import Any

from replicon.core import catalog
from replicon.core.sections import Code, Section, Table


def provenance_table(found: dict[str, Any]) -> Table:
    """Versions, machine, seed and time as a table."""
    found = dict(found)
    rows = [[f"{package} version", version] for package, version in found.pop("versions", {}).items()]
    rows = [[key.replace("_", " "), str(value)] for key, value in found.items() if value != ""] + rows
    return Table(["what", "value"], rows, words=(1,))


def sources_section(references: tuple[str, ...], owner: Any) -> Section:
    """The literature, and BibTeX where the system's class is at hand."""
    from replicon.core.citation import cite

    return Section("Sources", references, code=(Code(cite() if owner is None else cite(owner), "BibTeX"),))


def catalogue_name(target: str) -> str | None:
    """Name of a class ``module:Class`` in the catalogue."""
    return next((entry.name for entry in catalog.entries() if entry.target == target), None)


def class_of(target: str) -> Any:
    """The class that a result names, if it is in the catalogue or already imported: a file must not choose imports."""
    name = catalogue_name(target)
    if name is not None:
        return catalog.load(name)
    module, _, attribute = target.partition(":")
    return getattr(sys.modules.get(module), attribute, None)

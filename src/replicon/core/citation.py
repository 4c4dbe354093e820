"""BibTeX of a system's sources and of Replicon itself."""

from typing import Any

from replicon.core.references import Reference

VERSION = "0.1.0"

REPLICON = Reference(
    key="replicon",
    authors="{The Replicon developers}",
    title=f"Replicon: theory beside simulation for the physics of learning, version {VERSION}",
    year=2026,
)


def cite(*systems: Any) -> str:
    """BibTeX of Replicon and of the sources of the given systems, each source once.

    Parameters
    ----------
    *systems : System, System class or catalogue name
    """
    from replicon.core import catalog

    entries = {REPLICON.key: REPLICON.bibtex()}
    for system in systems:
        owner = catalog.load(system) if isinstance(system, str) else system
        entries |= {reference.key: reference.bibtex() for reference in owner.references}
    return "\n\n".join(entries.values())

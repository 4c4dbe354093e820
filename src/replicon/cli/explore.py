"""The command explore: the web page on which theory and simulation move together."""

from typing import Annotated

from cyclopts import Parameter

EXPLORE_EXAMPLES = (
    "Examples:\n"
    "  replicon explore\n"
    "  replicon explore memory.hopfield --port 5010\n"
    "  replicon explore --store phase.zarr"
)


def explore_command(
    name: Annotated[
        str | None, Parameter(help="System that opens: a name that 'replicon list' prints, or module:Class.")
    ] = None,
    /,
    *,
    store: Annotated[
        list[str] | None, Parameter(help="Stored sweep to open, also while it runs; may be given several times.")
    ] = None,
    port: Annotated[int, Parameter(help="Port of the page; 0 takes a free one.")] = 5006,
    host: Annotated[str, Parameter(help="Address to listen on. Any other than the default is seen by others.")] = (
        "127.0.0.1"
    ),
    origin: Annotated[
        list[str] | None,
        Parameter(help="Further HOST:PORT by which browsers reach the page; may be given several times."),
    ] = None,
    browse: Annotated[
        bool, Parameter(name="--open", negative="--no-open", help="Open the page in the browser.")
    ] = True,
    max_seconds: Annotated[float, Parameter(help="Time of one simulation run.")] = 120.0,
    max_size: Annotated[int, Parameter(help="Largest system size that may be simulated.")] = 10_000,
    max_memory: Annotated[float, Parameter(help="Memory of a simulating process, in GiB.")] = 2.0,
) -> None:
    """Serve a web page: move sliders, watch the theory, add simulated points."""
    from replicon.cli import process

    process.prepare()
    import replicon as rp

    rp.explore(
        name, stores=store or [], host=host, port=port, origins=origin or [], browse=browse, max_size=max_size,
        max_seconds=max_seconds, max_memory=max_memory * 2**30,
    )  # fmt: skip

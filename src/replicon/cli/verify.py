"""The command verify: published numbers, recomputed."""

from typing import Annotated

from cyclopts import Parameter

VERIFY_EXAMPLES = (
    "Examples:\n"
    "  replicon verify\n"
    "  replicon verify memory.hopfield --json\n"
    "  replicon verify memory.hopfield --full --workers 2\n"
    "The exit code is 1 when a claim fails that is not known to (its remark then says what comes out, and why)."
)

NAMED = 5
"""Claims that the line about a failed run names."""


def verify_command(
    name: Annotated[str | None, Parameter(help="Name of a system; all of them by default.")] = None,
    /,
    *,
    full: Annotated[bool, Parameter(help="Also run the simulations that take minutes.")] = False,
    workers: Annotated[int, Parameter(help="Processes; the numbers do not depend on it.")] = 1,
    as_json: Annotated[bool, Parameter(name="--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Recompute the published numbers: published, theory, simulation and a verdict for each."""
    from replicon.cli import process

    process.prepare()
    from replicon.cli.catalogue import find_system
    from replicon.cli.output import console, print_json, progress
    from replicon.core.errors import RepliconError
    from replicon.core.tables import print_table
    from replicon.core.verification import HEADER, verify

    if name is not None:
        find_system(name)
    with progress("verifying") as listener:
        result = verify(name, full=full, workers=workers, progress=listener)
    if as_json:
        print_json(result.document())
    else:
        output = console()
        for system, cells in result.tables():
            print_table(output, system, HEADER, cells, [])
        for line in result.remarks():
            output.print(line, markup=False, soft_wrap=True)
    surprises = result.surprises
    if surprises:
        named = "; ".join(f"{row.name} ({row.verdict.replace('_', ' ')})" for row in surprises[:NAMED])
        more = f" and {len(surprises) - NAMED} more" if len(surprises) > NAMED else ""
        raise RepliconError(
            f"{len(surprises)} of {len(result.rows)} claims came out otherwise than recorded: {named}{more}"
        )

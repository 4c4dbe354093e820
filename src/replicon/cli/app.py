"""The commands, their options and help, and how errors leave the program.

Nothing heavy is imported here: each command imports what it needs, so that `list` and `--help` stay quick.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from replicon import __version__
from replicon.cli import process
from replicon.cli.explore import EXPLORE_EXAMPLES, explore_command
from replicon.cli.sweep import STATUS_EXAMPLES, SWEEP_EXAMPLES, status_command, sweep_command
from replicon.cli.verify import VERIFY_EXAMPLES, verify_command
from replicon.core.errors import DataError, ParameterError, RepliconError

USAGE, FAILED, INTERRUPTED, BROKEN_PIPE = 2, 1, 130, 141

app = App(
    name="replicon",
    help="The physics of learning: theory beside simulation.",
    help_epilogue="Start with 'replicon list', then 'replicon run memory.hopfield'. "
    "'replicon COMMAND --help' has examples.",
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative=""),
    suppress_keyboard_interrupt=False,
)
app.register_install_completion_command()

Name = Annotated[str, Parameter(help="Name of a system, as 'replicon list' prints it.")]
Values = Annotated[str, Parameter(help="Parameters as key=value, such as load=0.1; the others keep their defaults.")]
Grid = Annotated[
    str, Parameter(help="Parameters as key=value; load=0.05,0.1 (values) or load=0.05:0.15:11 (a range) is a grid.")
]
Json = Annotated[bool, Parameter(name="--json", help="Print JSON and nothing else.")]
Sizes = Annotated[str | None, Parameter(help="System sizes, separated by commas. [default: 500,1000,2000]")]
Realizations = Annotated[int, Parameter(help="Draws at each size.")]
Seed = Annotated[int, Parameter(help="Seed of the study: the same seed gives the same numbers.")]
Workers = Annotated[int, Parameter(help="Processes; the numbers do not depend on it.")]
Theory = Annotated[
    Literal["infinite", "finite", "instance"],
    Parameter(
        name="--theory", help="Theory at infinite size, with the known corrections of each size, or of each draw."
    ),
]


@app.command(name="list")
def list_(*, as_json: Json = False) -> None:
    """List every system and tool, one line each."""
    from replicon.cli import catalogue

    catalogue.list_all(as_json)


@app.command(help_epilogue="Examples:\n  replicon show memory.hopfield\n  replicon show memory.hopfield --bibtex")
def show(
    name: Annotated[str, Parameter(help="Name of a system or tool, as 'replicon list' prints it.")],
    /,
    *,
    bibtex: Annotated[bool, Parameter(help="Print the sources as BibTeX.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a system is: parameters with ranges, observables, theories, references."""
    from replicon.cli import catalogue

    process.prepare()
    catalogue.show(name, bibtex, as_json)


@app.command(
    help_epilogue="Examples:\n"
    "  replicon theory memory.hopfield load=0.1 temperature=0\n"
    "  replicon theory memory.hopfield load=0.1 --size 500 --json\n"
    "  replicon theory memory.hopfield load=0.05:0.15:11 temperature=0,0.2"
)
def theory(
    name: Name,
    /,
    *values: Grid,
    size: Annotated[int | None, Parameter(help="Predict for this size instead of infinite size.")] = None,
    as_json: Json = False,
) -> None:
    """Predict the observables, at one point or on a grid."""
    from replicon.cli import numbers

    numbers.theory(name, values, size, as_json)


@app.command(
    help_epilogue="Examples:\n"
    "  replicon simulate memory.hopfield load=0.1 --size 2000 --realizations 8 --seed 1\n"
    "  replicon simulate memory.hopfield load=0.05 temperature=0.3 --json"
)
def simulate(
    name: Name,
    /,
    *values: Values,
    size: Annotated[int, Parameter(help="System size.")] = 1000,
    realizations: Realizations = 8,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Measure the observables on several draws of one size."""
    from replicon.cli import numbers

    numbers.simulate(name, values, size, realizations, seed, as_json)


@app.command(
    help_epilogue="Examples:\n"
    "  replicon compare memory.hopfield load=0.1 --sizes 500,1000,2000 --realizations 16\n"
    "  replicon compare memory.hopfield load=0.05 temperature=0.3 --workers 2 --json"
)
def compare(
    name: Name,
    /,
    *values: Values,
    sizes: Sizes = None,
    realizations: Realizations = 16,
    seed: Seed = 0,
    kind: Theory = "finite",
    level: Annotated[float, Parameter(help="Family-wise error of the verdict.")] = 0.05,
    target_se: Annotated[float | None, Parameter(help="Draw more until every standard error is at most this.")] = None,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Lay theory beside simulation: error bars, z, extrapolation and a verdict."""
    from replicon.cli import numbers

    numbers.compare(
        name, values, sizes=sizes, realizations=realizations, seed=seed, kind=kind, level=level, target_se=target_se,
        workers=workers, as_json=as_json,
    )  # fmt: skip


@app.command(
    name="run",
    help_epilogue="Examples:\n"
    "  replicon run memory.hopfield\n"
    "  replicon run memory.hopfield load=0.05 temperature=0.3 --sizes 500,1000,2000 --realizations 32 --name warm",
)
def run_(
    name: Name,
    /,
    *values: Values,
    sizes: Sizes = None,
    realizations: Realizations = 16,
    seed: Seed = 0,
    kind: Theory = "finite",
    workers: Workers = 1,
    out: Annotated[str, Parameter(help="Folder of the runs.")] = "runs",
    label: Annotated[
        str | None, Parameter(name="--name", help="Name of the run's folder. [default: system and time]")
    ] = None,
    browse: Annotated[bool, Parameter(name="--open", help="Open the report in the browser.")] = False,
    as_json: Json = False,
) -> None:
    """Compare theory with simulation, show what the system can do, and write a report with figures."""
    from replicon.cli import study

    study.run(
        name, values, sizes=sizes, realizations=realizations, seed=seed, kind=kind, workers=workers, out=out,
        label=label, browse=browse, as_json=as_json,
    )  # fmt: skip


@app.command(help_epilogue="Examples:\n  replicon report runs/warm\n  replicon report phase.zarr --out phase.html")
def report(
    source: Annotated[str, Parameter(help="Folder of a run, or store of a sweep (also while it runs, also a URL).")],
    /,
    *,
    out: Annotated[
        Path | None, Parameter(help="HTML file to write. [default: report.html in a run, or beside the store]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the report of a run or a stored sweep: one self-contained HTML file."""
    from replicon.cli import study

    process.prepare()
    study.report(source, out, as_json)


app.command(sweep_command, name="sweep", help_epilogue=SWEEP_EXAMPLES)
app.command(status_command, name="status", help_epilogue=STATUS_EXAMPLES)
app.command(verify_command, name="verify", help_epilogue=VERIFY_EXAMPLES)
app.command(explore_command, name="explore", help_epilogue=EXPLORE_EXAMPLES)


@app.command
def version(*, as_json: Json = False) -> None:
    """Print the version; with --json also those of the packages that determine the numbers."""
    from replicon.cli import catalogue

    catalogue.version(as_json)


def main() -> None:
    """Run the command line in a process of its own and exit."""
    process.claim()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0, 1 for a failed run, 2 for wrong usage, 130 for Ctrl-C.

    Parameters
    ----------
    arguments : list of str
        The words after ``replicon``.
    """
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_none")
        sys.stdout.flush()
    except (CycloptsError, ParameterError, DataError) as error:
        return _fail(str(error), USAGE)
    except RepliconError as error:
        return _fail(str(error), FAILED)
    except KeyboardInterrupt as error:
        return _fail(str(error) or "interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        return _fail(str(error), FAILED)
    return 0


def _fail(message: str, code: int) -> int:
    """Say in one line what was wrong."""
    print(f"replicon: {' '.join(message.split())}", file=sys.stderr)
    return code

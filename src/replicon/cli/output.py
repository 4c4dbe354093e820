"""Printing: strict JSON for machines, tables for people, a progress bar on terminals only."""

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from replicon.core.sections import Section, Table

PIPE_WIDTH = 160
"""Columns of a table that is not printed on a terminal: wide enough that no cell is folded."""


def print_json(document: dict[str, Any]) -> None:
    """Print strict JSON: what is not finite is null."""
    print(json.dumps(strict(document), indent=2, ensure_ascii=False, allow_nan=False))


def strict(value: Any) -> Any:
    """The value as JSON has it: NumPy's numbers and arrays as numbers and lists, nan and infinities as None."""
    if isinstance(value, dict):
        return {str(key): strict(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [strict(entry) for entry in value]
    if hasattr(value, "tolist"):
        return strict(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def console() -> "Console":
    """Standard output; without a terminal as wide as its tables need."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            # Rich would exit with 1 by itself; `replicon.cli.app.run` knows what to do.
            raise BrokenPipeError

    return Output(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def print_table(table: "Table", remarks: list[str] | None = None) -> None:
    """Print a table and remarks below it."""
    from replicon.core import tables

    tables.print_table(console(), table.caption, table.header, table.rows, remarks or [], table.words)


def print_section(section: "Section") -> None:
    """Print what of a section can be shown in a terminal: text, tables and code, no figures."""
    from rich.text import Text

    output = console()
    output.print(Text(f"\n{section.title}", style="bold"))
    for paragraph in section.text:
        output.print(Text(paragraph))
    for table in section.tables:
        print_table(table)
    for code in section.code:
        output.print(Text(code.text))


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None] | None]:
    """A listener (done, planned) that moves a bar with rate and time left; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.3g}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)

        def listener(done: int, planned: int) -> None:
            if bar.tasks[task].total is None:
                # what was stored before says nothing of the rate
                bar.reset(task, completed=done, total=planned)
            bar.update(task, completed=done, total=planned)

        yield listener


@contextmanager
def working(title: str) -> Iterator[None]:
    """Show that something is under way whose length is not known."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(title):
        yield

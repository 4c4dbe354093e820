"""The examples of the README and of the documentation run as they stand.

All ``python`` blocks of a page run in order in one module. In ``console`` and ``bash`` blocks the lines that start with
``$ replicon`` are run and must exit with 0. A block with a title, ``title="room/theory.py"``, is a file: it is written
to the page's working directory, from which later blocks can import or read it. Blocks of other languages are text.
"""

import os
import re
import shlex
import subprocess
import sys
import textwrap
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

from replicon.core import catalog
from replicon.core.parameters import parameters_of

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    language: str
    title: str | None
    body: str
    line: int


def blocks(text: str) -> list[Block]:
    found = []
    for match in FENCE.finditer(text):
        language = re.match(r"\w*", match["info"]).group()
        title = re.search(r'title="([^"]+)"', match["info"])
        line = text.count("\n", 0, match.start("body"))
        found.append(Block(language, title and title[1], textwrap.dedent(match["body"]), line))
    return found


def commands(body: str) -> list[str]:
    """Arguments of each ``$ replicon`` line; a line may go on after a backslash."""
    prompt = "$ replicon"
    return [
        line[2:] for line in body.replace("\\\n", " ").splitlines() if line == prompt or line.startswith(f"{prompt} ")
    ]


def run_page(text: str, name: str, directory: Path) -> types.ModuleType:
    page = types.ModuleType("documentation_page")
    sys.modules[page.__name__] = page
    for block in blocks(text):
        if block.title is not None:
            target = directory / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.body)
        elif block.language == "python":
            code = compile("\n" * block.line + block.body, name, "exec")
            exec(code, page.__dict__)
        elif block.language in ("console", "bash"):
            for command in commands(block.body):
                run_command(command, directory)
    return page


def run_command(command: str, directory: Path) -> None:
    program, *arguments = shlex.split(command)
    executable = Path(sys.executable).with_name(program)
    environment = {**os.environ, "PYTHONPATH": str(directory), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [executable, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "agg")
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        source = getattr(sys.modules[name], "__file__", None)
        if name == "documentation_page" or (source and Path(source).is_relative_to(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_of_page_run(page, directory):
    run_page(page.read_text(), str(page), directory)


def test_readme_and_introduction_have_examples():
    for page in (ROOT / "README.md", ROOT / "docs" / "getting_started.md"):
        languages = [block.language for block in blocks(page.read_text())]
        assert "python" in languages
        assert "console" in languages


BUILT_IN = pytest.mark.parametrize("name", [entry[0] for entry in catalog.BUILT_IN])


@BUILT_IN
def test_names_page_has_every_public_word_with_its_symbol(name):
    page = (ROOT / "docs" / "names.md").read_text()
    (section,) = re.findall(rf"^## `{re.escape(name)}`$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    rows = {word: symbol.strip() for word, symbol in re.findall(r"^\| `(\w+)` \|(.*?)\|", section, re.MULTILINE)}
    system = catalog.load(name)
    for word, info in {**parameters_of(system), **system.Observables.table()}.items():
        assert word in rows, f"{name}: {word} is missing in names.md"
        # A word that is its own symbol has an empty cell.
        assert rows[word] == ("" if info.symbol == word else info.symbol), f"{name}: symbol of {word}"


@BUILT_IN
@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_every_system_is_introduced(name, page):
    assert f"| `{name}` |" in (ROOT / page).read_text()


def test_blocks_of_a_page_share_one_module_and_files(directory):
    text = """
```python
x = 2
```
```python title="room/five.py"
five = 5
```
- an item

    ```python
    from room.five import five
    assert x + five == 7
    seen = True
    ```
```text
not Python
```
"""
    page = run_page(text, "page", directory)
    assert page.seen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one\n```python\nassert 1 == 2, 'wrong'\n```\n", "wrong"),
        ("```console\n$ replicon no-such-command\n```\n", "exit 2"),
    ],
)
def test_a_broken_example_fails(text, message, directory):
    with pytest.raises(AssertionError, match=message):
        run_page(text, "page", directory)


def test_traceback_shows_the_line_of_the_page(directory):
    with pytest.raises(ZeroDivisionError) as caught:
        run_page("one\n\n```python\nx = 1\nx / 0\n```\n", "page.md", directory)
    assert (str(caught.traceback[-1].path), caught.traceback[-1].lineno + 1) == ("page.md", 5)

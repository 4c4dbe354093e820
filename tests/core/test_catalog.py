"""The catalogue, and a third party's package: the one that the documentation builds, really installed."""

import ast
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from replicon import ParameterError, RepliconError
from replicon.core import catalog
from tests.test_docs import blocks

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "your-own-system.md"


def replicon(*arguments, path):
    environment = {**os.environ, "PYTHONPATH": str(path), "MPLBACKEND": "agg"}
    command = [Path(sys.executable).with_name("replicon"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=path, timeout=300)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package of the page, installed into a folder by pip as a user would."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for block in blocks(PAGE.read_text()):
        if block.title is not None:
            file = source / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.body)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, capture_output=True, timeout=300)
    return target


def test_the_page_needs_fewer_than_sixty_lines():
    files = {
        block.title: block.body for block in blocks(PAGE.read_text()) if block.title and block.title.endswith(".py")
    }
    assert set(files) == {f"curie_weiss/{name}.py" for name in ("model", "theory", "simulation")}
    lines = [line for body in files.values() for line in body.splitlines() if line.strip()]
    assert len(lines) < 60, len(lines)


def test_third_party_system_is_listed_without_importing_it(installed):
    code = (
        "import sys; from replicon.core import catalog; "
        "entry = catalog.find('magnets.curie_weiss'); print(entry.line, '|', entry.provider); "
        "assert 'jax' not in sys.modules and 'curie_weiss.model' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("| curie-weiss") and done.stdout.startswith("N spins that all attract")


def test_third_party_system_gets_every_command(installed):
    listed = replicon("list", path=installed)
    assert "magnets.curie_weiss" in listed.stdout and "memory.hopfield" in listed.stdout
    compared = replicon(
        "compare", "magnets.curie_weiss", "--sizes", "200,400", "--realizations", "8", "--json", path=installed
    )
    assert compared.returncode == 0, compared.stderr
    document = json.loads(compared.stdout)
    assert document["system"] == "magnets.curie_weiss" and document["verdict"] == "agree"
    ran = replicon(
        "run", "magnets.curie_weiss", "--sizes", "100,200", "--realizations", "4", "--out", "runs", path=installed
    )
    assert ran.returncode == 0, ran.stderr
    (report,) = Path(installed).glob("runs/**/report.html")
    assert "Kochmanski" in report.read_text() or "CurieWeiss" in report.read_text()


def test_table_says_what_the_docstrings_say():
    for name, target, line in catalog.BUILT_IN:
        assert line == catalog.first_line(target), name
        assert catalog.name_of(catalog.load(name)) == name


def test_names():
    assert [entry.name for entry in catalog.entries()] == sorted(entry.name for entry in catalog.entries())
    with pytest.raises(ParameterError, match=r"did you mean 'memory\.hopfield'"):
        catalog.find("hopfeild")
    with pytest.raises(RepliconError, match=r"cannot be loaded"):
        catalog.load("nonsense.module:Nothing")


def test_first_line_of_what_is_not_there():
    assert catalog.first_line("nonsense.module:Nothing") == ""
    assert catalog.first_line("replicon.core.errors:Nothing") == ""


def test_theory_and_simulation_of_the_page_know_nothing_of_each_other():
    for block in blocks(PAGE.read_text()):
        if block.title in ("curie_weiss/theory.py", "curie_weiss/simulation.py"):
            imported = [
                name.name if isinstance(node, ast.Import) else node.module
                for node in ast.walk(ast.parse(block.body))
                if isinstance(node, (ast.Import, ast.ImportFrom))
                for name in node.names
            ]
            assert not any("curie_weiss" in str(name) for name in imported)


def test_importing_packages_imports_no_model():
    assert importlib.util.find_spec("replicon.memory.hopfield") is not None
    code = "import sys, replicon.memory.hopfield; assert 'jax' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("package", ["replicon", "replicon.memory", "replicon.memory.hopfield"])
def test_every_public_name_is_there(package):
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = module.nonsense

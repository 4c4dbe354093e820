"""Packaging, locks, versions and import contracts."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import replicon

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKED_EXTRAS = {
    "all": list(EXTRAS),
    "dev": ["docs", "dev", "explorer", "cluster", "s3"],
    "explorer": ["explorer"],
    "cluster": ["cluster"],
    "s3": ["s3"],
}
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[0-9][A-Za-z0-9.+!]*)( ; [^#]+)?")
HEAVY = [
    "jax",
    "numpy",
    "scipy",
    "xarray",
    "pandas",
    "matplotlib",
    "numba",
    "sklearn",
    "zarr",
    "dask",
    "equinox",
    "rich",
]

locks = pytest.mark.parametrize("lock", LOCKED_EXTRAS)


def pins(path: Path) -> dict[str, str]:
    """Versions by name of a file that may hold nothing but exact pins and comments."""
    versions = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            match = PIN.fullmatch(line)
            assert match, f"{path.name}: {line!r} is no exact pin"
            versions[canonicalize_name(match["name"])] = match["version"]
    return versions


def lock_file(lock: str) -> Path:
    return ROOT / "locks" / f"{lock}.txt"


def test_every_lock_is_known():
    assert {path.name for path in (ROOT / "locks").iterdir()} == {f"{lock}.txt" for lock in LOCKED_EXTRAS}
    assert set().union(*LOCKED_EXTRAS.values()) == set(EXTRAS)


@locks
def test_lock_names_no_host_path_or_option(lock):
    text = lock_file(lock).read_text()
    for trace in ("://", "--", " @ ", "\\"):
        assert trace not in text
    assert not re.search(r"(^|[\s=])[/~]", text, re.MULTILINE)


@locks
def test_lock_has_no_second_array_library(lock):
    assert not [name for name in pins(lock_file(lock)) if name in ("torch", "tensorflow") or name.startswith("nvidia-")]


@locks
def test_lock_satisfies_the_ranges_of_the_project(lock):
    versions = pins(lock_file(lock))
    wanted = [*PROJECT["dependencies"], *(line for extra in LOCKED_EXTRAS[lock] for line in EXTRAS[extra])]
    for requirement in map(Requirement, wanted):
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, requirement


@locks
def test_locks_can_be_installed_together(lock):
    assert pins(lock_file(lock)).items() <= pins(lock_file("all")).items()


def test_lock_covers_the_requirements_of_what_it_pins():
    versions = pins(lock_file("dev"))
    for name in versions:
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert versions[canonicalize_name(requirement.name)] in requirement.specifier, f"{name}: {line}"


def test_tests_run_with_the_locked_versions():
    installed = {name: metadata.version(name) for name in pins(lock_file("dev"))}
    assert installed == pins(lock_file("dev"))


def test_peers_of_the_benchmarks_are_pinned():
    for path in (ROOT / "benchmarks").glob("requirements*.txt"):
        assert pins(path)


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == replicon.__version__ == metadata.version("replicon") == citation["version"]
    assert citation["license"] == PROJECT["license"]


def test_import_loads_nothing_heavy():
    code = f"import sys, replicon; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_wheel_ships_every_module_and_the_type_marker(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    shutil.copytree(ROOT / "src" / "replicon", tree / "src" / "replicon", ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-qq",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        tmp_path,
        tree,
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    (wheel,) = tmp_path.glob("*.whl")
    shipped = zipfile.ZipFile(wheel).namelist()
    sources = {str(path.relative_to(tree / "src")) for path in (tree / "src").rglob("*.py")}
    assert {"replicon/py.typed", *sources} <= set(shipped)
    assert {name.split("/")[0] for name in shipped} == {"replicon", f"replicon-{PROJECT['version']}.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in shipped)


def test_no_text_names_a_machine():
    trace = re.compile("/" + "(work|opt|root|home|tmp)/[a-z]")
    folders = ("src", "tests", "docs", "benchmarks", "scripts", "locks", ".ci")
    suffixes = {".py", ".md", ".txt", ".toml", ".yml", ".yaml", ".cff", ""}
    files = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in suffixes]
    files += [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix in suffixes
    ]
    found = [f"{path}: {match.group()}" for path in files if (match := trace.search(path.read_text()))]
    assert not found


def test_environment_is_reused_until_lock_or_project_change(tmp_path):
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "locks", tmp_path / "locks")
    installed = tmp_path / ".venv" / ".installed"
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    lock, project = tmp_path / "locks" / "dev.txt", tmp_path / "pyproject.toml"

    def installs(target: str) -> bool:
        done = subprocess.run(["make", "-n", target], cwd=tmp_path, capture_output=True, text=True, check=True)
        return "pip install" in done.stdout

    assert installs("test")
    for path, second in ((lock, 1), (project, 1), (installed, 2)):
        path.touch()
        os.utime(path, (second, second))
    assert not installs("test")
    assert not installs("run")
    for path in (lock, project):
        os.utime(path, (3, 3))
        assert installs("test")
        assert installs("run")
        os.utime(path, (1, 1))


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package with one more system, to whose files a test may add imports."""
    tree = tmp_path_factory.mktemp("contracts")
    shutil.copy(ROOT / "pyproject.toml", tree)
    shutil.copytree(ROOT / "src" / "replicon", tree / "replicon", ignore=shutil.ignore_patterns("__pycache__"))
    room = tree / "replicon" / "memory" / "toy"
    room.mkdir(parents=True)
    for name in ("__init__", "theory", "simulation", "kernels"):
        (room / f"{name}.py").write_text("")
    (room / "model.py").write_text("from replicon.memory.toy import simulation, theory\n")
    return tree


def broken_contracts(tree: Path) -> set[str]:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=tree, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"}
    )
    broken = set(re.findall(r"^(.*) BROKEN", done.stdout, re.MULTILINE))
    assert (done.returncode == 0) == (not broken), done.stdout + done.stderr
    return broken


ARROWS = "Arrows go down: interfaces, fields, then maths and core"
MATHS = "Of the core, maths uses only errors, float64 and the monitor"
THEORY = "No theory knows a simulation"
SIMULATION = "No simulation knows a theory"


def test_import_contracts_hold(package):
    assert broken_contracts(package) == set()


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("memory/toy/theory.py", "from replicon.memory.toy import simulation", THEORY),
        ("memory/toy/theory.py", "from replicon.memory.toy.kernels import flip", THEORY),
        ("memory/toy/theory.py", "from replicon.memory.toy.model import Toy", THEORY),
        ("memory/toy/theory.py", "def late():\n    import replicon.memory.toy.simulation", THEORY),
        ("memory/toy/simulation.py", "from .theory import overlap", SIMULATION),
        ("memory/toy/kernels.py", "from replicon.memory.toy import theory", SIMULATION),
        ("maths/solution.py", "from replicon.memory.toy import theory", ARROWS),
        ("core/errors.py", "import replicon.memory.toy", ARROWS),
        ("maths/solution.py", "from replicon.core import observables", MATHS),
        ("newcomer.py", "", ARROWS),
    ],
)
def test_import_contract_bites(package, file, line, contract):
    path = package / "replicon" / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        assert contract in broken_contracts(package)
    finally:
        path.unlink() if before is None else path.write_text(before)

"""The command line: words in, numbers, tables, JSON and exit codes out."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import replicon as rp
from replicon import cli
from replicon.cli import process
from replicon.core import catalog
from replicon.core.seeds import realization_seed
from replicon.memory import Hopfield
from tests.laboratory import install

PROGRAM = str(Path(sys.executable).with_name("replicon"))
HEAVY = ["jax", "numpy", "xarray", "scipy", "pandas", "matplotlib", "dask", "numba", "sklearn", "zarr", "equinox"]
COMMANDS = ["list", "show", "theory", "simulate", "compare", "run", "version"]


@pytest.fixture
def laboratory(tmp_path, monkeypatch):
    """A third party's system ``coin`` on the import path."""
    install(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("tinylab")]:
        del sys.modules[name]


@pytest.fixture
def call(capsys):
    """Run a command in this process: exit code, standard output, standard error."""

    def run(*words):
        capsys.readouterr()
        code = cli.run(list(words))
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def read(call):
    """Run a command that succeeds and read the JSON that it prints, which must be strict."""

    def refuse(text):
        raise AssertionError(f"{text} is no JSON")

    def run(*words):
        code, output, _ = call(*words, "--json")
        assert code == 0
        return json.loads(output, parse_constant=refuse)

    return run


def is_error(result, code, *parts):
    """One line on standard error, nothing on standard output."""
    found, output, errors = result
    assert (found, output) == (code, "")
    assert errors.startswith("replicon: ")
    assert errors.count("\n") == 1
    for part in parts:
        assert part in errors
    return True


@pytest.mark.parametrize(
    "words", [["list"], ["list", "--json"], ["version"], ["--help"], ["--version"], ["run", "--help"], []]
)
def test_light_commands_import_nothing_heavy(words):
    lines = f"import sys; from replicon.cli import run; run({words!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert done.stdout
    assert not set(HEAVY) & set(done.stderr.split())


def test_list_is_quick():
    def seconds():
        # Processor time of the child, which other work on the machine does not lengthen.
        began = os.times()
        subprocess.run([PROGRAM, "list"], check=True, capture_output=True)
        ended = os.times()
        return ended.children_user + ended.children_system - began.children_user - began.children_system

    assert min(seconds() for _ in range(5)) < 0.25


def test_list_has_one_line_for_every_system_and_tool(laboratory, call, read):
    code, output, _ = call("list")
    assert code == 0
    for name, _, line in (*catalog.BUILT_IN, *catalog.TOOLS):
        assert [text for text in output.splitlines() if text.split()[:1] == [name]] == [
            next(text for text in output.splitlines() if text.strip().startswith(f"{name} ") and line in text)
        ]
    assert "tinylab.coins" not in sys.modules
    (coin,) = [text for text in output.splitlines() if text.split()[:1] == ["coin"]]
    assert "The mean of N tosses of a biased coin. [tinylab]" in coin
    document = read("list")
    assert {entry["name"] for entry in document["systems"]} == {name for name, *_ in catalog.BUILT_IN} | {"coin"}
    assert {entry["name"] for entry in document["tools"]} == {name for name, *_ in catalog.TOOLS}


@pytest.mark.parametrize("tool", catalog.tools(), ids=lambda tool: tool.name)
def test_tools_are_importable_and_described_by_their_docstrings(tool, call, read):
    loaded = tool.load()
    assert tool.line == loaded.__doc__.splitlines()[0]
    names = {}
    exec(read("show", tool.name)["import"], names)
    assert names[loaded.__name__] is loaded
    code, output, _ = call("show", tool.name)
    assert code == 0
    assert tool.line in output


def test_show_tells_everything_about_a_system(call, read):
    code, output, _ = call("show", "memory.hopfield")
    assert code == 0
    document = read("show", "memory.hopfield")
    assert document["docstring"].splitlines()[0] in output
    for name, info in Hopfield.parameters().items():
        assert all(word in output for word in (name, info.symbol, info.range))
        found = document["parameters"][name]
        assert (found["symbol"], found["unit"], found["description"]) == (info.symbol, info.unit, info.doc)
        assert found["default"] == getattr(Hopfield(), name)
    assert document["parameters"]["load"]["low"] == 0
    assert document["parameters"]["load"]["high"] is None
    for name, info in Hopfield.Observables.table().items():
        assert name in output
        assert document["observables"][name]["face"] == info.face
    assert document["theories"] == list(Hopfield.theory_kinds)
    for reference in Hopfield.references:
        assert reference.short in output
    assert call("show", "memory.hopfield", "--bibtex")[1].strip() == rp.cite(Hopfield)


def test_theory_gives_the_values_of_the_library(read):
    document = read("theory", "memory.hopfield", "load=0.1", "temperature=0")
    expected = Hopfield(load=0.1, temperature=0).theory()
    assert document["system"] == "memory.hopfield"
    assert document["parameters"] == Hopfield(load=0.1, temperature=0).values()
    assert (document["size"], document["theory"]) == (None, "infinite")
    assert document["observables"].keys() == expected.present().keys()
    # Overlap at load 0.1 and T = 0: Amit, Gutfreund and Sompolinsky, Ann. Phys. 173, 30 (1987), solved to 1e-10.
    assert document["observables"]["overlap"]["value"] == pytest.approx(0.9979993, abs=5e-8)
    assert document["observables"]["energy"]["value"] == expected.energy
    overlap = document["observables"]["overlap"]
    assert (overlap["symbol"], overlap["unit"], overlap["status"]) == ("m", "1", "ok")
    assert (
        document["observables"]["almeida_thouless"] | {"value": None, "status": "infinite"}
        == (document["observables"]["almeida_thouless"])
    )
    assert (document["valid"], document["note"]) == (expected.valid, expected.note)
    assert document["provenance"]["versions"]["jax"] == jax.__version__
    assert not jax.config.jax_enable_x64


def test_theory_at_a_size_uses_the_realised_load(read):
    document = read("theory", "memory.hopfield", "--size", "15", "load=0.1")
    assert (document["size"], document["theory"]) == (15, "finite")
    assert document["observables"]["crosstalk"]["value"] == pytest.approx(Hopfield(load=2 / 15).theory().crosstalk)


def test_theory_that_declines_says_so(read, call):
    document = read("theory", "memory.hopfield", "load=0.2", "state=retrieval")
    assert document["observables"]["overlap"]["status"] == "declined"
    assert document["observables"]["overlap"]["value"] is None
    assert not document["valid"]
    assert "no retrieval state" in document["note"]
    assert "no retrieval state" in call("theory", "memory.hopfield", "load=0.2", "state=retrieval")[1]


def test_theory_on_a_grid(read, call):
    words = ("theory", "memory.hopfield", "load=0.05:0.2:4", "state=retrieval", "temperature=0,0.1")
    document = read(*words)
    assert document["dims"] == ["load", "temperature"]
    assert document["parameters"]["load"] == pytest.approx([0.05, 0.1, 0.15, 0.2])
    values = np.array(document["observables"]["overlap"]["value"], dtype=float)
    assert values.shape == (4, 2)
    for row, load in enumerate((0.05, 0.1)):
        for column, temperature in enumerate((0, 0.1)):
            at = Hopfield(load=load, temperature=temperature, state="retrieval").theory()
            assert values[row, column] == pytest.approx(at.overlap, rel=1e-9)
    status = document["observables"]["overlap"]["status"]
    assert (status[0][0], status[3][0]) == ("ok", "declined")
    assert np.isnan(values[3]).all()
    assert np.shape(document["valid"]) == (4, 2)
    code, output, _ = call(*words)
    assert code == 0
    assert f"{values[1, 0]:.7g}" in output
    assert "no retrieval state" in output


def test_theory_on_a_grid_of_words(read):
    document = read("theory", "memory.hopfield", "state=retrieval,spin_glass", "load=0.1")
    assert document["parameters"]["state"] == ["retrieval", "spin_glass"]
    retrieval, glass = document["observables"]["overlap"]["value"]
    assert retrieval > 0.9
    assert glass == pytest.approx(0, abs=1e-9)


def test_curves_are_lists_with_their_coordinate(laboratory, read):
    curve = read("theory", "coin", "bias=0.4")["observables"]["walk"]
    assert curve["value"] == pytest.approx([0.2, 0.4])
    assert curve["coordinate"] == {"name": "time", "values": [0.5, 1.0]}
    grid = read("theory", "coin", "bias=0.2,0.4")["observables"]["walk"]
    assert np.allclose(grid["value"], [[0.1, 0.2], [0.2, 0.4]])
    assert grid["status"] == ["ok", "ok"]
    assert grid["coordinate"]["values"] == [0.5, 1.0]
    measured = read("simulate", "coin", "bias=1", "--size", "10", "--realizations", "3")["observables"]["walk"]
    assert (measured["mean"], measured["standard_error"], measured["count"]) == ([0.5, 1.0], [0, 0], [3, 3])
    compared = read("compare", "coin", "--sizes", "10,20", "--realizations", "4")["observables"]["walk"]
    assert np.shape(compared["mean"]) == np.shape(compared["theory"]) == np.shape(compared["z"]) == (2, 2)


SIMULATE = ("simulate", "memory.hopfield", "load=0.1", "--size", "200", "--realizations", "4", "--seed", "1")


def test_simulate_gives_the_numbers_of_the_library(read):
    document = read(*SIMULATE)
    model = Hopfield(load=0.1)
    assert document["seeds"] == [realization_seed(1, model.identity(), 200, index) for index in range(4)]
    energies = [model.simulate(model.sample(200, seed)).energy for seed in document["seeds"]]
    energy = document["observables"]["energy"]
    assert energy["mean"] == pytest.approx(np.mean(energies), rel=1e-14)
    assert energy["spread"] == pytest.approx(np.std(energies, ddof=1), rel=1e-12)
    assert energy["standard_error"] == pytest.approx(energy["spread"] / 2, rel=1e-12)
    assert (energy["count"], energy["symbol"], energy["unit"], energy["status"]) == (4, "e", "J", "ok")
    assert energy["quantiles"]["0.5"] == pytest.approx(np.median(energies))
    assert (document["size"], document["seed"], document["realizations"]) == (200, 1, 4)
    assert 0 <= document["observables"]["overlap"]["success_fraction"] <= 1
    assert "success_fraction" not in energy
    assert document["failed"] == []
    assert document["provenance"]["seed"] == 1


def test_simulate_prints_error_bars_and_seeds(call, read):
    code, output, errors = call(*SIMULATE)
    assert (code, errors) == (0, "")
    document = read(*SIMULATE)
    assert str(document["seeds"][0]) in output
    assert rp.core.tables.with_error(*(document["observables"]["energy"][k] for k in ("mean", "standard_error"))) in (
        output
    )


def test_options_and_parameters_come_in_any_order(read):
    words = ("simulate", "--seed", "1", "memory.hopfield", "--size=200", "load=0.1", "--realizations", "4")
    assert read(*words)["observables"] == read(*SIMULATE)["observables"]


def test_a_single_draw_has_no_error_bar(laboratory, read):
    entry = read("simulate", "coin", "--size", "10", "--realizations", "1")["observables"]["mean"]
    assert (entry["standard_error"], entry["status"]) == (None, "one draw, no error bar")


def test_compare_gives_the_numbers_of_the_library(read, call):
    words = ("compare", "memory.hopfield", "load=0.05", "--sizes", "100,200", "--realizations", "4", "--seed", "3")
    document = read(*words)
    expected = rp.compare(Hopfield(load=0.05), sizes=[100, 200], realizations=4, seed=3)
    assert document["sizes"] == [100, 200]
    assert document["verdict"] == expected.verdict
    energy, line = document["observables"]["energy"], expected.sel(observable="energy")
    for name in ("mean", "standard_error", "theory", "z", "count", "spread"):
        assert energy[name] == line[name].values.tolist()
    for name in ("theory_infinite", "extrapolated", "extrapolated_error", "p_value"):
        assert energy[name] == float(line[name])
    assert energy["quantiles"]["0.95"] == line["quantiles"].sel(quantile=0.95).values.tolist()
    assert (energy["verdict"], energy["status"]) == ("agrees", "ok")
    predicted = document["observables"]["free_energy"]
    assert (predicted["mean"], predicted["verdict"], predicted["status"]) == (
        [None, None], "not compared", "predicted only",
    )  # fmt: skip
    assert document["theory_asked"] == "finite"
    assert np.shape(document["seeds"]) == (2, 4)
    code, output, _ = call(*words)
    assert code == 0
    assert f"verdict (Holm, family-wise level 0.05): {expected.verdict}" in output
    code, output, _ = call(*words, "--workers", "2")
    assert (code, rp.core.tables.plain(energy["theory_infinite"]) in output) == (0, True)


def test_compare_finds_a_wrong_theory(laboratory, read, monkeypatch):
    owner = catalog.load("coin")
    words = ("compare", "coin", "bias=0.6", "--sizes", "100,400", "--realizations", "40")
    assert read(*words)["verdict"] == "agree"
    monkeypatch.setattr(
        owner, "sample", lambda self, size, seed: owner_sample(owner(bias=self.bias / 2), size, seed), raising=True
    )
    document = read(*words)
    assert document["verdict"] == "disagree"
    assert {"mean", "walk"} <= set(document["disagreeing"])
    assert document["observables"]["mean"]["verdict"] == document["observables"]["walk"]["verdict"] == "disagrees"
    assert min(np.abs(document["observables"]["mean"]["z"])) > 4


def owner_sample(coin, size, seed):
    sides = np.where(rp.generator(seed, "toss").random(size) < (1 + coin.bias) / 2, 1.0, -1.0)
    return sys.modules["tinylab.coins"].Toss(size=size, seed=seed, sides=sides)


def test_compare_draws_until_the_error_bars_are_small_enough(laboratory, read):
    words = ("compare", "coin", "--sizes", "100", "--realizations", "4", "--target-se")
    entry = read(*words, "0.03")["observables"]["mean"]
    assert entry["count"][0] > 4


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["thory", "memory.hopfield"], ['Did you mean "theory"?']),
        (["theory"], ["NAME"]),
        (["theory", "memory.hopfeild"], ["did you mean 'memory.hopfield'?"]),
        (["show", "memory.HopfieldMemry"], ["did you mean 'memory.HopfieldMemory'?"]),
        (["theory", "memory.HopfieldMemory"], ["from replicon.memory import HopfieldMemory"]),
        (["theory", "memory.hopfield", "--sise", "3"], ["Did you mean --size?"]),
        (["theory", "memory.hopfield", "lod=0.1"], ["did you mean 'load'?"]),
        (["theory", "memory.hopfield", "state=retrival"], ["did you mean 'retrieval'?"]),
        (["theory", "memory.hopfield", "load"], ["key=value"]),
        (["theory", "memory.hopfield", "load="], ["key=value"]),
        (["theory", "memory.hopfield", "load=0.1", "load=0.2"], ["twice"]),
        (["theory", "memory.hopfield", "load=nan"], ["nan", "(0, inf)"]),
        (["theory", "memory.hopfield", "load=1e999"], ["inf", "(0, inf)"]),
        (["theory", "memory.hopfield", "load=-0.1"], ["-0.1", "(0, inf)"]),
        (["theory", "memory.hopfield", "load=much"], ["'much'", "(0, inf)"]),
        (["theory", "memory.hopfield", "load=0.1,nan"], ["nan", "(0, inf)"]),
        (["theory", "memory.hopfield", "load=0.1:0.2:1"], ["at least two points"]),
        (["theory", "memory.hopfield", "load=0.1:inf:5"], ["finite ends"]),
        (["theory", "memory.hopfield", "load=0.1:x:5"], ["first:last:count"]),
        (["theory", "memory.hopfield", "load=0.1:0.2:1000000000"], ["at most 100000"]),
        (["theory", "memory.hopfield", "load=0.1:0.2:1000", "temperature=0:1:1000"], ["1000000 points"]),
        (["theory", "memory.hopfield", "--size", "0"], ["size is 0"]),
        (["theory", "memory.hopfield", "--size", "ten"], ["--size", "ten"]),
        (["simulate", "memory.hopfield", "load=0.1,0.2"], ["grid"]),
        (["simulate", "memory.hopfield", "--size", "0"], ["size is 0"]),
        (["simulate", "memory.hopfield", "--size", "3"], ["no pattern"]),
        (["simulate", "memory.hopfield", "--realizations", "0"], ["realizations is 0"]),
        (["simulate", "memory.hopfield", "--seed", "-1"], ["seed is -1"]),
        (["compare", "memory.hopfield", "--sizes", "500,many"], ["500,many"]),
        (["compare", "memory.hopfield", "--sizes", ""], ["sizes"]),
        (["compare", "memory.hopfield", "--sizes", "500,0"], ["size is 0"]),
        (["compare", "memory.hopfield", "--theory", "exact"], ["infinite", "finite", "instance"]),
        (["compare", "memory.hopfield", "--level", "nan"], ["level is nan"]),
        (["compare", "memory.hopfield", "--target-se", "nan"], ["target-se is nan"]),
        (["compare", "memory.hopfield", "--workers", "0"], ["workers is 0"]),
        (["run", "memory.hopfield", "--name", "../up"], ["../up"]),
        (["show", "memory.HopfieldMemory", "--bibtex"], ["docstring"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_is_one_line_and_exit_2(call, words, parts):
    assert is_error(call(*words), 2, *parts)


def test_failed_runs_are_one_line_and_exit_1(laboratory, call):
    assert is_error(call("theory", "coin", "trouble=theory"), 1, "did not converge")
    assert is_error(call("simulate", "coin", "trouble=all", "--size", "5"), 1, "every realisation", "rolled away")
    assert is_error(call("compare", "coin", "trouble=all", "--sizes", "5"), 1, "every realisation", "rolled away")
    assert is_error(call("simulate", "memory.hopfield", "--size", "1000000000"), 1, "GiB")


def test_a_system_that_cannot_be_loaded_is_one_line_and_exit_1(laboratory, call):
    (laboratory / "tinylab" / "coins.py").write_text("import no_such_module_anywhere")
    assert is_error(call("theory", "coin"), 1, "no_such_module_anywhere")
    assert call("list")[0] == 0


def test_failed_realisations_are_named_and_the_others_counted(laboratory, read):
    document = read("simulate", "coin", "trouble=half", "bias=0", "--size", "9", "--realizations", "12")
    lost = len(document["failed"])
    assert 0 < lost < 12
    assert {entry["seed"] for entry in document["failed"]} < set(document["seeds"])
    assert document["observables"]["mean"]["count"] == 12 - lost
    assert "rolled away" in document["failed"][0]["error"]
    assert not document["valid"]
    assert f"{lost} of 12 realisations failed" in document["note"]


def test_interrupt_is_one_line_and_exit_130(laboratory, call):
    assert is_error(call("simulate", "coin", "trouble=interrupt", "--size", "5"), 130, "interrupted")


@pytest.mark.parametrize("words", [["list"], ["show", "memory.hopfield"]])
def test_a_closed_pipe_is_no_complaint(words):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([PROGRAM, *words], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_only(laboratory, call, monkeypatch):
    words = ("compare", "coin", "--sizes", "10,20", "--realizations", "5", "--json")
    assert call(*words)[2] == ""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    code, output, _ = call(*words)
    assert code == 0
    assert json.loads(output)["sizes"] == [10, 20]
    assert "10/10" in screen.getvalue()
    assert "/s" in screen.getvalue()


RUN = ("run", "coin", "--sizes", "10,20", "--realizations", "4", "--name", "first")


def test_run_writes_a_report_and_the_data(laboratory, call, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    code, output, errors = call(*RUN, "--open")
    assert (code, errors) == (0, "")
    report = laboratory / "runs" / "first" / "report.html"
    assert f"report: {report.relative_to(laboratory)}" in output
    assert opened == [report.as_uri()]
    assert "It fell." in output
    page = report.read_text()
    assert "It fell." in page
    assert "A &lt;b&gt;toss&lt;/b&gt;" in page
    expected = rp.compare(catalog.load("coin")(), sizes=[10, 20], realizations=4)
    saved = rp.load_result(report.parent / "result.npz")
    assert np.array_equal(saved["mean"], expected["mean"], equal_nan=True)
    assert is_error(call(*RUN), 2, "never overwritten")


def test_run_names_its_folder_by_system_and_time(laboratory, read):
    words = ("run", "coin", "--sizes", "10", "--realizations", "2", "--out", "elsewhere")
    documents = [read(*words), read(*words)]
    folders = sorted(path.name for path in (laboratory / "elsewhere").iterdir())
    assert sorted(Path(document["report"]).parent.name for document in documents) == folders
    assert len(folders) == 2
    assert all(name.startswith("coin-2") for name in folders)


def test_run_that_fails_leaves_no_folder(laboratory, call):
    assert is_error(call("run", "coin", "trouble=all", "--sizes", "5"), 1, "rolled away")
    assert list((laboratory / "runs").iterdir()) == []
    (laboratory / "file").write_text("")
    assert is_error(call("run", "coin", "--sizes", "5", "--out", "file"), 1, "cannot be made")


def test_a_failed_demonstration_is_reported_and_exits_1(laboratory, call, monkeypatch):
    monkeypatch.setattr(catalog.load("coin"), "tilted", True)
    code, output, errors = call(*RUN)
    assert code == 1
    assert "It fell." in output
    assert errors.count("\n") == 1
    assert "Tilt: the table <i>tilted</i>" in errors
    assert "the table &lt;i&gt;tilted&lt;/i&gt;" in (laboratory / "runs" / "first" / "report.html").read_text()


@pytest.mark.parametrize("command", ["show", "theory", "simulate", "compare", "run"])
def test_help_has_examples(call, command):
    code, output, _ = call(command, "--help")
    assert code == 0
    assert f"replicon {command} memory.hopfield" in output.split("Examples:")[1]


def test_help_names_every_command(call):
    _, output, _ = call("--help")
    assert all(command in output for command in (*COMMANDS, "--install-completion"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands(shell):
    script = cli.app.generate_completion(shell=shell)
    assert all(command in script for command in COMMANDS)


def test_version(call, read):
    assert call("version") == (0, f"replicon {rp.__version__}\n", "")
    assert call("--version")[1].strip() == rp.__version__
    document = read("version")
    assert document["version"] == rp.__version__
    assert document["versions"]["numpy"] == np.__version__


def test_only_an_own_process_sets_up_jax(monkeypatch):
    monkeypatch.delenv("JAX_ENABLE_X64", raising=False)
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    process.prepare()
    assert "JAX_ENABLE_X64" not in os.environ
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


def test_own_process_keeps_compiled_code_and_repairs_it(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    words = [PROGRAM, "theory", "memory.hopfield", "load=0.1", "temperature=0.1", "--json"]

    def run():
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return json.loads(done.stdout)["observables"]

    first = run()
    entries = sorted((tmp_path / "replicon" / "xla").glob("*/*-cache"))
    assert entries
    for entry in entries:
        entry.write_bytes(entry.read_bytes()[:100])
    assert run() == first
    assert all(entry.stat().st_size > 100 for entry in entries)
    assert first["overlap"]["value"] == pytest.approx(Hopfield(load=0.1, temperature=0.1).theory().overlap, rel=1e-12)


def test_other_warnings_are_not_swallowed(tmp_path):
    (tmp_path / "jit_other-1-cache").write_text("")
    assert not process.forget_unreadable("something else", tmp_path)
    assert process.forget_unreadable(
        "Error reading persistent compilation cache entry for 'jit_call': ValueError: bad", tmp_path
    )
    assert (tmp_path / "jit_other-1-cache").exists()

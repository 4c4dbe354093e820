"""Claims and their verification: the rule of the verdict, what is found where, and the command."""

import dataclasses
import json
import math
import sys
import textwrap

import numpy as np
import pytest

from replicon import Claim, Measurement, ParameterError, RepliconError, Solution, claims, verify
from replicon.cli import run
from replicon.core.verification import Z_MAX, check_claim

BASE = Claim("a number", 1.0, "Author, J. 1, 1 (2000), eq. 1", 0.01, "two digits printed")


def with_(**changes):
    return dataclasses.replace(BASE, **changes)


def measured(mean, error, count=10):
    return lambda: Measurement(mean, error, count)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"compute": lambda: 1.01}, "holds"),
        ({"compute": lambda: 1.0101}, "fails"),
        ({"compute": lambda: Solution(1.0, 0)}, "holds"),
        ({"compute": lambda: Solution(1.0, 1)}, "not_computed"),
        ({"compute": lambda: math.nan}, "not_computed"),
        ({"compute": lambda: 1.3, "published_error": 0.1}, "holds"),
        ({"compute": lambda: 1.32, "published_error": 0.1}, "fails"),
        ({"simulate": measured(1.039, 0.01)}, "holds"),
        ({"simulate": measured(1.041, 0.01)}, "fails"),
        ({"simulate": measured(1.15, 0.03, 5), "published_error": 0.04}, "holds"),
        ({"simulate": measured(1.17, 0.03, 5), "published_error": 0.04}, "fails"),
        ({"simulate": measured(1.0, math.nan)}, "not_computed"),
        ({"compute": lambda: 1.0, "simulate": measured(2.0, 0.01)}, "fails"),
        ({"compute": lambda: 2.0, "simulate": measured(1.0, 0.01)}, "fails"),
        ({"compute": lambda: 1.0, "simulate": lambda: 1 / 0}, "not_computed"),
        ({"compute": lambda: 0.2, "comparison": "upper"}, "holds"),
        ({"compute": lambda: 1.2, "comparison": "upper"}, "fails"),
        ({"compute": lambda: 1.2, "comparison": "lower"}, "holds"),
        ({"compute": lambda: 0.2, "comparison": "lower"}, "fails"),
        ({}, "not_computed"),
    ],
)
def test_verdicts(changes, verdict):
    row = check_claim(with_(**changes))
    assert row.verdict == verdict
    assert (row.verdict == "not_computed") == bool(row.reason)


def test_what_takes_long_runs_only_when_asked_for():
    calls = []

    def simulate():
        calls.append(1)
        return Measurement(1.0, 0.01, 4)

    long = with_(simulate=simulate, full=True, seconds=300)
    row = check_claim(long, full=False)
    assert row.verdict == "not_computed" and "--full, about 5 min" in row.reason and not row.raised and not calls
    both = check_claim(dataclasses.replace(long, compute=lambda: 1.0), full=False)
    assert both.verdict == "holds" and math.isnan(both.simulation)
    assert check_claim(long, full=True).verdict == "holds" and calls == [1]


def test_theory_of_a_claim_is_float64():
    jax_number = with_(
        published=1 + 1e-12, tolerance=1e-14, compute=lambda: __import__("jax.numpy").numpy.float64(1 + 1e-12)
    )
    assert check_claim(jax_number).verdict == "holds"


@pytest.mark.parametrize(
    "changes",
    [
        {"tolerance": -1.0},
        {"tolerance": math.nan},
        {"why": ""},
        {"source": ""},
        {"reproduces": False},
        {"comparison": "<"},
    ],
)
def test_a_claim_gives_its_reasons(changes):
    with pytest.raises(ParameterError, match="claim 'a number'"):
        with_(**changes)


MODEL = '''
from replicon import Observables, Scalar, System, observable
class {name}(System):
    """A magnet of somebody else."""
    class Observables(Observables):
        m: Scalar = observable("m", "magnetisation")
'''
CLAIMS = """
from replicon import Claim, Measurement
claims = [
    Claim("critical temperature", 1.0, "exact", 1e-12, "closed form", lambda: 1.0, topic="exact"),
    Claim("wrong", 2.0, "somebody", 0.1, "one digit", lambda: 1.0, reproduces={known}, remark="a slip of the pen"),
    Claim("measured", 0.5, "somebody", 0.0, "none", simulate=lambda: Measurement(0.51, 0.01, 9), topic="exact"),
]
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a third party's package with a model and claims; gives a function that does it."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(name, claims_text):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "model.py").write_text(textwrap.dedent(MODEL.format(name="Magnet")))
        if claims_text is not None:
            (folder / "claims.py").write_text(claims_text)
        made.append(name)
        return f"{name}.model:Magnet"

    yield make
    for module in [m for m in sys.modules if m.partition(".")[0] in made]:
        del sys.modules[module]


def test_claims_are_found_next_to_the_model(package):
    target = package("party_a", CLAIMS.format(known=False))
    assert [claim.name for claim in claims(target)] == ["critical temperature", "wrong", "measured"]
    result = verify(target)
    assert [row.verdict for row in result.rows] == ["holds", "holds", "fails"]
    assert [row.name for row in result.rows] == ["critical temperature", "measured", "wrong"], "topics stay together"
    assert result.surprises == []
    assert "a slip of the pen" in result.text and "2 hold, 1 fail, 0 not computed" in result.text
    assert "critical temperature" in result._repr_html_()
    document = json.loads(json.dumps(result.document(), allow_nan=False))
    assert document["claims"][2] | {"theory": 1.0, "simulation": None, "verdict": "fails"} == document["claims"][2]
    assert {"system", "name", "published", "source", "tolerance", "standard_error"} <= set(document["claims"][0])


def test_a_failure_that_is_not_recorded_is_a_surprise(package):
    result = verify(package("party_b", CLAIMS.format(known=True)))
    assert [row.name for row in result.surprises] == ["wrong"]


def test_a_system_without_claims_and_a_broken_module(package):
    target = package("party_c", None)
    assert claims(target) == []
    with pytest.raises(ParameterError, match="no claims to verify"):
        verify(target)
    with pytest.raises(RepliconError, match=r"party_d\.claims: division by zero"):
        claims(package("party_d", "claims = 1 / 0"))
    with pytest.raises(ParameterError, match=r"did you mean 'memory\.hopfield'"):
        verify("memory.hopfeild")


def test_one_broken_package_does_not_keep_others_from_being_verified(package, monkeypatch):
    from replicon.core import verification

    broken, fine = package("party_e", "claims = 1 / 0"), package("party_f", CLAIMS.format(known=False))
    monkeypatch.setattr(verification, "_targets", lambda name: [("broken", broken), ("fine", fine)])
    steps = []
    result = verify(progress=lambda done, planned: steps.append((done, planned)))
    assert [row.system for row in result.rows] == ["broken", "fine", "fine", "fine"]
    assert result.rows[0].verdict == "not_computed" and "division by zero" in result.rows[0].reason
    assert [row.system for row in result.surprises] == ["broken"]
    assert steps[-1] == (3, 3)


def test_command(package, capsys):
    known = package("party_g", CLAIMS.format(known=False))
    assert run(["verify", known, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [claim["verdict"] for claim in document["claims"]] == ["holds", "holds", "fails"]
    assert document["fails"] == 1 and document["z_max"] == Z_MAX
    assert run(["verify", known]) == 0
    out = capsys.readouterr().out
    assert "0.510(10)" in out and "fails: wrong: a slip of the pen" in out
    assert run(["verify", package("party_h", CLAIMS.format(known=True))]) == 1
    streams = capsys.readouterr()
    assert "wrong (fails)" in streams.err and "fails: wrong" in streams.out
    assert run(["verify", "memory.hopfeild"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_numbers_do_not_depend_on_the_workers():
    alone, shared = verify("memory.parallel_recall"), verify("memory.parallel_recall", workers=2)
    assert [row.name for row in alone.rows] == [row.name for row in shared.rows]
    np.testing.assert_array_equal([row.simulation for row in alone.rows], [row.simulation for row in shared.rows])
    assert all(row.verdict == "holds" for row in alone.rows)

"""The published numbers of the cavity memory come out, or are recorded as not doing so."""

import pytest

from replicon import claims, verify
from replicon.memory.cavity import theory
from replicon.memory.cavity.claims import DRAWS

NAME = "replicon.memory.cavity.model:Cavity"

KNOWN_TO_FAIL = {
    "w below which the ferromagnet is stable, N -> infinity",
    "Hebb, load 0.2, steepest, 2 of 100 flipped",
    "spin glass, steepest, 2 of 100 flipped",
    "energy per spin of attractors in the spin glass, steepest, N = 100",
    "energy per spin of attractors in the spin glass, metropolis, N = 100",
}


@pytest.fixture(scope="module")
def verified():
    return verify(NAME)


def test_every_number_comes_out_as_recorded(verified):
    assert {row.name for row in verified.rows if row.verdict == "fails"} == KNOWN_TO_FAIL
    assert verified.surprises == []
    assert verified.count("holds") >= 60 and verified.count("not_computed") == 4


def test_names_are_unique_and_draws_are_hundreds():
    found = claims(NAME)
    assert len({(claim.topic, claim.name) for claim in found}) == len(found)
    assert DRAWS >= 200
    for claim in found:
        assert claim.topic and claim.why and claim.source
        assert not claim.full or claim.seconds, claim.name


def test_a_wrong_theory_makes_claims_fail(monkeypatch):
    """The width taken as that of both coordinates together."""
    from replicon.core.verification import check_claim

    honest = theory.coupling_moments
    monkeypatch.setattr(theory, "coupling_moments", lambda width: honest(width / 2**0.5))
    rows = [check_claim(claim, full=False) for claim in claims(NAME) if claim.topic == "Couplings"]
    assert len(rows) == 4 and all(row.verdict == "fails" for row in rows)

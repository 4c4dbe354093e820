"""The published numbers of dense associative memory come out as recorded."""

import numpy as np
import pytest

from replicon.core.verification import check_claim
from replicon.memory.dense import theory
from replicon.memory.dense.claims import claims
from replicon.memory.dense.storage import StorageCurve, capacity_exponent, storage_curve

FAST = [claim for claim in claims if not claim.full and not claim.topic.startswith("Growth")]


def test_numbers_come_out_as_recorded():
    chosen = [claim for claim in FAST if "N = 240" not in claim.name and "N = 120" not in claim.name]
    rows = [check_claim(claim, full=False) for claim in chosen]
    assert {row.name for row in rows if row.verdict == "fails"} == {"m at T = 0, load 0.075, N = 150, plain descent"}
    assert all(row.verdict in ("holds", "fails") for row in rows)
    names = [claim.name for claim in claims]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("degree", [2, 3])
def test_number_of_memories_grows_with_the_degree(degree):
    draws = {2: (1200, 600, 240), 3: (120, 60, 24)}[degree]
    sizes = (50, 100, 200)
    exponent, error = capacity_exponent(
        [storage_curve(size, degree, draws=count, seed=1) for size, count in zip(sizes, draws, strict=True)]
    )
    assert error < 0.015
    assert abs(exponent - (degree - 1)) < 0.05 + 3 * error
    exact = -np.polyfit(np.log(sizes), np.log([float(theory.effective_load(n, 2, degree)) for n in sizes]), 1)[0]
    assert abs(exponent - exact) < 4 * error


def test_error_of_the_crossing_is_that_of_repetition():
    """The jackknife error covers the spread over independent studies."""
    found = np.array([storage_curve(40, 3, draws=12, seed=s).at_error() for s in range(20)])
    assert found[:, 0].std(ddof=1) == pytest.approx(found[:, 1].mean(), rel=0.6)


def test_an_error_outside_the_range_is_refused():
    curve = StorageCurve(50, np.array([10, 20]), np.array([[0.001, 0.002], [0.001, 0.003]]))
    with pytest.raises(ValueError, match=r"go from 0\.001 to 0\.0025"):
        curve.at_error()

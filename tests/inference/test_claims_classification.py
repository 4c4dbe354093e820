"""Published numbers of classification, capacity and ridge: complete, and the cheap ones come out."""

import numpy as np
import pytest

from replicon.core.claims import claims

SYSTEMS = ("generalized_linear", "logistic_mle", "perceptron_capacity", "ridge")


@pytest.mark.parametrize("name", SYSTEMS)
def test_claims_are_named_once_and_can_be_recomputed(name):
    found = claims(f"inference.{name}")
    assert len(found) >= 7
    assert len({claim.name for claim in found}) == len(found)
    assert all(claim.compute or claim.simulate for claim in found)


@pytest.mark.parametrize("name", ["logistic_mle", "perceptron_capacity", "ridge"])
def test_computed_numbers_are_the_published_ones(name):
    for claim in claims(f"inference.{name}"):
        if claim.compute is not None:
            found = float(np.asarray(getattr(computed := claim.compute(), "values", computed)))
            assert (abs(found - claim.published) <= claim.tolerance) == claim.reproduces, claim.name


def test_some_numbers_of_generalized_linear():
    """One of each loss; the others use the same functions."""
    chosen = (
        "q, hinge loss",
        "E_gen of the square loss",
        "load times Bayes E_gen at",
        "largest margin at load 3",
    )
    for claim in claims("inference.generalized_linear"):
        if any(word in claim.name for word in chosen) and claim.compute is not None:
            found = float(np.asarray(getattr(computed := claim.compute(), "values", computed)))
            assert abs(found - claim.published) <= claim.tolerance, claim.name

"""Histories that belong to the start: alone, in any batch and order, dense and matrix-free."""

import numpy as np
import pytest

from replicon.core.errors import DataError, ParameterError
from replicon.maths.spins.patterns import hebbian_counts, sites_first
from replicon.maths.spins.recall import (
    draw_own_streams,
    recall_descent,
    recall_descent_patterns,
    recall_glauber,
    recall_glauber_patterns,
)

SPINS = 60
PATTERNS = np.where(np.random.default_rng(0).random((5, SPINS)) < 0.5, 1, -1).astype(np.int8)
STARTS = np.where(np.random.default_rng(1).random((6, SPINS)) < 0.5, 1, -1).astype(np.int8)
COUNTS = hebbian_counts(PATTERNS)
SITES = sites_first(PATTERNS)

HISTORIES = {
    "descent": lambda starts, seed: recall_descent(COUNTS, starts, seed).spins,
    "descent on floats": lambda starts, seed: recall_descent(COUNTS / SPINS, starts, seed).spins,
    "descent by patterns": lambda starts, seed: recall_descent_patterns(SITES, starts, seed).spins,
    "heat bath": lambda starts, seed: recall_glauber(COUNTS, starts, 0.8, 3, seed, scale=1 / SPINS),
    "heat bath by patterns": lambda starts, seed: recall_glauber_patterns(SITES, starts, 0.8, 3, seed),
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES.keys())
def test_history_does_not_depend_on_the_company(history):
    together = history(STARTS, 7)
    np.testing.assert_array_equal(history(STARTS[::-1], 7)[::-1], together)
    np.testing.assert_array_equal(np.vstack([history(start[None], 7) for start in STARTS]), together)


def test_streams_differ_between_starts_and_seeds():
    streams = np.vstack([draw_own_streams(STARTS, 0), draw_own_streams(STARTS, 1)])
    assert streams.shape == (12, 4)
    assert np.unique(streams).size == streams.size
    np.testing.assert_array_equal(draw_own_streams(STARTS, 0), streams[:6])


def test_noise_differs_between_seeds():
    assert (
        recall_glauber_patterns(SITES, STARTS, 0.8, 3, 0) != recall_glauber_patterns(SITES, STARTS, 0.8, 3, 1)
    ).any()


@pytest.mark.parametrize("self_coupling", [False, True])
def test_descent_by_patterns_is_the_dense_one(self_coupling):
    dense = recall_descent(hebbian_counts(PATTERNS, self_coupling), STARTS, 3)
    free = recall_descent_patterns(SITES, STARTS, 3, self_coupling)
    for one, other in zip(dense, free, strict=True):
        np.testing.assert_array_equal(one, other)


def test_heat_bath_by_patterns_is_the_dense_one():
    dense = recall_glauber(COUNTS, STARTS, 0.8, 5, 3, scale=1 / SPINS)
    np.testing.assert_array_equal(recall_glauber_patterns(SITES, STARTS, 0.8, 5, 3), dense)


def test_descent_ends_where_every_spin_follows_its_field():
    field = np.linspace(-0.2, 0.2, SPINS)
    ended = recall_descent(COUNTS / SPINS, STARTS, 0, fields=field)
    assert ended.converged.all()
    assert (ended.spins * (ended.spins @ COUNTS / SPINS + field) >= 0).all()
    assert (recall_descent(COUNTS / SPINS, STARTS, 0).spins != ended.spins).any()


def test_couplings_that_are_not_symmetric_are_read_by_columns():
    """Spin 0 drives a chain; incoming[j, i] is the weight of j in the field of i."""
    incoming = np.zeros((4, 4))
    incoming[[0, 1, 2], [1, 2, 3]] = 1.0
    ended = recall_descent(incoming, np.array([[1, -1, -1, -1]]), 0)
    np.testing.assert_array_equal(ended.spins, [[1, 1, 1, 1]])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: recall_descent(COUNTS, STARTS * 2, 0), DataError),
        (lambda: recall_descent(COUNTS, STARTS[:, 1:], 0), DataError),
        (lambda: recall_descent(COUNTS, STARTS, 0, max_sweeps=0), ParameterError),
        (lambda: recall_glauber(COUNTS, STARTS, 0.0, 3, 0), ParameterError),
        (lambda: recall_glauber_patterns(SITES, STARTS, -1.0, 3, 0), ParameterError),
    ],
)
def test_refuses_bad_input(call, error):
    with pytest.raises(error):
        call()

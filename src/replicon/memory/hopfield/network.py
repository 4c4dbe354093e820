"""Couplings together with the dynamics that recalls: what a fitted memory is made of."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replicon.maths.spins.parallel import parallel_dynamics, parallel_dynamics_patterns
from replicon.maths.spins.patterns import hebbian_counts, sites_first
from replicon.maths.spins.recall import (
    recall_descent,
    recall_descent_patterns,
    recall_glauber,
    recall_glauber_patterns,
)
from replicon.maths.spins.steepest import steepest_descent

Dynamics = Literal["sequential", "parallel", "glauber", "steepest"]

LARGEST_DENSE = 8192
"""Neurons up to which Hebbian recall keeps the couplings as a matrix (int16, 128 MiB there): a visit then costs O(1),
matrix-free O(patterns)."""


class Run(NamedTuple):
    """Where each cue ended; arrays with the cues first."""

    spins: NDArray[np.int8]
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]
    cycle: NDArray[np.int64]


@dataclass(frozen=True)
class MatrixNetwork:
    """Any couplings: h_i = sum_j J_ij s_j + field_i, J float64 of shape (neurons, neurons)."""

    couplings: NDArray[np.float64]
    field: NDArray[np.float64] | None = None

    @cached_property
    def _incoming(self) -> NDArray[np.float64]:
        # The dynamics read the weights that leave a neuron as one row, which is J itself where it is symmetric.
        symmetric = np.array_equal(self.couplings, self.couplings.T)
        return self.couplings if symmetric else np.ascontiguousarray(self.couplings.T)

    def run(self, cues: NDArray[np.int8], dynamics: Dynamics, temperature: float, max_sweeps: int, seed: int) -> Run:
        """Recall a batch of cues, int8 of shape (cues, neurons)."""
        if dynamics == "parallel":
            return _from_parallel(parallel_dynamics(self._incoming, cues, self.field, max_sweeps))
        if dynamics == "steepest":
            run = steepest_descent(self._incoming, cues, self.field, max_sweeps, require_symmetric=False)
            return _from_descent(run)
        if temperature > 0:
            return _thermal(recall_glauber(self._incoming, cues, temperature, max_sweeps, seed, self.field), max_sweeps)
        return _from_descent(recall_descent(self._incoming, cues, seed, self.field, max_sweeps))


@dataclass(frozen=True)
class HebbianNetwork:
    """Hebb's couplings by their patterns: integer arithmetic, so that a zero field is zero, and no matrix if large."""

    patterns: NDArray[np.int8]
    self_coupling: bool = False

    @property
    def couplings(self) -> NDArray[np.float64]:
        """J of shape (neurons, neurons), computed at each access."""
        return hebbian_counts(self.patterns, self.self_coupling) / self.patterns.shape[1]

    @cached_property
    def _counts(self) -> NDArray[np.integer]:
        return hebbian_counts(self.patterns, self.self_coupling)

    @cached_property
    def _sites(self) -> NDArray[np.int8]:
        return sites_first(self.patterns)

    def run(self, cues: NDArray[np.int8], dynamics: Dynamics, temperature: float, max_sweeps: int, seed: int) -> Run:
        """Recall a batch of cues, int8 of shape (cues, neurons)."""
        count, neurons = self.patterns.shape
        dense = neurons <= LARGEST_DENSE
        if dynamics == "parallel":
            # Through the patterns a step costs 4 P N operations, through the matrix 2 N^2.
            if not dense or 2 * count < neurons:
                return _from_parallel(parallel_dynamics_patterns(self.patterns, cues, self.self_coupling, max_sweeps))
            return _from_parallel(parallel_dynamics(self._counts, cues, max_steps=max_sweeps, scale=1 / neurons))
        if dynamics == "steepest":
            # One flip needs all fields: matrix-free it would cost the patterns times the neurons.
            return _from_descent(steepest_descent(self._counts, cues, max_sweeps=max_sweeps))
        if temperature > 0:
            if dense:
                spins = recall_glauber(self._counts, cues, temperature, max_sweeps, seed, scale=1 / neurons)
            else:
                spins = recall_glauber_patterns(self._sites, cues, temperature, max_sweeps, seed)
            return _thermal(spins, max_sweeps)
        if dense:
            return _from_descent(recall_descent(self._counts, cues, seed, max_sweeps=max_sweeps))
        return _from_descent(recall_descent_patterns(self._sites, cues, seed, self.self_coupling, max_sweeps))

    def __getstate__(self) -> dict:
        """Pickle the patterns alone; counts follow from them."""
        return {"patterns": self.patterns, "self_coupling": self.self_coupling}


def _from_descent(descent) -> Run:
    return Run(descent.spins, descent.sweeps, descent.converged, descent.converged.astype(np.int64))


def _from_parallel(run) -> Run:
    return Run(run.spins, run.steps, run.converged, run.cycle)


def _thermal(spins: NDArray[np.int8], sweeps: int) -> Run:
    cues = spins.shape[0]
    return Run(spins, np.full(cues, sweeps), np.zeros(cues, np.bool_), np.zeros(cues, np.int64))

"""Bayes-optimal estimation of a linear model: parameters, branches, theory beside message passing."""

from typing import Any

import numpy as np

from replicon.core.observables import Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.system import Footprint, System
from replicon.inference import linear_problem as linear
from replicon.inference.bayes_linear import simulation, theory
from replicon.inference.linear_problem import LinearProblem
from replicon.inference.m_estimation.references import ADVANI, ADVANI_BAYES
from replicon.maths.solution import NOT_CONVERGED


class BayesLinear(System):
    """Bayes-optimal estimation of a linear model: the smallest error there is, and whether it can be reached.

    The problem is that of M-estimation: ``y = X s0 + eps``, X of N = load P rows and P columns with independent entries
    of variance 1/P; noise and signal density are known. The size is P; the prediction at a size, or for a draw, uses
    the realised load. The simulation is message passing with posterior means, from no knowledge or, for the informed
    branch, from the truth. In the hard phase it does not reach the Bayes error and none is compared.

    References
    ----------
    Advani and Ganguli, NeurIPS 29 (2016), Phys. Rev. X 6, 031034 (2016).
    """

    load: float = linear.load_parameter(0.6)
    branch: str = parameter(
        "bayes", symbol="branch", choices=theory.BRANCHES, doc="least free energy, largest error, or smallest error"
    )
    noise: str = linear.noise_parameter("gaussian")
    noise_variance: float = linear.noise_variance_parameter(0.01)
    signal: str = linear.signal_parameter("bernoulli_gauss")
    signal_variance: float = linear.signal_variance_parameter(1.0)
    sparsity: float = linear.sparsity_parameter(0.2)

    class Observables(Observables):
        """What is predicted and measured of the posterior mean."""

        estimation_error: Scalar = observable("q_s", "squared error per coefficient")
        effective_noise: Scalar = observable("q_d", "variance of the debiased estimate about the truth")
        test_error: Scalar = observable("E_test", "squared error of the prediction on a new row")
        free_energy: Scalar = observable("F", "free energy per coefficient in nats", face="predicted")
        bayes_error: Scalar = observable("q_Bayes", "error at the global minimum of F", face="predicted")
        algorithmic_error: Scalar = observable("q_alg", "error message passing ends at", face="predicted")
        informed_error: Scalar = observable("q_inf", "error on the branch that knows the truth", face="predicted")
        iterations: Scalar = observable("t", "iterations of message passing", face="measured")

        statuses = {theory.HARD: Status(theory.STATUS_TEXTS[theory.HARD], declines=True, valid=True)}

    theory_kinds = ("infinite", "finite", "instance")
    traced_size = True
    smallest_size = 2
    references = (ADVANI_BAYES, ADVANI)

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of samples is zero."""
        linear.check_samples("BayesLinear", self.load, size)

    def footprint(self, size: int) -> Footprint:
        """The design, and two hundred products with it."""
        entries = float(np.max(self.load)) * size**2
        return Footprint(bytes=10 * entries, seconds=2e-7 * entries + 1e-3)

    def theory(self, size: int | None = None, instance: LinearProblem | None = None) -> Any:
        """Fixed point of the branch: at the realised load of a size, and at the realised numbers of a draw.

        Of a draw the load, and the sufficient statistics of noise and signal in place of their parameters. Near the end
        of a branch the error hangs on these: one non-zero more in a hundred changes it by a tenth to a quarter.
        """
        load, numbers = self.load, (self.noise_variance, self.signal_variance, self.sparsity)
        if instance is not None:
            load, numbers = instance.load, linear.realised(instance.noise, instance.signal, *self._population)
        return self.Observables.from_theory(
            theory.bayes_linear(linear.realised_load(load, size), self.noise, self.signal, *numbers, self.branch)
        )

    @property
    def _population(self) -> tuple[str, float, str, float, float]:
        return self.noise, self.noise_variance, self.signal, self.signal_variance, self.sparsity

    def sample(self, size: int, seed: int) -> LinearProblem:
        """Draw X, the signal and the noise."""
        return linear.draw_problem(size, seed, self.load, *self._population)

    def simulate(self, instance: LinearProblem) -> Any:
        """Message passing on the draw."""
        measured: dict[str, Any] = simulation.measure(
            instance.design, instance.response, instance.signal, self.noise, self.noise_variance, self.signal,
            self.signal_variance, self.sparsity, informed=self.branch == "informed",
        )  # fmt: skip
        converged = measured.pop("converged")
        return self.Observables(**measured, status=0 if converged else NOT_CONVERGED)

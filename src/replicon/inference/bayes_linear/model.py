"""Bayes-optimal estimation of a linear model: parameters, branches, theory beside message passing."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from replicon.core.errors import DataError
from replicon.core.observables import Observables, Scalar, Status, observable
from replicon.core.parameters import parameter
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System
from replicon.inference.bayes_linear import simulation, theory
from replicon.inference.families import NOISES, SIGNALS
from replicon.inference.m_estimation import simulation as draws
from replicon.inference.m_estimation.model import LinearProblem
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

    load: float = parameter(0.6, symbol="α", low=0, open="l", doc="samples per feature, N/P")
    branch: str = parameter(
        "bayes", symbol="branch", choices=theory.BRANCHES, doc="least free energy, largest error, or smallest error"
    )
    noise: str = parameter("gaussian", symbol="E", choices=NOISES, doc="density of the noise; student has 3 degrees")
    noise_variance: float = parameter(0.01, symbol="v", low=0, open="l", doc="variance of the noise")
    signal: str = parameter("bernoulli_gauss", symbol="P_s", choices=SIGNALS, doc="density of the coefficients")
    signal_variance: float = parameter(1.0, symbol="V", low=0, open="l", doc="variance of the non-zero coefficients")
    sparsity: float = parameter(
        0.2, symbol="ε", low=0, high=1, open="l", doc="fraction of non-zero coefficients (bernoulli_gauss)"
    )

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
        if np.any(np.round(np.asarray(self.load) * size) < 1):
            least = int(np.ceil(0.5 / np.min(self.load))) + 1
            raise DataError(
                f"BayesLinear: size is {size}, which at load {self.load} has no sample; give at least {least}"
            )

    def footprint(self, size: int) -> Footprint:
        """The design, and two hundred products with it."""
        entries = float(np.max(self.load)) * size**2
        return Footprint(bytes=10 * entries, seconds=2e-7 * entries + 1e-3)

    def theory(self, size: int | None = None, instance: LinearProblem | None = None) -> Any:
        """Fixed point of the branch at the load, or at the realised load of a size or draw."""
        load: Any = self.load
        if instance is not None:
            load = instance.design.shape[0] / instance.design.shape[1]
        elif size is not None:
            load = jnp.maximum(jnp.round(self.load * size), 1.0) / size
        return self.Observables.from_theory(
            theory.bayes_linear(
                load, self.noise, self.signal, self.noise_variance, self.signal_variance, self.sparsity, self.branch
            )
        )

    def sample(self, size: int, seed: int) -> LinearProblem:
        """Draw X, the signal and the noise."""
        samples = round(self.load * size)
        design = draws.draw_matrix(samples, size, generator(seed, "design"))
        signal = draws.draw_signal(self.signal, self.signal_variance, size, generator(seed, "signal"), self.sparsity)
        noise = draws.draw_noise(self.noise, self.noise_variance, samples, generator(seed, "noise"))
        return LinearProblem(size=size, seed=seed, design=design, response=design @ signal + noise, signal=signal)

    def simulate(self, instance: LinearProblem) -> Any:
        """Message passing on the draw."""
        measured: dict[str, Any] = simulation.measure(
            instance.design, instance.response, instance.signal, self.noise, self.noise_variance, self.signal,
            self.signal_variance, self.sparsity, informed=self.branch == "informed",
        )  # fmt: skip
        converged = measured.pop("converged")
        return self.Observables(**measured, status=0 if converged else NOT_CONVERGED)

"""Message passing for linear problems: parameters, one draw, and the system that joins theory and simulation."""

from typing import Any

import numpy as np

from replicon.core.observables import Curve, Observables, Scalar, observable
from replicon.core.parameters import parameter
from replicon.core.system import Footprint, System
from replicon.inference import linear_problem as linear
from replicon.inference.amp import simulation, theory
from replicon.inference.amp.references import BAYATI, DONOHO
from replicon.inference.linear_problem import LinearProblem


class MessagePassing(System):
    """Approximate message passing for sparse linear problems, iterate by iterate.

    y = X s0 + noise with N = load P samples, entries of X independent of variance 1/P, Gaussian noise. The size is the
    number of features P. From s = 0 each iteration makes a channel r = s0 + Gaussian noise and denoises it: with the
    posterior mean (denoiser "bayes"; no M-estimator, and in a hard phase not the Bayes optimum either) or with the soft
    threshold whose fixed point is the LASSO, sum of u^2/2 plus penalty_level |s|. The theory is state evolution, at a
    size that of the realised load.

    References
    ----------
    Donoho, Maleki and Montanari, PNAS 106, 18914 (2009); Bayati and Montanari, IEEE Trans. Inf. Theory 57, 764 (2011).
    """

    load: float = linear.load_parameter(0.6)
    noise_variance: float = linear.noise_variance_parameter(0.01)
    signal: str = linear.signal_parameter("bernoulli_gauss")
    signal_variance: float = linear.signal_variance_parameter(1.0)
    sparsity: float = linear.sparsity_parameter(0.2)
    denoiser: str = parameter(
        "bayes", symbol="denoiser", choices=theory.DENOISERS, doc="posterior mean, or soft threshold"
    )
    penalty_level: float = parameter(0.15, symbol="g", low=0, open="l", doc="level of the LASSO (lasso only)")
    iterations: int = parameter(20, symbol="T", low=1, high=1000, static=True, doc="number of iterations")

    class Observables(Observables):
        """Errors along the iterations."""

        estimation_error: Curve = observable("q_s", "squared error per coefficient", dims=("iteration",))
        effective_noise: Curve = observable(
            "q_d", "variance of the noise in the channel made from the estimate", dims=("iteration",)
        )
        final_error: Scalar = observable("q_s(T)", "squared error per coefficient after the last iteration")

    theory_kinds = ("infinite", "finite", "instance")
    traced_size = True
    smallest_size = 2
    model_version = "2"
    references = (DONOHO, BAYATI)

    def validate_size(self, size: int) -> None:
        """Refuse a size whose realised number of samples is zero."""
        linear.check_samples("MessagePassing", self.load, size)

    def footprint(self, size: int) -> Footprint:
        """The matrix, drawn and kept."""
        entries = float(np.max(self.load)) * size**2
        return Footprint(bytes=8 * entries + 100 * size, seconds=entries * (2e-8 + 2e-9 * self.iterations))

    def coords(self) -> dict[str, Any]:
        """Iterations 0 (the start) to T."""
        return {"iteration": np.arange(self.iterations + 1)}

    def theory(self, size: int | None = None, instance: LinearProblem | None = None) -> Any:
        """State evolution: at the realised load of a size, and at the realised numbers of a draw.

        Of a draw the load, and the sufficient statistics of noise and signal in place of their parameters; the
        algorithm starts from the V of the parameters, which are all that it knows.
        """
        load, numbers, start = self.load, (self.noise_variance, self.signal_variance, self.sparsity), 1.0
        if instance is not None:
            found = linear.realised(instance.noise, instance.signal, *self._population)
            load, numbers, start = instance.load, found, self._moment(*numbers[1:]) / self._moment(*found[1:])
        noise_variance, signal_variance, sparsity = numbers
        values, status = theory.state_evolution(
            linear.realised_load(load, size), noise_variance, self.signal, signal_variance, sparsity, self.denoiser,
            self.penalty_level, self.iterations, start,
        )  # fmt: skip
        return self.Observables(
            estimation_error=values["estimation_error"],
            effective_noise=values["effective_noise"],
            final_error=values["estimation_error"][..., -1],
            status=status,
        )

    @property
    def _population(self) -> tuple[str, float, str, float, float]:
        return "gaussian", self.noise_variance, self.signal, self.signal_variance, self.sparsity

    def _moment(self, signal_variance: float, sparsity: float) -> float:
        return signal_variance * (sparsity if self.signal == "bernoulli_gauss" else 1.0)

    def sample(self, size: int, seed: int) -> LinearProblem:
        """Draw X, the signal and the noise."""
        return linear.draw_problem(size, seed, self.load, *self._population)

    def simulate(self, instance: LinearProblem) -> Any:
        """Run the algorithm and follow its error."""
        return self.Observables(
            **simulation.message_passing_curves(
                instance.design,
                instance.response,
                instance.signal,
                self.noise_variance,
                self.signal,
                self.signal_variance,
                self.sparsity,
                self.denoiser,
                self.penalty_level,
                self.iterations,
            )
        )

"""Message passing for linear problems: parameters, one draw, and the system that joins theory and simulation."""

from typing import Any

import numpy as np
from jaxtyping import Float

from replicon.core.errors import DataError
from replicon.core.instance import Instance
from replicon.core.observables import Curve, Observables, Scalar, observable
from replicon.core.parameters import parameter
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System
from replicon.inference.amp import simulation, theory
from replicon.inference.amp.references import BAYATI, DONOHO
from replicon.inference.m_estimation.simulation import draw_matrix, draw_noise, draw_signal


class LinearProblem(Instance):
    """One linear problem ``y = X s0 + noise``.

    Attributes
    ----------
    X : array (samples, features)
    y : array (samples,)
    signal : array (features,)
        The true coefficients s0.
    """

    X: Float[np.ndarray, "samples features"]
    y: Float[np.ndarray, " samples"]
    signal: Float[np.ndarray, " features"]


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

    load: float = parameter(0.6, symbol="α", low=0, open="l", doc="samples per feature, N/P")
    noise_variance: float = parameter(0.01, symbol="v", low=0, open="l", doc="variance of the Gaussian noise")
    signal: str = parameter(
        "bernoulli_gauss",
        symbol="signal",
        choices=("gaussian", "laplace", "bernoulli_gauss"),
        doc="distribution of the true coefficients",
    )
    signal_variance: float = parameter(1.0, symbol="V_s", low=0, open="l", doc="variance of the non-zero entries")
    sparsity: float = parameter(
        0.2, symbol="ε", low=0, high=1, open="lh", doc="fraction of non-zero entries (bernoulli_gauss only)"
    )
    denoiser: str = parameter(
        "bayes", symbol="denoiser", choices=theory.DENOISERS, doc="posterior mean, or soft threshold"
    )
    penalty_level: float = parameter(0.15, symbol="γ", low=0, open="l", doc="level of the LASSO (lasso only)")
    iterations: int = parameter(20, symbol="T", low=1, high=1000, static=True, doc="number of iterations")

    class Observables(Observables):
        """Errors along the iterations."""

        estimation_error: Curve = observable("q_s", "squared error per coefficient", dims=("iteration",))
        effective_noise: Curve = observable(
            "q_d", "variance of the noise in the channel made from the estimate", dims=("iteration",)
        )
        final_error: Scalar = observable("q_s(T)", "squared error per coefficient after the last iteration")

    theory_kinds = ("infinite", "finite")
    traced_size = True
    smallest_size = 2
    references = (DONOHO, BAYATI)

    def validate_size(self, size: int) -> None:
        """Refuse a size without samples."""
        if np.any(np.round(np.asarray(self.load) * size) < 1):
            raise DataError(f"MessagePassing: size is {size}, which at load {self.load} has no sample")

    def footprint(self, size: int) -> Footprint:
        """The matrix, drawn and kept."""
        entries = float(np.max(self.load)) * size**2
        return Footprint(bytes=8 * entries + 100 * size, seconds=entries * (2e-8 + 2e-9 * self.iterations))

    def coords(self) -> dict[str, Any]:
        """Iterations 0 (the start) to T."""
        return {"iteration": np.arange(self.iterations + 1)}

    def theory(self, size: int | None = None, instance: LinearProblem | None = None) -> Any:
        """State evolution."""
        values, status = theory.state_evolution(
            theory.realised_load(self.load, size),
            self.noise_variance,
            self.signal,
            self.signal_variance,
            self.sparsity,
            self.denoiser,
            self.penalty_level,
            self.iterations,
        )
        errors = values["estimation_error"]
        return self.Observables(
            estimation_error=errors,
            effective_noise=values["effective_noise"],
            final_error=errors[..., -1],
            status=status,
        )

    def sample(self, size: int, seed: int) -> LinearProblem:
        """Draw the matrix, the true coefficients and the noise."""
        samples = round(self.load * size)
        matrix = draw_matrix(samples, size, generator(seed, "matrix"))
        signal = draw_signal(self.signal, self.signal_variance, size, generator(seed, "signal"), self.sparsity)
        noise = draw_noise("gaussian", self.noise_variance, samples, generator(seed, "noise"))
        return LinearProblem(size=size, seed=seed, X=matrix, y=matrix @ signal + noise, signal=signal)

    def simulate(self, instance: LinearProblem) -> Any:
        """Run the algorithm and follow its error."""
        return self.Observables(
            **simulation.message_passing_curves(
                instance.X,
                instance.y,
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

"""Vector message passing for linear problems with an ill-conditioned matrix."""

from typing import Any

import numpy as np
from jaxtyping import Float

from replicon.core.errors import DataError
from replicon.core.instance import Instance
from replicon.core.observables import Curve, Observables, Scalar, observable
from replicon.core.parameters import parameter
from replicon.core.seeds import generator
from replicon.core.system import Footprint, System
from replicon.inference.algorithms.vector import Factors
from replicon.inference.amp import simulation, theory
from replicon.inference.amp.references import RANGAN_2019
from replicon.inference.m_estimation.simulation import draw_noise, draw_signal


class RotationallyInvariantProblem(Instance):
    """One linear problem ``y = X s0 + noise`` with ``X = left diag(values) right``, and the oracle's start.

    Attributes
    ----------
    left : array (samples, rank)
    values : array (rank,)
        Singular values.
    right : array (rank, features)
    y : array (samples,)
    signal, start : arrays (features,)
        s0, and r1 = s0 + Gaussian noise.
    """

    left: Float[np.ndarray, "samples rank"]
    values: Float[np.ndarray, " rank"]
    right: Float[np.ndarray, "rank features"]
    y: Float[np.ndarray, " samples"]
    signal: Float[np.ndarray, " features"]
    start: Float[np.ndarray, " features"]


class VectorMessagePassing(System):
    """Vector message passing for matrices of any condition number, iterate by iterate.

    y = X s0 + noise, X = U diag(values) V^T with random rotations U, V and singular values that are evenly spaced in
    the logarithm, of sum of squares N = load P. The size is the number of features P. It starts from the truth seen
    through Gaussian noise (an oracle's start, for which alone state evolution is exact from the first iteration on) and
    denoises with the posterior mean. The theory at a size is that of the realised load.

    References
    ----------
    Rangan, Schniter and Fletcher, IEEE Trans. Inf. Theory 65, 6664 (2019).
    """

    load: float = parameter(0.6, symbol="α", low=0, open="l", doc="samples per feature, N/P")
    noise_variance: float = parameter(0.01, symbol="v", low=0, open="l", doc="variance of the Gaussian noise")
    condition_number: float = parameter(
        10.0, symbol="κ", low=1, high=1e6, doc="largest over smallest non-zero singular value"
    )
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
    start_variance: float = parameter(0.5, symbol="1/γ₁", low=0, open="l", doc="variance of the noise in the start")
    iterations: int = parameter(15, symbol="T", low=1, high=1000, static=True, doc="number of iterations")

    class Observables(Observables):
        """Errors along the iterations."""

        estimation_error: Curve = observable("q_s", "squared error per coefficient", dims=("iteration",))
        effective_noise: Curve = observable(
            "1/γ₁", "variance of the noise in the channel that is denoised", dims=("iteration",)
        )
        final_error: Scalar = observable("q_s(T)", "squared error per coefficient after the last iteration")

    theory_kinds = ("infinite", "finite")
    smallest_size = 2
    traced_size = True
    references = (RANGAN_2019,)

    def validate_size(self, size: int) -> None:
        """Refuse a size without samples."""
        if np.any(np.round(np.asarray(self.load) * size) < 1):
            raise DataError(f"VectorMessagePassing: size is {size}, which at load {self.load} has no sample")

    def footprint(self, size: int) -> Footprint:
        """The factors, and the Gaussian matrix that they are made from."""
        load = float(np.max(self.load))
        rank = min(load, 1.0) * size
        return Footprint(bytes=8 * (2 * load * size**2 + rank * size * (1 + load)), seconds=4e-10 * size**2 * rank * 8)

    def coords(self) -> dict[str, Any]:
        """Iterations 0 (the start, denoised) to T."""
        return {"iteration": np.arange(self.iterations + 1)}

    def theory(self, size: int | None = None, instance: RotationallyInvariantProblem | None = None) -> Any:
        """State evolution."""
        values, status = theory.geometric_state_evolution(
            theory.realised_load(self.load, size),
            self.condition_number,
            self.noise_variance,
            self.signal,
            self.signal_variance,
            self.sparsity,
            self.start_variance,
            self.iterations,
        )
        errors = values["estimation_error"]
        return self.Observables(
            estimation_error=errors,
            effective_noise=values["effective_noise"],
            final_error=errors[..., -1],
            status=status,
        )

    def sample(self, size: int, seed: int) -> RotationallyInvariantProblem:
        """Draw the rotations, the true coefficients, the noise and the start."""
        samples = round(self.load * size)
        left, values, right = simulation.draw_rotationally_invariant(
            samples, size, self.condition_number, generator(seed, "matrix")
        )
        signal = draw_signal(self.signal, self.signal_variance, size, generator(seed, "signal"), self.sparsity)
        noise = draw_noise("gaussian", self.noise_variance, samples, generator(seed, "noise"))
        start = signal + draw_noise("gaussian", self.start_variance, size, generator(seed, "start"))
        y = left @ (values * (right @ signal)) + noise
        return RotationallyInvariantProblem(
            size=size, seed=seed, left=left, values=values, right=right, y=y, signal=signal, start=start
        )

    def simulate(self, instance: RotationallyInvariantProblem) -> Any:
        """Run the algorithm and follow its error."""
        return self.Observables(
            **simulation.vector_message_passing_curves(
                Factors(instance.left, instance.values, instance.right),
                instance.y,
                instance.signal,
                instance.start,
                self.start_variance,
                self.noise_variance,
                self.signal,
                self.signal_variance,
                self.sparsity,
                self.iterations,
            )
        )

"""Small systems with exactly known answers, for the tests of the core."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from replicon import (
    Curve,
    DataError,
    Footprint,
    Instance,
    Observables,
    Reference,
    Scalar,
    Solution,
    Spectrum,
    Status,
    System,
    generator,
    jax_key,
    noise_key,
    observable,
    parameter,
)
from replicon.core.monitor import check

SOURCE = Reference(key="test", authors="Test, A. and Test, B.", title="Known answers", year=2000, journal="J. Test")
DECLINED = 2
WARNED = 4


class Cloud(Instance):
    points: Any = None


class Gaussian(System):
    """The mean of N normal numbers: mean mu, standard error sigma / sqrt(N)."""

    mean: float = parameter(1.0, symbol="mu", doc="mean of the numbers", low=-10, high=10)
    spread: float = parameter(1.0, symbol="sigma", doc="their standard deviation", low=0, open="l")
    shift: float = parameter(0.0, symbol="b", doc="how far the prediction is wrong")
    slope: float = parameter(0.0, symbol="c", doc="finite-size correction of the measurement, c / N")

    class Observables(Observables):
        average: Scalar = observable("m", "sample mean")
        square: Scalar = observable("m2", "sample mean of the squares", unit="V^2")
        upper: Scalar = observable("u", "sample mean, predicted from above", prediction="upper")
        rough: Scalar = observable("r", "sample mean, predicted to 0.5", tolerance=0.5)
        approximate: Scalar = observable("a", "sample mean, approximated", prediction="approximation")
        entropy: Scalar = observable("s", "entropy of one number", face="predicted")
        largest: Scalar = observable("x", "largest number", face="measured")
        statuses = {DECLINED: Status("no state", declines=True), WARNED: Status("shaky")}

    theory_kinds = ("infinite", "finite", "instance")
    references = (SOURCE,)

    def theory(self, size=None, instance=None):
        mean = self.mean + self.shift
        if instance is not None:
            mean = instance.points.mean() + self.shift
        elif size is not None:
            mean = mean + self.slope / size
        return self.Observables(
            average=mean,
            square=mean**2 + self.spread**2,
            upper=mean + 1.0,
            rough=mean + 0.4,
            approximate=mean + 1.0,
            entropy=jnp.log(self.spread) + 0.5 * np.log(2 * np.pi * np.e),
            residual=0.0,
        )

    def sample(self, size, seed):
        return Cloud(size=size, points=self.mean + self.spread * generator(seed, "points").standard_normal(size))

    def simulate(self, instance):
        x = instance.points + self.slope / instance.size
        m = x.mean()
        return self.Observables(average=m, square=(x**2).mean(), upper=m, rough=m, approximate=m, largest=x.max())


class Regimes(System):
    """A law with other equations at T = 0, a status that declines, and a point where it does not converge."""

    temperature: float = parameter(0.5, symbol="T", unit="J", low=0, high=10, doc="temperature")
    branch: str = parameter("upper", symbol="branch", choices=("upper", "lower"), doc="which branch")
    points: int = parameter(5, symbol="K", low=2, high=50, static=True, doc="points of the curve")

    class Observables(Observables):
        value: Scalar = observable("v", "value")
        curve: Curve = observable("c", "a curve", dims=("time",))
        statuses = {DECLINED: Status("no state", declines=True), WARNED: Status("shaky")}

    traced_regime = "warm"
    references = (SOURCE,)

    def regime(self):
        return "cold" if self.temperature == 0 else "warm"

    def coords(self):
        return {"time": np.linspace(0, 1, self.points)}

    def theory(self, size=None, instance=None):
        sign = 1.0 if self.branch == "upper" else -1.0
        if self.regime() == "cold":
            value, status = sign * (1.0 + 0.0 * self.temperature), 0
        else:
            value = sign * jnp.exp(-1.0 / self.temperature)
            status = jnp.where(self.temperature > 5, 1, jnp.where(self.temperature > 2, DECLINED | WARNED, 0))
        return self.Observables.from_theory(Solution(dict(value=value, curve=value * self.coords()["time"]), status))

    def sample(self, size, seed):
        return Instance(size=size)

    def simulate(self, instance):
        exact = np.exp(-1 / self.temperature) if self.temperature else 1.0
        value = exact * (1 if self.branch == "upper" else -1)
        noise = generator(instance.seed, "noise").standard_normal(1 + self.points) / np.sqrt(instance.size)
        return self.Observables(value=value + noise[0], curve=value * self.coords()["time"] + noise[1:])


class NoisyInstance(Instance):
    words: Any = None


class Walk(System):
    """A random walk in JAX, run in batches: mean square distance N."""

    step: float = parameter(1.0, symbol="l", low=0, open="l", doc="length of a step")

    class Observables(Observables):
        distance: Scalar = observable("R2/N", "squared distance per step")

    batch: ClassVar[int] = 4
    simulation_in_jax = True
    references = (SOURCE,)

    def theory(self, size=None, instance=None):
        return self.Observables(distance=self.step**2)

    def sample(self, size, seed):
        return NoisyInstance(size=size, words=noise_key(seed))

    def simulate(self, instance):
        steps = self.step * jax.random.normal(jax_key(instance.words), (instance.size,), dtype=jnp.float64)
        return self.Observables(distance=jnp.sum(steps) ** 2 / instance.size)


class Looped(System):
    """A theory in plain Python, which cannot be traced."""

    order: float = parameter(2.0, symbol="n", low=0, high=5, doc="order")

    class Observables(Observables):
        power: Scalar = observable("p", "2 to the order", face="predicted")

    traceable = False
    references = (SOURCE,)

    def theory(self, size=None, instance=None):
        return self.Observables(power=2.0 ** float(self.order), status=1 if self.order > 4 else 0)


class Coin(System):
    """Success or failure: a bimodal observable."""

    chance: float = parameter(0.75, symbol="p", low=0, high=1, doc="chance of success")

    class Observables(Observables):
        level: Scalar = observable("x", "near 1 in success, near 0 in failure", success=0.5)
        companion: Scalar = observable("y", "twice the level")

    references = (SOURCE,)

    def theory(self, size=None, instance=None):
        return self.Observables(level=1.0 + 0.0 * self.chance, companion=2.0 + 0.0 * self.chance)

    def sample(self, size, seed):
        return Instance(size=size)

    def simulate(self, instance):
        noise = generator(instance.seed, "coin")
        level = float(noise.random() < self.chance) + 0.01 * noise.standard_normal() / np.sqrt(instance.size)
        return self.Observables(level=level, companion=2 * level)


class Troubled(System):
    """Fails in some draws, reports progress, and claims memory it has not got at large sizes."""

    rate: float = parameter(0.5, symbol="f", low=0, high=1, doc="share of draws that fail")

    class Observables(Observables):
        value: Scalar = observable("v", "a number", face="measured")
        density: Spectrum = observable("rho", "a spectrum", dims=("eigenvalue",), spectrum=True, face="measured")

    references = (SOURCE,)

    def footprint(self, size):
        return Footprint(bytes=2.0**30 * size)

    def coords(self):
        return {"eigenvalue": np.linspace(-1, 1, 4)}

    def sample(self, size, seed):
        return Instance(size=size)

    def simulate(self, instance):
        for fraction in (0.25, 0.5, 1.0):
            check(fraction, {"value": fraction})
        noise = generator(instance.seed, "trouble")
        if noise.random() < self.rate:
            raise DataError(f"draw {instance.seed} failed")
        return self.Observables(value=noise.random(), density=np.ones(4))

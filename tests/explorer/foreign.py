"""A third party's system for the tests of the explorer: theory without JAX, a simulation as slow or greedy as asked."""

import time

import numpy as np

from replicon import Curve, Instance, Observables, Scalar, Spectrum, Status, System, generator, observable, parameter


class Foreign(System):
    """A system that the explorer has never heard of.

    References
    ----------
    Nobody, nowhere.
    """

    x: float = parameter(0.5, symbol="x", low=0, high=1, doc="has the name of an axis")
    pause: float = parameter(0.0, symbol="τ", unit="s", low=0, doc="seconds that a draw takes")
    places: int = parameter(5, symbol="k", low=2, high=50, static=True, doc="length of the profile")
    mode: str = parameter("plain", symbol="mode", choices=("plain", "greedy", "fatal", "wrong"), doc="what a draw does")

    class Observables(Observables):
        square: Scalar = observable("x²", "square of <x>")
        sweeps: Scalar = observable("t", "sweeps", face="measured")
        profile: Curve = observable("p", "profile", dims=("place",))
        density: Spectrum = observable("ρ", "density", dims=("place",), spectrum=True)

        statuses = {2: Status("assumed"), 4: Status("unknown above 0.8", declines=True)}

    traceable = False

    def coords(self):
        return {"place": np.arange(self.places) / self.places}

    def theory(self, size=None, instance=None):
        status = 4 if self.x > 0.8 else 2 if self.x > 0.4 else 0
        profile = self.x * np.arange(self.places)
        square = np.nan if 0.2 < self.x < 0.25 else self.x**2
        return self.Observables(
            square=square, profile=profile, density=profile, status=1 if np.isnan(square) else status
        )

    def sample(self, size, seed):
        return Instance(size=size, seed=seed)

    def simulate(self, instance):
        print("a system may print what it likes")
        if self.mode == "greedy":
            kept = [np.ones(2**27)]
            time.sleep(60 * len(kept))
        if self.mode == "fatal":
            import os

            os._exit(3)
        if self.mode == "wrong":
            raise ValueError("this draw went <b>wrong</b>")
        end = time.monotonic() + self.pause
        while time.monotonic() < end:
            pass
        noise = generator(instance.seed, "noise").normal(size=self.places) / np.sqrt(instance.size)
        profile = self.x * np.arange(self.places) + noise
        return self.Observables(square=self.x**2 + noise[0], sweeps=1.0, profile=profile, density=profile)

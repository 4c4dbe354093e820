"""A system for tests that start processes of their own: importable alone, each realisation takes a known time."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from replicon import Instance, Observables, Scalar, System, generator, observable, parameter


class Steps(Instance):
    steps: Any = None


class SlowWalk(System):
    """A random walk of N steps with a drift: its mean end is drift, per step."""

    drift: float = parameter(0.0, symbol="v", doc="mean of a step", low=-5, high=5)
    width: float = parameter(1.0, symbol="w", doc="standard deviation of a step", low=0)
    wait: float = parameter(0.0, symbol="t", unit="s", doc="time that a realisation takes", low=0)
    fault: str = parameter(
        "none", symbol="f", doc="what goes wrong", choices=("none", "key", "memory", "value", "kill", "once", "refuse")
    )

    class Observables(Observables):
        end: Scalar = observable("x", "mean step")
        spread: Scalar = observable("s", "standard deviation of the steps", face="measured")
        variance: Scalar = observable("s2", "variance of the end, per step", face="predicted")

    theory_kinds = ("infinite", "finite")
    traced_size = True

    def __check_init__(self):
        if self.fault == "refuse":
            raise ValueError("this combination is refused")

    def theory(self, size=None, instance=None):
        variance = self.width**2 if size is None else self.width**2 / size
        return self.Observables(end=self.drift, variance=variance)

    def sample(self, size, seed):
        return Steps(size=size, steps=self.drift + self.width * generator(seed, "steps").standard_normal(size))

    def simulate(self, instance):
        if self.wait:
            time.sleep(self.wait)
        {
            "none": lambda: None,
            "key": lambda: {}["missing"],
            "memory": lambda: (_ for _ in ()).throw(MemoryError("too large")),
            "value": lambda: int("no number"),
            "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
            "once": fail_once,
        }[self.fault]()
        x = np.cumsum(instance.steps)
        return self.Observables(end=x[-1] / len(x), spread=instance.steps.std())


def fail_once() -> None:
    """Raise as long as the file that the environment names is there."""
    if Path(os.environ["WALK_FAILS_WHILE"]).exists():
        raise ValueError("it fails today")

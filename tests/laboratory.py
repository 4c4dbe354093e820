"""A third-party package with one small system, written to a folder as pip would install it."""

from pathlib import Path

SYSTEM = '''
import signal

import numpy as np

import jax.numpy as jnp
import replicon as rp


class Toss(rp.Instance):
    sides: np.ndarray


class Coin(rp.System):
    """The mean of N tosses of a biased coin."""

    bias: float = rp.parameter(0.2, symbol="b", low=-1, high=1, doc="mean of one toss")
    trouble: str = rp.parameter(
        "none", symbol="trouble", doc="what goes wrong",
        choices=("none", "theory", "half", "all", "interrupt", "demonstration"),
    )

    class Observables(rp.Observables):
        mean: rp.Scalar = rp.observable("m", "mean of the tosses", success=0.0)
        rarity: rp.Scalar = rp.observable("R", "never ends", face="predicted")
        walk: rp.Curve = rp.observable("w", "position", dims=("time",))
        first: rp.Scalar = rp.observable("s", "first toss", face="measured")

    references = (rp.Reference("coin", "Bernoulli, Jacob", "Ars <conjectandi>", 1713),)

    def coords(self):
        return {"time": np.array([0.5, 1.0])}

    def theory(self, size=None, instance=None):
        return self.Observables(
            mean=self.bias, rarity=jnp.inf, walk=self.bias * jnp.array([0.5, 1.0]), status=int(self.trouble == "theory")
        )

    def sample(self, size, seed):
        return Toss(size=size, sides=np.where(rp.generator(seed, "toss").random(size) < (1 + self.bias) / 2, 1.0, -1.0))

    def simulate(self, instance):
        if self.trouble == "interrupt":
            signal.raise_signal(signal.SIGINT)
        if self.trouble == "all" or (self.trouble == "half" and instance.sides[0] > 0):
            raise ValueError("the coin rolled away")
        sides = instance.sides
        half = sides[: len(sides) // 2].sum() / len(sides)
        return self.Observables(mean=sides.mean(), walk=np.array([half, sides.mean()]), first=sides[0])

    @classmethod
    def demonstrations(cls):
        from replicon.core.sections import Section, Table

        def fail():
            raise rp.ConvergenceError("the table <i>tilted</i>")

        tossed = Section("A <b>toss</b>", ("It fell.",), (Table(["side", "count"], [["head", "1"]]),))
        return [("A toss", lambda: tossed), *([("Tilt", fail)] if cls.tilted else [])]


Coin.tilted = False
'''


def install(folder: Path) -> None:
    """Write package and metadata, so that the folder on the import path provides the system ``coin``."""
    package = folder / "tinylab"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "coins.py").write_text(SYSTEM)
    metadata = folder / "tinylab-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tinylab\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[replicon.systems]\ncoin = tinylab.coins:Coin\n")

"""The toy systems keep the contract, and the kit notices when a system does not."""

import jax.numpy as jnp
import numpy as np
import pytest

from replicon import Instance, Observables, Scalar, System, generator, observable, parameter
from replicon.testing import ConformityError, check_system, system_checks
from tests.core.systems import SOURCE, Coin, Gaussian, Looped, Regimes, Walk


@pytest.mark.parametrize(
    "system",
    [Gaussian(), Regimes(), Regimes(temperature=0.0), Regimes(branch="lower", points=3), Walk(), Looped(), Coin()],
    ids=lambda system: f"{type(system).__name__}-{'-'.join(map(str, system.values().values()))}",
)
def test_toy_systems_pass(system):
    names = check_system(system, workers=1)
    assert names == [name for name, _ in system_checks(system)]


def test_same_bits_in_worker_processes():
    for system in (Walk(), Gaussian()):
        dict(system_checks(system, workers=2))["same_bits_in_workers"]()


class Sound(System):
    """A system without fault, from which the faulty ones derive."""

    load: float = parameter(0.5, symbol="a", low=0, high=1, doc="load")

    class Observables(Observables):
        value: Scalar = observable("v", "value")
        only_measured: Scalar = observable("w", "measured", face="measured")

    references = (SOURCE,)

    def theory(self, size=None, instance=None):
        return self.Observables(value=jnp.sin(self.load))

    def sample(self, size, seed):
        return Instance(size=size)

    def simulate(self, instance):
        return self.Observables(value=generator(instance.seed, "noise").random())


class Undocumented(Sound):
    load: float = parameter(0.5, symbol="", low=0, high=1, doc="load")


class TwoFaced(Sound):
    """Predicts what is declared measured only."""

    def theory(self, size=None, instance=None):
        return self.Observables(value=self.load, only_measured=1.0)


class WrongGradient(Sound):
    """A theory whose derivative is cut off."""

    def theory(self, size=None, instance=None):
        import jax

        return self.Observables(value=jax.lax.stop_gradient(jnp.sin(self.load)))


class Restless(Sound):
    """A simulation that draws from a generator of its own."""

    state = np.random.default_rng(0)

    def simulate(self, instance):
        return self.Observables(value=self.state.random())


class Truncating(Sound):
    """Uses only the low 32 bits of the seed."""

    def simulate(self, instance):
        return self.Observables(value=np.random.default_rng(int(instance.seed) % 2**32).random())


class WrongWords(Sound):
    """A status bit without a text."""

    def theory(self, size=None, instance=None):
        return self.Observables(value=jnp.sin(self.load), status=64)


@pytest.mark.parametrize(
    ("faulty", "rule"),
    [
        (Undocumented, "declaration"),
        (TwoFaced, "record"),
        (WrongGradient, "gradient"),
        (Restless, "same_draw_again"),
        (Truncating, "same_draw_again"),
        (WrongWords, "record"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_kit_notices(faulty, rule):
    with pytest.raises(ConformityError):
        dict(system_checks(faulty, workers=1))[rule]()


def test_sound_system_passes_where_the_faulty_ones_fail():
    check_system(Sound, workers=1)

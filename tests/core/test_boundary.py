"""Boundaries of systems whose boundary is known exactly: theory, thresholds with their errors, and what is refused."""

import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest
from scipy.special import ndtr

from replicon import (
    Instance,
    Observables,
    ParameterError,
    Scalar,
    Status,
    System,
    boundary,
    generator,
    observable,
    parameter,
)
from replicon.core.execution import Threads
from tests.core.systems import Coin

matplotlib.use("agg")

DECLINED = 2
CRITICAL, SHIFT, WIDTH = 0.4, 0.9, 0.5


class Jump(System):
    """Success with chance Phi((x_c - x) sqrt(N) / w + b / w), x_c = 0.4 / (1 + T): it shifts by b / sqrt(N)."""

    load: float = parameter(0.1, symbol="x", low=0, high=1, doc="control parameter")
    heat: float = parameter(0.0, symbol="T", low=0, doc="other parameter")
    top: float = parameter(2.0, symbol="c", low=0, doc="the state ends below this load and begins again above it")

    class Observables(Observables):
        order: Scalar = observable("m", "order", success=0.5)
        statuses = {DECLINED: Status("no state", declines=True)}

    def theory(self, size=None, instance=None):
        edge = CRITICAL / (1 + self.heat)
        there = (self.load < edge) | (self.load > self.top)
        return self.Observables(order=1 - self.load, status=jnp.where(there, 0, DECLINED))

    def sample(self, size, seed):
        return Instance(size=size)

    def simulate(self, instance):
        noise = generator(instance.seed, "noise").random()
        edge = CRITICAL / (1 + self.heat) + SHIFT / np.sqrt(instance.size)
        chance = ndtr((edge - self.load) * np.sqrt(instance.size) / WIDTH)
        return self.Observables(order=float(noise < chance))


def measured(**options):
    return boundary(Jump, "load", simulation=True, **options)


def test_theory_is_bisected_at_all_points_at_once():
    heat = np.array([0.0, 0.5, 1.0, 3.0])
    line = boundary(Jump, "load", along={"heat": heat})
    assert line["theory"].dims == ("heat",)
    np.testing.assert_allclose(line["theory"], CRITICAL / (1 + heat), atol=1e-10)
    assert (line["crossings"] == 1).all() and (line["theory_status"] == 0).all()
    product = boundary(Jump, "load", along={"heat": heat, "top": [1.5, 2.0]}, tolerance=1e-6)
    assert product["theory"].shape == (4, 2)
    np.testing.assert_allclose(product["theory"][:, 1], line["theory"], atol=1e-6)


def test_continuation_finds_the_same_line_with_fewer_points():
    heat = np.linspace(0, 3, 9)
    count = {"bisection": 0, "continuation": 0}
    lines = {}
    for method in count:

        def order(system, method=method):
            count[method] += np.size(system.load)
            return CRITICAL / (1 + np.asarray(system.heat)) - np.asarray(system.load)

        lines[method] = boundary(Jump, "load", order, along={"heat": heat}, method=method, tolerance=1e-8, scan=257)
    np.testing.assert_allclose(lines["continuation"]["theory"], CRITICAL / (1 + heat), atol=1e-8)
    np.testing.assert_allclose(lines["bisection"]["theory"], CRITICAL / (1 + heat), atol=1e-8)
    assert count["continuation"] < count["bisection"]


def test_continuation_starts_again_where_the_line_was_lost():
    heat = np.array([0.0, 0.2, 0.4, 0.6])
    line = boundary(Jump, "load", along={"heat": heat}, between=(0.27, 0.41), method="continuation", tolerance=1e-8)
    np.testing.assert_allclose(line["theory"][:3], CRITICAL / (1 + heat[:3]), atol=1e-8)
    assert np.isnan(line["theory"][3]) and line["theory_status"][3] == 2


def test_a_threshold_a_function_and_no_crossing():
    ordered = boundary(Jump, "load", "order", 0.75)
    assert float(ordered["theory"]) == pytest.approx(0.25, abs=1e-9)
    assert np.isnan(boundary(Jump, "load", "order", -1.0, between=(0.5, 1.0))["theory"])
    own = boundary(Jump, "load", along={"heat": [0.0, 1.0]}, function=lambda heat: CRITICAL / (1 + heat))
    np.testing.assert_allclose(own["theory"], [0.4, 0.2])
    assert own.attrs["method"] == "function"


def test_a_reentrant_line_counts_its_crossings_and_keeps_to_the_first():
    line = boundary(Jump(top=0.8), "load")
    assert float(line["theory"]) == pytest.approx(0.4, abs=1e-9) and int(line["crossings"]) == 2
    backwards = boundary(Jump(top=0.8), "load", between=(1.0, 0.0))
    assert float(backwards["theory"]) == pytest.approx(0.8, abs=1e-9)


@pytest.fixture(scope="module")
def line():
    return measured(sizes=[100, 400, 1600], realizations=300, seed=1)


def test_thresholds_and_their_limit(line):
    truth = CRITICAL + SHIFT / np.sqrt(line["size"].values)
    z = (line["boundary"] - truth) / line["boundary_error"]
    assert np.abs(z).max() < 4
    z = (line["width"] - WIDTH / np.sqrt(line["size"].values)) / line["width_error"]
    assert np.abs(z).max() < 4
    assert abs(float(line["extrapolated"]) - CRITICAL) < 4 * float(line["extrapolated_error"])
    assert abs(float(line["slope"]) - SHIFT) < 4 * float(line["slope_error"])
    assert (line["draws"] == 300).all() and (line["failed"] == 0).all() and (line["status"] == 0).all()
    np.testing.assert_allclose(line["bootstrap_error"], line["boundary_error"], rtol=0.2)
    assert float(line["theory"]) == pytest.approx(CRITICAL, abs=1e-9)
    assert line.provenance["seed"] == 1


def test_draws_are_placed_where_they_tell(line):
    """An even spread over the range at as many draws would be far less exact."""
    for size in line["size"].values:
        at = line.sel(size=size)
        near = np.abs(at["levels"] - at["boundary"]) < 2 * at["width"]
        assert float(at["trials"].where(near).sum()) > 0.75 * float(at["trials"].sum())
        assert float(at["trials"].sum()) == 300
        grid = np.asarray(at["levels"].dropna("level")) * size
        np.testing.assert_allclose(grid, np.round(grid), atol=1e-9)
        # the best possible: all draws at the threshold, where one draw has error w sqrt(pi / 2)
        limit = float(at["width"]) * np.sqrt(np.pi / 2 / 300)
        assert limit < float(at["boundary_error"]) < 2 * limit


def test_errors_cover():
    pulls = []
    for seed in range(60):
        at = measured(sizes=[400], realizations=120, seed=seed, theory=False).isel(size=0)
        truth = CRITICAL + SHIFT / 20
        pulls.append((float(at["boundary"]) - truth) / float(at["boundary_error"]))
    # the standard deviation of 60 normal numbers has an error of 0.09, their mean one of 0.13
    assert np.std(pulls) == pytest.approx(1.0, abs=0.37)
    assert abs(np.mean(pulls)) < 0.52


def test_a_wanted_error_stops_early_and_workers_change_nothing(line):
    early = measured(sizes=[100, 400, 1600], realizations=300, seed=1, target_error=0.02)
    assert (early["boundary_error"] <= 0.02).all()
    assert (early["draws"] < 300).any()
    threads = measured(sizes=[100, 400, 1600], realizations=300, seed=1, executor=Threads(3))
    for name in ("boundary", "boundary_error", "bootstrap_error", "levels", "successes", "trials"):
        np.testing.assert_array_equal(threads[name], line[name])
    other = measured(sizes=[100, 400, 1600], realizations=300, seed=2)
    assert (other["boundary"] != line["boundary"]).all()


def test_a_function_of_the_measured_values_and_another_axis():
    table = measured(
        observable=lambda values: values["order"] - 0.5,
        sizes=[400, 1600],
        realizations=150,
        along={"heat": [0.0, 1.0]},
        theory=False,
        step=0.001,
    )
    assert table["boundary"].dims == ("heat", "size")
    truth = CRITICAL / np.array([[1.0], [2.0]]) + SHIFT / np.sqrt([400, 1600])
    assert (np.abs(table["boundary"] - truth) < 4 * table["boundary_error"]).all()
    assert table["extrapolated"].dims == ("heat",)


def test_a_rising_success_fraction():
    line = boundary(Coin, "chance", simulation=True, sizes=[10], realizations=200, between=(0.0, 1.0))
    # the coin's chance rises linearly from 0 to 1; at one half both links agree by symmetry
    assert abs(float(line["boundary"][0]) - 0.5) < 4 * float(line["boundary_error"][0])
    assert float(line["width"][0]) < 0


def test_no_threshold_in_the_range_is_said():
    line = measured(sizes=[1600], realizations=100, between=(0.8, 0.95))
    assert np.isnan(line["boundary"][0]) and int(line["status"][0]) == 2
    assert int(line["draws"][0]) < 100, "one outcome only: the whole budget is not spent on it"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("laod",), {}, "no parameter 'laod', did you mean 'load'"),
        (("load", "ordre"), {}, "no observable 'ordre', did you mean 'order'"),
        (("load",), {"along": {"load": [0.1]}}, "cannot be an axis"),
        (("heat",), {}, "give between"),
        (("load",), {"simulation": True}, "sizes"),
        (("load",), {"method": "newton"}, "bisection, continuation"),
        (("load",), {"along": {"heat": [[0.1]]}}, "one-dimensional"),
        (("load",), {"simulation": True, "sizes": [2], "between": (0.1, 0.3)}, "fewer than three values"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, options, message):
    with pytest.raises(ParameterError, match=message):
        boundary(Jump, *arguments, **options)


def test_figures(line):
    (axes,) = line.plot().axes
    drawn = axes.containers[0].lines[0]
    assert drawn.get_xdata() == pytest.approx(line["size"].values ** -0.5)
    assert drawn.get_ydata() == pytest.approx(line["boundary"].values)
    (axes,) = boundary(Jump, "load", along={"heat": [0.0, 1.0]}, tolerance=1e-4).plot().axes
    assert axes.lines[0].get_ydata() == pytest.approx([0.4, 0.2], abs=1e-3)

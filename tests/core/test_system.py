"""Parameters, identity, theory of points and grids, statuses, precision."""

import hashlib
import json
import math
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replicon import ConvergenceError, DataError, ParameterError, RepliconError, cite, predict
from replicon.core.seeds import canonical, digest, generator, jax_key, noise_key, realization_seed
from tests.core.systems import DECLINED, WARNED, Gaussian, Looped, Regimes, Troubled


def test_int_and_float_make_the_same_system():
    assert Gaussian(mean=1) == Gaussian(mean=1.0) == Gaussian(mean=np.float32(1))
    assert canonical(Gaussian(mean=1).identity()) == canonical(Gaussian(mean=1.0).identity())
    assert Gaussian(mean=1) != Gaussian(mean=2)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (dict(mean=11), ["mean (mu)", "11", "[-10, 10]"]),
        (dict(spread=0), ["spread (sigma)", "0", "(0, inf)"]),
        (dict(mean=math.nan), ["mean", "nan", "[-10, 10]"]),
        (dict(mean="1.0"), ["mean", "'1.0'"]),
        (dict(mean=True), ["mean", "True"]),
        (dict(mean=[1, "a"]), ["mean"]),
        (dict(mean=np.array([1.0, 12.0])), ["12 at position 1"]),
        (dict(shift=math.inf), ["shift", "inf"]),
    ],
)
def test_bad_parameter_is_named_with_value_and_range(values, words):
    with pytest.raises(ParameterError) as caught:
        Gaussian(**values)
    assert all(word in str(caught.value) for word in words), caught.value
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, RepliconError)


def test_word_and_count_parameters():
    with pytest.raises(ParameterError, match=r"'uper', did you mean 'upper'\?.*upper, lower"):
        Regimes(branch="uper")
    for points in (2.5, 1, True, "5"):
        with pytest.raises(ParameterError, match="points"):
            Regimes(points=points)
    assert Regimes(points=np.int64(4)).points == 4


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ParameterError, match=r"no parameter 'spraed', did you mean 'spread'\?"):
        Gaussian.make(spraed=1.0)


def test_frozen():
    with pytest.raises(AttributeError):
        Gaussian().mean = 2.0


def test_single_point_gives_python_numbers():
    result = Gaussian(mean=2.0).theory()
    assert type(result.average) is float and result.average == 2.0
    assert result.entropy == pytest.approx(0.5 * math.log(2 * math.pi * math.e), abs=1e-15)
    assert result.kind == "infinite" and result.valid and result.note == ""


def test_regime_decides_the_equations_of_each_point_of_a_grid():
    temperatures = np.array([0.0, 0.5, 0.0, 1.0])
    grid = Regimes(temperature=temperatures, branch="lower").theory()
    assert grid.value == pytest.approx([-1, -math.exp(-2), -1, -math.exp(-1)], abs=1e-14)
    assert grid.curve.shape == (4, 5)
    table = Regimes(temperature=temperatures.reshape(2, 2)).theory()
    assert table.value.shape == (2, 2) and table.curve.shape == (2, 2, 5)


def test_no_convergence_is_an_error_at_a_point_and_nan_in_a_grid():
    with pytest.raises(ConvergenceError, match=r"temperature=6.0"):
        Regimes(temperature=6.0).theory()
    grid = Regimes(temperature=np.array([1.0, 3.0, 6.0])).theory()
    assert np.isnan(grid.value).tolist() == [False, False, True]
    assert np.isnan(grid.curve[2]).all()
    assert grid.status.tolist() == [0, DECLINED | WARNED, 1]
    assert grid.declined.tolist() == [False, True, True]
    assert grid.valid.tolist() == [True, False, False]
    assert "no state; shaky" in grid.note and "not converged" in grid.note


def test_theory_that_cannot_be_traced_is_looped():
    grid = Looped(order=np.array([1.0, 2.0, 5.0])).theory()
    assert grid.power[:2].tolist() == [2.0, 4.0] and math.isnan(grid.power[2])


def test_three_kinds_of_theory():
    system = Gaussian(slope=3.0)
    draw = system.sample(10, 4)
    assert system.theory(size=10).average == pytest.approx(1.3)
    assert system.theory(instance=draw).average == pytest.approx(draw.points.mean())
    fallback = Regimes().theory(size=10)
    assert fallback.kind == "infinite" and "no finite theory" in fallback.remark
    assert "no instance theory" in Regimes().theory(instance=Regimes().sample(10, 1)).note


def test_arrays_that_do_not_broadcast():
    with pytest.raises(ParameterError, match="broadcast"):
        Gaussian(mean=np.ones(2), spread=np.ones(3)).theory()
    with pytest.raises(ParameterError, match="no points"):
        Gaussian(mean=np.ones(0)).theory()


def test_theory_inside_the_users_float32_program():
    def energy(temperature):
        return Regimes(temperature=temperature).theory().value

    slope = jax.jit(jax.grad(energy))(jnp.float32(0.5))
    assert slope.dtype == jnp.float32
    assert float(slope) == pytest.approx(4 * math.exp(-2), rel=1e-6)
    assert jax.vmap(energy)(jnp.array([0.5, 1.0])).shape == (2,)


def test_predict_labels_the_grid():
    result = predict(Regimes, temperature=[0.5, 1.0, 6.0], branch=["lower", "upper"])
    assert result["value"].dims == ("temperature", "branch")
    assert float(result["value"].sel(temperature=0.5, branch="upper")) == pytest.approx(math.exp(-2))
    assert float(result["value"].sel(temperature=0.5, branch="lower")) == pytest.approx(-math.exp(-2))
    assert result["curve"].dims == ("temperature", "branch", "time")
    assert np.isnan(result["value"].sel(temperature=6.0)).all()
    assert result["temperature"].attrs["units"] == "J"
    with pytest.raises(ParameterError, match="did you mean 'temperature'"):
        predict(Regimes, temprature=[0.5])
    assert predict(Gaussian(mean=3.0), spread=[1.0, 2.0])["average"].values.tolist() == [3.0, 3.0]


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_streams_of_a_seed_are_distinct(seed, other):
    draws = {generator(seed, stream).integers(2**63) for stream in ("patterns", "start", "dynamics")}
    assert len(draws) == 3
    if seed != other:
        assert generator(seed, "patterns").integers(2**63) != generator(other, "patterns").integers(2**63)


def test_keys_keep_all_bits_of_the_seed_in_both_precisions():
    assert not np.array_equal(noise_key(5), noise_key(2**40 + 5))
    single = np.asarray(jax.random.key_data(jax_key(noise_key(2**40 + 5))))
    with jax.enable_x64(True):
        double = np.asarray(jax.random.key_data(jax_key(noise_key(2**40 + 5))))
    assert np.array_equal(single, double)


def test_seed_of_a_realisation_is_a_function_of_what_is_computed():
    first = realization_seed(0, Gaussian().identity(), 100, 3)
    assert first == realization_seed(0, Gaussian().identity(), 100, 3)
    others = [
        realization_seed(1, Gaussian().identity(), 100, 3),
        realization_seed(0, Gaussian(mean=1.5).identity(), 100, 3),
        realization_seed(0, Gaussian().identity(), 101, 3),
        realization_seed(0, Gaussian().identity(), 100, 4),
    ]
    assert len({first, *others}) == 5 and all(0 <= seed < 2**63 for seed in others)
    text = '{"identity":{"parameters":{"x":0.1},"system":"a:B"},"index":3,"size":100,"study":7}'
    expected = int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) >> 1
    assert realization_seed(7, {"system": "a:B", "parameters": {"x": 0.1}}, 100, 3) == expected


def test_canonical_text():
    assert canonical({"b": 1.0, "a": [0.1, None]}) == '{"a":[0.1,null],"b":1.0}'
    assert len(digest({})) == 64
    with pytest.raises(ValueError, match="Out of range"):
        canonical({"a": math.nan})
    assert json.loads(canonical(Gaussian(mean=np.array([1.0, 2.0])).identity()))["parameters"]["mean"] == [1.0, 2.0]


def test_cite():
    text = cite(Gaussian, Regimes)
    assert text.count("@") == 2 and "{Known answers}" in text and "@misc{replicon" in text


def test_size_error_names_the_system():
    with pytest.raises(DataError, match="Troubled: size is 0"):
        Troubled().sample(0, 1)


def test_theory_that_jax_cannot_trace_says_what_to_do():
    class Untraceable(Looped):
        """A theory in plain Python that claims to be traceable."""

        traceable = True

    with pytest.raises(RepliconError, match=r"traceable = False"):
        Untraceable().theory()


def test_bits_of_lapack_do_not_depend_on_the_threads_of_the_machine():
    """Inside `single_threaded`, JAX's eigenvalues and solutions are those of a process with one BLAS thread."""
    code = """
import sys, numpy as np, jax, jax.numpy as jnp, contextlib
from replicon.core.realization import single_threaded
matrix = np.random.default_rng(0).normal(size=(400, 400))
matrix += matrix.T
with jax.enable_x64(True), (single_threaded() if sys.argv[1] == "limited" else contextlib.nullcontext()):
    # JAX computes while the program goes on: what counts is that the numbers are there before the limit ends.
    found = [np.asarray(a) for a in (jnp.linalg.eigvalsh(matrix), jnp.linalg.solve(matrix, np.ones(400)))]
print([array.tobytes().hex()[:4000] for array in found])
"""
    free = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    runs = [
        subprocess.run([sys.executable, "-c", code, mode], env=environment, capture_output=True, text=True, check=True)
        for mode, environment in (("limited", free), ("as it is", {**free, "OPENBLAS_NUM_THREADS": "1"}))
    ]
    assert runs[0].stdout == runs[1].stdout

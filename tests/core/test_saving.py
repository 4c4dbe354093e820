"""Instances and results that come back from disk as they were."""

import io
import json
import pickle
import zipfile
from typing import Any

import numpy as np
import pytest
import xarray as xr

from replicon import (
    DataError,
    Instance,
    StoreError,
    compare,
    load_instance,
    load_result,
    predict,
    save_instance,
    save_result,
    sweep,
)
from replicon.memory import Hopfield
from tests.core.systems import Gaussian


class Mixed(Instance):
    words: tuple = ()
    table: Any = None
    nothing: Any = None
    nested: Any = None


def rewrite(path, change):
    """Write the archive again with a changed header."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(str(np.load(io.BytesIO(members["replicon.npy"]))))
    change(header)
    buffer = io.BytesIO()
    np.save(buffer, np.array(json.dumps(header)))
    members["replicon.npy"] = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_instance_comes_back_and_is_measured_the_same(tmp_path):
    model = Hopfield(load=0.05)
    instance = model.sample(size=60, seed=2**62 + 1)
    path = save_instance(instance, tmp_path / "draw")
    assert path.name == "draw.npz"
    again = load_instance(path)
    assert type(again) is type(instance) and again.size == 60 and again.seed == instance.seed
    assert again.patterns.dtype == np.int8
    np.testing.assert_array_equal(again.patterns, instance.patterns)
    assert model.simulate(again).present() == model.simulate(instance).present()


def test_fields_of_every_kind(tmp_path):
    given = Mixed(size=3, words=("a", 1, None, True), table=[np.arange(3), 0.1], nested={"x": (np.ones((2, 2)),)})
    again = load_instance(save_instance(given, tmp_path / "mixed.npz"), _system_here())
    assert again.words == given.words and again.nothing is None and again.table[1] == 0.1
    np.testing.assert_array_equal(again.table[0], [0, 1, 2])
    np.testing.assert_array_equal(again.nested["x"][0], np.ones((2, 2)))


def _system_here():
    class Here(Gaussian):
        """A system of this module."""

    return Here


def test_instance_of_an_unknown_system_is_refused_unless_the_system_is_given(tmp_path):
    path = save_instance(Gaussian().sample(size=5, seed=1), tmp_path / "draw.npz")
    with pytest.raises(StoreError, match="belongs to no system of the catalogue"):
        load_instance(path)
    assert load_instance(path, Gaussian()).points.shape == (5,)


@pytest.mark.parametrize(
    "target", ["os:system", "subprocess:Popen", "pickle:loads", "replicon.memory.hopfield.model:Hopfield"]
)
def test_file_cannot_choose_what_is_made(tmp_path, target):
    path = save_instance(Hopfield().sample(size=20, seed=1), tmp_path / "draw.npz")
    rewrite(path, lambda header: header.update(instance=target))
    with pytest.raises(StoreError, match=r"no system of the catalogue|no class of instances"):
        load_instance(path)


def test_pickled_content_is_refused(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, replicon=np.array([{"format": 1}], dtype=object))
    with pytest.raises(StoreError, match="damaged"):
        load_instance(path)
    (tmp_path / "plain.npz").write_bytes(pickle.dumps({"format": 1}))
    with pytest.raises(StoreError, match="damaged"):
        load_instance(tmp_path / "plain.npz")


def test_damage_and_versions_are_one_line(tmp_path):
    path = save_instance(Hopfield().sample(size=20, seed=1), tmp_path / "draw.npz")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="damaged") as caught:
        load_instance(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(whole)
    rewrite(path, lambda header: header.update(format=2))
    with pytest.raises(StoreError, match="format 2"):
        load_instance(path)
    with pytest.raises(StoreError, match="no file"):
        load_instance(tmp_path / "absent.npz")
    path.write_bytes(whole)
    with pytest.raises(StoreError, match="holds no result"):
        load_result(path)


def test_nothing_is_overwritten_and_nothing_strange_saved(tmp_path):
    instance = Hopfield().sample(size=20, seed=1)
    path = save_instance(instance, tmp_path / "draw.npz")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="nothing is overwritten"):
        save_instance(instance, path)
    assert path.read_bytes() == before
    with pytest.raises(DataError, match="table is a set"):
        save_instance(Mixed(size=1, table={1, 2}), tmp_path / "set.npz")
    with pytest.raises(StoreError, match="cannot be written"):
        save_instance(instance, tmp_path / "absent" / "draw.npz")
    with pytest.raises(DataError, match="sample"):
        save_instance(3, tmp_path / "three.npz")  # type: ignore[arg-type]


def test_results_come_back(tmp_path):
    results = {
        "compared": compare(Gaussian(), [20, 40], 4),
        "predicted": predict(Gaussian, mean=[0.0, 1.0]),
        "swept": sweep(Gaussian, mean=[0.0, 1.0], sizes=[5], realizations=2, workers=1),
    }
    for name, result in results.items():
        again = load_result(save_result(result, tmp_path / name))
        assert type(again) is type(result)
        xr.testing.assert_identical(plain(again), plain(result))


def plain(result):
    return xr.Dataset(dict(result.data_vars), result.coords, result.attrs)

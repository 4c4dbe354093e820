"""Instances and results on disk: NumPy archives with a JSON header. Nothing is pickled, so nothing runs on loading."""

import importlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from replicon.core import catalog
from replicon.core.errors import DataError, StoreError
from replicon.core.instance import Instance
from replicon.core.provenance import versions
from replicon.core.system import System

FORMAT = 1
HEADER = "replicon"
KINDS = "biufcUS"
"""Kinds of arrays that an archive holds without pickling."""


def save_instance(instance: Instance, path: str | Path) -> Path:
    """Write one draw, so that it can be measured again or elsewhere.

    Parameters
    ----------
    instance : Instance
        What ``System.sample`` or ``System.instance`` returned.
    path : str or Path
        File to write; ".npz" is added where it is missing. Must not exist.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        Where a field is neither number, word, array, nor a list, tuple or dict of these.
    StoreError
        Where the file exists or cannot be written.
    """
    if not isinstance(instance, Instance):
        raise DataError(f"save_instance was given {type(instance).__name__}; give what sample(size, seed) returns")
    owner, arrays = type(instance), {}
    fields = {
        name: _encode(getattr(instance, name), name, arrays, owner.__name__) for name in owner.__dataclass_fields__
    }
    header = {"instance": f"{owner.__module__}:{owner.__qualname__}", "fields": fields}
    return _write(Path(path), header, arrays)


def load_instance(path: str | Path, system: type[System] | System | None = None) -> Any:
    """Read what `save_instance` wrote.

    Parameters
    ----------
    path : str or Path
    system : System or System class, optional
        Needed for an instance of a system that is in no catalogue. Only classes from the package of a system in the
        catalogue, or of this system, are made.

    Returns
    -------
    Instance

    Raises
    ------
    StoreError
        Where there is no instance, the file is damaged, or its class is not one of a known system.
    """
    header, arrays = _read(Path(path))
    if "instance" not in header:
        raise StoreError(f"{path} holds no instance")
    owner = _find_class(Path(path), str(header["instance"]), system)
    known = set(owner.__dataclass_fields__)
    if set(header["fields"]) - known:
        unknown = ", ".join(sorted(set(header["fields"]) - known))
        raise StoreError(f"{path} has fields that {owner.__name__} has not: {unknown}; it is of another version")
    try:
        return owner(**{name: _decode(value, arrays) for name, value in header["fields"].items()})
    except (TypeError, KeyError) as error:
        raise StoreError(f"{path} does not fit {owner.__name__}: {error}") from error


def save_result(result: xr.Dataset, path: str | Path) -> Path:
    """Write a result (a sweep, a prediction, a comparison) to one file.

    Parameters
    ----------
    result : xarray.Dataset
    path : str or Path
        File to write; ".npz" is added where it is missing. Must not exist.

    Raises
    ------
    DataError
        Where a variable is not of numbers or words.
    StoreError
        Where the file exists or cannot be written.
    """
    if not isinstance(result, xr.Dataset):
        raise DataError(f"save_result was given {type(result).__name__}; give a dataset")
    arrays, variables = {}, {}
    for number, (name, variable) in enumerate(result.variables.items()):
        values = np.asarray(variable.values)
        if values.dtype.kind == "O" and all(isinstance(word, str) for word in values.ravel()):
            values = values.astype(np.str_)
        if values.dtype.kind not in KINDS:
            raise DataError(f"variable {name} is of type {values.dtype}; numbers and words can be saved")
        arrays[f"v{number}"] = values
        variables[str(name)] = {
            "array": f"v{number}",
            "dims": list(variable.dims),
            "coordinate": name in result.coords,
            "attrs": _attributes(variable.attrs),
        }
    header = {"result": type(result).__name__, "variables": variables, "attrs": _attributes(result.attrs)}
    return _write(Path(path), header, arrays)


def load_result(path: str | Path) -> xr.Dataset:
    """Read what `save_result` wrote; a comparison comes back as `Comparison`.

    Raises
    ------
    StoreError
        Where there is no result, or the file is damaged.
    """
    header, arrays = _read(Path(path))
    if "result" not in header:
        raise StoreError(f"{path} holds no result")
    data, coords = {}, {}
    for name, entry in header["variables"].items():
        target = coords if entry["coordinate"] else data
        target[name] = xr.Variable(entry["dims"], arrays[entry["array"]], entry["attrs"])
    if header["result"] == "Comparison":
        from replicon.core.comparison import Comparison

        return Comparison(data, coords=coords, attrs=header["attrs"])
    return xr.Dataset(data, coords=coords, attrs=header["attrs"])


def _encode(value: Any, name: str, arrays: dict[str, np.ndarray], owner: str) -> Any:
    """The JSON of a field; arrays go to the archive and leave their name."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    if isinstance(value, (list, tuple)):
        items = [_encode(item, f"{name}.{k}", arrays, owner) for k, item in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _encode(item, f"{name}.{key}", arrays, owner) for key, item in value.items()}}
    array = np.asarray(value) if hasattr(value, "__array__") else None
    if array is None or array.dtype.kind not in KINDS:
        raise DataError(f"{owner}: {name} is a {type(value).__name__}, which cannot be saved")
    arrays[name] = array
    return {"array": name}


def _decode(entry: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    ((kind, content),) = entry.items()
    if kind == "array":
        return arrays[content]
    if kind == "dict":
        return {key: _decode(item, arrays) for key, item in content.items()}
    if kind in ("list", "tuple"):
        items = [_decode(item, arrays) for item in content]
        return tuple(items) if kind == "tuple" else items
    return content


def _attributes(attrs: dict[Any, Any]) -> dict[str, Any]:
    return {
        str(key): value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        for key, value in attrs.items()
    }


def _find_class(path: Path, target: str, system: Any) -> type[Instance]:
    """The class named in a file, if it belongs to a known system: a file must not choose what is imported."""
    module, _, name = target.partition(":")
    homes = {entry.target.partition(":")[0] for entry in catalog.entries()}
    if system is not None:
        owner = system if isinstance(system, type) else type(system)
        homes |= {base.__module__ for base in owner.__mro__ if issubclass(base, System)}
    rooms = {home.rpartition(".")[0] or home for home in homes}
    if module not in homes and not any(module == room or module.startswith(f"{room}.") for room in rooms):
        raise StoreError(
            f"{path} holds an instance of {target}, which belongs to no system of the catalogue; give the system: "
            "load_instance(path, system)"
        )
    try:
        found: Any = sys.modules[module] if module in sys.modules else importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise StoreError(f"{path} holds an instance of {target}, which cannot be loaded: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Instance)):
        raise StoreError(f"{path} holds an instance of {target}, which is no class of instances")
    return found


def _write(path: Path, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Path:
    path = path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")
    header = {"format": FORMAT, "versions": versions(), **header}
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.exists():
            raise StoreError(f"{path} exists; nothing is overwritten, give another path")
        with open(partial, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **{HEADER: np.array(json.dumps(header)), **arrays})
        partial.rename(path)
    except StoreError:
        raise
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    return path


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(str(arrays.pop(HEADER)))
    except FileNotFoundError:
        raise StoreError(f"there is no file {path}") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path} is damaged, or no file that Replicon saved: {error}") from error
    if header.get("format") != FORMAT:
        raise StoreError(
            f"{path} has format {header.get('format')}, this version reads {FORMAT}; install a newer replicon"
        )
    return header, arrays

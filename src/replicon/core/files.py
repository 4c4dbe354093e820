"""Comparisons on disk: one Zarr directory each, readable with ``xarray.open_zarr`` as well."""

from pathlib import Path
from typing import Any

import xarray as xr

from replicon.core.comparison import Comparison
from replicon.core.errors import StoreError


def save_comparison(result: Comparison, path: str | Path) -> Path:
    """Write a comparison, draws and summaries, to a new Zarr directory.

    Parameters
    ----------
    result : Comparison
    path : str or Path
        Must not exist: results are never overwritten.

    Returns
    -------
    Path

    Raises
    ------
    StoreError
        When the path exists or cannot be written.
    """
    path = Path(path)
    if path.exists():
        raise StoreError(f"{path} exists; results are never overwritten, give another path")
    # Zarr has a specification for strings of any length, none for NumPy's strings of fixed length.
    dataset = xr.Dataset(dict(result.data_vars), coords=result.coords, attrs=result.attrs)
    dataset = dataset.assign_coords(observable=dataset["observable"].astype(object))
    try:
        dataset.to_zarr(path, mode="w-", consolidated=False)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
    return path


def load_comparison(path: str | Path) -> Comparison:
    """Read what `save_comparison` wrote.

    Raises
    ------
    StoreError
        When there is no comparison at the path.
    """
    path = Path(path)
    if not path.is_dir():
        raise StoreError(f"{path} is no saved comparison; give the directory that save_comparison wrote")
    try:
        dataset: Any = xr.open_zarr(path, consolidated=False).load()
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{path} cannot be read as a saved comparison: {error}") from error
    if "verdict" not in dataset.attrs or "observable" not in dataset.coords:
        raise StoreError(f"{path} holds another dataset, not a comparison")
    # NumPy's strings again, which compare equal to those of a comparison that was never saved.
    dataset = dataset.assign_coords(observable=[str(name) for name in dataset["observable"].values])
    return Comparison(dict(dataset.data_vars), coords=dataset.coords, attrs=dataset.attrs)

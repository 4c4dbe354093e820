"""A study on disk: one Zarr group, written block by block, that a killed process cannot harm."""

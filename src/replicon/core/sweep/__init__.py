"""Sweeps: parameters x sizes x realisations in one call, computed block by block into a store."""

"""Seeds that depend on what is computed, never on when, where or in which order.

A realisation's seed is the first 63 bits of SHA-256 of study seed, parameters, size and index; each named stream
of it (patterns, initial state, dynamics) is an independent `numpy.random.SeedSequence` child.
"""

import hashlib
import json
import zlib
from typing import Any

import jax
import numpy as np

LARGEST_SEED = 2**63 - 1


def canonical(value: Any) -> str:
    """JSON text that is equal for equal values: sorted keys, no blanks, floats by `repr`, nan refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON text, as hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def realization_seed(study_seed: int, identity: dict[str, Any], size: int, index: int) -> int:
    """Seed of one realisation, to be passed to ``System.sample`` to see that very draw again.

    Parameters
    ----------
    study_seed : int
        The seed of the whole study.
    identity : dict
        ``System.identity()`` of the point; without its parameters the draws are common to all points.
    size, index : int
        System size and number of the realisation.
    """
    text = canonical({"study": study_seed, "identity": identity, "size": size, "index": index})
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _sequence(seed: int, stream: str) -> np.random.SeedSequence:
    return np.random.SeedSequence(int(seed), spawn_key=(zlib.crc32(stream.encode()),))


def generator(seed: int, stream: str) -> np.random.Generator:
    """NumPy generator of one named stream of a realisation."""
    return np.random.default_rng(_sequence(seed, stream))


def noise_key(seed: int, stream: str = "noise") -> np.ndarray:
    """Two 32-bit words for `jax_key`: made on the host, since ``jax.random.key(n)`` truncates large seeds."""
    return _sequence(seed, stream).generate_state(2, np.uint32)


def jax_key(words: Any) -> jax.Array:
    """Typed JAX key of the words of `noise_key`; equal in float32 and float64 mode."""
    return jax.random.wrap_key_data(words)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")

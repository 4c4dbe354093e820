"""Exponential associative memory: a number of memories that grows exponentially with the number of spins."""

from replicon.core.lazy import lazy

_THEORY = "replicon.memory.exponential.theory"

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "ExponentialMemory": "replicon.memory.exponential.model",
        "all_patterns_threshold": _THEORY,
        "bit_threshold": _THEORY,
        "finite_bit_error": _THEORY,
        "infinite_bit_error": _THEORY,
        "rate_function": _THEORY,
    },
)

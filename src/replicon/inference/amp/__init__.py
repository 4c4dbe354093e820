"""Approximate message passing beside its state evolution, iterate by iterate."""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "MessagePassing": "replicon.inference.amp.model",
        "VectorMessagePassing": "replicon.inference.amp.vector",
        "geometric_state_evolution": "replicon.inference.amp.theory",
        "gamp_state_evolution": "replicon.inference.amp.theory",
        "state_evolution": "replicon.inference.amp.theory",
        "vector_state_evolution": "replicon.inference.amp.theory",
    },
)

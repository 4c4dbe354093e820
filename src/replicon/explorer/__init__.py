"""The explorer: a page on which theory and simulation of any system move together, ``replicon explore``.

It knows the contract and nothing of any system: parameters become sliders, observables become plots.
"""

from replicon.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Limits": "replicon.explorer.limits",
        "explore": "replicon.explorer.server",
    },
)

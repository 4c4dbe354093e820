"""Public names of a package, loaded when they are first used (PEP 562): importing a package imports no model."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy(package: str, public: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package from a table of name to module."""

    def get(name: str) -> Any:
        if name not in public:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(public[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    names = sorted(public)
    return get, lambda: names, names

"""One self-contained HTML file from a result: figures, tables, how to get the numbers again, and whom to cite."""

import sys
import types
from typing import Any

from replicon.report.document import write_report

__all__ = ["report", "write_report"]

report = write_report


class _CallablePackage(types.ModuleType):
    """``rp.report(result, path)`` and ``import replicon.report`` are the same object, in whichever order they come."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return write_report(*arguments, **options)


sys.modules[__name__].__class__ = _CallablePackage

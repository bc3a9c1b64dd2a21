"""Shortens a receiver's cold start. Call `begin` before the other imports, and `end` when the handler is ready.

botocore's clients import the modules that generate their documentation, which no function reads. docs/speed.md lists
what each measure saves.
"""

import gc
import sys
from types import ModuleType
from typing import Any


class _NoDocstring(str):
    """Replaces the docstrings that botocore generates for a client's methods."""

    __slots__ = ()

    def __new__(cls, *_: object, **__: object) -> "_NoDocstring":
        return super().__new__(cls)


_DOCSTRINGS = ("ClientMethodDocstring", "PaginatorDocstring", "WaiterDocstring")
_LEFT_OUT: dict[str, dict[str, Any]] = {
    "botocore.docs.service": {"ServiceDocumenter": None},
    "botocore.docs.docstring": dict.fromkeys(_DOCSTRINGS, _NoDocstring),
}


def begin() -> None:
    """Stop the garbage collector, and replace botocore's documentation modules unless botocore is imported already."""
    gc.disable()  # imports leave no garbage
    if "botocore" not in sys.modules:
        for name, members in _LEFT_OUT.items():
            sys.modules[name] = ModuleType(name)
            vars(sys.modules[name]).update(members)


def end() -> None:
    """Start the garbage collector, which from now on skips all existing objects."""
    gc.freeze()
    gc.enable()

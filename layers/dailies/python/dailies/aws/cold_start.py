"""What makes a receiver's cold start shorter: begun before anything else is imported, ended once all is made.

botocore imports with its clients what writes their documentation. No function reads a docstring. docs/speed.md has how
much each of this saves.
"""

import gc
import sys
from types import ModuleType
from typing import Any


class _NoDocstring(str):
    """Stands where botocore would write the docstring of a client's method when somebody reads it."""

    __slots__ = ()

    def __new__(cls, *_: object, **__: object) -> "_NoDocstring":
        return super().__new__(cls)


_DOCSTRINGS = ("ClientMethodDocstring", "PaginatorDocstring", "WaiterDocstring")
_LEFT_OUT: dict[str, dict[str, Any]] = {
    "botocore.docs.service": {"ServiceDocumenter": None},
    "botocore.docs.docstring": dict.fromkeys(_DOCSTRINGS, _NoDocstring),
}


def begin() -> None:
    """Before the imports. Where botocore is there already, it is left as it is."""
    gc.disable()  # nothing of what is imported is garbage
    if "botocore" not in sys.modules:
        for name, members in _LEFT_OUT.items():
            sys.modules[name] = ModuleType(name)
            vars(sys.modules[name]).update(members)


def end() -> None:
    """Once the handler is made: what is there now stays, and is not looked through again."""
    gc.freeze()
    gc.enable()

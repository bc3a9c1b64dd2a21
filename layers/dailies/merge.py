"""Puts the compiled modules of one architecture beside those of the other: python merge.py FROM INTO. The layer's
Makefile calls it.

A module's name ends in its architecture (`....cpython-313-x86_64-linux-gnu.so`), so one layer serves both. The layer is
refused where a module is there for one of them only: it would be missing at the first call. All of it is Python's, as
`cp` and `install` do not do it alike on Linux and on a Mac.
"""

import re
import shutil
import sys
from pathlib import Path

MODULE = re.compile(r"\.cpython-\d+-(aarch64|x86_64)-linux-gnu\.so$")


def merge(source: Path, target: Path) -> None:
    """Copy the compiled modules. SystemExit where one is there for one architecture only, or says none in its name."""
    for path in source.rglob("*.so"):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
    found: dict[str, set[str]] = {}
    for path in target.rglob("*.so"):
        name = path.relative_to(target).as_posix()
        said = MODULE.search(name)
        found.setdefault(MODULE.sub("", name), set()).add(said[1] if said else "")
    lacking = sorted(name for name, architectures in found.items() if architectures != {"aarch64", "x86_64"})
    if lacking or not found:
        raise SystemExit(f"merge: not there for both architectures: {', '.join(lacking) or 'any compiled module'}")


if __name__ == "__main__":
    merge(Path(sys.argv[1]), Path(sys.argv[2]))

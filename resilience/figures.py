"""A proof's figures: each part adds its own to `.local/resilience.json`, the source of the table."""

import argparse
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from local.stack import ROOT

PATH = ROOT / ".local/resilience.json"
QUICK = ROOT / ".local/proof-quick.json"

type Figures = dict[str, Any]


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add `--figures`: the file for a part's figures."""
    parser.add_argument("--figures", type=Path, default=PATH, help="the file for the figures (.local/resilience.json)")


def code(found: Figures) -> int:
    """A part's exit code: 1 if something was lost, or nothing was tested."""
    return 1 if found["lost"] or not found["tried"] else 0


def keep(part: str, figures: Figures, path: Path = PATH) -> None:
    """Store a part's figures, replacing older ones. `tried`, `passed` and `lost` are in each."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with _changed(path) as all_parts:
        all_parts[part] = {"at": at, **figures}


def keep_whole(part: str, figures: Figures, options: argparse.Namespace, *, part_of_it: str) -> None:
    """Store a part's figures in the file of `--figures`. Figures of a subset do not replace those of the whole part."""
    if options.figures != PATH or not part_of_it:
        keep(part, figures, options.figures)


def forget(parts: Collection[str], path: Path = PATH) -> None:
    """Remove these parts' figures, so that a part that does not finish has none. Other parts' figures stay."""
    with _changed(path) as all_parts:
        for part in parts:
            all_parts.pop(part, None)


def kept(path: Path = PATH) -> dict[str, Figures]:
    """The stored figures, by part."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


@contextmanager
def _changed(path: Path) -> Iterator[dict[str, Figures]]:
    """The stored figures, for changes while the context is open: parts run in parallel."""
    path.parent.mkdir(exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        all_parts = kept(path)
        yield all_parts
        path.write_text(json.dumps(all_parts, indent=2) + "\n")

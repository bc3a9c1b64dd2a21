"""The figures of a proof: each part adds its own to `.local/proof.json`, where the table is made from."""

import json
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from typing import Any

from local.stack import ROOT

PATH = ROOT / ".local/proof.json"

type Figures = dict[str, Any]


def keep(part: str, figures: Figures) -> None:
    """Keep a part's figures, in place of its older ones. `tried`, `passed` and `lost` are in each."""
    PATH.parent.mkdir(exist_ok=True)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with PATH.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)  # parts run at once
        PATH.write_text(json.dumps({**kept(), part: {"at": at, **figures}}, indent=2) + "\n")


def forget() -> None:
    """Of all parts: what does not end this time has no figures."""
    PATH.unlink(missing_ok=True)


def kept() -> dict[str, Figures]:
    """What is kept, by part."""
    return dict(json.loads(PATH.read_text())) if PATH.exists() else {}

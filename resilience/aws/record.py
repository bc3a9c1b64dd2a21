"""The record of a smoke test's resources in an account. It is written before they are made, so that they can always be
deleted.

Nothing else is ever changed: only a recorded stack counts as the test's own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


class NotOurs(Exception):
    """The smoke test did not make a stack: one line."""


@dataclass
class Record:
    """The place and the resources. `stack_id` is the newest stack's ARN, empty until AWS has returned it; `tables` and
    `buckets` are retained from deleted stacks; `files` is the test's own bucket."""

    account: str
    region: str
    stack: str
    stack_id: str = ""
    tables: list[str] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)
    files: str = ""
    listener: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self), indent=2) + "\n")
        unfinished.replace(path)

    def add(self, outputs: Mapping[str, str]) -> None:
        """Add the resources that this stack will retain when it is deleted."""
        for kept, name in ((self.tables, outputs["TableName"]), (self.buckets, outputs["MediaBucketName"])):
            if name not in kept:
                kept.append(name)


def read(path: Path) -> Record | None:
    """The record of a stack, if it exists."""
    return Record(**json.loads(path.read_text())) if path.exists() else None


def claim(
    kept: Record | None, described: Sequence[Mapping[str, Any]], *, account: str, region: str, stack: str
) -> Record:
    """The record to continue, or a new one if no stack has this name. Raises NotOurs if a foreign stack has it.

    `described` are the account's stacks with this name: one or none.
    """
    if kept is None:
        if described:
            raise NotOurs(f"a stack {stack} exists already, not made by the smoke test; name another with --stack")
        return Record(account, region, stack)
    if (kept.account, kept.region) != (account, region):
        raise NotOurs(
            f"the record of {stack} is of account {kept.account} in {kept.region}: use that profile and region"
        )
    check(kept, described)
    return kept


def check(kept: Record, described: Sequence[Mapping[str, Any]]) -> None:
    """Raises NotOurs if the stack that has our name now is a foreign one. If we were ended before AWS had returned an
    ARN, the stack with our name is ours: no foreign stack had that name then."""
    for one in described:
        if kept.stack_id and one["StackId"] != kept.stack_id:
            raise NotOurs(f"the stack {kept.stack} is not the one made here ({kept.stack_id}), so it is kept")

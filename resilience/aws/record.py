"""What a smoke test has made in an account: written down before it is made, so that it can be deleted whatever happens.

Nothing else is ever touched: a stack counts as made here only by this record.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


class NotOurs(Exception):
    """A stack was not made by the smoke test: one line."""


@dataclass
class Record:
    """Where things were made, and which. `stack_id` is the newest stack's ARN, empty before AWS has told it; `tables`
    and `buckets` are what deleted stacks leave behind; `files` is the bucket of our own."""

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
        """Write it, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self), indent=2) + "\n")
        unfinished.replace(path)

    def add(self, outputs: Mapping[str, str]) -> None:
        """What this stack will leave behind when it is deleted."""
        for kept, name in ((self.tables, outputs["TableName"]), (self.buckets, outputs["MediaBucketName"])):
            if name not in kept:
                kept.append(name)


def read(path: Path) -> Record | None:
    """The record of a stack, where there is one."""
    return Record(**json.loads(path.read_text())) if path.exists() else None


def claim(
    kept: Record | None, described: Sequence[Mapping[str, Any]], *, account: str, region: str, stack: str
) -> Record:
    """The record to go on with: a new one where no stack has this name; NotOurs where one has that we did not make.

    `described` are the stacks of this name that the account has now: one or none.
    """
    if kept is None:
        if described:
            raise NotOurs(f"a stack {stack} is there already, and this did not make it; name another with --stack")
        return Record(account, region, stack)
    if (kept.account, kept.region) != (account, region):
        raise NotOurs(
            f"the record of {stack} is of account {kept.account} in {kept.region}: use that profile and region"
        )
    check(kept, described)
    return kept


def check(kept: Record, described: Sequence[Mapping[str, Any]]) -> None:
    """NotOurs where the stack that has our name now is another one than ours. One whose ARN AWS had not told yet when
    we were ended has our name because we gave it: nobody else's had it then."""
    for one in described:
        if kept.stack_id and one["StackId"] != kept.stack_id:
            raise NotOurs(f"the stack {kept.stack} is not the one that was made here ({kept.stack_id}); it stays")

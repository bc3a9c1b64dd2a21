"""A running local stack, as its `stack.json` describes it: written by `up`, read by everything that connects to it."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from local.aws import Aws

ROOT = Path(__file__).resolve().parent.parent


class StackError(Exception):
    """A command cannot do its work: one line with the reason and the next step."""


@dataclass(frozen=True)
class Stack:
    """The deployed template on the emulated AWS, and the base URL of its webhook proxy.

    `outputs` are the template's outputs by name. `functions` and `log_groups` have the deployed function's name and its
    log group by the function's name in the template (`SyncGeneration`).
    """

    aws: Aws
    stack_name: str
    webhook_base_url: str
    outputs: Mapping[str, str]
    functions: Mapping[str, str]
    log_groups: Mapping[str, str]


def folder_from_environment() -> Path:
    """The local stack's folder: DAILIES_LOCAL, else `.local` of this checkout. An installed command has no checkout and
    uses `.local` of the current directory."""
    home = ROOT if (ROOT / "template.yaml").is_file() else Path.cwd()
    return Path(os.environ.get("DAILIES_LOCAL") or home / ".local").resolve()


def write(stack: Stack, folder: Path) -> None:
    """Write `stack.json`, atomically."""
    told = {
        "endpoint_url": stack.aws.endpoint_url,
        "region": stack.aws.region,
        "aws_access_key_id": stack.aws.aws_access_key_id,
        "aws_secret_access_key": stack.aws.aws_secret_access_key,
        "stack_name": stack.stack_name,
        "webhook_base_url": stack.webhook_base_url,
        "outputs": dict(stack.outputs),
        "functions": dict(stack.functions),
        "log_groups": dict(stack.log_groups),
    }
    unfinished = folder / "stack.json.unfinished"
    unfinished.write_text(json.dumps(told, indent=2) + "\n")
    unfinished.replace(folder / "stack.json")


def read(folder: Path) -> Stack:
    """Read `stack.json`. Raises StackError if there is none. Does not check that its processes run."""
    try:
        told = json.loads((folder / "stack.json").read_text())
    except FileNotFoundError:
        raise StackError("no local stack is running; start one with `make up`") from None
    return Stack(
        aws=Aws(
            endpoint_url=told["endpoint_url"],
            region=told["region"],
            aws_access_key_id=told["aws_access_key_id"],
            aws_secret_access_key=told["aws_secret_access_key"],
        ),
        stack_name=told["stack_name"],
        webhook_base_url=told["webhook_base_url"],
        outputs=told["outputs"],
        functions=told["functions"],
        log_groups=told["log_groups"],
    )


def forget(folder: Path) -> None:
    """Remove `stack.json`, once its stack is gone."""
    (folder / "stack.json").unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock the folder: one `up` or `down` at a time, others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another `up` or `down` of {folder}", flush=True)
            flock(lock, LOCK_EX)
        yield

"""`python -m bench.delay`: the time from a provider's call to the object in the bucket, on a local stack.

    python -m bench.delay                        the working tree
    python -m bench.delay --against 285269f      that revision and the working tree, call by call in turn
    python -m bench.delay --running FOLDER       the running stack of that folder

Makes one call after the other, so that none waits for another's work. Both times are the functions' own: when the call
was received, and when its medium was archived. They include the emulator's polls of streams and queues, which differ
from AWS's. Compare the ratio.
"""

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.suite.checkout import Checkout, clone, here
from bench.tools import FOLDER, alone
from demo.__main__ import NOT_SET, REREAD
from local.aws import Aws
from simulators.media_host.server import MediaHost, media_host
from simulators.provider_calls.call import send
from simulators.provider_calls.sync import sync_generation

LONGEST = 60.0  # max seconds for one medium; it takes about one
LOOK = 0.05  # seconds between two polls of the job row


@dataclass(frozen=True)
class Running:
    """A running stack, and the secret that signs its calls."""

    name: str
    aws: Aws
    webhook_base_url: str
    table: str
    secret: str


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m bench.delay", description="Measure the time from a call to the bucket."
    )
    options.add_argument("--calls", type=int, default=100, help="calls per build (100)")
    options.add_argument("--against", metavar="REVISION", help="compare with this revision")
    options.add_argument("--running", type=Path, metavar="FOLDER", help="only measure the running stack of this folder")
    chosen = options.parse_args()
    with ExitStack() as context:
        host = context.enter_context(media_host())
        if chosen.running:
            stacks = [_running("the running stack", chosen.running)]
        else:
            context.enter_context(alone())
            folder = Path(context.enter_context(tempfile.TemporaryDirectory(dir=FOLDER, prefix="delay-")))
            builds = [clone(chosen.against, folder)] if chosen.against else []
            stacks = [context.enter_context(_brought_up(build, folder)) for build in (*builds, here())]
        measured = _measured(stacks, chosen.calls, host)
    _show(measured)


def _measured(stacks: Sequence[Running], calls: int, host: MediaHost) -> dict[str, list[float]]:
    """The seconds of each call. The stacks take turns, so that other work on the machine affects all of them."""
    run = secrets.token_hex(2)
    found: dict[str, list[float]] = {stack.name: [] for stack in stacks}
    for number in range(calls + 1):
        for stack in stacks if number % 2 else reversed(stacks):
            _tell(f"{stack.name}: call {number} of {calls}")
            found[stack.name].append(_seconds(stack, f"delay-{run}-{number}", host))
    return {name: some[1:] for name, some in found.items()}  # the first call starts the functions


@contextmanager
def _brought_up(build: Checkout, folder: Path) -> Iterator[Running]:
    """A stack of that build, while the context is open."""
    stack = folder / f"stack-{len(list(folder.glob('stack-*')))}"
    _tell(f"{build.name}: up")
    _make(build, "up", stack)
    try:
        yield _running(build.name, stack)
    finally:
        _make(build, "down", stack)


def _running(name: str, folder: Path) -> Running:
    """The stack as `make up` describes it, read by the public contract only, so that any build's can be read."""
    stack: dict[str, Any] = json.loads((folder / "stack.json").read_text())
    aws = Aws(*(stack[key] for key in ("endpoint_url", "region", "aws_access_key_id", "aws_secret_access_key")))
    secret = _secret(aws, f"{stack['stack_name']}/sync/signing")
    return Running(name, aws, stack["webhook_base_url"], stack["outputs"]["TableName"], secret)


def _make(build: Checkout, target: str, stack: Path) -> None:
    stack.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "PYTHONPATH"}}
    done = subprocess.run(
        ["make", target],
        cwd=build.folder,
        env=environment | {"DAILIES_LOCAL": str(stack)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench: make {target} of {build.name} failed: {done.stderr.strip()[-500:]}")


def _seconds(stack: Running, job_id: str, host: MediaHost) -> float:
    """The seconds from a call's receipt until its medium is archived."""
    call = sync_generation("completed", job_id, stack.secret, output_url=host.url(f"/{job_id}/generation.mp4"))
    reply = send(call, stack.webhook_base_url)
    if reply.status != 200:
        raise SystemExit(f"bench: {stack.name} answered a call with {reply.status}")
    return _archived(stack, job_id)


def _secret(aws: Aws, secret_id: str) -> str:
    """The signing secret; sets one if there is none."""
    value = aws.secretsmanager.get_secret_value(SecretId=secret_id)["SecretString"]
    if value != NOT_SET:
        return value
    fresh = f"whsec_{secrets.token_urlsafe(24)}"
    aws.secretsmanager.put_secret_value(SecretId=secret_id, SecretString=fresh)
    time.sleep(REREAD)
    return fresh


def _archived(stack: Running, job_id: str) -> float:
    until = time.monotonic() + LONGEST
    key: Any = {"pk": {"S": f"job#sync#{job_id}"}, "sk": {"S": "job"}}
    while time.monotonic() < until:
        row = stack.aws.dynamodb.get_item(TableName=stack.table, Key=key, ConsistentRead=True).get("Item", {})
        for medium in row.get("media", {"L": ()})["L"]:
            if archived_at := medium["M"].get("archived_at"):
                heard, archived = (datetime.fromisoformat(at["S"]) for at in (row["first_seen_at"], archived_at))
                return (archived - heard).total_seconds()
        time.sleep(LOOK)
    raise SystemExit(f"bench: the medium of {job_id} was not archived within {LONGEST:.0f} s")


def _show(measured: dict[str, list[float]]) -> None:
    print(f"\r\033[K{'from the call to the object, milliseconds':<42}{'p50':>8}{'p99':>8}")
    found = {name: (_percentile(some, 50), _percentile(some, 99)) for name, some in measured.items()}
    for name, (half, most) in found.items():
        print(f"{name:<42}{half * 1000:>8.1f}{most * 1000:>8.1f}")
    if len(found) == 2:
        (half, most), (half_now, most_now) = found.values()
        print(f"{'ratio':<42}{half_now / half:>8.2f}{most_now / most:>8.2f}")


def _percentile(some: Sequence[float], percent: int) -> float:
    return statistics.quantiles(some, n=100, method="inclusive")[percent - 1] if len(some) > 1 else some[0]


def _tell(what: str) -> None:
    print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

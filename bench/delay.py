"""`python -m bench.delay`: how long it takes from a provider's call to the object in the bucket, on a local stack.

    python -m bench.delay                        the working tree
    python -m bench.delay --against 285269f      that revision and the working tree, in turn
    python -m bench.delay --running FOLDER       the stack of that folder, which runs

One call after the other, so that none waits for another's work. Both times are the functions' own: when the call was
received, and when its medium was archived. The emulator's looks into streams and queues are a part of it; AWS's are
others. Read the ratio.
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
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.suite.checkout import Checkout, clone, here
from bench.tools import FOLDER, alone
from local.aws import Aws
from local.callers import send, sync_generation
from local.demo import NOT_SET, REREAD
from local.media_host import MediaHost, media_host

LONGEST = 60.0  # seconds for one medium; it takes about one
LOOK = 0.05  # seconds between two looks at the job row


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.delay", description="From the call to the bucket.")
    options.add_argument("--calls", type=int, default=100, help="of each build (100)")
    options.add_argument("--against", metavar="REVISION", help="another build, first")
    options.add_argument("--running", type=Path, metavar="FOLDER", help="a stack that runs, and no other")
    chosen = options.parse_args()
    if chosen.running:
        with media_host() as host:
            _show({"the running stack": _seconds(_stack_in(chosen.running), chosen.calls, host, str(chosen.running))})
        return
    with alone(), tempfile.TemporaryDirectory(dir=FOLDER, prefix="delay-") as folder, media_host() as host:
        builds = [clone(chosen.against, Path(folder))] if chosen.against else []
        measured = {build.name: _measured(build, chosen.calls, host, Path(folder)) for build in (*builds, here())}
    _show(measured)


def _measured(build: Checkout, calls: int, host: MediaHost, folder: Path) -> list[float]:
    """Seconds of each call, on a stack of that build which is brought up for it and ended."""
    stack = folder / f"stack-{build.commit}-{len(list(folder.glob('stack-*')))}"
    _tell(f"{build.name}: up")
    _make(build, "up", stack)
    try:
        return _seconds(_stack_in(stack), calls, host, build.name)
    finally:
        _make(build, "down", stack)


def _stack_in(folder: Path) -> dict[str, Any]:
    """What `make up` has written of it: by the public contract alone, so that any build's can be read."""
    stack: dict[str, Any] = json.loads((folder / "stack.json").read_text())
    return stack


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


def _seconds(stack: dict[str, Any], calls: int, host: MediaHost, name: str) -> list[float]:
    aws = Aws(*(stack[key] for key in ("endpoint_url", "region", "aws_access_key_id", "aws_secret_access_key")))
    secret = _secret(aws, f"{stack['stack_name']}/sync/signing")
    run, found = secrets.token_hex(2), []
    for number in range(calls + 1):  # the first starts the functions, and is not counted
        _tell(f"{name}: call {number} of {calls}")
        job_id = f"delay-{run}-{number}"
        call = sync_generation("completed", job_id, secret, output_url=host.url(f"/{job_id}/generation.mp4"))
        reply = send(call, stack["webhook_base_url"])
        if reply.status != 200:
            raise SystemExit(f"bench: {name} answered {reply.status} to a call")
        found.append(_archived(aws, stack["outputs"]["TableName"], job_id))
    return found[1:]


def _secret(aws: Aws, secret_id: str) -> str:
    """The signing secret; set where nobody has."""
    value = aws.secretsmanager.get_secret_value(SecretId=secret_id)["SecretString"]
    if value != NOT_SET:
        return value
    fresh = f"whsec_{secrets.token_urlsafe(24)}"
    aws.secretsmanager.put_secret_value(SecretId=secret_id, SecretString=fresh)
    time.sleep(REREAD)
    return fresh


def _archived(aws: Aws, table: str, job_id: str) -> float:
    """Seconds from when the job was first heard of until its medium was archived."""
    until = time.monotonic() + LONGEST
    key: Any = {"pk": {"S": f"job#sync#{job_id}"}, "sk": {"S": "job"}}
    while time.monotonic() < until:
        row = aws.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
        for medium in row.get("media", {"L": ()})["L"]:
            if archived_at := medium["M"].get("archived_at"):
                heard, archived = (datetime.fromisoformat(at["S"]) for at in (row["first_seen_at"], archived_at))
                return (archived - heard).total_seconds()
        time.sleep(LOOK)
    raise SystemExit(f"bench: the medium of {job_id} was not archived within {LONGEST:.0f} s")


def _show(measured: dict[str, list[float]]) -> None:
    print(f"\r\033[K{'from the call to the object, seconds':<40}{'p50':>8}{'p99':>8}")
    found = {name: (_percentile(some, 50), _percentile(some, 99)) for name, some in measured.items()}
    for name, (half, most) in found.items():
        print(f"{name:<40}{half:>8.2f}{most:>8.2f}")
    if len(found) == 2:
        (half, most), (half_now, most_now) = found.values()
        print(f"{'ratio':<40}{half_now / half:>8.2f}{most_now / most:>8.2f}")


def _percentile(some: Sequence[float], percent: int) -> float:
    return statistics.quantiles(some, n=100, method="inclusive")[percent - 1] if len(some) > 1 else some[0]


def _tell(what: str) -> None:
    print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

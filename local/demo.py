"""make demo: brings the stack up, calls every webhook as its provider calls it, and shows what became of each job.

Ends with 1 and says what is missing unless every expected medium is in the bucket, byte for byte what was served, with
its receipt in the job row. Leaves the stack running; each run has ids of its own. A signing secret that is set is used,
not replaced. The objects are kept as they were downloaded, to be looked at.
"""

import argparse
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from urllib3.exceptions import HTTPError

from local import stack, up
from local.callers import Reply, send
from local.media import Medium
from local.media_host import media_host
from local.stack import Stack
from local.story import Outcome, Secrets, Step, story

DEADLINE = 90.0  # seconds from the last call until everything has to be in the bucket; it takes about five
PATIENCE = 10.0  # seconds between two lines that say what it waits for
NOT_SET = "not-set"  # what the template puts in
REREAD = 6.0  # seconds after which a function looks again at a secret that proved nothing (it waits five)
RECEIPT = ("key", "version_id", "bytes", "checksum", "content_type", "archived_at")
"""What a job row holds of a medium that is in the bucket."""


@dataclass(frozen=True)
class Stored:
    """A medium as it was found in the bucket; `seconds` from the call that told its link to the receipt."""

    role: str
    key: str
    bytes: int
    checksum: str
    seconds: float


@dataclass(frozen=True)
class Finding:
    """What became of one job, and what is wrong with it."""

    outcome: Outcome
    row: dict[str, Any]
    stored: list[Stored]
    problems: list[str]


def main() -> None:
    argparse.ArgumentParser(prog="make demo", description=__doc__).parse_args()
    up.main()
    running = stack.read(stack.folder_from_environment())
    run = secrets.token_hex(2)
    kept = stack.folder_from_environment() / "demo"
    shutil.rmtree(kept, ignore_errors=True)
    with media_host() as host:
        steps, outcomes = story(host, proven_by(running), run)
        print(f"\nCalls, as the providers make them (run {run}; their media are on {host.base_url})\n")
        called, problems = play(steps, running.webhook_base_url)
        rows = wait(running, outcomes)
        findings = [look(running, outcome, rows, called, kept) for outcome in outcomes]
    print("\nWhat became of them\n")
    show(findings)
    problems += [problem for finding in findings for problem in finding.problems]
    if problems:
        print("\nNot as it should be:", *problems, sep="\n  ")
        print("`make logs` may say why.")
        raise SystemExit(1)
    count = sum(len(finding.stored) for finding in findings)
    print(f"\nAll {count} media are in the bucket as they were served, each with its receipt. Look at them: {kept}")
    print("The stack runs on: `make logs` follows its functions, stack.json beside them says how to reach it all,")
    print("`make demo` plays it again, `make down` ends it.")


def proven_by(running: Stack) -> Secrets:
    """The stack's secrets, those of Sync and Captions set where nobody has."""
    client = running.aws.secretsmanager

    def secret(name: str) -> str:
        return client.get_secret_value(SecretId=f"{running.stack_name}/{name}")["SecretString"]

    fresh = {
        "sync/signing": f"whsec_{secrets.token_urlsafe(24)}",
        "captions/signing": secrets.token_urlsafe(24),
    }
    unset = [name for name in fresh if secret(name) == NOT_SET]
    for name in unset:
        client.put_secret_value(SecretId=f"{running.stack_name}/{name}", SecretString=fresh[name])
    if unset:
        print(f"demo: set the secrets {' and '.join(unset)}", flush=True)
        time.sleep(REREAD)
    return Secrets(sync=secret("sync/signing"), creatify=secret("creatify/token"), captions=secret("captions/signing"))


def play(steps: list[Step], webhook_base_url: str) -> tuple[list[tuple[Step, Reply]], list[str]]:
    """Make the calls, a line for each. Returns those that were answered, and what was answered wrongly."""
    called, problems = [], []
    for step in steps:
        name = f"{step.call.webhook:26} {step.call.job_id:17} {step.call.case:17}"
        try:
            reply = send(step.call, webhook_base_url)
        except HTTPError as error:
            problems.append(f"{name}: no answer ({type(error).__name__})")
            continue
        result = reply.body.get("result") or reply.body.get("error") if isinstance(reply.body, dict) else reply.body
        answer = f"{reply.status} {result}"
        print(f"  {name} {answer:16} {reply.seconds * 1000:5.0f} ms   {step.remark}".rstrip(), flush=True)
        if answer != step.answer:
            problems.append(f"{name.rstrip()}: answered {answer}, not {step.answer}")
        called.append((step, reply))
    return called, problems


def wait(running: Stack, outcomes: list[Outcome]) -> dict[tuple[str, str], dict[str, Any]]:
    """The job rows, as soon as each is as it should be or can no longer become so; at the deadline, as they are."""
    until, tell_at = time.monotonic() + DEADLINE, time.monotonic() + PATIENCE
    while True:
        rows = {(outcome.provider, outcome.job_id): job_row(running, outcome) for outcome in outcomes}
        waiting = [o for o in outcomes if o.status and not _rests(o, rows[o.provider, o.job_id])]
        if not waiting or time.monotonic() > until:
            return rows
        if time.monotonic() > tell_at:
            print("  waiting for", ", ".join(f"{o.provider} {o.job_id}" for o in waiting), flush=True)
            tell_at += PATIENCE
        time.sleep(0.3)


def job_row(running: Stack, outcome: Outcome) -> dict[str, Any]:
    """The job's row; empty where there is none."""
    answer = running.aws.dynamodb.get_item(
        TableName=running.outputs["TableName"],
        Key={"pk": {"S": f"job#{outcome.provider}#{outcome.job_id}"}, "sk": {"S": "job"}},
        ConsistentRead=True,
    )
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in answer.get("Item", {}).items()}


def _rests(outcome: Outcome, row: dict[str, Any]) -> bool:
    found = {medium["role"] for medium in row.get("media", ())}
    return (
        row.get("stage") in {"settled", "attention"} and row["status"] == outcome.status and found >= set(outcome.media)
    )


def look(
    running: Stack,
    outcome: Outcome,
    rows: dict[tuple[str, str], dict[str, Any]],
    called: list[tuple[Step, Reply]],
    kept: Path,
) -> Finding:
    """Hold one job's row and objects against what was told and served."""
    row = rows[outcome.provider, outcome.job_id]
    job = f"{outcome.provider} {outcome.job_id}"
    if outcome.status is None:
        return Finding(outcome, row, [], [f"{job}: a forged call left a job row"] if row else [])
    if not row:
        return Finding(outcome, row, [], [f"{job}: no job row after {DEADLINE:.0f} s"])
    problems = []
    if (row["status"], row["stage"]) != (outcome.status, "settled"):
        problems.append(f"{job}: is {row['status']} and {row['stage']}, not {outcome.status} and settled")
    told_at = next((reply.called_at for step, reply in called if step.call is outcome.told_by), time.time())
    stored = []
    for role, served in outcome.media.items():
        medium = next((medium for medium in row["media"] if medium["role"] == role), None)
        if medium is None or medium["state"] != "archived":
            state = f"{medium['state']} ({medium.get('reason', 'not tried yet')})" if medium else "not found yet"
            problems.append(f"{job}: its {role} is not in the bucket: {state}")
            continue
        problems += [f"{job}: its {role} {problem}" for problem in _compare(running, medium, served, kept)]
        archived_at = datetime.fromisoformat(medium["archived_at"]).timestamp()
        size, checksum = int(medium["bytes"]), medium["checksum"]
        stored.append(Stored(role, medium["key"], size, checksum, archived_at - told_at))
    if outcome.media and not problems:
        problems += _page(running, outcome, kept)
    return Finding(outcome, row, stored, problems)


def _compare(running: Stack, medium: dict[str, Any], served: Medium, kept: Path) -> Iterator[str]:
    """What is wrong with a medium in the bucket, as its receipt names it, against what was served."""
    missing = [name for name in RECEIPT if not medium.get(name)]
    if missing:
        yield f"has no {', '.join(missing)} in its receipt"
        return
    bucket = running.outputs["MediaBucketName"]
    answer = running.aws.s3.get_object(
        Bucket=bucket, Key=medium["key"], VersionId=medium["version_id"], ChecksumMode="ENABLED"
    )
    content = answer["Body"].read()
    path = kept / medium["key"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if hashlib.sha256(content).hexdigest() != served.sha256:
        yield f"({medium['key']}) has other bytes than were served"
    if int(medium["bytes"]) != len(served.content):
        yield f"has {len(served.content)} bytes, its receipt says {medium['bytes']}"
    if medium["checksum"] != f"sha256:{answer.get('ChecksumSHA256')}":
        yield f"has the checksum sha256:{answer.get('ChecksumSHA256')}, its receipt says {medium['checksum']}"


def _page(running: Stack, outcome: Outcome, kept: Path) -> Iterator[str]:
    """What is wrong with the job's page beside its media. It is written just after the row settles, so this waits."""
    key = f"media/{outcome.provider}/{outcome.job_id}/job.json"
    s3, bucket = running.aws.s3, running.outputs["MediaBucketName"]
    for _ in range(50):
        if s3.list_objects_v2(Bucket=bucket, Prefix=key).get("KeyCount"):
            break
        time.sleep(0.2)
    else:
        yield f"{outcome.provider} {outcome.job_id}: no {key}"
        return
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    (kept / key).write_bytes(content)
    if json.loads(content)["stage"] != "settled":
        yield f"{outcome.provider} {outcome.job_id}: {key} does not say that it is settled"


def show(findings: list[Finding]) -> None:
    """A line for each medium, and for each job without one."""
    line = "  {:22} {:10} {:9} {:47} {:>10}  {:10} {:>5}"
    print(line.format("job", "status", "stage", "object key", "bytes", "checksum", "s").rstrip())
    for finding in findings:
        outcome, row = finding.outcome, finding.row
        job = f"{outcome.provider} {outcome.job_id.partition('-')[2]}"
        about = [job, row.get("status", "no row"), row.get("stage", "")]
        for medium in finding.stored:
            checksum = medium.checksum.partition(":")[2][:8] + "…"
            print(line.format(*about, medium.key, f"{medium.bytes:,}", checksum, f"{medium.seconds:.1f}"))
            about = ["", "", ""]
        if not finding.stored:
            print(line.format(*about, "", "", "", "").rstrip())


if __name__ == "__main__":
    main()

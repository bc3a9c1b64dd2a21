"""make demo: start the stack, call every webhook as its provider does, and show the resulting jobs.

Exits with 1, and the differences, unless every expected medium is in the bucket with the bytes that were served, and
has its receipt in the job row. Leaves the stack running; each run has its own job ids. Uses a signing secret that is
set, without replacing it. Keeps the downloaded objects, for you to look at.
"""

import argparse
import secrets
import shutil
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from cli.sample_calls import SECRET_OF
from demo.inspection import Finding, Row, inspect, job_row, rests
from demo.scenarios import Outcome, Secrets, Step, story
from local import stack, up
from local.stack import Stack
from simulators.media_host.server import media_host
from simulators.provider_calls.call import send

DEADLINE = 90.0  # seconds from the last call until everything has to be in the bucket; it takes about five
PATIENCE = 15.0  # seconds between progress lines; a first run takes about ten
NOT_SET = "not-set"  # the template's placeholder
REREAD = 6.0  # seconds until a function reads a secret again that did not verify a call (it waits five)


def main() -> None:
    argparse.ArgumentParser(prog="make demo", description=__doc__).parse_args()
    up.main()
    folder = stack.folder_from_environment()
    kept = folder / "demo"
    shutil.rmtree(kept, ignore_errors=True)
    try:
        problems = demo(stack.read(folder), kept)
    except KeyboardInterrupt:
        raise SystemExit("demo: interrupted; the stack is still running, `make down` stops it") from None
    except BotoCoreError as error:
        raise SystemExit(f"demo: the emulated AWS does not respond ({error}); restart it with `make up`") from None
    if problems:
        print("\nProblems:", *problems, sep="\n  ")
        raise SystemExit("demo: failed; `make logs` may show the cause")
    print(f"\nAll media are in the bucket, identical to the served files, each with its receipt. Copies are in {kept}")
    print("The stack is still running: `make logs` follows it, `make demo` repeats the demo, `make down` stops it.")
    print(f"{folder / 'stack.json'} has the names of its table and bucket.")


def demo(running: Stack, kept: Path) -> list[str]:
    """Play the scenarios on a running stack and show the results. Returns the problems; `kept` receives the objects."""
    run = secrets.token_hex(2)
    with media_host() as host:
        steps, outcomes = story(host, secrets_of(running), run)
        print(f"\nCalls, as the providers make them (run {run}; media host {host.base_url})\n")
        called_at, problems = play(steps, running.webhook_base_url)
        rows = wait(running, outcomes)
    findings = [
        inspect(running, outcome, row, told_at=called_at.get(str(outcome.told_by), 0.0), kept=kept)
        for outcome, row in zip(outcomes, rows, strict=True)
    ]
    print("\nResults (seconds from the call to the receipt)\n")
    show(findings)
    return problems + [problem for finding in findings for problem in finding.problems]


def secrets_of(running: Stack) -> Secrets:
    """The secrets that sign calls, by name. Sets those that are not set."""
    client = running.aws.secretsmanager

    def secret(name: str) -> str:
        return client.get_secret_value(SecretId=f"{running.stack_name}/{name}")["SecretString"]

    names = dict.fromkeys(SECRET_OF.values())
    unset = [name for name in names if secret(name) == NOT_SET]
    for name in unset:
        fresh = f"whsec_{secrets.token_urlsafe(24)}"
        client.put_secret_value(SecretId=f"{running.stack_name}/{name}", SecretString=fresh)
    if unset:
        print(f"demo: set the secrets {' and '.join(unset)}", flush=True)
        time.sleep(REREAD)
    return {name: secret(name) for name in names}


def play(steps: list[Step], webhook_base_url: str) -> tuple[dict[str, float], list[str]]:
    """Make the calls, with a line for each. Returns the time of each call's first attempt, and the unexpected
    responses."""
    called_at: dict[str, float] = {}
    problems = []
    for step in steps:
        try:
            reply = send(step.call, webhook_base_url)
        except HTTPError as error:
            problems.append(f"{step.call}: no response ({type(error).__name__})")
            continue
        called_at.setdefault(str(step.call), reply.called_at)
        result = reply.body.get("result") or reply.body.get("error") if isinstance(reply.body, dict) else reply.body
        answer = f"{reply.status} {result}"
        line = f"  {step.call.webhook:26} {step.call.job_id:17} {step.call.case:17} {answer:16}"
        print(f"{line} {reply.seconds * 1000:5.0f} ms   {step.remark}".rstrip(), flush=True)
        if answer != step.answer:
            problems.append(f"{step.call}: answered {answer}, not {step.answer}")
    return called_at, problems


def wait(running: Stack, outcomes: list[Outcome]) -> list[Row]:
    """The row of each job, once all have settled; at the deadline, as they are."""
    until, tell_at = time.monotonic() + DEADLINE, time.monotonic() + PATIENCE
    while True:
        rows = [job_row(running, outcome.provider, outcome.job_id) for outcome in outcomes]
        waiting = [
            f"{outcome.provider} {outcome.job_id}"
            for outcome, row in zip(outcomes, rows, strict=True)
            if outcome.status and not rests(outcome, row)
        ]
        if not waiting or time.monotonic() > until:
            return rows
        if time.monotonic() > tell_at:
            print("  waiting for", ", ".join(waiting), flush=True)
            tell_at += PATIENCE
        time.sleep(0.3)


def show(findings: list[Finding]) -> None:
    """A line for each medium, and for each job without one."""
    line = "  {:18} {:9} {:9} {:48} {:>10}  {:9} {:>7}"
    print(line.format("job", "status", "stage", "object key", "bytes", "checksum", "seconds"))
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

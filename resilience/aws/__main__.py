"""make aws-smoke: test the complete bundle on your AWS account, in an hour and for about ten cents.

Deploys its own stack, runs each step, prints a table, and deletes everything that it has made, also after Ctrl-C. It
finds your credentials as the AWS CLI does. It never changes a stack that it has not made.
"""

import argparse
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import CliError
from dailies.errors import DailiesError
from local.stack import ROOT, StackError
from resilience.aws import record, report
from resilience.aws.clearing import clear
from resilience.aws.costs import dollars
from resilience.aws.here import Here
from resilience.aws.place import OnAws, Place
from resilience.aws.plan import STEPS
from resilience.aws.record import NotOurs
from resilience.aws.steps import Outcome, Step, Wrong, chosen, run_all
from resilience.aws.trial import Trial, described

FOLDER = ROOT / ".local/aws-smoke"
NAME = re.compile(r"dailies-smoke-[a-z0-9]{1,16}")  # no other stack's resources have this prefix and a hyphen
INTERRUPTED = 130
# Exceptions that make a step wrong; the other steps continue.
UNEXPECTED = (BotoCoreError, ClientError, CliError, DailiesError, StackError, NotOurs)


def options() -> argparse.Namespace:
    names = ", ".join(step.name for step in STEPS)
    parser = argparse.ArgumentParser(prog="make aws-smoke", description=__doc__, epilog=f"The steps: {names}.")
    parser.add_argument("--stack", default="", help="name of a new or a kept stack (dailies-smoke-<4 hex>)")
    parser.add_argument("--region", help="region (AWS_REGION, or your profile's)")
    parser.add_argument("--profile", help="a profile of your AWS configuration")
    parser.add_argument("--captions-key-secret", default="", metavar="ARN", help="a secret with Captions' API key")
    parser.add_argument("--only", nargs="+", default=[], metavar="STEP", help="only these steps, and deploy if needed")
    parser.add_argument("--from", dest="start", default="", metavar="STEP", help="this step and the later ones")
    parser.add_argument("--keep", action="store_true", help="delete nothing at the end; continue with --stack")
    parser.add_argument("--clear", action="store_true", help="only delete an earlier run's resources; with --stack")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    parser.add_argument(
        "--local", action="store_true", help="use an emulated AWS on this machine, as far as it supports the steps"
    )
    given = parser.parse_args()
    given.stack = given.stack or f"dailies-smoke-{token_hex(2)}"
    if not NAME.fullmatch(given.stack):
        parser.error(f"{given.stack!r} is no name for it: dailies-smoke- and up to 16 of a-z and 0-9")
    if given.local and given.keep:
        parser.error("--keep keeps nothing with --local: the emulated AWS ends with the run")
    return given


def main() -> None:
    given = options()
    signal.signal(signal.SIGTERM, _interrupt)
    folder = FOLDER / given.stack
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as ends:
            place: Place = (
                Here(folder) if given.local else OnAws(given.profile, given.region, given.captions_key_secret)
            )
            ends.callback(place.close)
            code = smoke(place, given, folder)
    except (*UNEXPECTED, Wrong, ValueError) as error:
        raise SystemExit(f"aws-smoke: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    raise SystemExit(code)


def smoke(place: Place, given: argparse.Namespace, folder: Path) -> int:
    """Run everything; the exit code."""
    account, region = place.client("sts").get_caller_identity()["Account"], place.session.region_name or ""
    path = folder / ("local.json" if given.local else "record.json")
    if given.local:
        path.unlink(missing_ok=True)  # that emulated AWS is gone
    known = record.read(path)
    there = described(place, given.stack)
    trial = Trial(place, record.claim(known, there, account=account, region=region, stack=given.stack), path, folder)
    if given.clear:
        if known is None:
            raise NotOurs(f"no record of {given.stack}: it was cleared, or made from another checkout")
        return _cleared(trial)
    steps, others = chosen(STEPS, given.only, given.start, is_deployed=trial.is_deployed())
    if not given.local and not given.yes:
        _ask(account, region, given.stack)
    began, outcomes = datetime.now(UTC), [_left_out(step, "not asked for") for step in others]
    interrupted, code = False, 0
    try:
        _make_files(trial)
        lacking = [step for step in steps if step.name in place.lacks]
        outcomes += [_left_out(step, place.lacks[step.name]) for step in lacking]
        tried = [step for step in steps if step not in lacking]
        for outcome in run_all(tried, trial, trial.is_deployed, dollars, unexpected=UNEXPECTED, tell=_begin):
            outcomes.append(outcome)
            _tell(f"{outcome.name}: {outcome.word}, {outcome.seconds:.0f} s: {outcome.seen}")
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if given.keep:
            _tell(f"kept: {given.stack}; delete it with `make aws-smoke ARGS='--stack {given.stack} --clear'`")
        else:
            code = _cleared(trial)
    order = [step.name for step in STEPS]
    outcomes.sort(key=lambda one: order.index(one.name))
    about: Mapping[str, Any] = {
        "at": began.isoformat(timespec="seconds"),
        "where": "the emulated AWS" if given.local else f"AWS, {region}",
        "stack": given.stack,
    }
    kept = FOLDER / ("local.json" if given.local else "aws.json")
    report.keep(outcomes, about, kept)
    print(f"\n{report.table(outcomes)}\n\naws-smoke: on {about['where']}; details in {kept}")
    if interrupted:
        return INTERRUPTED
    return code or int(report.is_wrong(outcomes))


def _make_files(trial: Trial) -> None:
    """Create the smoke test's own bucket, for `sam deploy`'s uploads and the media."""
    if trial.record.files:
        return
    trial.record.files = f"{trial.name}-files-{token_hex(4)}"
    trial.keep()
    where: Any = {"LocationConstraint": trial.record.region}
    us = trial.record.region == "us-east-1"  # S3 accepts no constraint there
    trial.place.client("s3").create_bucket(
        Bucket=trial.record.files, **({} if us else {"CreateBucketConfiguration": where})
    )


def _cleared(trial: Trial) -> int:
    """Delete everything; 1 if something is left."""
    left = clear(trial, _tell)
    for line in left:
        _tell(f"left: {line}")
    if left:
        _tell(f"delete these by hand, or try again with `make aws-smoke ARGS='--stack {trial.name} --clear'`")
    else:
        _tell("everything is deleted")
    return int(bool(left))


def _ask(account: str, region: str, stack: str) -> None:
    """Ask for confirmation; SystemExit unless the answer is yes."""
    question = (
        f"Deploy {stack} to account {account} in {region}, for about an hour and $0.10, and delete it again? [y/N] "
    )
    if not sys.stdin.isatty():
        raise Wrong(f"{question.removesuffix(' [y/N] ')} Cannot ask without a terminal. Confirm with --yes")
    if input(question).strip().lower() not in ("y", "yes"):
        raise Wrong("nothing was done")


def _left_out(step: Step[Trial], reason: str) -> Outcome:
    return Outcome(step.name, step.does, step.expected, "left out", reason, 0, 0)


def _begin(step: Step[Trial]) -> None:
    _tell(f"{step.name}: {step.does}; expected: {step.expected}")


def _tell(what: str) -> None:
    print(f"aws-smoke: {what}", flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()

"""Fuzz each target with atheris, for a number of runs or seconds, two targets at once.

Prints the error of a failing input. The input is in .local/fuzz; once the code is fixed, move it to
resilience/fuzz/found/<target>, where the tests use it. The corpus is kept for the next time. A million runs of a target
are a long fuzzing, whose figures are kept for each target until the next one.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from local.stack import ROOT
from resilience import figures
from resilience.figures import Figures
from resilience.fuzz.seeds import seeds
from resilience.fuzz.targets import TARGETS

FOLDER = ROOT / ".local/fuzz"
MAX_BYTES = 8192  # max bytes of an input
OF_MEDIA = 512  # enough for all of its structures; each byte is seen three times
SECONDS_PER_INPUT = 60  # longer is a hang: inputs take milliseconds, and a busy machine may pause in between
MEGABYTES = 1024  # more is a leak
LONG = 1_000_000  # runs of a target
DONE = re.compile(r"Done (\d+) runs in (\d+) second")
RAN = re.compile(r"^#(\d+)\s", re.MULTILINE)
COVERED = re.compile(r"cov: (\d+)")


@dataclass(frozen=True)
class Outcome:
    """A target's result: the number of runs, the reached branches, and the error; empty if there was none."""

    target: str
    runs: int
    covered: int
    seconds: int
    broken_by: str


def prove(wanted: list[str], *, runs: int, seconds: int) -> dict[str, Figures]:
    """Run the targets; a limit of 0 is none. Returns each one's figures with its error."""
    jobs = [json.dumps(_job(target, runs=runs, seconds=seconds)) for target in wanted]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/dailies/python")])}
    outcomes: dict[str, Outcome] = {}
    with (
        (FOLDER / "run.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "resilience.fuzz.run"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        process.stdin.write("\n".join(jobs))
        process.stdin.close()
        for line in process.stdout:
            outcome = _outcome(**json.loads(line))
            print(
                f"fuzz: {outcome.target:32} {outcome.runs:>10,} runs  {outcome.covered:>5} branches"
                f"  {outcome.seconds:>4} s  {outcome.broken_by or 'held'}",
                flush=True,
            )
            outcomes[outcome.target] = outcome
    if outcomes.keys() != set(wanted):
        raise SystemExit(f"fuzz: the targets did not run; {FOLDER / 'run.log'} has the reason")
    at = datetime.now(UTC).date().isoformat()
    return {target: {**asdict(outcomes[target]), "at": at} for target in wanted}


def _job(target: str, *, runs: int, seconds: int) -> dict[str, Any]:
    """The job, as `resilience.fuzz.run` reads it."""
    corpus, given = FOLDER / "corpus" / target, FOLDER / "seeds" / target
    for folder in (corpus, given):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        (given / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    options = {
        "runs": runs or -1,
        "max_total_time": seconds,
        "max_len": OF_MEDIA if target in ("mp4-walk", "media") else MAX_BYTES,
        "timeout": SECONDS_PER_INPUT,
        "rss_limit_mb": MEGABYTES,
        "artifact_prefix": f"{FOLDER}/{target}-",
        "print_final_stats": 1,
    }
    arguments = [*(f"-{name}={value}" for name, value in options.items()), str(corpus), str(given)]
    return {"target": target, "options": arguments, "log": str(FOLDER / f"{target}.log")}


def _outcome(target: str, code: int, seconds: float) -> Outcome:
    """The result from libFuzzer's output."""
    said = (FOLDER / f"{target}.log").read_text(errors="replace")
    ran = DONE.search(said)
    return Outcome(
        target=target,
        runs=int(ran[1]) if ran else max(map(int, RAN.findall(said)), default=0),
        covered=max(map(int, COVERED.findall(said)), default=0),
        seconds=round(seconds),
        broken_by="" if code == 0 else _last_word(said),
    )


def lasting(before: Mapping[str, Figures], ran: Mapping[str, Figures]) -> dict[str, Figures]:
    """The last long fuzzing of each target that had one, or its error since."""
    found = {**before, **{name: one for name, one in ran.items() if one["runs"] >= LONG or one["broken_by"]}}
    return {name: found[name] for name in TARGETS if name in found}


def summed(targets: Mapping[str, Figures]) -> Figures:
    """Several targets' figures as those of a part."""
    tried = sum(one["runs"] for one in targets.values())
    broken = sum(bool(one["broken_by"]) for one in targets.values())
    return {"tried": tried, "passed": tried - broken, "lost": broken, "of": len(TARGETS), "targets": dict(targets)}


def _last_word(said: str) -> str:
    """The last message of an exception or of libFuzzer."""
    lines = [line for line in said.splitlines() if re.match(r"(\w+\.)*\w*(Error|Exception)\b|.*ERROR: libFuzzer", line)]
    return lines[0][:200] if lines else "ended without a word; its log says more"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="default: all")
    parser.add_argument("--runs", type=int, default=LONG, help=f"runs of each target ({LONG:,})")
    parser.add_argument("--seconds", type=int, default=0, help="max seconds per target; 0: no limit")
    figures.add_option(parser)
    options = parser.parse_args()
    ran = prove(options.targets or list(TARGETS), runs=options.runs, seconds=options.seconds)
    before = figures.kept(options.figures).get("fuzz", {}).get("targets", {})
    if (after := lasting(before, ran)) != before:
        figures.keep("fuzz", summed(after), options.figures)
    if options.runs < LONG and ran.keys() == TARGETS.keys():
        figures.keep("short fuzz", summed(ran), options.figures)
    raise SystemExit(figures.code(summed(ran)))


if __name__ == "__main__":
    main()

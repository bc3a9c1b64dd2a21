"""Fuzzing, by atheris: each target for so many runs or seconds, two targets at once.

What an input breaks is printed; the input lies in .local/fuzz and belongs, once the code is mended, into
tests/fuzzed/<target>, where the tests hold it. What was learned of the branches is kept for the next time. A million
runs of a target are a long fuzzing, whose figures are kept for each target until the next.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from local.stack import ROOT
from proof import figures
from proof.figures import Figures
from proof.fuzz.seeds import seeds
from proof.fuzz.targets import TARGETS

FOLDER = ROOT / ".local/fuzz"
MOST_BYTES = 8192  # of an input
OF_MEDIA = 512  # enough for every structure of theirs; each byte is seen three times
SECONDS_PER_INPUT = 60  # longer is a hang: inputs take milliseconds, and a busy machine may sleep in between
MEGABYTES = 1024  # more is a leak
AT_ONCE = 2  # processors
LONG = 1_000_000  # runs of a target
DONE = re.compile(r"Done (\d+) runs in (\d+) second")
RAN = re.compile(r"^#(\d+)\s", re.MULTILINE)
COVERED = re.compile(r"cov: (\d+)")


@dataclass(frozen=True)
class Outcome:
    """Of one target: how often it ran, how many branches that reached, and what broke it, empty if nothing did."""

    target: str
    runs: int
    covered: int
    seconds: int
    broken_by: str


def fuzz(target: str, *, runs: int, seconds: int) -> Outcome:
    """Run one target; a limit of 0 is none."""
    began = time.monotonic()
    corpus, given = FOLDER / "corpus" / target, FOLDER / "seeds" / target
    for folder in (corpus, given):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        (given / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    options = {
        "runs": runs or -1,
        "max_total_time": seconds,
        "max_len": OF_MEDIA if target in ("mp4-walk", "media") else MOST_BYTES,
        "timeout": SECONDS_PER_INPUT,
        "rss_limit_mb": MEGABYTES,
        "artifact_prefix": f"{FOLDER}/{target}-",
        "print_final_stats": 1,
    }
    command = [sys.executable, "-m", "proof.fuzz.run", target, *(f"-{name}={value}" for name, value in options.items())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/dailies/python")])}
    done = subprocess.run(
        [*command, str(corpus), str(given)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    (FOLDER / f"{target}.log").write_text(said)
    ran = DONE.search(said)
    return Outcome(
        target=target,
        runs=int(ran[1]) if ran else max(map(int, RAN.findall(said)), default=0),
        covered=max(map(int, COVERED.findall(said)), default=0),
        seconds=round(time.monotonic() - began),
        broken_by="" if done.returncode == 0 else _last_word(said),
    )


def prove(wanted: list[str], *, runs: int, seconds: int) -> dict[str, Figures]:
    """Run the targets; the figures of each, with what broke it."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = []
        for outcome in threads.map(lambda target: fuzz(target, runs=runs, seconds=seconds), wanted):
            print(
                f"fuzz: {outcome.target:32} {outcome.runs:>10,} runs  {outcome.covered:>5} branches"
                f"  {outcome.seconds:>4} s  {outcome.broken_by or 'held'}",
                flush=True,
            )
            outcomes.append(outcome)
    at = datetime.now(UTC).date().isoformat()
    return {outcome.target: {**asdict(outcome), "at": at} for outcome in outcomes}


def lasting(before: Mapping[str, Figures], ran: Mapping[str, Figures]) -> dict[str, Figures]:
    """The long fuzzing of each target that there is: the last, or what has broken the target since."""
    found = {**before, **{name: one for name, one in ran.items() if one["runs"] >= LONG or one["broken_by"]}}
    return {name: found[name] for name in TARGETS if name in found}


def summed(targets: Mapping[str, Figures]) -> Figures:
    """The figures of several targets as those of a part."""
    tried = sum(one["runs"] for one in targets.values())
    broken = sum(bool(one["broken_by"]) for one in targets.values())
    return {"tried": tried, "passed": tried - broken, "lost": broken, "of": len(TARGETS), "targets": dict(targets)}


def _last_word(said: str) -> str:
    """What an exception said, or libFuzzer."""
    lines = [line for line in said.splitlines() if re.match(r"(\w+\.)*\w*(Error|Exception)\b|.*ERROR: libFuzzer", line)]
    return lines[0][:200] if lines else "ended without a word; its log says more"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="all, if none is named")
    parser.add_argument("--runs", type=int, default=LONG, help=f"of each target ({LONG:,})")
    parser.add_argument("--seconds", type=int, default=0, help="of each target; 0: as many as the runs take")
    options = parser.parse_args()
    ran = prove(options.targets or list(TARGETS), runs=options.runs, seconds=options.seconds)
    before = figures.kept().get("fuzz", {}).get("targets", {})
    if (after := lasting(before, ran)) != before:
        figures.keep("fuzz", summed(after))
    if options.runs < LONG and ran.keys() == TARGETS.keys():
        figures.keep("short fuzz", summed(ran))
    raise SystemExit(1 if any(one["broken_by"] for one in ran.values()) else 0)


if __name__ == "__main__":
    main()

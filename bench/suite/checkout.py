"""A clone of one revision, or the working tree, and its measured commands."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.stack import ROOT

REAPER = Path(__file__).with_name("reaper.py")
# The set-up targets of `make test`, measured apart; a revision may lack some of them.
SET_UP = ("setup", "browser")
CLOSING = re.compile(r"^=* ?(\d+ \w+(?:, \d+ \w+)*) in [\d.]+s\b.*$", re.MULTILINE)
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*)$", re.MULTILINE)
# Variables that would lead the clone's commands out of the clone, or change what they run.
OURS = re.compile(r"DAILIES_|MAKE|MFLAGS|PYTEST_|PYTHON\w|VIRTUAL_ENV")


@dataclass(frozen=True)
class Measured:
    """A command's figures. `left`: the processes that it left running, which were then ended."""

    code: int
    seconds: float
    cpu_seconds: float
    left: list[str]


@dataclass(frozen=True)
class Outcome:
    """A run of `make test`. `counts` by pytest's words (passed, failed, skipped...); `failed` names the tests."""

    measured: Measured
    counts: dict[str, int]
    failed: list[str]

    @property
    def problem(self) -> str:
        """Why it failed; empty if it passed."""
        if self.measured.code or not self.counts.get("passed"):
            return f"ended with {self.measured.code}"
        return f"left {len(self.measured.left)} processes running" if self.measured.left else ""


@dataclass(frozen=True)
class Checkout:
    """A revision's name and commit, and its folder."""

    name: str
    commit: str
    folder: Path

    def set_up(self, log: Path) -> Measured:
        """Make its environments, with the output in `log`. Raises SystemExit if that fails."""
        makefile = (self.folder / "Makefile").read_text()
        targets = [target for target in SET_UP if re.search(rf"^{target}:", makefile, re.MULTILINE)]
        done = self._measured(log, ["make", *targets])
        if done.code:
            raise SystemExit(f"bench: the set-up of {self.name} failed: {log.read_text()[-500:]}")
        return done

    def test(self, tests: Sequence[str], prefix: Sequence[str], log: Path) -> Outcome:
        """Run all tests, or some, with the output in `log`. Some are run in one process."""
        options, arguments = shlex.join(["-rfEs", *tests]), ["ARGS=-n0"] if tests else []
        done = self._measured(log, [*prefix, "make", "test", *arguments], PYTEST_ADDOPTS=options)
        said = log.read_text(errors="replace")
        closing = CLOSING.findall(said)
        pairs = (pair.split() for pair in closing[-1].split(", ")) if closing else ()
        return Outcome(done, {word: int(count) for count, word in pairs}, FAILED.findall(said))

    def _measured(self, log: Path, command: Sequence[str], **environment: str) -> Measured:
        report = log.with_suffix(".json")
        kept = {name: value for name, value in os.environ.items() if not OURS.match(name)}
        with log.open("w") as said:
            process = subprocess.Popen(
                [sys.executable, str(REAPER), str(report), *command],
                cwd=self.folder,
                env=kept | environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
            try:
                code = process.wait()
            except BaseException:
                process.terminate()  # it ends all processes that the command has started
                process.wait()
                raise
        if code:
            raise SystemExit(f"bench: the measurement failed: {log.read_text(errors='replace')[-500:]}")
        return Measured(**json.loads(report.read_text()))


def here() -> Checkout:
    """The working tree as it is."""
    return Checkout("the working tree", _git(ROOT, "rev-parse", "--short", "HEAD"), ROOT)


def clone(revision: str, folder: Path, repository: Path = ROOT) -> Checkout:
    """A clone of the repository at a revision, in a new folder below the given one. Raises SystemExit if git fails."""
    commit = _git(repository, "rev-parse", "--short", f"{revision}^{{commit}}")
    target = folder / commit
    _git(repository, "clone", "--quiet", str(repository), str(target))
    _git(target, "checkout", "--quiet", "--detach", commit)
    return Checkout(revision, commit, target)


def _git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()

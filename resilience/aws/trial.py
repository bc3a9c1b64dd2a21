"""One run of the smoke test: its stack, and what a step needs from it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from botocore.exceptions import ClientError

from cli.stack import Stack
from local.stack import ROOT
from resilience.aws.place import Place
from resilience.aws.record import Record, check
from resilience.aws.sam import Sam
from resilience.aws.steps import Wrong, expect

DAILIES = ROOT / ".venv/bin/dailies"
# Settings that differ from the defaults: failures are final soon, and little is retained.
PARAMETERS = {
    "ArchiveTries": "2",
    "ArchiveBackoffSeconds": "1",
    "ArchiveConcurrency": "2",  # fits an account that may run ten functions at once
    "RetentionDays": "1",
    "LogRetentionDays": "1",
    "Architecture": "arm64",
}

# A stack whose update was rolled back works.
USABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})


@dataclass
class Trial:
    """The place, the record of its resources, and this run's files."""

    place: Place
    record: Record
    path: Path  # of the record
    folder: Path
    token: str = field(default_factory=lambda: token_hex(3))  # prefix of all ids in this run
    events: list[dict[str, Any]] = field(default_factory=list)  # the bus's events so far
    _stack: Stack | None = None
    _sam: Sam | None = None

    @property
    def name(self) -> str:
        return self.record.stack

    @property
    def sam(self) -> Sam:
        """`sam` for the test's stack."""
        if self._sam is None:
            self._sam = Sam(self.name, self.folder, self.record.files, self.place.environment)
        return self._sam

    @property
    def stack(self) -> Stack:
        """The stack as `dailies` sees it."""
        if self._stack is None:
            self._stack = self.place.complete(self.name)
        return self._stack

    def described(self) -> list[Mapping[str, Any]]:
        """The stack with our name, as CloudFormation describes it: one or none. Raises NotOurs if it is a foreign
        one."""
        found = described(self.place, self.name)
        check(self.record, found)
        return found

    def is_deployed(self) -> bool:
        """Whether our stack exists and its creation has finished."""
        return any(one["StackStatus"] in USABLE for one in self.described())

    def parameters(self) -> dict[str, str]:
        """The values in the parameters file."""
        return {**PARAMETERS, **self.place.parameters, **self.record.parameters}

    def deploy(self, **changes: str) -> None:
        """Deploy with these parameters changed in the file, and record the resources."""
        self.record.parameters |= changes
        self.keep()
        try:
            self.sam.deploy(self.parameters())
        finally:
            self._stack = None
            for one in self.described():  # also for a failed deploy, so that the stack is recorded as ours
                self.record.stack_id = one["StackId"]
            self.keep()
        self.record.add(self.stack.outputs)
        self.keep()

    def forget_stack(self) -> None:
        """The stack is deleted: the next one with our name is a new stack."""
        self.record.stack_id, self._stack = "", None
        self.keep()

    def keep(self) -> None:
        """Write the record."""
        self.record.write(self.path)

    def job(self, what: str) -> str:
        """A job id of this run."""
        return f"smoke-{self.token}-{what}"

    def dailies(self, *arguments: str, given: str = "", ends: tuple[int, ...] = (0,)) -> str:
        """The output of `dailies`. Raises Wrong for another exit code. `given` is its standard input."""
        done = self._dailies(arguments, given)
        expect(
            done.returncode in ends, f"`dailies {' '.join(arguments[:2])}` ended with {done.returncode}: {_said(done)}"
        )
        return done.stdout

    def told(self, *arguments: str, ends: tuple[int, ...] = (0,)) -> Any:
        """The output of a command with --json."""
        done = self._dailies((*arguments, "--json"), "")
        failed = f"`dailies {' '.join(arguments[:2])}` ended with {done.returncode}: {_said(done)}"
        expect(done.returncode in ends, failed)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Wrong(failed) from None

    def _dailies(self, arguments: tuple[str, ...], given: str) -> subprocess.CompletedProcess[str]:
        options: list[str] = []
        if self.place.names_the_stack:
            options = ["--stack", self.name, "--region", self.place.session.region_name or ""]
        done = subprocess.run(
            [sys.executable, str(DAILIES), *options, *arguments],
            cwd=ROOT,
            env={**self.place.environment, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/dailies/python'}"},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        with (self.folder / "dailies.log").open("a") as log:
            log.write(f"$ dailies {' '.join(arguments)}\n{done.stdout}{done.stderr}\n")
        return done

    def row(self, provider: str, job_id: str) -> dict[str, Any]:
        """The job from `dailies job`; empty if there is none yet."""
        printed = self.dailies("job", f"{provider}/{job_id}", "--json", ends=(0, 1))
        return dict(json.loads(printed)["job"]) if printed.strip() else {}


def described(place: Place, name: str) -> list[Mapping[str, Any]]:
    """The stacks with this name: one or none."""
    try:
        found: list[Mapping[str, Any]] = place.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return []
    return [one for one in found if one["StackStatus"] != "DELETE_COMPLETE"]


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """The end of a command's output."""
    return " ".join((done.stderr or done.stdout).split())[-500:]

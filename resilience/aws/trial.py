"""One run of the smoke test: the stack it made, and what a step needs of it."""

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
# What is set differently than the defaults: what is given up is given up soon, and little is kept.
PARAMETERS = {
    "ArchiveTries": "2",
    "ArchiveBackoffSeconds": "1",
    "ArchiveConcurrency": "2",  # fits an account that may run ten functions at once
    "RetentionDays": "1",
    "LogRetentionDays": "1",
    "Architecture": "arm64",
}

# An update that was rolled back leaves a stack that works.
USABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})


@dataclass
class Trial:
    """The place, the record of what was made there, and the files of this run."""

    place: Place
    record: Record
    path: Path  # of the record
    folder: Path
    token: str = field(default_factory=lambda: token_hex(3))  # in all ids of this run
    events: list[dict[str, Any]] = field(default_factory=list)  # what the bus has told so far
    _stack: Stack | None = None
    _sam: Sam | None = None

    @property
    def name(self) -> str:
        return self.record.stack

    @property
    def sam(self) -> Sam:
        """`sam`, for our stack."""
        if self._sam is None:
            self._sam = Sam(self.name, self.folder, self.record.files, self.place.environment)
        return self._sam

    @property
    def stack(self) -> Stack:
        """The stack as the operator's command knows it."""
        if self._stack is None:
            self._stack = self.place.complete(self.name)
        return self._stack

    def described(self) -> list[Mapping[str, Any]]:
        """The stack of our name, as CloudFormation tells of it: one or none. NotOurs where it is another one."""
        found = described(self.place, self.name)
        check(self.record, found)
        return found

    def is_deployed(self) -> bool:
        """Whether our stack is there, and was created to the end."""
        return any(one["StackStatus"] in USABLE for one in self.described())

    def parameters(self) -> dict[str, str]:
        """What the parameters file says."""
        return {**PARAMETERS, **self.place.parameters, **self.record.parameters}

    def deploy(self, **changes: str) -> None:
        """Deploy, with these parameters changed in the file, and write down what there is now."""
        self.record.parameters |= changes
        self.keep()
        try:
            self.sam.deploy(self.parameters())
        finally:
            self._stack = None
            for one in self.described():  # also of one that failed: so that it is known as ours
                self.record.stack_id = one["StackId"]
            self.keep()
        self.record.add(self.stack.outputs)
        self.keep()

    def forget_stack(self) -> None:
        """The stack is deleted: what has our name next is another one."""
        self.record.stack_id, self._stack = "", None
        self.keep()

    def keep(self) -> None:
        """Write the record."""
        self.record.write(self.path)

    def job(self, what: str) -> str:
        """An id for a job of this run."""
        return f"smoke-{self.token}-{what}"

    def dailies(self, *arguments: str, given: str = "", ends: tuple[int, ...] = (0,)) -> str:
        """What the operator's command prints; Wrong where it ends otherwise. `given` is its standard input."""
        done = self._dailies(arguments, given)
        expect(
            done.returncode in ends, f"`dailies {' '.join(arguments[:2])}` ended with {done.returncode}: {_said(done)}"
        )
        return done.stdout

    def told(self, *arguments: str, ends: tuple[int, ...] = (0,)) -> Any:
        """The same, of a command that prints JSON."""
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
        """The job as `dailies job` tells it; empty where there is none yet."""
        printed = self.dailies("job", f"{provider}/{job_id}", "--json", ends=(0, 1))
        return dict(json.loads(printed)["job"]) if printed.strip() else {}


def described(place: Place, name: str) -> list[Mapping[str, Any]]:
    """The stacks of this name that are there: one or none."""
    try:
        found: list[Mapping[str, Any]] = place.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return []
    return [one for one in found if one["StackStatus"] != "DELETE_COMPLETE"]


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """A command's last words."""
    return " ".join((done.stderr or done.stdout).split())[-500:]

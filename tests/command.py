"""The operator in tests: the command, run in this process as its script runs it."""

import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.main import main
from cli.stack import Stack
from local import media_site, processes
from local.stack import Stack as LocalStack
from tests.cloud import BUCKET, BUS, TABLE, Cloud
from tests.deployed import deploy
from tests.desk import Archive


@dataclass(frozen=True)
class Done:
    """What a command came to. `err` is one line where it was refused."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The result, where it was asked for as JSON."""
        assert self.code == 0, self.err
        return json.loads(self.out)


def dailies(*arguments: str) -> Done:
    """Run the command. Nobody is at the keyboard."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(arguments)
    return Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())


class MediaSite:
    """The media host that `make up` leaves beside the stack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def up(self) -> None:
        media_site.up(self._folder, port=0)

    def down(self) -> None:
        processes.end(media_site.NAME, self._folder)


@pytest.fixture(scope="session")
def site(stack: LocalStack, stack_folder: Path) -> Iterator[MediaSite]:
    """The media host of the tests' stack, up; and the stack is the one that commands mean."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DAILIES_LOCAL", str(stack_folder))
        for name in ("DAILIES_STACK", "AWS_PROFILE"):
            patched.delenv(name, raising=False)
        made = MediaSite(stack_folder)
        made.up()
        yield made
        made.down()


@pytest.fixture
def fast_stack(cloud: Cloud) -> Stack:
    """A stack as the command knows it, on moto."""
    cloud.dynamodb, cloud.s3, cloud.events, cloud.sqs  # noqa: B018  each is made when it is asked for
    queue = cloud.queue_url("failures")
    return Stack(
        name="dailies",
        region="us-east-1",
        webhook_base_url="https://dailies.example.com",
        outputs={
            "TableName": TABLE,
            "MediaBucketName": BUCKET,
            "BusName": BUS,
            "ArchiveQueueUrl": cloud.queue_url("found"),
            "ArchiveDeadLetterQueueUrl": queue,
        },
        parameters={"RetentionDays": "90", "RotationGraceHours": "24"},
        session=boto3.Session(),
    )


@pytest.fixture
def deployed(archive_at_work: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack `dailies` on AWS (moto's): `dailies ... --stack dailies` means it."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    deploy(archive_at_work, {}, {})

"""The request log holds each request that a role makes, with its checked actions, and nothing confidential."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from local import emulator, ports, processes
from local.aws import Aws
from testkit.support.empty_aws import acting_as, refusal, role, table

pytestmark = pytest.mark.e2e

SECRET, DATA = "what-nobody-may-read", b"the bytes of a medium"


class Recorded(NamedTuple):
    """An AWS whose requests are recorded, and one of its identities."""

    owner: Aws
    acting: Aws
    path: Path

    def last(self) -> dict[str, Any]:
        """The last request in the log."""
        line: dict[str, Any] = json.loads(self.path.read_text().splitlines()[-1])
        return line


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("emulator")
    try:
        owner = emulator.start(folder, ports.free(), folder / "log")
        emulator.wait_until_ready(folder, owner.port)
        owner.s3.create_bucket(Bucket="media")
        table(owner, "mine")
        allowed = {
            "Effect": "Allow",
            "Action": ["dynamodb:PutItem", "s3:PutObject", "s3:GetObjectVersion", "secretsmanager:*"],
            "Resource": "*",
        }
        yield Recorded(owner, acting_as(owner, role(owner, "writer", allowed)), folder / "log")
    finally:
        processes.end(emulator.NAME, folder)


def test_a_request_is_there_with_its_role_its_check_and_its_body(recorded: Recorded) -> None:
    item: Any = {"pk": {"S": "job#1"}, "sk": {"S": "event#1"}, "text": {"S": "x" * 5000}}
    recorded.acting.dynamodb.put_item(TableName="mine", Item=item)
    last = recorded.last()
    arn = recorded.owner.dynamodb.describe_table(TableName="mine")["Table"]["TableArn"]
    assert (last["role"], last["session"]) == ("writer", "conformance")
    assert (last["service"], last["operation"], last["status"]) == ("dynamodb", "PutItem", 200)
    ((check),) = last["checks"]
    assert (check["action"], check["resource"], check["decision"]) == ("dynamodb:PutItem", arn, "Allow")
    assert last["request"]["body"]["Item"]["pk"] == {"S": "job#1"}
    assert len(last["request"]["body"]["Item"]["text"]["S"]) == 2048
    assert last["request"]["bytes"] > 5000


def test_a_refused_one_is_there_and_the_policies_that_refused_it_before_it(recorded: Recorded) -> None:
    key: Any = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    assert refusal(lambda: recorded.acting.dynamodb.get_item(TableName="mine", Key=key)) == "AccessDeniedException"
    last = recorded.last()
    ((check),) = last["checks"]
    assert (check["action"], check["decision"], last["status"]) == ("dynamodb:GetItem", "ImplicitDeny", 403)
    lines = [json.loads(line) for line in recorded.path.read_text().splitlines()]
    (policies,) = [line["statements"] for line in lines if line.get("policies") == check["policies"]]
    assert policies[0]["actions"][0] == "dynamodb:PutItem"


def test_requests_about_objects_have_their_names_and_no_data(recorded: Recorded) -> None:
    s3: Any = recorded.acting.s3
    name = {"Bucket": "media", "Key": "media/50%2F50.mp4"}
    upload = s3.create_multipart_upload(**name)["UploadId"]
    asked: list[Callable[[], object]] = [
        lambda: s3.put_object(**name, Body=DATA),
        lambda: s3.create_multipart_upload(**name),
        lambda: s3.upload_part(**name, UploadId=upload, PartNumber=1, Body=DATA),
        lambda: s3.get_object(**name, VersionId="1"),
        lambda: s3.abort_multipart_upload(**name, UploadId=upload),
    ]
    found = []
    for ask in asked:
        with suppress(ClientError):  # its recorded action matters here, not its outcome
            ask()
        last = recorded.last()
        found.append((last["operation"], last["checks"][0]["action"], last["request"]["body"] or None))
        assert last["request"]["path"] == "/media/media/50%2F50.mp4"
    assert found == [
        ("PutObject", "s3:PutObject", None),
        ("CreateMultipartUpload", "s3:PutObject", None),
        ("UploadPart", "s3:PutObject", None),
        ("GetObject", "s3:GetObjectVersion", None),
        ("AbortMultipartUpload", "s3:AbortMultipartUpload", None),
    ]


def test_the_owners_own_requests_are_not_there(recorded: Recorded) -> None:
    before = recorded.path.read_bytes()
    recorded.owner.dynamodb.describe_table(TableName="mine")
    assert recorded.path.read_bytes() == before


def test_nothing_confidential_is_in_it(recorded: Recorded) -> None:
    """Follows all of the above."""
    recorded.acting.secretsmanager.create_secret(Name="s", SecretString=SECRET)
    assert recorded.last()["request"]["body"]["SecretString"] == "***"
    log = recorded.path.read_text()
    assert recorded.acting.aws_access_key_id not in log
    for confidential in (SECRET, DATA.decode(), recorded.acting.aws_session_token or "", "Signature="):
        assert confidential not in log

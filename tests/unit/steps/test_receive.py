"""A delivery is answered as the contract says, and 200 means that it is in the table.

The functions are called as API Gateway calls them, with the recorded events and with bodies signed here.
"""

import base64
import gzip
import json
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from random import Random
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.aws.bucket import Bucket
from dailies.aws.secrets import REREAD_SECONDS, SigningSecret
from dailies.aws.table import Table
from dailies.providers.sync import GENERATION
from dailies.steps.receive import Receiver, receiver
from simulators.provider_calls.sync import sync_proofs
from testkit.fixtures.aws import BUCKET, ONE_TRY, TABLE, UNREACHABLE, Cloud, Context, account
from testkit.support.recorded_events import event, secret
from tests.unit.providers.test_payload import NO_PAYLOADS

WHSEC = secret("sync")
RECORDED = event("sync_generation/completed")
DIGEST = sha256(b"sync/generation\n" + RECORDED["body"].encode()).hexdigest()

type Answer = tuple[int, dict[str, str], dict[str, str]]


class Inbox:
    """The function of Sync's generations, and what it wrote."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        cloud.set_secret(WHSEC)
        self._handler = cloud.function("sync_generation").lambda_handler

    def call(self, request: Mapping[str, Any], request_id: str = "request-1") -> Answer:
        """Status, body, headers."""
        return read(self._handler(request, Context(request_id)))

    def row(self, event_id: str) -> dict[str, Any]:
        """The only row of an event, as DynamoDB writes it."""
        (row,) = (row for row in self.cloud.typed_rows() if row["sk"]["S"] == f"event#{event_id}")
        return row


@pytest.fixture(scope="module")
def inbox() -> Iterator[Inbox]:
    """One that the tests share: each sends its own bodies."""
    with account() as cloud:
        yield Inbox(cloud)


def read(response: Mapping[str, Any]) -> Answer:
    assert set(response) == {"statusCode", "headers", "body"}
    assert response["headers"]["content-type"] == "application/json"
    return response["statusCode"], json.loads(response["body"]), response["headers"]


def signed(body: bytes, whsec: str = WHSEC) -> dict[str, Any]:
    """A request that Sync has signed just now, in base64 if it is not text."""
    proof = sync_proofs(whsec, body, int(time.time()))["Sync-Signature"]
    try:
        sent = {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        sent = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {
        **RECORDED,
        "headers": {**RECORDED["headers"], "x-signature-primary": "", **lowered(proof)},
        **sent,
    }


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def noise(size: int) -> str:
    """Text that does not compress to less than three quarters of its size."""
    return base64.b64encode(Random(size).randbytes(size * 3 // 4)).decode()


def large(size: int) -> bytes:
    """A generation whose body has about `size` bytes."""
    return json.dumps({"id": "g-1", "status": "COMPLETED", "options": {"noise": noise(size)}}).encode()


class TestRecorded:
    def test_a_delivery_is_one_row_and_answered_with_its_event(self, inbox: Inbox) -> None:
        before = int(time.time())
        assert inbox.call(RECORDED)[:2] == (200, {"result": "recorded", "event_id": DIGEST})
        row = inbox.row(DIGEST)
        assert row["pk"]["S"] == f"job#sync#{row['job_id']['S']}"
        stored = {name: row[name]["S"] for name in ("webhook", "status", "origin", "proof")}
        assert stored == {
            "webhook": "generation",
            "status": "completed",
            "origin": "webhook",
            "proof": "sync-signature t,v1 (current)",
        }
        assert before <= int(row["expires_at"]["N"]) - 90 * 86_400 <= time.time()
        assert gzip.decompress(row["payload"]["B"]).decode() == RECORDED["body"]

    def test_again_it_is_a_duplicate_and_changes_nothing(self, inbox: Inbox) -> None:
        request = signed(b'{"id":"again","status":"COMPLETED"}')
        _, first, _ = inbox.call(request, "request-1")
        row = inbox.row(first["event_id"])
        assert inbox.call(request, "request-2")[:2] == (200, first | {"result": "duplicate"})
        assert inbox.row(first["event_id"]) == row

    def test_other_content_of_the_same_job_is_another_row(self, inbox: Inbox) -> None:
        for body in (b'{"id":"other","status":"COMPLETED"}', b'{"id":"other","status":"COMPLETED"} '):
            _, answer, _ = inbox.call(signed(body))
            assert answer["result"] == "recorded"
            assert inbox.row(answer["event_id"])["pk"] == {"S": "job#sync#other"}

    def test_a_body_in_base64_is_the_bytes_that_were_sent(self, inbox: Inbox) -> None:
        body = b'{"id":"base64","status":"COMPLETED"}'
        sent = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        _, answer, _ = inbox.call({**signed(body), **sent})
        assert gzip.decompress(inbox.row(answer["event_id"])["payload"]["B"]) == body

    def test_a_large_body_goes_to_the_bucket_and_its_row_points_there(self, inbox: Inbox) -> None:
        body = large(500_000)
        _, answer, _ = inbox.call(signed(body))
        row = inbox.row(answer["event_id"])
        assert row["payload_key"] == {"S": f"deliveries/events/sync/{answer['event_id']}.gz"}
        assert "payload" not in row
        assert gzip.decompress(inbox.cloud.objects()[row["payload_key"]["S"]]) == body


class TestRefused:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"sync-signature": RECORDED["headers"]["sync-signature"][:-1] + "0"},
            {"sync-signature": "", "x-signature-primary": ""},
            {"sync-signature": "é", "x-signature-primary": "\ud800"},
            {"authorization": f"Bearer {WHSEC}"},
            {"x-signature-primary": WHSEC},
        ],
    )
    def test_an_unverified_delivery_is_401_without_a_row(self, inbox: Inbox, headers: dict[str, str]) -> None:
        before = inbox.cloud.typed_rows()
        status, body, sent = inbox.call({**RECORDED, "headers": headers})
        assert (status, body) == (401, {"error": "unverified"})
        assert "retry-after" not in sent
        assert inbox.cloud.typed_rows() == before

    def test_the_size_is_checked_before_the_signature_and_before_the_secret_is_read(self, inbox: Inbox) -> None:
        without_secret = {"MAX_BODY_BYTES": "1024", "SIGNING_SECRET_ID": "there is none"}
        handler = inbox.cloud.function("sync_generation", **without_secret).lambda_handler
        for sent in ({"body": "x" * 1025}, {"body": "eHh4" * 342, "isBase64Encoded": True}):
            assert read(handler({**RECORDED, **sent}, Context()))[:2] == (413, {"error": "too_large"})

    def test_a_stale_signature_is_401(self, inbox: Inbox) -> None:
        handler = inbox.cloud.function("sync_generation", SIGNATURE_TOLERANCE_SECONDS="300").lambda_handler
        assert read(handler(RECORDED, Context()))[0] == 401

    def test_the_bare_signature_counts_as_the_owner_decides(self, inbox: Inbox) -> None:
        bare = {**RECORDED, "headers": {"x-signature-primary": RECORDED["headers"]["x-signature-primary"]}}
        for accepted, status in (("true", 200), ("false", 401)):
            handler = inbox.cloud.function("sync_generation", ACCEPT_BARE_SYNC_SIGNATURE=accepted).lambda_handler
            assert read(handler(bare, Context()))[0] == status

    SHAPES = st.fixed_dictionaries(
        {},
        optional={
            "version": st.just("2.0"),
            "headers": st.none() | st.dictionaries(st.text(), st.text(st.characters(exclude_categories=()))),
            "pathParameters": st.none() | st.dictionaries(st.sampled_from(["token", "other"]), st.none() | st.text()),
            "body": st.none() | st.text(st.characters(exclude_categories=())) | st.binary().map(bytes.hex),
            "isBase64Encoded": st.booleans(),
            "requestContext": st.dictionaries(st.text(), st.text()),
        },
    )

    @given(shape=SHAPES)
    def test_whatever_api_gateway_hands_on_is_answered(self, inbox: Inbox, shape: dict[str, Any]) -> None:
        assert inbox.call(shape)[:2] == (401, {"error": "unverified"})


class TestQuarantined:
    @pytest.mark.parametrize("body", NO_PAYLOADS.values(), ids=NO_PAYLOADS)
    def test_an_authentic_unreadable_delivery_is_kept(self, inbox: Inbox, body: bytes) -> None:
        digest = sha256(b"sync/generation\n" + body).hexdigest()
        for _ in range(2):
            assert inbox.call(signed(body))[:2] == (200, {"result": "quarantined", "event_id": digest})
        row = inbox.row(digest)
        assert row["pk"]["S"] == f"quarantine#sync#{row['received_at']['S'][:10]}"
        assert gzip.decompress(row["payload"]["B"]) == body
        assert "expires_at" not in row

    def test_a_large_one_is_under_a_prefix_that_does_not_expire(self, inbox: Inbox) -> None:
        body = large(500_000).replace(b'"g-1"', b"null")
        _, answer, _ = inbox.call(signed(body))
        assert answer["result"] == "quarantined"
        key = f"deliveries/quarantine/sync/{answer['event_id']}.gz"
        assert inbox.row(answer["event_id"])["payload_key"] == {"S": key}
        assert gzip.decompress(inbox.cloud.objects()[key]) == body


class TestNotStored:
    """503 and Retry-After: the provider retries, and nothing is half done."""

    def refused(self, answer: Answer) -> None:
        status, body, headers = answer
        assert (status, body) == (503, {"error": "not_stored"})
        assert int(headers["retry-after"]) > 0

    @pytest.mark.parametrize(
        ("gone", "request_"),
        [
            ("TABLE_NAME", RECORDED),
            ("TABLE_NAME", signed(b"[5]")),
            ("BUCKET_NAME", signed(large(500_001))),
            ("SIGNING_SECRET_ID", RECORDED),
        ],
        ids=["table", "table, quarantine", "bucket", "secret"],
    )
    def test_where_something_is_not_there(self, inbox: Inbox, gone: str, request_: dict[str, Any]) -> None:
        before = inbox.cloud.typed_rows()
        handler = inbox.cloud.function("sync_generation", **{gone: "gone"}).lambda_handler
        self.refused(read(handler(request_, Context())))
        assert inbox.cloud.typed_rows() == before

    def test_where_aws_cannot_be_reached(self, inbox: Inbox) -> None:
        cloud = inbox.cloud
        made = {"dynamodb": boto3.client("dynamodb", endpoint_url=UNREACHABLE, config=ONE_TRY)}
        handler = receiver(GENERATION, cloud.environment, lambda name, **_: made.get(name) or boto3.client(name))
        self.refused(read(handler(RECORDED, Context())))  # type: ignore[arg-type]

    def test_a_write_whose_answer_was_lost_is_recorded_and_no_duplicate(self, inbox: Inbox) -> None:
        """The put took effect, the SDK retried and met its own row. Here it retries although it got a response."""
        client, calls = boto3.client("dynamodb"), []

        def once_more(attempts: int, **_: Any) -> float | None:
            calls.append(attempts)
            return 0 if attempts == 1 else None

        client.meta.events.register("needs-retry.dynamodb.PutItem", once_more)  # type: ignore[arg-type]
        handler = receiver(
            GENERATION, inbox.cloud.environment, lambda name, **_: client if name == "dynamodb" else boto3.client(name)
        )
        request = signed(b'{"id":"lost","status":"COMPLETED"}')
        _, answer, _ = read(handler(request, Context()))  # type: ignore[arg-type]
        assert (answer["result"], calls) == ("recorded", [1, 2])
        assert inbox.row(answer["event_id"])
        _, again, _ = read(handler(request, Context("request-2")))  # type: ignore[arg-type]
        assert again == answer | {"result": "duplicate"}


class TestLines:
    """What is logged about deliveries: counts, and job ids; no secret, no body, no signed URL."""

    def test_each_answer_is_one_line_of_metrics(self, inbox: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        _, answer, _ = inbox.call(signed(b'{"id":"told","status":"COMPLETED"}'))
        inbox.call(signed(b"{"))
        inbox.call({**RECORDED, "headers": {}})
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["result"] for line in lines] == ["recorded", "quarantined", "unverified"]
        for line in lines:
            (metrics,) = line["_aws"]["CloudWatchMetrics"]
            assert (metrics["Namespace"], metrics["Metrics"][0]["Name"]) == ("Dailies/dailies", "Deliveries")
            assert (line["Deliveries"], line["webhook"]) == (1, "sync/generation")
            assert metrics["Dimensions"] == [["webhook", "result"], ["result"]]
        assert answer["event_id"].startswith(lines[0]["event_id"])
        assert (len(lines[0]["event_id"]), lines[0]["job_id"]) == (12, "told")
        assert lines[0]["proof"] == "sync-signature t,v1 (current)"

    def test_no_line_has_a_secret_a_body_or_a_signed_url(
        self, inbox: Inbox, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mark = "MARK0123456789"
        bodies = [
            {
                "id": "g-1",
                "status": "FAILED",
                "outputUrl": f"https://h.example/o?X-Amz-Signature={mark}",
                "error": mark,
            },
            {"id": mark * 20, "status": "COMPLETED"},
            {"id": "g-1", "status": {mark: mark}},
            {mark: mark},
        ]
        for request in (*(signed(json.dumps(body).encode()) for body in bodies), signed(mark.encode())):
            inbox.call(request)
        inbox.call({**RECORDED, "headers": {"sync-signature": mark}, "body": mark, "rawPath": f"/{mark}"})
        nowhere = inbox.cloud.function("sync_generation", TABLE_NAME="gone").lambda_handler
        nowhere(signed(json.dumps(bodies[0]).encode()), Context())
        printed = "".join(capsys.readouterr())
        assert printed.count('"Deliveries":1') == 7
        assert mark not in printed
        assert WHSEC not in printed


class TestRotation:
    """A delivery that the known secret does not verify causes a reread, which finds a changed secret."""

    def test_a_delivery_signed_with_the_new_secret_is_recorded_at_once(self, inbox: Inbox) -> None:
        client = inbox.cloud.secretsmanager
        client.create_secret(Name="rotating", SecretString="whsec_old")
        signing = SigningSecret(lambda: client, "rotating", grace=60)
        signing.usable(time.time() - REREAD_SECONDS - 1)  # read some time ago, and kept
        client.put_secret_value(SecretId="rotating", SecretString="whsec_new")
        rotating = Receiver(
            webhook=GENERATION,
            secret=signing,
            table=Table(inbox.cloud.dynamodb, TABLE),
            bucket=Bucket(lambda: inbox.cloud.s3, BUCKET),
        )
        results = [
            rotating.receive(signed(b'{"id":"rotated","status":"COMPLETED"}', whsec), request_id="r").proof
            for whsec in ("whsec_new", "whsec_old", "whsec_other")
        ]
        assert results == ["sync-signature t,v1 (current)", "sync-signature t,v1 (previous)", ""]


class TestTheTokenOfThePath:
    """Creatify's: the body repeats it, and the record does not."""

    TOKEN = secret("creatify")

    def test_it_is_in_nothing_that_is_stored_or_logged(self, inbox: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
        inbox.cloud.secretsmanager.create_secret(Name="token", SecretString=self.TOKEN)
        handler = inbox.cloud.function("creatify_product_to_video", SIGNING_SECRET_ID="token").lambda_handler
        request = event("creatify_product_to_video/failed")
        changed = dict.fromkeys(json.loads(request["body"]), f"see {self.TOKEN}")
        changed |= {"id": "p-1", "status": "failed", self.TOKEN: self.TOKEN}
        for sent in (request["body"], json.dumps(changed), self.TOKEN, json.dumps(changed | {"id": None})):
            assert read(handler({**request, "body": sent}, Context()))[0] == 200
        rows = [row for row in inbox.cloud.typed_rows() if row["provider"]["S"] == "creatify"]
        assert len(rows) == 4
        for row in rows:
            assert self.TOKEN not in repr(row)
            assert self.TOKEN.encode() not in gzip.decompress(row["payload"]["B"])
        assert self.TOKEN not in "".join(capsys.readouterr())

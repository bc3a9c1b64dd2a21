"""A delivery is answered as the contract says, and an answer of 200 means that it is in the table.

The functions are called as API Gateway calls them, with the recorded events and with bodies proven here.
"""

import base64
import gzip
import json
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from random import Random
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dailies.providers.sync import GENERATION
from dailies.receiving import receiver
from local.callers import sync_proofs
from tests.cloud import BUCKET, ONE_TRY, TABLE, UNREACHABLE, Cloud, Context
from tests.recorded import event, secret
from tests.test_payloads import NO_PAYLOADS

WHSEC = secret("sync")
RECORDED = event("sync_generation/completed")
DIGEST = sha256(b"sync/generation\n" + RECORDED["body"].encode()).hexdigest()

type Answer = tuple[int, dict[str, str], dict[str, str]]
type Call = Callable[..., Answer]


@pytest.fixture
def call(cloud: Cloud) -> Call:
    """Calls the function of Sync's generations, and reads its answer: status, body, headers."""
    cloud.set_secret(WHSEC)
    handler = cloud.function("sync_generation").lambda_handler
    return lambda request, request_id="request-1": read(handler(request, Context(request_id)))


def read(response: Mapping[str, Any]) -> Answer:
    assert set(response) == {"statusCode", "headers", "body"}
    assert response["headers"]["content-type"] == "application/json"
    return response["statusCode"], json.loads(response["body"]), response["headers"]


def proven(body: bytes, **fields: Any) -> dict[str, Any]:
    """A request that Sync has signed just now, in base64 where it is no text."""
    proof = sync_proofs(WHSEC, body, int(time.time()))["Sync-Signature"]
    try:
        sent = {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        sent = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {
        **RECORDED,
        "headers": {**RECORDED["headers"], "x-signature-primary": "", **lowered(proof)},
        **sent,
        **fields,
    }


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def noise(size: int) -> str:
    """Text that does not compress to less than three quarters of its size."""
    return base64.b64encode(Random(size).randbytes(size * 3 // 4)).decode()


def large(size: int) -> bytes:
    """A generation whose body has about so many bytes."""
    return json.dumps({"id": "g-1", "status": "COMPLETED", "options": {"noise": noise(size)}}).encode()


class TestRecorded:
    def test_a_delivery_is_one_row_and_answered_with_its_event(self, call: Call, cloud: Cloud) -> None:
        before = int(time.time())
        assert call(RECORDED)[:2] == (200, {"result": "recorded", "event_id": DIGEST})
        (row,) = cloud.rows()
        assert (row["pk"], row["sk"]) == (f"job#sync#{row['job_id']}", f"event#{DIGEST}")
        assert (row["webhook"], row["status"], row["origin"]) == ("generation", "completed", "webhook")
        assert row["proof"] == "sync-signature t,v1 (current)"
        assert before <= int(row["expires_at"]) - 90 * 86_400 <= time.time()
        (typed,) = cloud.typed_rows()
        assert gzip.decompress(typed["payload"]["B"]).decode() == RECORDED["body"]

    def test_again_it_is_a_duplicate_and_changes_nothing(self, call: Call, cloud: Cloud) -> None:
        call(RECORDED, "request-1")
        rows = cloud.typed_rows()
        assert call(RECORDED, "request-2")[:2] == (200, {"result": "duplicate", "event_id": DIGEST})
        assert cloud.typed_rows() == rows

    def test_other_content_of_the_same_job_is_another_row(self, call: Call, cloud: Cloud) -> None:
        for body in (b'{"id":"g-1","status":"COMPLETED"}', b'{"id":"g-1","status":"COMPLETED"} '):
            assert call(proven(body))[1]["result"] == "recorded"
        assert len({row["sk"] for row in cloud.rows() if row["pk"] == "job#sync#g-1"}) == 2

    def test_a_body_in_base64_is_the_bytes_that_were_sent(self, call: Call, cloud: Cloud) -> None:
        encoded = {"body": base64.b64encode(RECORDED["body"].encode()).decode(), "isBase64Encoded": True}
        assert call({**RECORDED, **encoded})[1] == {"result": "recorded", "event_id": DIGEST}

    def test_a_large_body_goes_to_the_bucket_and_its_row_points_there(self, call: Call, cloud: Cloud) -> None:
        body = large(500_000)
        assert call(proven(body))[1]["result"] == "recorded"
        (row,) = cloud.rows()
        assert row["payload_key"] == f"deliveries/events/sync/{row['event_id']}.gz"
        assert "payload" not in cloud.typed_rows()[0]
        assert gzip.decompress(cloud.objects()[row["payload_key"]]) == body


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
    def test_what_is_not_proven_is_401_and_no_row(self, call: Call, cloud: Cloud, headers: dict[str, str]) -> None:
        status, body, sent = call({**RECORDED, "headers": headers})
        assert (status, body) == (401, {"error": "unverified"})
        assert "retry-after" not in sent
        assert (cloud.rows(), cloud.objects()) == ([], {})

    def test_the_size_is_checked_before_the_proof_and_before_the_secret_is_read(self, cloud: Cloud) -> None:
        handler = cloud.function("sync_generation", MAX_BODY_BYTES="1024").lambda_handler  # there is no secret
        for sent in ({"body": "x" * 1025}, {"body": "eHh4" * 342, "isBase64Encoded": True}):
            assert read(handler({**RECORDED, **sent}, Context()))[:2] == (413, {"error": "too_large"})

    def test_a_stale_signature_is_401(self, cloud: Cloud) -> None:
        cloud.set_secret(WHSEC)
        handler = cloud.function("sync_generation", SIGNATURE_TOLERANCE_SECONDS="300").lambda_handler
        assert read(handler(RECORDED, Context()))[0] == 401

    def test_the_bare_signature_counts_as_the_owner_decides(self, cloud: Cloud) -> None:
        cloud.set_secret(WHSEC)
        bare = {**RECORDED, "headers": {"x-signature-primary": RECORDED["headers"]["x-signature-primary"]}}
        for accepted, status in (("true", 200), ("false", 401)):
            handler = cloud.function("sync_generation", ACCEPT_BARE_SYNC_SIGNATURE=accepted).lambda_handler
            assert read(handler(bare, Context()))[0] == status

    SHAPES = st.fixed_dictionaries(
        {},
        optional={
            "version": st.just("2.0"),
            "headers": st.none() | st.dictionaries(st.text(), st.text(st.characters(exclude_categories=()))),
            "pathParameters": st.none() | st.dictionaries(st.sampled_from(["token", "other"]), st.none() | st.text()),
            "body": st.none() | st.text(st.characters(exclude_categories=())) | st.binary().map(lambda b: b.hex()),
            "isBase64Encoded": st.booleans(),
            "requestContext": st.dictionaries(st.text(), st.text()),
        },
    )

    @given(shape=SHAPES)
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # what it leaves behind is nothing
    def test_whatever_api_gateway_hands_on_is_answered(self, call: Call, cloud: Cloud, shape: dict[str, Any]) -> None:
        assert call(shape)[:2] == (401, {"error": "unverified"})
        assert cloud.rows() == []


class TestQuarantined:
    @pytest.mark.parametrize("body", NO_PAYLOADS.values(), ids=NO_PAYLOADS)
    def test_what_is_proven_and_unreadable_is_kept(self, call: Call, cloud: Cloud, body: bytes) -> None:
        digest = sha256(b"sync/generation\n" + body).hexdigest()
        for _ in range(2):
            assert call(proven(body))[:2] == (200, {"result": "quarantined", "event_id": digest})
        (row,) = cloud.typed_rows()
        assert row["pk"]["S"] == f"quarantine#sync#{row['received_at']['S'][:10]}"
        assert row["sk"]["S"] == f"event#{digest}"
        assert gzip.decompress(row["payload"]["B"]) == body
        assert "expires_at" not in row

    def test_a_large_one_lies_where_the_bucket_keeps_it(self, call: Call, cloud: Cloud) -> None:
        body = large(500_000).replace(b'"g-1"', b"null")
        assert call(proven(body))[1]["result"] == "quarantined"
        (row,) = cloud.rows()
        assert row["payload_key"] == f"deliveries/quarantine/sync/{row['event_id']}.gz"
        assert gzip.decompress(cloud.objects()[row["payload_key"]]) == body


class TestNotStored:
    """503 and Retry-After: the provider comes again, and nothing is half done."""

    def refused(self, answer: Answer) -> None:
        status, body, headers = answer
        assert (status, body) == (503, {"error": "not_stored"})
        assert int(headers["retry-after"]) > 0

    def test_where_the_table_takes_nothing(self, call: Call, cloud: Cloud) -> None:
        cloud.dynamodb.delete_table(TableName=TABLE)
        self.refused(call(RECORDED))
        self.refused(call(proven(b"{")))

    def test_where_the_bucket_takes_nothing_there_is_no_row_either(self, call: Call, cloud: Cloud) -> None:
        cloud.s3.delete_bucket(Bucket=BUCKET)
        self.refused(call(proven(large(500_000))))
        assert cloud.rows() == []

    def test_where_the_secret_cannot_be_read(self, cloud: Cloud) -> None:
        self.refused(read(cloud.function("sync_generation").lambda_handler(RECORDED, Context())))
        assert cloud.rows() == []

    def test_where_aws_cannot_be_reached(self, cloud: Cloud) -> None:
        cloud.set_secret(WHSEC)
        made = {"dynamodb": boto3.client("dynamodb", endpoint_url=UNREACHABLE, config=ONE_TRY)}
        handler = receiver(GENERATION, cloud.environment, lambda name, **_: made.get(name) or boto3.client(name))
        self.refused(read(handler(RECORDED, Context())))  # type: ignore[arg-type]

    def test_a_write_whose_answer_was_lost_is_recorded_and_no_duplicate(self, cloud: Cloud) -> None:
        """It took effect, the SDK tried again and met its own row. Here it tries again though it was answered."""
        cloud.set_secret(WHSEC)
        _ = cloud.s3
        client, calls = cloud.dynamodb, []

        def once_more(attempts: int, **_: Any) -> float | None:
            calls.append(attempts)
            return 0 if attempts == 1 else None

        client.meta.events.register("needs-retry.dynamodb.PutItem", once_more)  # type: ignore[arg-type]
        handler = receiver(
            GENERATION, cloud.environment, lambda name, **_: client if name == "dynamodb" else boto3.client(name)
        )
        assert read(handler(RECORDED, Context()))[1] == {"result": "recorded", "event_id": DIGEST}  # type: ignore[arg-type]
        assert calls == [1, 2]
        assert len(cloud.rows()) == 1
        answer = read(handler(RECORDED, Context("request-2")))  # type: ignore[arg-type]
        assert answer[1] == {"result": "duplicate", "event_id": DIGEST}


class TestLines:
    """What is told of deliveries: counts, and whose they were; no secret, no body, no signed URL."""

    def test_each_answer_is_one_line_of_metrics(self, call: Call, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        call(RECORDED)
        call(proven(b"{"))
        call({**RECORDED, "headers": {}})
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["result"] for line in told] == ["recorded", "quarantined", "unverified"]
        for line in told:
            (metrics,) = line["_aws"]["CloudWatchMetrics"]
            assert (metrics["Namespace"], metrics["Metrics"][0]["Name"]) == ("Dailies", "Deliveries")
            assert (line["Deliveries"], line["webhook"], line["provider"]) == ([1.0], "sync/generation", "sync")
        assert (told[0]["event_id"], told[0]["proof"]) == (DIGEST, "sync-signature t,v1 (current)")
        assert {"service", "provider", "webhook", "proof"} in map(
            set, told[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
        )

    def test_no_line_has_a_secret_a_body_or_a_signed_url(
        self, call: Call, cloud: Cloud, capsys: pytest.CaptureFixture[str]
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
        for request in (*(proven(json.dumps(body).encode()) for body in bodies), proven(mark.encode())):
            call(request)
        call({**RECORDED, "headers": {"sync-signature": mark}, "body": mark, "rawPath": f"/{mark}"})
        cloud.dynamodb.delete_table(TableName=TABLE)
        call(proven(json.dumps(bodies[0]).encode()))
        printed = "".join(capsys.readouterr())
        assert printed.count("Deliveries") >= 7
        assert mark not in printed
        assert WHSEC not in printed


class TestTheTokenOfThePath:
    """Creatify's: the body repeats it, and what is kept does not."""

    TOKEN = secret("creatify")

    def test_it_is_in_nothing_that_is_kept_or_told(self, cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
        cloud.set_secret(self.TOKEN)
        handler = cloud.function("creatify_product_to_video").lambda_handler
        request = event("creatify_product_to_video/failed")
        told = dict.fromkeys(json.loads(request["body"]), f"see {self.TOKEN}")
        told |= {"id": "p-1", "status": "failed", self.TOKEN: self.TOKEN}
        for sent in (request["body"], json.dumps(told), self.TOKEN, json.dumps(told | {"id": None})):
            assert read(handler({**request, "body": sent}, Context()))[0] == 200
        rows = cloud.typed_rows()
        assert len(rows) == 4
        for row in rows:
            assert self.TOKEN not in repr(row)
            assert self.TOKEN.encode() not in gzip.decompress(row["payload"]["B"])
        assert self.TOKEN not in "".join(capsys.readouterr())

"""The recorded events have AWS's shapes, and their deliveries verify, by code that shares nothing with the bundle:
hashes are computed here, from the files' bytes.
"""

import base64
import gzip
import hashlib
import hmac
import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from demo.__main__ import secrets_of
from local.stack import Stack
from simulators.media_host.server import media_host
from simulators.provider_calls import captions, creatify, every_sample, sync
from simulators.provider_calls.call import send
from simulators.provider_calls.sync import sync_generation
from simulators.recorded_events import __main__ as recording
from testkit.fixtures.aws import Cloud, Context
from testkit.support.template import folder, functions, template

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
FILES = {str(path.relative_to(EVENTS).with_suffix("")): path for path in sorted(EVENTS.rglob("*.json"))}
RECORDED_AT = 1768473000  # 2026-01-15T10:30:00Z

README = (EVENTS / "README.md").read_text(encoding="utf-8")
SAMPLES = {sample.folder: sample for sample in every_sample().values()}

NOTICES = [
    *("fetch_sync_secret/due", "reconcile/sweep", "track/submitted"),
    *("register_captions_webhook/created", "register_captions_webhook/deleted"),
    *("rotate_captions_secret/set", "rotate_creatify_token/create"),
]
DELIVERIES = [name for name in FILES if name.partition("/")[0] in SAMPLES]
SYNC = [name for name in DELIVERIES if name.startswith("sync")]
CREATIFY = [name for name in DELIVERIES if name.startswith("creatify")]
CAPTIONS = [name for name in DELIVERIES if name.startswith("captions")]
RECORDS = [name for name in FILES if name not in (*DELIVERIES, *NOTICES)]


def load(name: str) -> Any:
    return json.loads(FILES[name].read_bytes())


def body(name: str) -> Any:
    return json.loads(load(name)["body"])


class TestTheFolder:
    def test_every_webhook_has_its_outcomes(self) -> None:
        recorded = [
            f"{folder}/{case}"
            for folder, sample in SAMPLES.items()
            for case, one in sample.cases.items()
            if one.recorded
        ]
        assert sorted(DELIVERIES) == sorted(recorded)
        assert {
            *("captions_creator/failure", "captions_creator/success"),
            *("creatify_product_to_video/failed", "creatify_product_to_video/image_generated"),
            *("creatify_product_to_video/video_generating", "creatify_product_to_video/video_generated"),
            *("sync_batch/completed", "sync_batch/failed", "sync_generation/completed", "sync_generation/failed"),
        } <= set(recorded)

    def test_every_function_has_an_event_and_every_event_a_function(self) -> None:
        functions = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
        assert {name.partition("/")[0] for name in FILES} == functions

    def test_the_readme_lists_every_file_that_no_webhook_sends(self) -> None:
        listed = {
            f"{folder}/{name}"
            for folder, names in re.findall(r"^\| `(\w+)/` ([`\w ]+) \|", README, re.MULTILINE)
            for name in names.replace("`", "").split()
        }
        assert listed == set(FILES) - set(DELIVERIES)

    def test_they_are_what_the_recording_writes(self) -> None:
        made = recording.recorded()
        assert set(made) == set(FILES)
        for name, event in made.items():
            assert unpacked(json.loads(json.dumps(event))) == unpacked(load(name)), (
                f"{name}: python -m simulators.recorded_events"
            )


def unpacked(event: Any) -> Any:
    """The same with payloads decompressed, since gzip's output depends on the machine's zlib."""
    for record in event.get("Records", ()):
        image = record.get("dynamodb", {}).get("NewImage", {})
        if "payload" in image:
            image["payload"] = gzip.decompress(base64.b64decode(image["payload"]["B"])).decode()
            del record["dynamodb"]["SizeBytes"]
    return event


class TestChangesOfSecrets:
    @pytest.mark.parametrize("name", [name for name in NOTICES if name.startswith("rotate_")])
    def test_a_step_has_secrets_managers_fields(self, name: str) -> None:
        event = load(name)
        assert set(event) == {"Step", "SecretId", "ClientRequestToken"}
        assert event["Step"] in {"createSecret", "setSecret", "testSecret", "finishSecret"}
        assert str(UUID(event["ClientRequestToken"])) == event["ClientRequestToken"]

    @pytest.mark.parametrize("name", [name for name in NOTICES if name.startswith("register_")])
    def test_cloudformations_request_has_the_templates_properties(self, name: str) -> None:
        event = load(name)
        resource = template()["Resources"]["CaptionsWebhook"]
        told = {name for name, value in resource["Properties"].items() if "AWS::NoValue" not in str(value)}
        told -= {"ServiceTimeout"}  # CloudFormation's own
        assert (event["ResourceType"], set(event["ResourceProperties"])) == (resource["Type"], told)
        assert event["RequestType"] == ("Delete" if "PhysicalResourceId" in event else "Create")
        assert {"ResponseURL", "StackId", "RequestId", "LogicalResourceId"} < set(event)


class TestDeliveries:
    @pytest.mark.parametrize("name", DELIVERIES)
    def test_they_have_the_shape_of_payload_format_2_0(self, name: str) -> None:
        event = load(name)
        context = event["requestContext"]
        assert event["version"] == "2.0"
        assert event["isBase64Encoded"] is False
        assert event["rawQueryString"] == ""
        assert all(header == header.lower() for header in event["headers"])
        assert event["headers"]["content-length"] == str(len(event["body"].encode()))
        assert event["routeKey"] == context["routeKey"] == "POST " + self.route(name)
        secret = SAMPLES[name.partition("/")[0]].secret
        assert event["rawPath"] == context["http"]["path"] == self.route(name).replace("{token}", secret)
        assert (context["http"]["method"], context["stage"]) == ("POST", "$default")
        assert context["timeEpoch"] == RECORDED_AT * 1000
        assert datetime.strptime(context["time"], "%d/%b/%Y:%H:%M:%S %z").timestamp() == RECORDED_AT
        assert event.get("pathParameters") == ({"token": secret} if "{token}" in self.route(name) else None)

    def route(self, name: str) -> str:
        """The route of that folder's function in the template."""
        function = functions()[next(one for one in functions() if folder(one).name == name.partition("/")[0])]
        path = function["Events"]["Call"]["Properties"]["Path"]
        assert isinstance(path, str)
        return path

    @pytest.mark.parametrize("name", SYNC)
    def test_syncs_signatures_hold_over_the_raw_body(self, name: str) -> None:
        event = load(name)
        signature = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", event["headers"]["sync-signature"])
        assert signature
        assert int(signature[1]) == RECORDED_AT
        signed = f"{signature[1]}.{event['body']}".encode()
        key = sync.SECRET.encode()
        assert hmac.new(key, signed, hashlib.sha256).hexdigest() == signature[2]
        assert (
            hmac.new(key, event["body"].encode(), hashlib.sha256).hexdigest() == event["headers"]["x-signature-primary"]
        )

    @pytest.mark.parametrize("name", CREATIFY)
    def test_creatifys_token_is_in_the_path_alone_and_echoed_in_the_body(self, name: str) -> None:
        event = load(name)
        assert event["rawPath"].endswith("/" + creatify.TOKEN)
        assert creatify.TOKEN not in json.dumps(event["headers"])
        assert body(name)["webhook_url"].endswith(event["rawPath"])

    @pytest.mark.parametrize("name", CAPTIONS)
    def test_captions_secret_is_the_bearer(self, name: str) -> None:
        assert load(name)["headers"]["authorization"] == f"Bearer {captions.SECRET}"

    def test_they_report_what_their_names_say(self) -> None:
        assert {name: body(name)["status"] for name in SYNC} == {name: name.partition("/")[2].upper() for name in SYNC}
        assert {name: body(name)["status"] for name in CREATIFY} == {name: name.partition("/")[2] for name in CREATIFY}
        assert {name: body(name)["event"] for name in CAPTIONS} == {
            name: "creator." + name.partition("/")[2] for name in CAPTIONS
        }

    def test_creatifys_stages_follow_each_other_by_its_own_clock(self) -> None:
        stages = ["image_generating", "image_generated", "video_generating", "video_generated", "failed"]
        times = [datetime.fromisoformat(body(f"creatify_product_to_video/{stage}")["updated_at"]) for stage in stages]
        assert times == sorted(set(times))
        assert all(time.utcoffset() == timedelta(hours=-7) for time in times)
        assert times[-1].timestamp() < RECORDED_AT

    def test_another_time_and_secret_sign_them_again(self) -> None:
        at = datetime(2030, 1, 1, tzinfo=UTC)
        event = recording.deliveries(at, "whsec_mine")["sync_generation/completed"]
        signed = f"{int(at.timestamp())}.{event['body']}".encode()
        signature = hmac.new(b"whsec_mine", signed, hashlib.sha256).hexdigest()
        assert event["headers"]["sync-signature"] == f"t={int(at.timestamp())},v1={signature}"


class TestConsequences:
    """The rows and the message that follow from `sync_generation/completed`."""

    GENERATION = "6533643b-aceb-4c40-967e-d9ba9baac39e"

    def change(self, name: str) -> Any:
        (record,) = load(name)["Records"]
        assert record["eventSource"] == "aws:dynamodb"
        change = record["dynamodb"]
        assert change["StreamViewType"] == "NEW_AND_OLD_IMAGES"
        assert change["Keys"] == {key: change["NewImage"][key] for key in ("pk", "sk")}
        assert change["Keys"]["pk"] == {"S": f"job#sync#{self.GENERATION}"}
        assert ("OldImage" in change) == (record["eventName"] == "MODIFY")
        return change

    def test_the_event_row_is_the_delivery_under_its_digest(self) -> None:
        delivered = load("sync_generation/completed")["body"].encode()
        row = self.change("advance/webhook")["NewImage"]
        digest = hashlib.sha256(b"sync/generation\n" + delivered).hexdigest()
        assert (row["sk"], row["event_id"]) == ({"S": f"event#{digest}"}, {"S": digest})
        assert gzip.decompress(base64.b64decode(row["payload"]["B"])) == delivered
        assert row["origin"] == {"S": "webhook"}
        assert int(row["expires_at"]["N"]) == RECORDED_AT + 90 * 86_400

    def test_its_medium_is_known_by_the_link_without_the_query(self) -> None:
        link = body("sync_generation/completed")["outputUrl"]
        media_id = hashlib.sha256(link.partition("?")[0].encode()).hexdigest()[:8]
        (medium,) = self.change("advance/webhook")["NewImage"]["media"]["L"]
        told = {name: medium["M"][name]["S"] for name in ("role", "media_id", "url")}
        assert told == {"role": "output", "media_id": media_id, "url": link}
        receipt = self.change("advance/receipt")["NewImage"]["receipt"]["M"]
        assert receipt["media_id"] == {"S": media_id}
        assert receipt["key"] == {"S": f"media/sync/{self.GENERATION}/output-{media_id}.mp4"}

    def test_the_job_row_goes_from_archiving_to_settled_and_never_has_the_link(self) -> None:
        new, changed = self.change("announce/completed"), self.change("announce/archived")
        assert new["Keys"]["sk"] == changed["Keys"]["sk"] == {"S": "job"}
        assert changed["OldImage"] == new["NewImage"]
        images = (new["NewImage"], changed["NewImage"])
        assert [image["stage"]["S"] for image in images] == ["archiving", "settled"]
        assert [image["version"]["N"] for image in images] == ["1", "2"]
        assert [image["media"]["L"][0]["M"]["state"]["S"] for image in images] == ["pending", "archived"]
        assert "https://" not in json.dumps(images)

    def test_the_queue_has_the_medium_with_its_job(self) -> None:
        (record,) = load("archive/found")["Records"]
        assert record["eventSource"] == "aws:sqs"
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()
        told = json.loads(record["body"])
        assert told["detail-type"] == "Media Found"
        assert (told["detail"]["provider"], told["detail"]["job_id"]) == ("sync", self.GENERATION)
        (medium,) = told["detail"]["media"]
        assert (medium["role"], medium["state"]) == ("output", "pending")
        assert "https://" not in record["body"]

    def test_a_notice_of_the_bus_is_what_track_records(self, cloud: Cloud) -> None:
        cloud.function("track").lambda_handler(load("track/submitted"), Context())
        (row,) = cloud.rows()
        assert (row["pk"], row["origin"], row["status"]) == (f"job#sync#{self.GENERATION}", "track", "pending")

    def test_the_rows_have_the_attributes_of_real_ones(self, stack: Stack) -> None:
        """The rows of a generation with one medium in the running stack's table."""
        job_id = "events-attributes"
        with media_host() as host:
            call = sync_generation(
                "completed", job_id, secrets_of(stack)["sync/signing"], output_url=host.url("/generation.mp4")
            )
            assert send(call, stack.webhook_base_url).status == 200
            (job, *events) = until_settled(stack, f"job#sync#{job_id}")
        recorded = {
            name: load(name)["Records"][0]["dynamodb"]["NewImage"] for name in RECORDS if name != "archive/found"
        }
        by_origin = {event["origin"]["S"]: event for event in events}
        for real, example in (
            (by_origin["webhook"], recorded["advance/webhook"]),
            (by_origin["archive"], recorded["advance/receipt"]),
            (job, recorded["announce/archived"]),
        ):
            # These links are signed for an hour, and say so; Sync's links do not.
            assert shape(real) - {"media.link_expires_at"} == shape(example)


def until_settled(stack: Stack, pk: str) -> list[Any]:
    """The job's row, settled, and then its event rows."""
    until = time.monotonic() + 60  # the archive's first start takes ten seconds
    while time.monotonic() < until:
        rows = stack.aws.dynamodb.query(
            TableName=stack.outputs["TableName"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )["Items"]
        job = [row for row in rows if row["sk"] == {"S": "job"} and row["stage"] == {"S": "settled"}]
        if job:
            return [*job, *(row for row in rows if row["sk"] != {"S": "job"})]
        time.sleep(0.2)
    raise AssertionError(f"{pk} is not settled after 60 s")


def shape(row: dict[str, Any]) -> set[str]:
    """The names of a row's attributes, and of those within its media and its receipt."""
    media = [f"media.{name}" for medium in row.get("media", {}).get("L", ()) for name in medium["M"]]
    return {*row, *media, *(f"receipt.{name}" for name in row.get("receipt", {}).get("M", ()))}

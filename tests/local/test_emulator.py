"""The behaviour that we rely on in the emulated AWS, tested on an empty one: if this passes, the end-to-end tests mean
something.

Another emulator, or AWS itself, can replace it if it passes too. local/emulator_gaps.py fills in what ministack does
differently from AWS.
"""

import base64
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, cast

import pytest

from local import emulator, ports, processes
from local.aws import Aws
from testkit.support.empty_aws import (
    PATIENCE,
    acting_as,
    function,
    queue,
    received,
    refusal,
    role,
    table,
    told,
    wait_for,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An emulated AWS with nothing in it."""
    folder = tmp_path_factory.mktemp("emulator")
    try:
        aws = emulator.start(folder, ports.free())
        emulator.wait_until_ready(folder, aws.port)
        yield aws
    finally:
        processes.end(emulator.NAME, folder)


class TestTable:
    def test_one_of_twenty_concurrent_conditional_puts_wins_and_the_others_get_its_item(self, aws: Aws) -> None:
        table(aws, "races")

        def put(owner: int) -> tuple[bool, str]:
            try:
                aws.dynamodb.put_item(
                    TableName="races",
                    Item={"pk": {"S": "job#1"}, "sk": {"S": "event#1"}, "owner": {"S": str(owner)}},
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except aws.dynamodb.exceptions.ConditionalCheckFailedException as refused:
                shown = cast("dict[str, dict[str, AttributeValueTypeDef]]", refused.response)
                return False, shown["Item"]["owner"]["S"]
            return True, str(owner)

        with ThreadPoolExecutor(20) as callers:
            answers = list(callers.map(put, range(20)))
        assert [won for won, _ in answers].count(True) == 1
        assert len({owner for _, owner in answers}) == 1

    def test_a_stream_filter_lets_through_what_it_names_and_a_removal_is_not_named(self, aws: Aws) -> None:
        stream = table(aws, "filtered")
        function(aws, "hears-events")
        pattern = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "job#"}]}}}}
        aws.functions.create_event_source_mapping(
            EventSourceArn=stream,
            FunctionName="hears-events",
            StartingPosition="TRIM_HORIZON",
            FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]},
        )
        for pk in ("quarantine#sync", "job#first"):
            aws.dynamodb.put_item(TableName="filtered", Item={"pk": {"S": pk}, "sk": {"S": "event#1"}})
        aws.dynamodb.delete_item(TableName="filtered", Key={"pk": {"S": "job#first"}, "sk": {"S": "event#1"}})
        aws.dynamodb.put_item(TableName="filtered", Item={"pk": {"S": "job#last"}, "sk": {"S": "event#1"}})

        def handled() -> list[str]:
            records = [record for call in told(aws, "/aws/lambda/hears-events") for record in call["Records"]]
            return [f"{record['eventName']} {record['dynamodb']['Keys']['pk']['S']}" for record in records]

        wait_for(lambda: "INSERT job#last" in handled())
        assert handled() == ["INSERT job#first", "INSERT job#last"]


class TestRoles:
    def test_a_role_may_do_what_it_lists_on_what_it_names_and_nothing_else(self, aws: Aws) -> None:
        table(aws, "mine")
        table(aws, "other")
        mine = aws.dynamodb.describe_table(TableName="mine")["Table"]["TableArn"]
        acting = acting_as(
            aws, role(aws, "putter", {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": mine})
        )
        key: Any = {"pk": {"S": "a"}, "sk": {"S": "b"}}

        acting.dynamodb.put_item(TableName="mine", Item=key)
        assert refusal(lambda: acting.dynamodb.get_item(TableName="mine", Key=key)) == "AccessDeniedException"
        assert refusal(lambda: acting.dynamodb.put_item(TableName="other", Item=key)) == "AccessDeniedException"

    def test_a_path_in_the_bucket_can_be_all_that_a_role_may_write(self, aws: Aws) -> None:
        aws.s3.create_bucket(Bucket="narrow")
        allowed = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::narrow/media/*"}
        acting = acting_as(aws, role(aws, "writer", allowed))

        acting.s3.put_object(Bucket="narrow", Key="media/one", Body=b"1")
        upload = acting.s3.create_multipart_upload(Bucket="narrow", Key="media/two")["UploadId"]
        assert refusal(lambda: acting.s3.put_object(Bucket="narrow", Key="one", Body=b"1")) == "AccessDenied"
        assert refusal(lambda: acting.s3.get_object(Bucket="narrow", Key="media/one")) == "AccessDenied"
        left = refusal(lambda: acting.s3.abort_multipart_upload(Bucket="narrow", Key="media/two", UploadId=upload))
        assert left == "AccessDenied"

    def test_one_secret_can_be_all_that_a_role_may_read(self, aws: Aws) -> None:
        mine = aws.secretsmanager.create_secret(Name="mine", SecretString="m")["ARN"]
        aws.secretsmanager.create_secret(Name="other", SecretString="o")
        allowed = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": mine}
        acting = acting_as(aws, role(aws, "secret-reader", allowed))

        assert acting.secretsmanager.get_secret_value(SecretId=mine)["SecretString"] == "m"
        assert refusal(lambda: acting.secretsmanager.get_secret_value(SecretId="other")) == "AccessDeniedException"

    def test_a_role_may_be_limited_to_one_bus(self, aws: Aws) -> None:
        bus = aws.events.create_event_bus(Name="told")["EventBusArn"]
        acting = acting_as(aws, role(aws, "teller", {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}))

        def put(bus_name: str) -> int:
            entry: Any = {"EventBusName": bus_name, "Source": "dailies", "DetailType": "Media Found", "Detail": "{}"}
            return acting.events.put_events(Entries=[entry])["FailedEntryCount"]

        assert put("told") == 0
        assert refusal(lambda: put("default")) == "AccessDeniedException"


@pytest.fixture(scope="module")
def bucket(aws: Aws) -> str:
    aws.s3.create_bucket(Bucket="media")
    return "media"


@pytest.mark.usefixtures("bucket")
class TestBucket:
    def test_a_put_with_if_none_match_does_not_replace_an_object(self, aws: Aws) -> None:
        aws.s3.put_object(Bucket="media", Key="put", Body=b"first", IfNoneMatch="*")
        again = refusal(lambda: aws.s3.put_object(Bucket="media", Key="put", Body=b"second", IfNoneMatch="*"))
        assert again == "PreconditionFailed"
        assert aws.s3.get_object(Bucket="media", Key="put")["Body"].read() == b"first"

    def test_an_upload_with_if_none_match_does_not_replace_an_object(self, aws: Aws) -> None:
        def upload(body: bytes) -> None:
            upload_id = aws.s3.create_multipart_upload(Bucket="media", Key="upload")["UploadId"]
            part = aws.s3.upload_part(Bucket="media", Key="upload", UploadId=upload_id, PartNumber=1, Body=body)
            aws.s3.complete_multipart_upload(
                Bucket="media",
                Key="upload",
                UploadId=upload_id,
                IfNoneMatch="*",
                MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
            )

        upload(b"first")
        assert refusal(lambda: upload(b"second")) == "PreconditionFailed"
        assert aws.s3.get_object(Bucket="media", Key="upload")["Body"].read() == b"first"

    def test_a_part_whose_checksum_is_another_is_refused(self, aws: Aws) -> None:
        upload_id = aws.s3.create_multipart_upload(Bucket="media", Key="part", ChecksumAlgorithm="SHA256")["UploadId"]

        def part(body: bytes, of: bytes) -> str:
            checksum = base64.b64encode(hashlib.sha256(of).digest()).decode()
            return aws.s3.upload_part(
                Bucket="media", Key="part", UploadId=upload_id, PartNumber=1, Body=body, ChecksumSHA256=checksum
            )["ChecksumSHA256"]

        assert part(b"whole", of=b"whole")
        assert refusal(lambda: part(b"whole", of=b"cut")) == "BadDigest"

    def test_an_aborted_upload_takes_no_more_parts(self, aws: Aws) -> None:
        upload_id = aws.s3.create_multipart_upload(Bucket="media", Key="gone")["UploadId"]
        aws.s3.abort_multipart_upload(Bucket="media", Key="gone", UploadId=upload_id)
        late = refusal(
            lambda: aws.s3.upload_part(Bucket="media", Key="gone", UploadId=upload_id, PartNumber=1, Body=b"late")
        )
        assert late == "NoSuchUpload"


class TestSecrets:
    def test_current_pending_and_previous_differ_and_each_has_its_time(self, aws: Aws) -> None:
        began = time.time()
        secrets = aws.secretsmanager
        first = secrets.create_secret(Name="signing", SecretString="first")["VersionId"]
        second = secrets.put_secret_value(SecretId="signing", SecretString="second")["VersionId"]
        third = secrets.put_secret_value(SecretId="signing", SecretString="third", VersionStages=["AWSPENDING"])

        assert secrets.describe_secret(SecretId="signing")["VersionIdsToStages"] == {
            first: ["AWSPREVIOUS"],
            second: ["AWSCURRENT"],
            third["VersionId"]: ["AWSPENDING"],
        }
        for stage, value in (("AWSPREVIOUS", "first"), ("AWSCURRENT", "second"), ("AWSPENDING", "third")):
            version = secrets.get_secret_value(SecretId="signing", VersionStage=stage)
            assert version["SecretString"] == value
            assert began - 2 < version["CreatedDate"].timestamp() < time.time() + 2  # whole seconds

    def test_a_stage_that_no_version_has_is_not_found(self, aws: Aws) -> None:
        aws.secretsmanager.create_secret(Name="new", SecretString="only")
        missing = refusal(lambda: aws.secretsmanager.get_secret_value(SecretId="new", VersionStage="AWSPREVIOUS"))
        assert missing == "ResourceNotFoundException"


class TestQueue:
    def test_a_message_hidden_for_a_second_comes_back_after_it_and_is_counted(self, aws: Aws) -> None:
        url, _ = queue(aws, "hidden", VisibilityTimeout="60")
        aws.sqs.send_message(QueueUrl=url, MessageBody="m")
        handle = aws.sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
        aws.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=1)

        assert "Messages" not in aws.sqs.receive_message(QueueUrl=url)
        again = wait_for(
            lambda: aws.sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["ApproximateReceiveCount"]).get(
                "Messages"
            )
        )
        assert again[0]["Attributes"]["ApproximateReceiveCount"] == "2"

    def test_a_reported_failure_is_retried_then_dead_lettered_and_the_rest_is_deleted(self, aws: Aws) -> None:
        dead_url, dead_arn = queue(aws, "dead")
        redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
        work_url, work_arn = queue(aws, "work", VisibilityTimeout="1", RedrivePolicy=redrive)
        function(aws, "works", Timeout=1)
        aws.functions.create_event_source_mapping(
            EventSourceArn=work_arn, FunctionName="works", FunctionResponseTypes=["ReportBatchItemFailures"]
        )
        for body in ("good", "bad"):
            aws.sqs.send_message(QueueUrl=work_url, MessageBody=body)

        assert wait_for(lambda: received(aws, dead_url)) == ["bad"]
        tried = [record["body"] for call in told(aws, "/aws/lambda/works") for record in call["Records"]]
        assert sorted(tried) == ["bad", "bad", "good"]

    def test_no_more_batches_run_at_once_than_the_queue_is_allowed(self, aws: Aws) -> None:
        url, arn = queue(aws, "slow", VisibilityTimeout="30")
        code = (
            "import json, time\n"
            "def lambda_handler(event, context):\n"
            "    began = time.time()\n"
            "    time.sleep(0.5)\n"
            "    print(json.dumps({'began': began, 'ended': time.time()}))"
        )
        function(aws, "is-slow", code, Timeout=5)
        aws.functions.create_event_source_mapping(
            EventSourceArn=arn, FunctionName="is-slow", BatchSize=1, ScalingConfig={"MaximumConcurrency": 2}
        )
        for number in range(6):
            aws.sqs.send_message(QueueUrl=url, MessageBody=str(number))
        wait_for(lambda: len(told(aws, "/aws/lambda/is-slow")) == 6)
        runs = told(aws, "/aws/lambda/is-slow")
        for run in runs:
            assert sum(other["began"] <= run["began"] < other["ended"] for other in runs) <= 2


class TestBus:
    def test_a_rule_sends_what_matches_to_its_queue(self, aws: Aws) -> None:
        url, arn = queue(aws, "found")
        aws.events.create_event_bus(Name="bus")
        pattern = {"source": ["dailies"], "detail-type": ["Media Found"]}
        aws.events.put_rule(Name="found", EventBusName="bus", EventPattern=json.dumps(pattern))
        aws.events.put_targets(Rule="found", EventBusName="bus", Targets=[{"Id": "queue", "Arn": arn}])
        for source, kind in (("dailies", "Media Archived"), ("other", "Media Found"), ("dailies", "Media Found")):
            entry: Any = {"EventBusName": "bus", "Source": source, "DetailType": kind, "Detail": '{"id": "1"}'}
            aws.events.put_events(Entries=[entry])

        events = [json.loads(body) for body in wait_for(lambda: received(aws, url))]
        assert [(event["source"], event["detail-type"], event["detail"]) for event in events] == [
            ("dailies", "Media Found", {"id": "1"})
        ]


class TestFunctions:
    def call(self, aws: Aws, name: str) -> dict[str, Any]:
        answer = aws.functions.invoke(FunctionName=name, Payload=b"{}")
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        return result

    def test_a_function_sees_its_layer_and_nothing_that_development_installs(self, aws: Aws) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as package:
            package.writestr("python/pytest.py", "WHENCE = 'the layer'")
        layer = aws.functions.publish_layer_version(LayerName="layer", Content={"ZipFile": packed.getvalue()})
        code = (
            "import importlib.util, pytest\n"
            "def lambda_handler(event, context):\n"
            "    return {'pytest': pytest.WHENCE, 'ministack': importlib.util.find_spec('ministack') is not None}"
        )
        function(aws, "has-a-layer", code, Layers=[layer["LayerVersionArn"]], Timeout=10)
        assert self.call(aws, "has-a-layer") == {"pytest": "the layer", "ministack": False}

    def test_the_time_limit_is_held(self, aws: Aws) -> None:
        # Longer than the client waits for a response: without the limit, the call fails with the client's timeout.
        function(aws, "too-slow", Timeout=1, Environment={"Variables": {"SLEEP": "600"}})
        assert "timed out" in self.call(aws, "too-slow")["errorMessage"]

    def test_it_logs_where_its_configuration_says(self, aws: Aws) -> None:
        function(aws, "logs-elsewhere", LoggingConfig={"LogGroup": "/elsewhere"}, Timeout=10)
        self.call(aws, "logs-elsewhere")
        assert wait_for(lambda: told(aws, "/elsewhere")) == [{}]

    def test_after_an_update_running_calls_end_and_the_next_starts_a_new_process(self, aws: Aws) -> None:
        code = (
            "import os, time\n"
            "time.sleep(0.5)\n"  # seconds that its start takes
            "def lambda_handler(event, context):\n"
            "    time.sleep(0.5)\n"
            "    return {'version': os.environ['VERSION'], 'process': os.getpid()}"
        )
        function(aws, "is-updated", code, Timeout=10, Environment={"Variables": {"VERSION": "0"}})
        with ThreadPoolExecutor(4) as callers:
            calls = []
            for version, later in enumerate((0.2, 0.8, 0.2, 0.8), 1):  # while it starts, and while it runs
                calls.append(callers.submit(self.call, aws, "is-updated"))
                time.sleep(later)
                aws.functions.update_function_configuration(
                    FunctionName="is-updated", Environment={"Variables": {"VERSION": str(version)}}
                )
            answers = [call.result() for call in calls]
        answers.append(self.call(aws, "is-updated"))
        assert len({answer["process"] for answer in answers}) == 5
        assert answers[-1]["version"] == "4"


@pytest.fixture(scope="module")
def host(aws: Aws) -> str:
    """An HTTP API with one route; its URL."""
    arn = function(aws, "is-called", Timeout=10)
    api = aws.apigatewayv2.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
    integration = aws.apigatewayv2.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    aws.apigatewayv2.create_route(ApiId=api, RouteKey="POST /webhooks/{token}", Target=f"integrations/{integration}")
    aws.apigatewayv2.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return f"{api}.execute-api.localhost:{aws.port}"


class TestHttpApi:
    def call(self, aws: Aws, host: str, body: bytes, *headers: tuple[str, bytes]) -> dict[str, Any]:
        """Call the route; the event that the function received."""
        connection = HTTPConnection("127.0.0.1", aws.port, timeout=PATIENCE)
        connection.putrequest("POST", "/webhooks/t0ken", skip_host=True)
        for name, value in (("Host", host.encode()), ("Content-Length", str(len(body)).encode()), *headers):
            connection.putheader(name, value)
        connection.endheaders(body)
        event: dict[str, Any] = json.loads(connection.getresponse().read())["event"]
        connection.close()
        return event

    @pytest.mark.parametrize("content_type", [b"application/octet-stream", b"image/png"])
    def test_binary_bodies_arrive_byte_by_byte(self, aws: Aws, host: str, content_type: bytes) -> None:
        event = self.call(aws, host, b'{"\xff\x00"}', ("Content-Type", content_type))
        assert event["isBase64Encoded"] is True
        assert base64.b64decode(event["body"]) == b'{"\xff\x00"}'

    def test_json_arrives_as_text(self, aws: Aws, host: str) -> None:
        event = self.call(aws, host, '{"name": "é"}'.encode(), ("Content-Type", b"application/json"))
        assert event["isBase64Encoded"] is False
        assert event["body"] == '{"name": "é"}'

    def test_the_path_and_the_headers_arrive_doubled_ones_joined_bytes_kept(self, aws: Aws, host: str) -> None:
        headers = [("X-Signature", b"one"), ("x-signature", b"two"), ("X-Bytes", b"\xc3\xa9\xff"), ("X-Empty", b"")]
        event = self.call(aws, host, b"{}", *headers)
        assert event["pathParameters"] == {"token": "t0ken"}
        assert event["headers"]["x-signature"] == "one, two"
        assert event["headers"]["x-bytes"].encode("latin-1") == b"\xc3\xa9\xff"
        assert event["headers"]["x-empty"] == ""

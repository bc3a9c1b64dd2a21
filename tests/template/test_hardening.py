"""What a company's reviewer may require: its own key, and its own domain. Empty, they change nothing."""

import json
from functools import cache
from typing import Any, ClassVar

import pytest

from local.deploy import TEMPLATE
from local.preflight.resolving import resolved
from local.preflight.translating import translated
from testkit.support.template import ROOT, actions, functions, resources, roles, statements, target, template

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CAPTIONS_KEY = "arn:aws:secretsmanager:us-east-1:123456789012:secret:captions-key-AbC123"
DOMAIN = "hooks.example.com"


@cache
def made(**parameters: str) -> dict[str, dict[str, Any]]:
    """The resources for these parameters."""
    found: dict[str, dict[str, Any]] = resolved(translated(TEMPLATE, parameters), parameters)["Resources"]
    return found


def of_type(kind: str, found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The properties of resources of a type."""
    return {name: each.get("Properties", {}) for name, each in found.items() if each["Type"] == kind}


class TestAKeyOfTheOwners:
    # The property that names the key, by the type of the store.
    NAMES_THE_KEY: ClassVar = {
        "AWS::Logs::LogGroup": lambda kept: kept.get("KmsKeyId"),
        "AWS::SecretsManager::Secret": lambda kept: kept.get("KmsKeyId"),
        "AWS::SQS::Queue": lambda kept: kept.get("KmsMasterKeyId"),
        "AWS::DynamoDB::Table": lambda kept: kept["SSESpecification"].get("KMSMasterKeyId"),
        "AWS::S3::Bucket": lambda kept: kept["BucketEncryption"]["ServerSideEncryptionConfiguration"][0][
            "ServerSideEncryptionByDefault"
        ].get("KMSMasterKeyID"),
    }

    @pytest.mark.parametrize("kind", sorted(NAMES_THE_KEY))
    def test_it_encrypts_all_that_keeps_something_and_without_it_none_is_named(self, kind: str) -> None:
        for given, expected in (("", None), (KEY, KEY)):
            kept = of_type(kind, made(KmsKeyArn=given))
            assert kept
            assert {name: self.NAMES_THE_KEY[kind](each) for name, each in kept.items()} == dict.fromkeys(
                kept, expected
            )

    def test_a_queue_is_encrypted_in_one_way_and_always(self) -> None:
        for given, expected in (("", True), (KEY, None)):
            queues = of_type("AWS::SQS::Queue", made(KmsKeyArn=given))
            assert {queue.get("SqsManagedSseEnabled") for queue in queues.values()} == {expected}

    def test_the_bucket_uses_one_bucket_key_for_many_objects(self) -> None:
        for given, algorithm, bucket_key in (("", "AES256", None), (KEY, "aws:kms", True)):
            bucket = made(KmsKeyArn=given)["MediaBucket"]["Properties"]
            (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == algorithm
            assert rule.get("BucketKeyEnabled") is bucket_key

    def test_the_table_is_encrypted_by_it_or_by_awss(self) -> None:
        for given, expected in (
            ("", {"SSEEnabled": True}),
            (KEY, {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}),
        ):
            assert made(KmsKeyArn=given)["Table"]["Properties"]["SSESpecification"] == expected

    # The service through which a role uses the key, by the policy that allows it.
    SERVICES: ClassVar = {
        "KeyForTable": "dynamodb",
        "KeyForBucket": "s3",
        "KeyForSecrets": "secretsmanager",
        "KeyForQueues": "sqs",
    }

    @pytest.mark.parametrize(("policy", "service"), sorted(SERVICES.items()))
    def test_a_key_is_usable_only_by_the_roles_that_work_with_what_it_encrypts(self, policy: str, service: str) -> None:
        granted = of_type("AWS::IAM::Policy", made(KmsKeyArn=KEY, CaptionsApiSecretArn=CAPTIONS_KEY))
        assert granted.keys() == self.SERVICES.keys()
        (statement,) = granted[policy]["PolicyDocument"]["Statement"]
        assert statement == {
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": KEY,
            "Condition": {"StringLike": {"kms:ViaService": f"{service}.us-east-1.*"}},
        }
        at_work = {
            name
            for name, role in roles().items()
            if any(action.startswith(f"{service}:") for one in statements(role) for action in actions(one))
        }
        assert {target(role) for role in granted[policy]["Roles"]} == at_work

    def test_without_it_no_role_is_granted_any(self) -> None:
        assert of_type("AWS::IAM::Policy", made()) == {}
        assert '"kms:' not in json.dumps(made())

    def test_what_reads_the_secrets_as_the_stack_is_made_comes_after_the_grant(self) -> None:
        """CloudFormation knows no order except references, and invokes that function at once."""
        webhook = made(KmsKeyArn=KEY, CaptionsApiSecretArn=CAPTIONS_KEY)["CaptionsWebhook"]["Properties"]
        assert {target(each) for each in webhook["Key"]["Fn::Join"][1]} == {"KeyForSecrets", "KeyForTable"}
        assert "Key" not in made(CaptionsApiSecretArn=CAPTIONS_KEY)["CaptionsWebhook"]["Properties"]

    def test_the_documented_key_policy_admits_the_services_that_write(self) -> None:
        policy = json.loads((ROOT / "docs/key-policy.json").read_text())
        principals = {principal: one for one in policy["Statement"] for principal in one["Principal"].values()}
        assert principals.keys() == {
            "arn:aws:iam::123456789012:root",
            "logs.us-east-1.amazonaws.com",  # writes the logs of functions and API
            "events.amazonaws.com",  # sends to the queues by its rules
        }
        sent = {"kms:Decrypt", "kms:GenerateDataKey"}
        assert set(principals["events.amazonaws.com"]["Action"]) == sent
        groups = principals["logs.us-east-1.amazonaws.com"]["Condition"]["ArnLike"]
        assert groups == {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:123456789012:log-group:*"}


class TestADomain:
    def test_it_is_mapped_to_the_api_and_not_made(self) -> None:
        (mapping,) = of_type("AWS::ApiGatewayV2::ApiMapping", made(DomainName=DOMAIN)).values()
        assert mapping == {
            "ApiId": {"Ref": "Api"},
            "DomainName": DOMAIN,
            "Stage": {"Ref": "ApiApiGatewayDefaultStage"},
        }
        assert "ApiApiGatewayDefaultStage" in made()
        assert of_type("AWS::ApiGatewayV2::ApiMapping", made()) == {}
        assert of_type("AWS::ApiGatewayV2::DomainName", made(DomainName=DOMAIN)) == {}

    def test_all_urls_follow_it(self) -> None:
        template_of_it = resolved(translated(TEMPLATE), {"DomainName": DOMAIN, "CaptionsApiSecretArn": CAPTIONS_KEY})
        assert ".execute-api." not in json.dumps(template_of_it)
        outputs = template_of_it["Outputs"]
        assert outputs["WebhookBaseUrl"]["Value"] == f"https://{DOMAIN}"
        assert outputs["SyncBatchUrl"]["Value"] == f"https://{DOMAIN}/webhooks/sync/batch"
        creator = f"https://{DOMAIN}/webhooks/captions/creator"
        assert template_of_it["Resources"]["CaptionsWebhook"]["Properties"]["Url"] == creator
        urls = {
            name: function["Environment"]["Variables"]["WEBHOOK_URL"]
            for name, function in of_type("AWS::Lambda::Function", template_of_it["Resources"]).items()
            if "WEBHOOK_URL" in function["Environment"]["Variables"]
        }
        assert urls == {
            "RotateCaptionsSecret": creator,
            "RotateCreatifyToken": f"https://{DOMAIN}/webhooks/creatify/product_to_videos",
        }
        assert urls.keys() == {
            name for name, each in functions().items() if "WEBHOOK_URL" in each["Environment"]["Variables"]
        }

    def test_the_webhook_at_captions_gets_its_url_once_it_leads_here(self) -> None:
        webhook = made(DomainName=DOMAIN, CaptionsApiSecretArn=CAPTIONS_KEY)["CaptionsWebhook"]["Properties"]
        assert webhook["Mapping"] == {"Ref": "DomainMapping"}
        assert "Mapping" not in made(CaptionsApiSecretArn=CAPTIONS_KEY)["CaptionsWebhook"]["Properties"]

    def test_the_urls_of_before_stay(self) -> None:
        """Jobs that were submitted with these URLs call them."""
        (api,) = resources("AWS::Serverless::HttpApi").values()
        assert "DisableExecuteApiEndpoint" not in api


class TestWhatTheApiTurnsAway:
    def test_the_filter_reads_the_status_as_the_access_log_writes_it(self) -> None:
        """As text: a number in the pattern would match no line."""
        (rule,) = resources("AWS::Logs::MetricFilter").values()
        (api,) = resources("AWS::Serverless::HttpApi").values()
        written = json.loads(api["AccessLogSettings"]["Format"].replace("$context.status", "429"))
        assert written["status"] == "429"
        assert rule["FilterPattern"] == '{ $.status = "429" }'
        assert target(rule["LogGroupName"]) == target(api["AccessLogSettings"]["DestinationArn"])
        (counted,) = rule["MetricTransformations"]
        alarm = resources("AWS::CloudWatch::Alarm")["RateLimitedAlarm"]
        assert (alarm["Namespace"], alarm["MetricName"]) == (counted["MetricNamespace"], counted["MetricName"])


def test_each_parameter_that_a_company_may_ask_for_is_explained() -> None:
    explained = (ROOT / "docs/hardening.md").read_text()
    listed = (ROOT / "docs/configuration.md").read_text()
    for name in ("KmsKeyArn", "DomainName", "DeletionProtection", "LogRetentionDays", "PermissionsBoundaryArn"):
        assert name in template()["Parameters"]
        assert f"`{name}`" in explained
        assert f"`{name}`" in listed

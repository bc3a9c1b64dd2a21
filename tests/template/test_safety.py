"""The template's guarantees: no asynchronous edge loses an event that it cannot deliver, and stored data are private,
encrypted and kept for the set time.
"""

import json
import re
import string
from typing import Any

import pytest
from botocore.model import StructureShape
from botocore.session import get_session

from dailies.aws.secrets import PLACEHOLDER
from dailies.steps.archive_item import MAX_RUN_SECONDS
from local.deploy import TEMPLATE
from local.preflight.resolving import resolved
from local.preflight.translating import translated
from testkit.support.template import (
    actions,
    as_list,
    events,
    functions,
    queues,
    receivers,
    resources,
    roles,
    statements,
    target,
    template,
)

ALARM, RULE = "AWS::CloudWatch::Alarm", "AWS::Events::Rule"
HOUR = 3600


class TestAsynchronousEdges:
    def test_every_way_to_wake_a_function_is_one_that_is_tested_here(self) -> None:
        events_of = {name: function.get("Events", {}) for name, function in functions().items()}
        assert {event["Type"] for found in events_of.values() for event in found.values()} <= {
            *("HttpApi", "DynamoDB", "SQS", "EventBridgeRule", "Schedule")
        }
        by_the_stack = {target(made["ServiceToken"]) for made in resources("Custom::CaptionsWebhook").values()}
        assert {name for name, found in events_of.items() if not found} == by_the_stack | self.rotating()

    def test_only_secrets_manager_starts_a_rotation_and_the_first_failure_alarms(self) -> None:
        assert len(self.rotating()) == 2
        for permission in resources("AWS::Lambda::Permission").values():
            assert permission["Action"] == "lambda:InvokeFunction"
            assert permission["Principal"] == "secretsmanager.amazonaws.com"
            assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
        for name in self.rotating():
            alarm = self.alarm_on_errors(name)
            assert (alarm["EvaluationPeriods"], alarm["Threshold"]) == (1, 0)
            assert alarm["Period"] > functions()[name]["Timeout"]  # an error is counted at the start of its run

    def test_the_webhook_is_created_after_its_url_works_and_deleted_before_its_api_key(
        self,
    ) -> None:
        made = template()["Resources"]["CaptionsWebhook"]
        called = {"ApiApiGatewayDefaultStage", "CaptionsCreator", "CaptionsCreatorCallPermission"}
        assert set(made["DependsOn"]) == called | {"CaptionsApiSecret"}
        assert called <= translated(TEMPLATE)["Resources"].keys()
        run = functions()["RegisterCaptionsWebhook"]["Timeout"]
        assert run < made["Properties"]["ServiceTimeout"] < HOUR
        register = {"RegisterCaptionsWebhook", "RegisterCaptionsWebhookRole", "RegisterCaptionsWebhookLogs"}
        with_the_parameter = {
            name
            for name, resource in template()["Resources"].items()
            if resource.get("Condition") == "RegistersCaptions"
        }
        # Without the parameter, all go at once: a role that stayed could no longer read the key of what it has to
        # delete.
        assert with_the_parameter == {"CaptionsWebhook", *register}

    def test_every_stream_consumer_has_a_failure_queue_that_it_may_send_to(self) -> None:
        consumers = events("DynamoDB")
        assert len(consumers) == 2
        for name, stream in consumers:
            failure = stream["DestinationConfig"]["OnFailure"]
            assert failure == {"Type": "SQS", "Destination": {"Fn::GetAtt": [f"{name}Failures", "Arn"]}}
            assert functions()[name]["Environment"]["Variables"]["FAILURE_QUEUE_URL"] == {"Ref": f"{name}Failures"}
            sends_on = {"ArchiveQueue"} if name == "Announce" else set()
            assert self.may_send(name) == {f"{name}Failures"} | sends_on
            # before the stream drops it after a day
            assert HOUR <= stream["MaximumRecordAgeInSeconds"] < 24 * HOUR

    def test_a_queues_consumer_may_send_to_the_queue_and_to_its_dead_letter_queue(self) -> None:
        """Failed messages; and those that wait for a provider's rate limit, again."""
        consumers = events("SQS")
        assert len(consumers) == 1
        for name, source in consumers:
            queue = target(source["Queue"])
            redrive = queues()[queue]["RedrivePolicy"]
            dead_letters = target(redrive["deadLetterTargetArn"])
            assert dead_letters in queues()
            assert self.may_send(name) == {dead_letters, queue}
            assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_a_rules_function_has_one_queue_for_undelivered_and_for_failed_events(
        self,
    ) -> None:
        woken = events("EventBridgeRule")
        assert woken
        for name, rule in woken:
            failures = {"Fn::GetAtt": [f"{name}Failures", "Arn"]}
            assert rule["DeadLetterConfig"] == {"Arn": failures}
            invoked = functions()[name]["EventInvokeConfig"]
            assert invoked["DestinationConfig"]["OnFailure"] == {"Type": "SQS", "Destination": failures}
            assert self.may_send(name) == {f"{name}Failures"}

    def test_a_failed_run_of_a_schedule_is_not_repeated_for_the_next_one_does_its_work(self) -> None:
        assert {name for name, _ in events("Schedule")} == {"Reconcile", "FetchSyncSecret"}
        for name, _ in events("Schedule"):
            assert functions()[name]["EventInvokeConfig"]["MaximumRetryAttempts"] == 0

    @pytest.mark.parametrize("minutes", template()["Parameters"]["ReconcileMinutes"]["AllowedValues"])
    @pytest.mark.parametrize("name", ["Reconcile", "FetchSyncSecret"])
    def test_a_schedules_alarm_goes_off_when_most_runs_fail_and_not_after_one(self, name: str, minutes: int) -> None:
        alarm, pace = self.alarm_on_errors(name), minutes * 60
        period, threshold = self.at(minutes, alarm["Period"]), self.at(minutes, alarm["Threshold"])
        assert alarm["EvaluationPeriods"] == 1
        assert period % 60 == 0
        assert period <= 24 * HOUR  # CloudWatch looks no further back
        assert threshold == period // pace // 2
        assert threshold > 0
        # Counted at the start of its run, an error is known at its end: at the time limit at the latest.
        known = (period - functions()[name]["Timeout"]) // pace + 1
        assert known > threshold

    def test_every_failure_queue_keeps_messages_for_sqs_maximum_of_fourteen_days(self) -> None:
        assert self.failure_queues() == {"TrackFailures", "AdvanceFailures", "AnnounceFailures", "ArchiveDeadLetters"}
        for name in self.failure_queues():
            assert queues()[name]["MessageRetentionPeriod"] == 14 * 24 * HOUR

    def test_every_queue_that_failed_work_waits_in_has_an_alarm_at_the_first_message(self) -> None:
        watched = {}
        for alarm in resources(ALARM).values():
            if alarm["MetricName"] != "ApproximateNumberOfMessagesVisible":
                continue
            (dimension,) = alarm["Dimensions"]
            assert dimension["Name"] == "QueueName"
            watched[target(dimension["Value"])] = (
                *(alarm["MetricName"], alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]),
            )
        at_the_first = ("ApproximateNumberOfMessagesVisible", "Maximum", "GreaterThanThreshold", 0)
        assert watched == dict.fromkeys(self.failure_queues(), at_the_first)

    def test_every_alarm_notifies_the_owner(self) -> None:
        no_value = {"Ref": "AWS::NoValue"}
        topics = [
            {"Fn::If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, no_value]},
            {"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, no_value]},
        ]
        assert [name for name, alarm in resources(ALARM).items() if alarm["AlarmActions"] != topics] == []
        assert [name for name, alarm in resources(ALARM).items() if alarm["OKActions"] != topics] == []

    def test_a_message_stays_hidden_for_its_functions_run_and_has_three_attempts_an_hour(self) -> None:
        for name, source in events("SQS"):
            visibility = queues()[target(source["Queue"])]["VisibilityTimeout"]
            assert visibility > functions()[name]["Timeout"]  # AWS rejects less; the emulator does not
            assert 3 * visibility < HOUR  # a link may live no longer than an hour

    def test_the_archive_knows_after_how_long_a_run_of_it_must_have_ended(self) -> None:
        assert functions()["Archive"]["Timeout"] == MAX_RUN_SECONDS

    def at(self, minutes: int, value: Any) -> int:
        """The template's value for a ReconcileMinutes, which may be in a mapping."""
        if not isinstance(value, dict):
            return int(value)
        table, parameter, column = value["Fn::FindInMap"]
        assert parameter == {"Ref": "ReconcileMinutes"}
        return int(template()["Mappings"][table][str(minutes)][column])

    def rotating(self) -> set[str]:
        """The functions that Secrets Manager calls."""
        return {target(permission["FunctionName"]) for permission in resources("AWS::Lambda::Permission").values()}

    def alarm_on_errors(self, name: str) -> dict[str, Any]:
        """The alarm that goes off at each error of a function."""
        (found,) = [
            alarm
            for alarm in resources(ALARM).values()
            if alarm["MetricName"] == "Errors" and target(alarm["Dimensions"][0]["Value"]) == name
        ]
        assert (found["Namespace"], found["Statistic"]) == ("AWS/Lambda", "Sum")
        assert found["ComparisonOperator"] == "GreaterThanThreshold"
        return found

    def may_send(self, name: str) -> set[str]:
        return {
            target(resource)
            for statement in statements(roles()[f"{name}Role"])
            if "sqs:SendMessage" in actions(statement)
            for resource in as_list(statement["Resource"])
        }

    def failure_queues(self) -> set[str]:
        """All queues without a consumer function."""
        return set(queues()) - {target(source["Queue"]) for _, source in events("SQS")}


class TestWhatIsKept:
    def test_the_bucket_is_private_versioned_and_encrypted(self) -> None:
        (bucket,) = resources("AWS::S3::Bucket").values()
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}

    def test_the_bucket_aborts_unfinished_uploads_after_a_day_and_expires_no_media(self) -> None:
        (bucket,) = resources("AWS::S3::Bucket").values()
        rules = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule["Status"] == "Enabled"]
        (abort,) = [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]
        assert abort["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        assert "Prefix" not in abort
        expiring = {rule.get("Prefix") for rule in rules if "ExpirationInDays" in rule}
        assert expiring == {"deliveries/events/"}

    def test_the_bucket_is_reached_over_tls_only(self) -> None:
        (policy,) = resources("AWS::S3::BucketPolicy").values()
        assert policy["Bucket"] == {"Ref": "MediaBucket"}
        (denial,) = policy["PolicyDocument"]["Statement"]
        assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "s3:*")
        on_aws, locally = (
            resolved(translated(TEMPLATE), {"PrivateMediaHosts": hosts})["Resources"]["MediaBucketPolicy"]
            for hosts in ("", "127.0.0.1")
        )
        (said,) = on_aws["Properties"]["PolicyDocument"]["Statement"]
        assert said["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        (said,) = locally["Properties"]["PolicyDocument"]["Statement"]
        assert said["Condition"] == {
            "Bool": {"aws:SecureTransport": "false"},
            "NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"},
        }
        whole = {"Fn::GetAtt": ["MediaBucket", "Arn"]}
        assert denial["Resource"] == [whole, {"Fn::Sub": "${MediaBucket.Arn}/*"}]

    def test_the_table_is_encrypted_recoverable_and_streams_both_images(self) -> None:
        (table,) = resources("AWS::DynamoDB::Table").values()
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]

    def test_the_table_is_protected_from_deletion_where_the_owner_says_so(self) -> None:
        for given, expected in (("false", None), ("true", True)):
            table = resolved(translated(TEMPLATE), {"DeletionProtection": given})["Resources"]["Table"]["Properties"]
            assert table.get("DeletionProtectionEnabled") is expected

    def test_the_table_and_the_bucket_outlive_the_stack(self) -> None:
        for name in ("Table", "MediaBucket"):
            resource = template()["Resources"][name]
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")

    def test_a_record_that_kills_the_function_waits_without_the_others_of_its_batch(self) -> None:
        """It cannot send the record to the failure queue with its own permissions."""
        streams = [event for _, event in events("DynamoDB")]
        assert len(streams) == 2
        assert all(stream["BisectBatchOnFunctionError"] is True for stream in streams)

    def test_concurrency_is_reserved_only_for_the_receivers_and_on_demand(self) -> None:
        for given, expected in (("", {}), ("50", dict.fromkeys(receivers(), "50"))):
            made = resolved(translated(TEMPLATE), {"ReceiverReservedConcurrency": given})["Resources"]
            reserved = "ReservedConcurrentExecutions"
            found = {name: each["Properties"].get(reserved) for name, each in made.items() if name in functions()}
            assert {name: most for name, most in found.items() if most} == expected

    def test_only_the_archive_may_queue_its_own_messages_again_as_a_recursive_loop(self) -> None:
        assert {name for name, function in functions().items() if "RecursiveLoop" in function} == {"Archive"}
        assert functions()["Archive"]["RecursiveLoop"] == "Allow"

    def test_expired_event_rows_are_no_updates(self) -> None:
        ((_, stream),) = [event for event in events("DynamoDB") if event[0] == "Advance"]
        (pattern,) = [json.loads(each["Pattern"]) for each in stream["FilterCriteria"]["Filters"]]
        assert pattern["eventName"] == ["INSERT"]  # TTL's deletions are REMOVE

    def test_logs_are_kept_for_as_long_as_the_owner_says(self) -> None:
        groups = resources("AWS::Logs::LogGroup")
        assert set(groups) == {f"{name}Logs" for name in functions()} | {"ApiLogs"}
        for group in groups.values():
            assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}

    def test_logs_may_be_kept_for_as_long_as_cloudwatch_takes(self) -> None:
        """The values that PutRetentionPolicy accepts, from AWS's own description."""
        request = get_session().get_service_model("logs").shape_for("PutRetentionPolicyRequest")
        assert isinstance(request, StructureShape)
        words, _, _ = request.members["retentionInDays"].documentation.partition("</p>")
        allowed = template()["Parameters"]["LogRetentionDays"]["AllowedValues"]
        assert allowed == [int(number) for number in re.findall(r"\d+", words)]
        assert max(allowed) > 365

    def test_access_logs_name_the_route_and_never_the_path_which_may_hold_a_token(self) -> None:
        (api,) = resources("AWS::Serverless::HttpApi").values()
        assert target(api["AccessLogSettings"]["DestinationArn"]) == "ApiLogs"
        logged = set(json.loads(api["AccessLogSettings"]["Format"]).values())
        assert "$context.routeKey" in logged
        assert logged <= {
            *("$context.requestId", "$context.routeKey", "$context.status"),
            *("$context.responseLatency", "$context.identity.sourceIp"),
            "$context.integrationErrorMessage",  # AWS's own words about the function, none about the call
        }

    def test_the_api_lets_through_no_more_than_the_owner_says(self) -> None:
        (api,) = resources("AWS::Serverless::HttpApi").values()
        assert api["DefaultRouteSettings"] == {
            "ThrottlingRateLimit": {"Ref": "ThrottleRate"},
            "ThrottlingBurstLimit": {"Ref": "ThrottleBurst"},
        }

    def test_a_secret_that_is_not_set_holds_a_placeholder_that_verifies_nothing(self) -> None:
        secrets = resources("AWS::SecretsManager::Secret")
        generated = {name for name, secret in secrets.items() if "GenerateSecretString" in secret}
        assert generated == {"CreatifyToken"}
        assert {secrets[name]["SecretString"] for name in set(secrets) - generated} == {PLACEHOLDER}

    def test_the_generated_token_is_letters_and_digits_of_256_bits(self) -> None:
        made = resources("AWS::SecretsManager::Secret")["CreatifyToken"]["GenerateSecretString"]
        assert not {chr(code) for code in range(33, 127) if not chr(code).isalnum()} - set(made["ExcludeCharacters"])
        assert made["PasswordLength"] == 43  # log2(62) * 43 = 256

    def test_each_kind_of_character_that_a_generated_secret_must_have_is_left_to_it(self) -> None:
        """By default Secrets Manager demands one of each kind; the stack is not created if all characters of a kind are
        excluded (API reference of GetRandomPassword, 2026-11-30).
        """
        kinds = {
            "Uppercase": string.ascii_uppercase,
            "Lowercase": string.ascii_lowercase,
            "Numbers": string.digits,
            "Punctuation": string.punctuation,
        }
        for secret in resources("AWS::SecretsManager::Secret").values():
            made = secret.get("GenerateSecretString", {})
            for kind, characters in kinds.items():
                demanded = made.get("RequireEachIncludedType", True) and not made.get(f"Exclude{kind}", False)
                assert not demanded or set(characters) - set(made.get("ExcludeCharacters", "")), kind

"""Each function's role in the template: its own, with named actions on the stack's resources."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import pytest

from dailies.jobs.rows import job_pk, quarantine_item
from dailies.providers import every_provider
from testkit.support.template import (
    actions,
    as_list,
    events,
    functions,
    receivers,
    roles,
    signing_secrets,
    statements,
    target,
    template,
)

FUNCTIONS = sorted(functions())
ROLES = sorted(roles())
DEPLOY = "DeployReceiversRole"  # CodeDeploy's, which moves the receivers' aliases


def either(resource: Any) -> list[Any]:
    """The resource, or both that a condition chooses between."""
    return resource["Fn::If"][1:] if "Fn::If" in resource else [resource]


class TestRoles:
    # A resource of "*", by role and action, if AWS allows nothing narrower, with the reason.
    WILDCARDS_AWS_DEMANDS: ClassVar[dict[tuple[str, str], str]] = {
        (role, "dynamodb:ListStreams"): "it lists streams, and is of none of them"
        for role in ("AdvanceRole", "AnnounceRole")
    } | {(DEPLOY, "cloudwatch:DescribeAlarms"): "it describes all alarms, or those of a prefix"}

    def test_every_role_serves_one_function_and_only_lambda_may_assume_it(self) -> None:
        assert {f"{name}Role" for name in FUNCTIONS} == set(ROLES) - {DEPLOY}
        for name, role in roles().items():
            (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
            service = "codedeploy.amazonaws.com" if name == DEPLOY else "lambda.amazonaws.com"
            assert (trust["Action"], trust["Principal"]) == ("sts:AssumeRole", {"Service": service})

    def test_a_role_has_its_own_statements_and_nothing_that_others_wrote(self) -> None:
        for role in roles().values():
            assert set(role) == {"AssumeRolePolicyDocument", "PermissionsBoundary", "Policies"}
            bound = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
            assert role["PermissionsBoundary"] == bound
        for function in functions().values():
            assert "Policies" not in function

    @pytest.mark.parametrize("role", ROLES)
    def test_every_action_is_named_in_full(self, role: str) -> None:
        found = [action for statement in statements(roles()[role]) for action in actions(statement)]
        for action in found:
            assert re.fullmatch(r"[a-z0-9]+:[A-Z][A-Za-z]+", action), action

    @pytest.mark.parametrize("role", ROLES)
    def test_every_action_is_limited_to_the_stacks_resources_or_the_owners_secret(self, role: str) -> None:
        for statement in statements(roles()[role]):
            for resource in [each for one in as_list(statement["Resource"]) for each in either(one)]:
                if resource == "*":
                    assert {(role, action) for action in actions(statement)} <= set(self.WILDCARDS_AWS_DEMANDS)
                elif "Fn::Sub" in resource:  # a part of the bucket, the table's index, or a function's versions
                    assert re.fullmatch(
                        r"\$\{MediaBucket\.Arn\}/(media/\*|media/\*/job\.json|deliveries/[a-z]+/[a-z]+/\*)"
                        r"|\$\{Table\.Arn\}/index/jobs"
                        rf"|\$\{{({'|'.join(receivers())})\.Arn\}}:\*",
                        resource["Fn::Sub"],
                    )
                elif resource == {"Ref": "CaptionsApiSecretArn"}:
                    assert actions(statement) == ["secretsmanager:GetSecretValue"]
                else:
                    assert target(resource) in template()["Resources"]

    def test_no_wildcard_is_excused_that_is_not_there(self) -> None:
        there = {
            (name, action)
            for name, role in roles().items()
            for statement in statements(role)
            for action in actions(statement)
            if "*" in as_list(statement["Resource"])
        }
        assert there == set(self.WILDCARDS_AWS_DEMANDS)

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_a_function_writes_to_its_own_log_group_only(self, name: str) -> None:
        (logs,) = [
            statement
            for statement in statements(roles()[f"{name}Role"])
            if any(action.startswith("logs:") for action in actions(statement))
        ]
        assert actions(logs) == ["logs:CreateLogStream", "logs:PutLogEvents"]
        assert logs["Resource"] == {"Fn::GetAtt": [f"{name}Logs", "Arn"]}

    @pytest.mark.parametrize(("name", "path"), [(name, route["Path"]) for name, route in events("HttpApi")])
    def test_a_receiver_may_only_put_rows_keep_its_large_bodies_and_read_its_own_secret(
        self, name: str, path: str
    ) -> None:
        _, _, provider, *_ = path.split("/")
        kept = [
            {"Fn::Sub": f"${{MediaBucket.Arn}}/deliveries/{kind}/{provider}/*"} for kind in ("events", "quarantine")
        ]
        secret = functions()[name]["Environment"]["Variables"]["SIGNING_SECRET_ID"]
        assert signing_secrets()[receivers()[name]].partition("/")[0] == provider
        allowed = {
            json.dumps(statement["Resource"]): set(actions(statement))
            for statement in statements(roles()[f"{name}Role"])
        }
        assert allowed == {
            json.dumps({"Fn::GetAtt": ["Table", "Arn"]}): {"dynamodb:PutItem"},
            json.dumps(kept): {"s3:PutObject"},
            json.dumps(secret): {"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"},
            json.dumps({"Fn::GetAtt": [f"{name}Logs", "Arn"]}): {"logs:CreateLogStream", "logs:PutLogEvents"},
        }

    def test_a_role_that_changes_a_secret_changes_its_own_only(self) -> None:
        """It may not read another provider's secret, and no role may write an API's credentials."""
        changed = {
            (name, target(statement["Resource"]))
            for name in FUNCTIONS
            for statement in statements(roles()[f"{name}Role"])
            if {"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"} & set(actions(statement))
        }
        assert changed == {
            ("RegisterCaptionsWebhook", "CaptionsSigningSecret"),
            ("RotateCaptionsSecret", "CaptionsSigningSecret"),
            ("RotateCreatifyToken", "CreatifyToken"),
            ("FetchSyncSecret", "SyncSigningSecret"),
        }

    @pytest.mark.parametrize(("name", "webhook"), sorted(receivers().items()))
    def test_a_receiver_puts_rows_of_its_own_provider_and_no_others(self, name: str, webhook: str) -> None:
        """The emulator ignores conditions on a row's key, so this test checks them."""
        puts = [one for one in statements(roles()[f"{name}Role"]) if "dynamodb:PutItem" in actions(one)]
        patterns = [one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for one in puts]
        own = webhook.partition("/")[0]
        for provider in every_provider():
            at = {"provider": provider, "received_at": "2026-01-15T10:30:00.000000Z"}
            quarantined = quarantine_item("e", webhook, reason="r", proof="p", **at)["pk"]
            for key in (job_pk(provider, "a#b*?/ü"), job_pk(provider, ""), quarantined):
                assert any(fnmatchcase(key, pattern) for pattern in patterns[0]) == (provider == own), key
        assert len(patterns) == 1

"""What a deployer needs, in examples/deployer-policy: the permissions that CloudFormation needs to create, update and
delete the template's types of resources, by its own schemas (in cfn-lint), and no others.
"""

import json
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from local.deploy import TEMPLATE
from local.examples.deploying import POLICIES
from local.preflight.parameters import EVERYTHING
from local.preflight.resolving import resolved
from local.preflight.translating import translated
from testkit.support.template import actions, as_list, roles

SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas"
NAME = re.compile(r"(Alarm|Bucket|Dashboard|Function|Layer|LogGroup|Policy|Queue|Role|Rule|Table|Topic)?Name")
LONGEST = 6144  # characters of a managed policy, without blanks

# Permissions in a schema that this template does not need, by reason.
NOT_NEEDED = {
    "a feature that no resource here has": {
        "dynamodb": "AssociateTableReplica BatchWriteItem CreateTableReplica DeleteItem DeleteResourcePolicy"
        " DescribeImport DisableKinesisStreamingDestination EnableKinesisStreamingDestination GetItem ImportTable"
        " PutItem PutResourcePolicy Query Scan UpdateContributorInsights UpdateItem UpdateKinesisStreamingDestination",
        "codedeploy": "RegisterOnPremisesInstance",
        "ec2": "*",
        "elasticfilesystem": "*",
        "events": "PutPermission RemovePermission",
        "firehose": "*",
        "iam": "AttachRolePolicy CreateServiceLinkedRole DeleteGroupPolicy DeleteUserPolicy DetachRolePolicy"
        " GetGroupPolicy GetUserPolicy PutGroupPolicy PutUserPolicy",
        "kinesis": "*",
        "lambda": "AssociateRuntimeAlias DeleteFunctionCodeSigningConfig GetCodeSigningConfig PassCapacityProvider"
        " DeleteProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig PutFunctionCodeSigningConfig"
        " PutFunctionScalingConfig PutProvisionedConcurrencyConfig",
        "logs": "CreateLogStream DeleteDataProtectionPolicy DeleteIndexPolicy DeleteResourcePolicy"
        " DescribeLogStreams PutBearerTokenAuthentication PutDataProtectionPolicy PutIndexPolicy"
        " PutLogEvents PutLogGroupDeletionProtection",
        "s3": "CreateBucketMetadataTableConfiguration DeleteBucketMetadataTableConfiguration DeleteBucketWebsite"
        " PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS"
        " PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration PutBucketWebsite"
        " PutIntelligentTieringConfiguration PutInventoryConfiguration PutMetricsConfiguration PutObjectAcl"
        " PutReplicationConfiguration UpdateBucketMetadata*",
        "s3files": "*",
        "s3tables": "*",
        "secretsmanager": "RemoveRegionsFromReplication ReplicateSecretToRegions",
        "sns": "PutDataProtectionPolicy",
    },
    "keys of AWS's own: their policies let in whoever may use the service": {
        "kms": "Decrypt Encrypt GenerateDataKey* ListAliases ReEncrypt* RevokeGrant",
    },
    "no action of IAM's, whatever the schema says": {
        "s3": "DeleteBucketAnalyticsConfiguration DeleteBucketCors DeleteBucketEncryption DeleteBucketLifecycle"
        " DeleteBucketMetricsConfiguration DeleteBucketReplication GetObjectMetadata PutBucketReplication"
        " PutObjectLockConfiguration REST.PUT.OBJECT",
    },
    "for other things of S3's than buckets": {"s3": "ListTagsForResource TagResource UntagResource"},
}
# Permissions in no schema, by reason.
ALSO_NEEDED = {
    "`sam` and the deployer themselves": {
        "cloudformation": "ContinueUpdateRollback CreateChangeSet DeleteChangeSet DeleteStack DescribeChangeSet"
        " DescribeStackEvents DescribeStacks ExecuteChangeSet GetTemplate GetTemplateSummary ListChangeSets"
        " ListStackResources TagResource",
        "s3": "GetObjectTagging PutObject",
    },
    "access logs of an HTTP API, by API Gateway's documentation": {
        "logs": "DeleteLogDelivery GetLogDelivery ListLogDeliveries UpdateLogDelivery",
    },
}


def named(groups: dict[str, dict[str, str]]) -> list[str]:
    """The actions of such a table, or patterns for them."""
    return [
        f"{service}:{word}" for group in groups.values() for service, words in group.items() for word in words.split()
    ]


def matches(action: str, patterns: list[str]) -> bool:
    """Whether one of the patterns matches this action; IAM ignores case."""
    return any(fnmatch(action.lower(), pattern.lower()) for pattern in patterns)


@cache
def statements() -> list[dict[str, Any]]:
    """All statements of the policies."""
    return [statement for path in POLICIES for statement in json.loads(path.read_text())["Statement"]]


def allowed() -> list[str]:
    """All that the policies allow, including patterns."""
    return [action for statement in statements() for action in actions(statement)]


@cache
def types() -> frozenset[str]:
    """The types of resources in the template."""
    return frozenset(resource["Type"] for resource in translated(TEMPLATE, EVERYTHING)["Resources"].values())


@cache
def asked_for(type_: str) -> frozenset[str]:
    """The permissions that CloudFormation needs to create, read, update and delete such a resource."""
    if type_.startswith("Custom::"):
        return frozenset({"lambda:InvokeFunction"})
    files = json.loads((SCHEMAS / "providers/us-east-1.json").read_text())
    handlers = json.loads((SCHEMAS / f"resources/{files[type_]}.json").read_text())["handlers"]
    return frozenset(
        permission for what, handler in handlers.items() if what != "list" for permission in handler["permissions"]
    )


@pytest.mark.parametrize("type_", sorted(types()))
def test_a_deployer_may_do_what_each_resource_type_needs(type_: str) -> None:
    asked = asked_for(type_)
    assert asked
    missing = {action for action in asked if not matches(action, [*allowed(), *named(NOT_NEEDED)])}
    assert not missing, f"add to examples/deployer-policy, or to NOT_NEEDED why not: {sorted(missing)}"


def test_a_deployer_may_do_nothing_unneeded() -> None:
    asked = {action for type_ in types() for action in asked_for(type_)} | set(named(ALSO_NEEDED))
    unasked = [pattern for pattern in allowed() if not any(matches(action, [pattern]) for action in asked)]
    assert unasked == []
    assert [pattern for pattern in allowed() if matches(pattern, named(NOT_NEEDED))] == []


def test_the_tables_name_only_needed_or_allowed_actions() -> None:
    asked = {action for type_ in types() for action in asked_for(type_)}
    assert [pattern for pattern in named(NOT_NEEDED) if not any(matches(action, [pattern]) for action in asked)] == []
    assert [action for action in named(ALSO_NEEDED) if action in asked or not matches(action, allowed())] == []


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_each_is_short_enough_for_a_managed_policy(path: Path) -> None:
    assert len("".join(path.read_text().split())) <= LONGEST


def test_a_role_is_given_only_to_whom_the_template_trusts() -> None:
    trusted = {
        service
        for role in roles().values()
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
        for service in as_list(statement["Principal"]["Service"])
    }
    (passing,) = (statement for statement in statements() if "iam:PassRole" in actions(statement))
    assert set(passing["Condition"]["StringEquals"]["iam:PassedToService"]) == trusted
    assert trusted == {"codedeploy.amazonaws.com", "lambda.amazonaws.com"}


def test_only_what_has_no_narrower_resource_is_allowed_on_all() -> None:
    everywhere = [statement for statement in statements() if "*" in as_list(statement["Resource"])]
    assert {action.partition(":")[0] for statement in everywhere for action in actions(statement)} == {
        *("cloudformation", "codedeploy", "kms", "lambda", "logs", "secretsmanager", "sns")
    }
    for statement in everywhere:
        # For each other action, parliament in `make lint` says that its resources can be named.
        assert statement["Sid"] in {"KeyOfTable", "WithoutAResource"}
        assert ("Condition" in statement) is (statement["Sid"] == "KeyOfTable")


def test_what_the_template_names_is_among_the_resources() -> None:
    named_types = {
        "AWS::CloudWatch::Alarm": ("AlarmName", "alarm:"),
        "AWS::Events::EventBus": ("Name", "event-bus/"),
        "AWS::IAM::Policy": ("PolicyName", ""),  # an inline policy has no ARN
        "AWS::Lambda::Alias": ("Name", ""),  # its resource is its function's
        "AWS::Lambda::LayerVersion": ("LayerName", "layer:"),
        "AWS::Logs::LogGroup": ("LogGroupName", "log-group:"),
        "AWS::Logs::QueryDefinition": ("Name", ""),  # it has no ARN
        "AWS::SecretsManager::Secret": ("Name", "secret:"),
    }
    patterns = [resource.split(":", 5)[-1] for each in statements() for resource in as_list(each["Resource"])]
    found = set()
    for name, resource in resolved(translated(TEMPLATE, EVERYTHING), EVERYTHING)["Resources"].items():
        key, kind = named_types.get(resource["Type"], ("", ""))
        properties = resource.get("Properties", {})
        names = {word: value for word, value in properties.items() if NAME.fullmatch(word) and isinstance(value, str)}
        assert names.keys() <= {key}, f"{name} is named: is it among the resources of examples/deployer-policy?"
        if kind and names:
            found.add(kind)
            assert any(fnmatch(f"{kind}{names[key]}", pattern) for pattern in patterns if pattern.startswith(kind)), (
                name
            )
    assert found == {kind for _, kind in named_types.values() if kind}

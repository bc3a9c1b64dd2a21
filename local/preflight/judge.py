"""The findings of cdk-preflight and parliament in CloudFormation templates. Run it in its own environment, which has
them (local/preflight.sh), with Node.js on the PATH.

    judge.py FOLDER FILE...

A file is a template or an IAM policy, as JSON. Prints a list of findings: the file's name, the place, the rule, the
message. The folder is for CDK's files.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk
from aws_cdk.cloudformation_include import CfnInclude
from cdk_preflight import Preflight
from parliament import analyze_policy_string

# parliament's findings that are no mistakes in our policies: resource `*` for actions that accept nothing narrower.
NO_MISTAKES = frozenset({"RESOURCE_STAR"})
# A principal that can change a bucket's policy and lifecycle can open it and empty it.
OF_A_DEPLOYER = frozenset({"RESOURCE_POLICY_PRIVILEGE_ESCALATION"})
# By a resource's type and attribute; {} is its logical name. AWS names a stream by a time, whose colons parliament does
# not support.
ARNS = {
    ("AWS::DynamoDB::Table", "Arn"): "arn:aws:dynamodb:us-east-1:123456789012:table/{}",
    ("AWS::DynamoDB::Table", "StreamArn"): "arn:aws:dynamodb:us-east-1:123456789012:table/{}/stream/latest",
    ("AWS::Events::EventBus", "Arn"): "arn:aws:events:us-east-1:123456789012:event-bus/{}",
    ("AWS::Lambda::Function", "Arn"): "arn:aws:lambda:us-east-1:123456789012:function:{}",
    ("AWS::Logs::LogGroup", "Arn"): "arn:aws:logs:us-east-1:123456789012:log-group:{}:*",
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::{}",
    ("AWS::S3::Bucket", "Ref"): "{}",
    ("AWS::SecretsManager::Secret", "Id"): "arn:aws:secretsmanager:us-east-1:123456789012:secret:{}-AbC123",
    ("AWS::SQS::Queue", "Arn"): "arn:aws:sqs:us-east-1:123456789012:{}",
}
VARIABLE = re.compile(r"\$\{([^}]+)\}")


def by_preflight(folder: Path, templates: list[Path]) -> Iterator[tuple[str, ...]]:
    """Known failures on AWS: cdk-preflight's rules, and CDK's own schema of CloudFormation."""
    app = aws_cdk.App(outdir=str(folder))
    Preflight.apply(app, strict=True)
    for template in templates:
        stack = aws_cdk.Stack(app, template.stem, env=aws_cdk.Environment(region="us-east-1", account="123456789012"))
        CfnInclude(stack, "Template", template_file=str(template.resolve()))
    report = folder / "validation-report.json"
    report.unlink(missing_ok=True)
    try:
        app.synth()
    except RuntimeError:
        if not report.exists():
            raise
    for part in json.loads(report.read_text())["pluginReports"] if report.exists() else ():
        for violation in part["violations"]:
            for construct in violation.get("violatingConstructs", ()):
                name, _, where = construct["constructPath"].partition("/Template/")
                yield name, where or "the template", violation["ruleName"], violation["description"]


def by_parliament(templates: list[Path]) -> Iterator[tuple[str, ...]]:
    """Errors in the policies of roles: unknown actions, resources that an action does not accept."""
    for template in templates:
        resources = json.loads(template.read_text())["Resources"]
        for name, resource in resources.items():
            for policy in _policies(resource):
                text = json.dumps(_with_arns(policy["PolicyDocument"], resources))
                for found in analyze_policy_string(text).findings:
                    if found.issue not in NO_MISTAKES:
                        yield template.stem, name, found.issue, f"{found.detail} {found.location.get('string', '')}"


def _policies(resource: Mapping[str, Any]) -> list[Any]:
    """The policies that a resource gives to roles."""
    match resource["Type"]:
        case "AWS::IAM::Role":
            return resource["Properties"].get("Policies", [])  # type: ignore[no-any-return]
        case "AWS::IAM::Policy":
            return [resource["Properties"]]
    return []


def by_parliament_of_its_own(policies: list[Path]) -> Iterator[tuple[str, ...]]:
    """The same for policies in files, with the statement's line as the place."""
    for policy in policies:
        text = policy.read_text()
        for found in analyze_policy_string(text).findings:
            if found.issue not in NO_MISTAKES | OF_A_DEPLOYER:
                yield policy.stem, f"line {found.location.get('line')}", found.issue, f"{found.detail}"


def _with_arns(value: Any, resources: Mapping[str, Any]) -> Any:
    """The same with a valid ARN wherever only AWS knows the real one."""
    match value:
        case {"Fn::GetAtt": [name, attribute]}:
            return ARNS[resources[name]["Type"], attribute].format(name)
        case {"Ref": name}:
            return ARNS[resources[name]["Type"], "Ref"].format(name)
        case {"Fn::Sub": text}:
            return VARIABLE.sub(lambda found: _variable(found[1], resources), text)
        case dict():
            return {name: _with_arns(each, resources) for name, each in value.items()}
        case list():
            return [_with_arns(each, resources) for each in value]
    return value


def _variable(name: str, resources: Mapping[str, Any]) -> str:
    name, _, attribute = name.partition(".")
    return ARNS[resources[name]["Type"], attribute or "Ref"].format(name)


if __name__ == "__main__":
    folder, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    templates = [file for file in files if "Resources" in json.loads(file.read_text())]
    policies = [file for file in files if file not in templates]
    found = [*by_preflight(folder, templates), *by_parliament(templates), *by_parliament_of_its_own(policies)]
    json.dump(found, sys.stdout)

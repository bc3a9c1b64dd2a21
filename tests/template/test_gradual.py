"""The receivers are published versions behind an alias: what publishes one, how a deploy moves calls to it, and what
SnapStart adds. `translated` runs SAM's own translator, as CloudFormation does.
"""

import json
from typing import Any

import pytest

from local.deploy import TEMPLATE
from local.preflight.resolving import resolved
from local.preflight.translating import translated
from testkit.support.template import functions, receivers, template

CANARY = {"ReceiverDeployment": "Canary10Percent5Minutes"}
RECEIVERS = sorted(receivers())
CODE_DEPLOY = ("AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup")
DESCRIPTION = 256  # characters that Lambda accepts


def made(**parameters: str) -> dict[str, dict[str, Any]]:
    """The resources for these parameters."""
    found: dict[str, dict[str, Any]] = resolved(translated(TEMPLATE, parameters), parameters)["Resources"]
    return found


def of_type(found: dict[str, dict[str, Any]], *kinds: str) -> dict[str, dict[str, Any]]:
    """The resources of these types."""
    return {name: each for name, each in found.items() if each["Type"] in kinds}


def references(value: Any) -> set[str]:
    """The names of all parameters and resources in a value of the template."""
    if isinstance(value, dict):
        own = {value["Ref"]} if "Ref" in value else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def descriptions(**parameters: str) -> set[str]:
    """The names of the versions. CloudFormation publishes a new version if its name changes."""
    return {each["Properties"]["Description"] for each in of_type(made(**parameters), "AWS::Lambda::Version").values()}


def test_each_route_calls_its_receivers_alias_and_may() -> None:
    found = translated(TEMPLATE)["Resources"]
    calls = json.dumps(found["Api"]["Properties"]["Body"])
    for name in RECEIVERS:
        assert f"functions/${{{name}Aliaslive}}/invocations" in calls
        assert found[f"{name}CallPermission"]["Properties"]["FunctionName"] == {"Ref": f"{name}Aliaslive"}
    assert ".Arn}/invocations" not in calls
    assert len(of_type(found, "AWS::Lambda::Alias")) == len(RECEIVERS)


def test_by_default_nothing_is_deployed_gradually_and_nothing_is_a_snapshot() -> None:
    found = made()
    assert of_type(found, *CODE_DEPLOY) == {}
    assert "DeployReceiversRole" not in found
    for name in RECEIVERS:
        assert "UpdatePolicy" not in found[f"{name}Aliaslive"]
        assert found[name]["Properties"]["SnapStart"] == {"ApplyOn": "None"}


@pytest.mark.parametrize("way", template()["Parameters"]["ReceiverDeployment"]["AllowedValues"][1:])
def test_a_gradual_deploy_of_each_receiver_goes_back_where_their_alarm_goes_off(way: str) -> None:
    found = made(ReceiverDeployment=way)
    alarm = found["ReceiverErrorsAlarm"]["Properties"]["AlarmName"]
    groups = of_type(found, "AWS::CodeDeploy::DeploymentGroup")
    assert groups.keys() == {f"{name}DeploymentGroup" for name in RECEIVERS}
    for name in RECEIVERS:
        policy = found[f"{name}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert policy["DeploymentGroupName"] == {"Ref": f"{name}DeploymentGroup"}
        group = groups[f"{name}DeploymentGroup"]["Properties"]
        assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": alarm}]}
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{way}"
        assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["DeployReceiversRole", "Arn"]}
    assert "CodeDeployServiceRole" not in found, "SAM's own has no permissions boundary"


def test_with_snap_start_each_receiver_and_no_other_function_is_one() -> None:
    found = of_type(made(ReceiverSnapStart="PublishedVersions"), "AWS::Lambda::Function")
    on = {
        name for name, each in found.items() if each["Properties"].get("SnapStart") == {"ApplyOn": "PublishedVersions"}
    }
    assert on == set(RECEIVERS)


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_version_is_called_by_each_parameter_that_its_function_has(name: str) -> None:
    """SAM publishes if the template's text changes: the alias would keep the old value of a parameter."""
    function = dict(functions()[name])
    text = function.pop("VersionDescription")["Fn::Sub"]
    for unversioned in ("DeploymentPreference", "ReservedConcurrentExecutions"):  # they do not belong to a version
        function.pop(unversioned)
    has = references([function, template()["Globals"]["Function"]]) & template()["Parameters"].keys()
    assert has == {word.strip("${}") for word in text.split()}


def test_another_value_of_a_parameter_publishes_a_version() -> None:
    (usual,) = descriptions()
    for name, value in {"MaxBodyBytes": "2048", "ReceiverSnapStart": "PublishedVersions", **CANARY}.items():
        assert (descriptions(**{name: value}) == {usual}) is (name in CANARY)
    assert len(usual) < DESCRIPTION / 2


def test_no_version_outlives_the_next_one_as_aws_bills_its_snapshot() -> None:
    versions = of_type(translated(TEMPLATE)["Resources"], "AWS::Lambda::Version").values()
    assert [each["DeletionPolicy"] for each in versions] == ["Delete"] * len(RECEIVERS)

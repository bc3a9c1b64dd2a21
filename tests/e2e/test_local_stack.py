"""`up` on a running stack updates it, and adds once what the emulator leaves out of a deploy."""

import dataclasses
from pathlib import Path

import pytest

from local import deploy, emulator, emulator_gaps, ports, processes
from local.stack import Stack, read
from local.up import FRONT_DOOR, up
from testkit.support.functions import ALIAS
from testkit.support.template import events


def routes(stack: Stack) -> dict[str, str]:
    """The HTTP API's routes: the function alias that each leads to."""
    api_id = deploy.resources(stack.aws)["Api"]
    integrations = {
        f"integrations/{integration['IntegrationId']}": integration["IntegrationUri"].rpartition(":function:")[2]
        for integration in stack.aws.apigatewayv2.get_integrations(ApiId=api_id)["Items"]
    }
    return {
        route["RouteKey"]: integrations[route["Target"]]
        for route in stack.aws.apigatewayv2.get_routes(ApiId=api_id)["Items"]
    }


def test_each_route_of_the_template_leads_to_its_functions_alias(stack: Stack) -> None:
    assert routes(stack) == {
        f"{route['Method']} {route['Path']}": f"{stack.functions[name]}:{ALIAS}" for name, route in events("HttpApi")
    }


def test_routes_that_differ_are_put_right_and_right_ones_are_left_alone(stack: Stack) -> None:
    api = stack.aws.apigatewayv2
    api_id = deploy.resources(stack.aws)["Api"]
    before = api.get_routes(ApiId=api_id)["Items"]
    by_key = {route["RouteKey"]: route for route in before}
    right = routes(stack)

    def create() -> None:
        template = emulator_gaps.processed_template(stack.aws, stack.stack_name)
        emulator_gaps.create_routes(stack.aws, template, deploy.resources(stack.aws))

    create()
    assert api.get_routes(ApiId=api_id)["Items"] == before

    batch, generation = by_key["POST /webhooks/sync/batch"], by_key["POST /webhooks/sync/generation"]
    api.delete_route(ApiId=api_id, RouteId=by_key["POST /webhooks/captions/creator"]["RouteId"])
    api.update_route(ApiId=api_id, RouteId=batch["RouteId"], Target=generation["Target"])
    api.create_route(ApiId=api_id, RouteKey="POST /webhooks/former", Target=generation["Target"])
    create()
    assert routes(stack) == right


def test_up_again_sets_the_parameter_given_and_restarts_nothing(stack: Stack, stack_folder: Path) -> None:
    def pids() -> list[int]:
        running = [processes.running(name, stack_folder) for name in (emulator.NAME, FRONT_DOOR)]
        return [process.pid for process in running if process]

    before, as_it_runs = pids(), read(stack_folder)  # more than in `stack` if Captions' webhook was added
    assert len(before) == 2
    again = up(stack_folder, {"LogRetentionDays": "14"}, emulator_port=0, webhook_port=0, alarms=False)
    described = again.aws.cloudformation.describe_stacks(StackName=again.stack_name)["Stacks"][0]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in described["Parameters"]}
    assert parameters["LogRetentionDays"] == "14"
    assert parameters["PrivateMediaHosts"] == "127.0.0.1"
    assert pids() == before
    assert again == as_it_runs == read(stack_folder)


def test_the_users_profile_and_proxy_do_not_matter(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_listens = f"http://127.0.0.1:{ports.free()}"
    for name in ("HTTP_PROXY", "http_proxy", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, nothing_listens)
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    aws = dataclasses.replace(stack.aws)  # an equal stack without any client yet
    assert stack.outputs["TableName"] in aws.dynamodb.list_tables()["TableNames"]

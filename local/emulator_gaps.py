"""Completes what the emulator's deploy omits, through AWS's own calls. On AWS none of this is needed.

Both steps read first and change only what differs, so they may be repeated after every deploy.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from local.aws import Aws

# In the `uri` of an integration: .../functions/${SyncGenerationAliaslive}/invocations
ALIAS = re.compile(r"/functions/\$\{(\w+)\}/invocations")


def processed_template(aws: Aws, stack_name: str) -> dict[str, Any]:
    """The template as deployed, after SAM's transformation."""
    body: Any = aws.cloudformation.get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    template: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
    return template


def routes(template: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each route of the HTTP API as (method, path, the name of the function's alias in the template)."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::ApiGatewayV2::Api":
            for path, methods in resource["Properties"]["Body"]["paths"].items():
                for method, operation in methods.items():
                    uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
                    yield method.upper(), path, ALIAS.findall(uri)[-1]


def create_routes(aws: Aws, template: dict[str, Any], resources: dict[str, str]) -> None:
    """Create the routes of the HTTP API. The emulator makes the API and its stage, but ignores the API's `Body`.

    `template` is the processed one; `resources` are the stack's: physical names by logical name.
    """
    wanted = {f"{method} {path}": resources[name] for method, path, name in routes(template)}
    api_id = resources["Api"]
    present = {route["RouteKey"]: route for route in aws.apigatewayv2.get_routes(ApiId=api_id)["Items"]}
    targets = {
        f"integrations/{integration['IntegrationId']}": integration["IntegrationUri"]
        for integration in aws.apigatewayv2.get_integrations(ApiId=api_id)["Items"]
    }
    for key, route in present.items():
        if key not in wanted:
            aws.apigatewayv2.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    for key, alias_arn in wanted.items():
        if key in present and targets.get(present[key]["Target"]) == alias_arn:
            continue
        integration_id = aws.apigatewayv2.create_integration(
            ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=alias_arn, PayloadFormatVersion="2.0"
        )["IntegrationId"]
        target = f"integrations/{integration_id}"
        if key in present:
            aws.apigatewayv2.update_route(ApiId=api_id, RouteId=present[key]["RouteId"], Target=target)
        else:
            aws.apigatewayv2.create_route(ApiId=api_id, RouteKey=key, Target=target)


def type_queue_concurrency(aws: Aws) -> None:
    """Set `MaximumConcurrency` as a number, through the API. The emulator keeps a parameter's value as text, and then
    polls no queue."""
    for mapping in aws.functions.list_event_source_mappings()["EventSourceMappings"]:
        if scaling := mapping.get("ScalingConfig"):
            aws.functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=scaling)

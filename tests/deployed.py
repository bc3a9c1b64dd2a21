"""A stack `dailies` on AWS (moto's), as the command finds one by its name: with the desk's table, bus and APIs."""

import json
from collections.abc import Mapping

import boto3

from tests.cloud import BUS, TABLE
from tests.desk import Archive

BASE = "https://r.example"


def deploy(desk: Archive, more_parameters: Mapping[str, str], more_outputs: Mapping[str, str]) -> None:
    """With the template's parameters and outputs that are asked for, and these."""
    desk.cloud.events, desk.cloud.secretsmanager  # noqa: B018  each is made when it is asked for
    outputs = {"WebhookBaseUrl": BASE, "TableName": TABLE, "BusName": BUS, **more_outputs}
    parameters = {
        "SyncApiUrl": desk.apis.sync.base_url,
        "CreatifyApiUrl": desk.apis.creatify.base_url,
        "CaptionsApiUrl": desk.apis.captions.base_url,
        **more_parameters,
    }
    template = {
        "Parameters": {name: {"Type": "String", "Default": value} for name, value in parameters.items()},
        "Resources": {"Something": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(StackName="dailies", TemplateBody=json.dumps(template))

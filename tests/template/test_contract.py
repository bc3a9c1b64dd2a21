"""The template against the code and the public contract: names that predict each other, and what a function reads."""

import os
import re
import runpy
import tomllib
from functools import cache
from typing import Any, ClassVar

import boto3
import pytest
from botocore import xform_name

from dailies.providers import every_provider
from testkit.support.clients import lent_clients
from testkit.support.template import FUNCTION, ROOT, events, folder, functions, resources, template

FUNCTIONS = sorted(functions())


class TestNames:
    def test_the_routes_that_were_published_are_there(self) -> None:
        assert {
            ("POST", "/webhooks/sync/generation"),
            ("POST", "/webhooks/sync/batch"),
            ("POST", "/webhooks/creatify/product_to_videos/{token}"),
            ("POST", "/webhooks/captions/creator"),
        } <= {(route["Method"], route["Path"]) for _, route in events("HttpApi")}

    def test_every_webhook_of_every_provider_has_its_route(self) -> None:
        webhooks = [webhook for provider in every_provider().values() for webhook in provider.webhooks]
        assert {route["Path"] for _, route in events("HttpApi")} == {
            f"/webhooks/{webhook.full_name}" + ("/{token}" if webhook.in_path else "") for webhook in webhooks
        }

    def test_a_functions_name_predicts_its_folder_and_every_folder_is_a_function(self) -> None:
        assert {name: ROOT / function["CodeUri"] for name, function in functions().items()} == {
            name: folder(name) for name in functions()
        }
        assert {path.parent for path in (ROOT / "functions").glob("*/app.py")} == {folder(name) for name in functions()}

    def test_a_folder_of_a_function_holds_app_py_and_nothing_else(self) -> None:
        for name in functions():
            assert [path.name for path in folder(name).iterdir() if path.name != "__pycache__"] == ["app.py"]

    def test_a_functions_role_and_log_group_are_called_after_it_and_are_its_own(self) -> None:
        assert {name: function["Role"] for name, function in functions().items()} == {
            name: {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in functions()
        }
        assert {name: function["LoggingConfig"] for name, function in functions().items()} == {
            name: {"LogGroup": {"Ref": f"{name}Logs"}} for name in functions()
        }

    # The property by which a resource gets a fixed name, which two stacks could not both have.
    OWN_NAME: ClassVar = {
        "AWS::ApiGatewayV2::ApiMapping": None,
        "AWS::CloudWatch::Alarm": "AlarmName",
        "AWS::CloudWatch::Dashboard": "DashboardName",
        "AWS::DynamoDB::Table": "TableName",
        "AWS::Events::EventBus": "Name",
        "AWS::Events::Rule": "Name",
        "AWS::IAM::Policy": None,
        "AWS::IAM::Role": "RoleName",
        "AWS::Lambda::Permission": None,
        "AWS::Logs::LogGroup": "LogGroupName",
        "AWS::Logs::MetricFilter": "FilterName",
        "AWS::Logs::QueryDefinition": "Name",
        "AWS::S3::Bucket": "BucketName",
        "AWS::S3::BucketPolicy": None,
        "AWS::SQS::Queue": "QueueName",
        "AWS::SQS::QueuePolicy": None,
        "AWS::SNS::Topic": "TopicName",
        "AWS::SecretsManager::RotationSchedule": None,
        "AWS::SecretsManager::Secret": "Name",
        "AWS::Serverless::Function": "FunctionName",
        "AWS::Serverless::HttpApi": "Name",
        "AWS::Serverless::LayerVersion": "LayerName",
        "Custom::CaptionsWebhook": None,
    }

    def test_nothing_has_a_name_of_its_own_but_what_is_named_after_the_stack(self) -> None:
        named = {}
        for name, resource in template()["Resources"].items():
            property_ = self.OWN_NAME[resource["Type"]]  # a KeyError: add the property that names this type
            if property_ in resource.get("Properties", {}):
                named[name] = resource["Properties"][property_]
        secrets = [name for provider in every_provider().values() for name in provider.secrets]
        assert {"sync/signing", "sync/api", "creatify/token", "creatify/api", "captions/signing", "captions/api"} <= {
            *secrets
        }
        assert named.pop("Bus") == {"Ref": "AWS::StackName"}
        assert named.pop("ReceiverErrorsAlarm") == {"Fn::Sub": "${AWS::StackName}-ReceiverErrors"}
        assert named.pop("ApiLogs") == {"Fn::Sub": "/aws/vendedlogs/${AWS::StackName}/api"}
        queries = {name: named.pop(name)["Fn::Sub"] for name in resources("AWS::Logs::QueryDefinition")}
        assert all(query.startswith("${AWS::StackName}/") for query in queries.values())
        assert sorted(value["Fn::Sub"] for value in named.values()) == sorted(
            "${AWS::StackName}/" + secret for secret in secrets
        )

    def test_the_contracts_parameters_have_the_contracts_defaults(self) -> None:
        contract = {
            "SyncApiUrl": "https://api.sync.so",
            "CreatifyApiUrl": "https://api.creatify.ai/api/",
            "CaptionsApiUrl": "https://api.captions.ai/api",
            "PrivateMediaHosts": "",
            "SignatureToleranceSeconds": 300,
            "AcceptBareSyncSignature": "true",
            "MaxBodyBytes": 1024 * 1024,
            "RotationGraceHours": 24,
            "RetentionDays": 90,
            "ReconcileMinutes": 5,
            "CaptionsApiSecretArn": "",
        }
        if folder("Reconcile").exists():
            contract |= {"ReconcileQuietSeconds": 0}
        defaults = {name: parameter["Default"] for name, parameter in template()["Parameters"].items()}
        assert contract.items() <= defaults.items()
        assert "CreatifyMediaHosts" in defaults
        assert defaults["Architecture"] == "arm64"

    def test_every_parameter_and_output_says_what_it_is(self) -> None:
        for name, described in {**template()["Parameters"], **template()["Outputs"]}.items():
            assert described["Description"].endswith("."), name

    def test_the_outputs_are_the_contracts(self) -> None:
        outputs = {name: output["Value"] for name, output in template()["Outputs"].items()}
        base = outputs["WebhookBaseUrl"]
        assert base == {
            "Fn::If": [
                "HasDomain",
                {"Fn::Sub": "https://${DomainName}"},
                {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"},
            ]
        }
        assert outputs["TableName"] == {"Ref": "Table"}
        assert outputs["MediaBucketName"] == {"Ref": "MediaBucket"}
        assert outputs["BusName"] == {"Ref": "Bus"}
        assert outputs["ArchiveQueueUrl"] == {"Ref": "ArchiveQueue"}
        assert outputs["ArchiveDeadLetterQueueUrl"] == {"Ref": "ArchiveDeadLetters"}
        written = [output["Fn::Sub"] for output in outputs.values() if "Fn::Sub" in output]
        urls = [text for text in written if isinstance(text, list) and "${Base}" in text[0]]
        paths = sorted(route["Path"].removesuffix("/{token}") for _, route in events("HttpApi"))
        assert sorted(text for text, _ in urls) == ["${Base}" + path for path in paths]
        assert all(given == {"Base": base} for _, given in urls)

    def test_samconfig_deploys_a_stack_called_dailies_that_needs_no_named_roles(self) -> None:
        config = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
        assert config["global"]["parameters"]["stack_name"] == "dailies"
        assert config["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


class Environment(dict[str, str]):
    """An environment that remembers which of its names were read."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@cache
def read_by(name: str) -> set[str]:
    """The names that the function's module reads from its environment when Lambda loads it, with the template's
    variables set.
    """
    own = functions()[name]["Environment"]["Variables"]
    given = dict.fromkeys({*own, *TestCode.ALL}, "1") | {"AWS_DEFAULT_REGION": "eu-central-1"}
    environment = Environment(given)
    # In this order: else the end would restore the session that lends clients.
    with lent_clients(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "environ", environment)
        patched.setattr(boto3, "DEFAULT_SESSION", None)  # it reads the environment in which it was created
        assert callable(runpy.run_path(str(folder(name) / "app.py"))["lambda_handler"])
    return environment.asked


class TestCode:
    ALL = sorted(template()["Globals"]["Function"]["Environment"]["Variables"])

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_a_function_reads_what_it_is_given_and_nothing_else(self, name: str) -> None:
        own = functions()[name]["Environment"]["Variables"]
        asked = read_by(name)
        assert set(own) <= asked
        source = (folder(name) / "app.py").read_text() + (
            ROOT / "layers/dailies/python/dailies/steps/receive.py"
        ).read_text()
        assert {word for word in asked if f'"{word}"' in source} <= {*own, *self.ALL}

    def test_what_all_functions_are_given_most_of_them_read(self) -> None:
        readers = [read_by(name) for name in FUNCTIONS]
        for variable in {*self.ALL} - {"PYDANTIC_DISABLE_PLUGINS"}:  # pydantic reads it for its first model
            assert sum(variable in asked for asked in readers) > len(FUNCTIONS) / 2, variable

    def test_the_layer_carries_descriptions_of_exactly_the_services_that_are_called(self) -> None:
        carried = runpy.run_path(str(ROOT / "layers/dailies/trim.py"))["OPERATIONS"]
        sources = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers/dailies/python/dailies").rglob("*.py")]
        called = {
            service
            for source in sources
            for service in re.findall(r"""\bclient\(\s*["']([a-z0-9-]+)["']""", source.read_text())
        }
        assert carried.keys() == called
        everything = "\n".join(source.read_text() for source in sources)
        for operation in set().union(*carried.values()):
            call = xform_name(operation)  # botocore's name for its method
            paginated = f'get_paginator("{call}")'
            assert f".{call}(" in everything or paginated in everything, f"{operation} is carried, but not called"

    def test_every_function_runs_its_apps_handler_on_the_layer_and_chosen_architecture(
        self,
    ) -> None:
        shared = template()["Globals"]["Function"]
        assert shared["Handler"] == "app.lambda_handler"
        assert shared["Runtime"] == "python3.13"
        assert shared["Architectures"] == [{"Ref": "Architecture"}]
        assert shared["Layers"] == [{"Ref": "DailiesLayer"}]
        for function in resources(FUNCTION).values():
            assert not {"Handler", "Runtime", "Architectures", "Layers"} & set(function)

"""The change set by which a new stack takes over the table and the bucket of a deleted one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from local.deploy import TEMPLATE
from local.preflight.resolving import resolved
from local.preflight.translating import translated
from local.retained import NAMED_BY, change_set, parameters_of
from testkit.support.template import ROOT, template

NAMES = {"Table": "dailies-Table-1ABC", "MediaBucket": "dailies-mediabucket-2def"}
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def body(made: dict[str, Any]) -> dict[str, Any]:
    template_of_it: dict[str, Any] = json.loads(made["TemplateBody"])
    return template_of_it


def test_it_is_what_cloudformation_takes() -> None:
    asked = get_session().get_service_model("cloudformation").operation_model("CreateChangeSet").input_shape
    assert asked
    made = change_set("dailies", NAMES, {})
    assert ParamValidator().validate(made, asked).generate_report() == ""
    assert made["ChangeSetType"] == "IMPORT"
    assert len(made["TemplateBody"]) < 51_200  # bytes that CreateChangeSet accepts without a bucket


def test_it_names_what_outlives_its_stack_and_nothing_else() -> None:
    outliving = {name for name, one in template()["Resources"].items() if "Retain" in one.get("DeletionPolicy", "")}
    assert outliving == NAMED_BY.keys()
    made = change_set("dailies", NAMES, {})
    assert body(made).keys() == {"AWSTemplateFormatVersion", "Resources"}  # an import accepts no outputs
    assert body(made)["Resources"].keys() == outliving
    assert {one["LogicalResourceId"]: one["ResourceIdentifier"] for one in made["ResourcesToImport"]} == {
        "Table": {"TableName": "dailies-Table-1ABC"},
        "MediaBucket": {"BucketName": "dailies-mediabucket-2def"},
    }


@pytest.mark.parametrize("parameters", [{}, {"KmsKeyArn": KEY, "DeletionProtection": "true", "RetentionDays": "30"}])
def test_imported_resources_equal_those_of_the_following_deploy(
    parameters: dict[str, str],
) -> None:
    imported = body(change_set("dailies", NAMES, parameters))["Resources"]
    deployed = resolved(translated(TEMPLATE), parameters)["Resources"]
    for name in NAMED_BY:
        assert imported[name]["Properties"] == deployed[name]["Properties"]
        assert imported[name]["DeletionPolicy"] == "Retain"  # without a deletion policy, no import
    referred = json.dumps(imported)
    assert '"Ref"' not in referred
    assert '"Fn::' not in referred


def test_it_takes_the_parameters_that_the_deploy_reads(tmp_path: Path) -> None:
    file = tmp_path / "parameters.yaml"
    file.write_text(f"# a comment\nRetentionDays: 30\nAlarmEmail:\nKmsKeyArn: {KEY}\n")
    assert parameters_of(file) == {"RetentionDays": "30", "AlarmEmail": "", "KmsKeyArn": KEY}
    file.write_text("# nothing is set\n")
    assert parameters_of(file) == {}


def test_the_script_prints_it_for_the_stack_of_samconfig() -> None:
    command = [sys.executable, "-m", "local.retained", *NAMES.values()]
    printed = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert printed == change_set("dailies", NAMES, parameters_of(ROOT / "parameters.yaml"))

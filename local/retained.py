"""Adopts the table and the bucket that a deleted stack left: prints the change set that imports them into a new stack.

    python -m local.retained TABLE BUCKET > retained.json

Prints the input of `aws cloudformation create-change-set --cli-input-json file://retained.json`: the two resources as
in the template with the parameters in parameters.yaml, and the names of the table and the bucket. `sam deploy` then
makes the rest of the stack around them (docs/recovery.md).
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local.deploy import TEMPLATE
from local.preflight.resolving import resolved
from local.preflight.translating import translated
from local.stack import ROOT

CHANGE_SET = "retained"
NAMED_BY = {"Table": "TableName", "MediaBucket": "BucketName"}
"""The resources that outlive their stack, each with what CloudFormation knows one of its type by."""


def change_set(stack_name: str, names: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The input of CreateChangeSet that imports these resources, by their names in the template, into a new stack.
    Raises KeyError for a parameter that the template does not have."""
    template = resolved(translated(TEMPLATE), parameters)
    # An import accepts no outputs and no other resources, and requires a deletion policy for each resource.
    resources = {name: template["Resources"][name] | {"DeletionPolicy": "Retain"} for name in names}
    body = {"AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"], "Resources": resources}
    return {
        "StackName": stack_name,
        "ChangeSetName": CHANGE_SET,
        "ChangeSetType": "IMPORT",
        "TemplateBody": json.dumps(body, indent=1),
        "ResourcesToImport": [
            {
                "ResourceType": resource["Type"],
                "LogicalResourceId": name,
                "ResourceIdentifier": {NAMED_BY[name]: names[name]},
            }
            for name, resource in resources.items()
        ],
    }


def parameters_of(path: Path) -> dict[str, str]:
    """The values in a file like parameters.yaml, as `sam deploy` reads it."""
    written = yaml.safe_load(path.read_text()) or {}
    return {name: "" if value is None else str(value) for name, value in written.items()}


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m local.retained", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("table", help="the table's name")
    options.add_argument("bucket", help="the bucket's name")
    options.add_argument("--stack", help="the new stack's name (that of samconfig.toml)")
    given = options.parse_args()
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    stack_name = given.stack or config["global"]["parameters"]["stack_name"]
    parameters = parameters_of(ROOT / "parameters.yaml")
    names = {"Table": given.table, "MediaBucket": given.bucket}
    try:
        json.dump(change_set(stack_name, names, parameters), sys.stdout, indent=1)
    except KeyError as error:
        raise SystemExit(f"retained: the template has no parameter {error}; look into parameters.yaml") from None


if __name__ == "__main__":
    main()

"""The stack's CloudFormation template: the SAM template, translated by SAM's own translator."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# Where `sam package` would upload the code.
UPLOADED = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)  # it publishes to no one


class _ManagedPolicies:
    """None is named: each role has policies of its own."""

    def load(self) -> dict[str, str]:
        return {}


def translated(source: Path, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The CloudFormation template of a SAM template, for no region in particular. `parameters`: those that SAM itself
    reads; others have their defaults.

    Raises samtranslator's InvalidDocumentException if SAM rejects it.
    """
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator needs a region's partition
    template = yaml_parse(source.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] in UPLOADED:
            resource["Properties"][UPLOADED[resource["Type"]]] = "s3://packages/uploaded"
    result: dict[str, Any] = transform(template, dict(parameters or {}), _ManagedPolicies())
    return result

"""What the stack is on AWS: the SAM template as CloudFormation's own, by SAM's own translator."""

import logging
import os
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# Where `sam package` puts the code, as it would name it.
UPLOADED = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)  # it has nobody to publish them to


class _ManagedPolicies:
    """None is named: each role has policies of its own."""

    def load(self) -> dict[str, str]:
        return {}


def translated(source: Path) -> dict[str, Any]:
    """The CloudFormation template of a SAM template, of no region in particular.

    Raises samtranslator's InvalidDocumentException where SAM refuses it.
    """
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator asks for the partition of one
    template = yaml_parse(source.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] in UPLOADED:
            resource["Properties"][UPLOADED[resource["Type"]]] = "s3://packages/uploaded"
    result: dict[str, Any] = transform(template, {}, _ManagedPolicies())
    return result

"""What a receiver imports at its cold start, which is most of it: a list that only grows on purpose (docs/speed.md)."""

import json
import os
import subprocess
import sys

import pytest

from bench.receive.functions import RECEIVER_SETTINGS
from tests.functions import RECEIVERS
from tests.template import ROOT, folder

# Packages beside the standard library. dateutil and six come with botocore, the rest of the second line with pydantic.
MAY_IMPORT = {
    *("app", "dailies", "botocore", "jmespath", "urllib3", "dateutil", "six"),
    *("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"),
}
# Of the standard library, what is known to be slow and not needed: each was imported once.
MAY_NOT_IMPORT = {"asyncio", "multiprocessing", "boto3", "s3transfer", "aws_lambda_powertools"}
# What writes botocore's documentation, an eighth of its import: `cold_start` leaves it out.
DOCUMENTATION = {"botocore.docs.bcdoc.restdoc", "botocore.docs.client", "botocore.docs.method"}
# botocore takes these where they are: the layer has no certifi, and of awscrt the checksums alone.
OF_THIS_ENVIRONMENT = {"certifi", "awscrt"}
OF_THE_LAYER = {
    "archiving",
    "transfer",
    "parts",
    "outbound",
    "containers",
    "mp4",
    "reconciling",
    "asking",
    "bus",
    "queue",
}
LIST = "import json, sys; before = set(sys.modules); import app; print(json.dumps(sorted(set(sys.modules) - before)))"


def imported(function: str) -> set[str]:
    """The modules that a new process of the function imports."""
    path = os.pathsep.join(map(str, (folder(function), ROOT / "layers/dailies/python")))
    done = subprocess.run(
        [sys.executable, "-c", LIST],
        env={"PATH": os.defpath, "PYTHONPATH": path, "AWS_DEFAULT_REGION": "us-east-1", **RECEIVER_SETTINGS},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("function", RECEIVERS)
def test_a_receiver_imports_what_is_on_the_list_and_no_more(function: str) -> None:
    modules = imported(function)
    packages = {module.partition(".")[0] for module in modules}
    beside = {name for name in packages - sys.stdlib_module_names if not name.startswith("_")}
    assert beside - OF_THIS_ENVIRONMENT == MAY_IMPORT
    assert packages & MAY_NOT_IMPORT == set()
    assert modules & DOCUMENTATION == set()
    assert {f"dailies.{name}" for name in OF_THE_LAYER} & modules == set()


@pytest.mark.parametrize("function", RECEIVERS)
def test_a_receiver_imports_its_own_provider_alone(function: str) -> None:
    providers = {name for name in imported(function) if name.startswith("dailies.providers.")}
    assert providers == {f"dailies.providers.{RECEIVERS[function].partition('/')[0]}"}

"""What a receiver imports at its cold start, which is most of that time: a list that only grows on purpose
(docs/speed.md).
"""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from bench.receive.functions import RECEIVER_SETTINGS
from testkit.support.functions import RECEIVERS
from testkit.support.template import ROOT, folder

OURS = {
    *("dailies", "dailies.errors", "dailies.timestamps"),
    *("dailies.jobs", "dailies.jobs.models", "dailies.jobs.links", "dailies.jobs.rows", "dailies.jobs.object_keys"),
    *("dailies.providers", "dailies.providers.contract", "dailies.providers.payload", "dailies.providers.signatures"),
    *("dailies.providers.explanation", "dailies.providers.lenient_json"),
    *("dailies.aws", "dailies.aws.cold_start", "dailies.aws.http_api", "dailies.aws.telemetry", "dailies.aws.table"),
    *("dailies.aws.attribute_values", "dailies.aws.bucket", "dailies.aws.payload_store", "dailies.aws.secrets"),
    "dailies.aws.snap_start",
    *("dailies.steps", "dailies.steps.receive"),
}
OF_A_PROVIDER = {"creatify": {"secrets"}}  # for new_token
# Packages beside the standard library. dateutil and six come with botocore, the rest of the second line with pydantic.
PACKAGES = {
    *("botocore", "jmespath", "urllib3", "dateutil", "six"),
    *("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"),
}
# From the standard library, beyond what a botocore client needs: pydantic's, and those that discover the providers.
STANDARD = {"fractions", "zoneinfo", "sysconfig", "pkgutil"}
# Unneeded by botocore too: each was imported once, and is slow.
SLOW = {"asyncio", "multiprocessing"}
# What writes botocore's documentation, an eighth of its import: `cold_start` omits it.
DOCUMENTATION = {"botocore.docs.bcdoc.restdoc", "botocore.docs.client", "botocore.docs.method"}
# botocore uses these if they exist: the layer has no certifi, which reads its file so, and of awscrt the checksums.
OF_THIS_ENVIRONMENT = {"certifi", "awscrt", "importlib.readers", "importlib.resources.readers"}

A_CLIENT = """
from dailies.aws import cold_start
cold_start.begin()
from botocore.session import get_session
get_session().create_client("dynamodb")
"""


@cache
def imported(source: str, *path: str) -> frozenset[str]:
    """The modules that a new process imports for this, without those that others have as private parts (`_...`)."""
    code = f"import json, sys\nbefore = set(sys.modules)\n{source}\nprint(json.dumps([*sys.modules.keys() - before]))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((*path, f"{ROOT}/layers/dailies/python")),
            "AWS_DEFAULT_REGION": "us-east-1",
            **RECEIVER_SETTINGS,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    names: list[str] = json.loads(done.stdout)
    return frozenset(name for name in names if not any(part.startswith("_") for part in name.split(".")))


def top(module: str) -> str:
    """The package of a module."""
    return module.partition(".")[0]


@pytest.mark.parametrize("function", RECEIVERS)
def test_a_receiver_imports_what_is_on_the_list_and_no_more(function: str) -> None:
    modules = imported("import app", str(folder(function))) - {"app"}
    ours = {module for module in modules if top(module) == "dailies"}
    standard = {module for module in modules if top(module) in sys.stdlib_module_names}
    packages = {top(module) for module in modules - ours - standard}
    beside = standard - imported(A_CLIENT)
    provider = RECEIVERS[function].partition("/")[0]
    own = {f"dailies.providers.{provider}"} | OF_A_PROVIDER.get(provider, set())
    assert (ours | beside) - OF_THIS_ENVIRONMENT == OURS | STANDARD | own
    assert packages - OF_THIS_ENVIRONMENT == PACKAGES
    assert modules & (SLOW | DOCUMENTATION) == set()

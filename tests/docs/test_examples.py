"""The examples name existing outputs, events and targets, and only the workflow can assume its role. `make examples`
tries them with their own tools.
"""

import re
from typing import Any, get_args

import pytest
import yaml

from dailies.aws.bus import SOURCE
from dailies.jobs.announcements import DetailType
from local.preflight.__main__ import ROLE
from local.preflight.parameters import ROLES
from local.preflight.resolving import resolved
from local.preflight.translating import translated
from local.stack import ROOT
from testkit.support.template import template

EXAMPLES = ROOT / "examples"
CDK = (EXAMPLES / "cdk/app.py").read_text()
TERRAFORM = (EXAMPLES / "terraform/main.tf").read_text()
WORKFLOW_FILE = (EXAMPLES / "github/deploy.yml").read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(WORKFLOW_FILE)
PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$")
GITHUB = "token.actions.githubusercontent.com"


def test_what_terraform_reads_of_the_stack_are_its_outputs() -> None:
    read = set(re.findall(r'outputs\["(\w+)"\]', TERRAFORM))
    assert "BusName" in read
    assert read <= template()["Outputs"].keys()


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        (TERRAFORM, r'source = \["(.+?)"\], detail-type = \["(.+?)"\]'),
        (CDK, r'source=\["(.+?)"\], detail_type=\["(.+?)"\]'),
    ],
    ids=["terraform", "cdk"],
)
def test_the_rules_wait_for_an_event_that_the_bundle_sends(text: str, pattern: str) -> None:
    ((source, detail_type),) = re.findall(pattern, text)
    assert source == SOURCE
    assert detail_type in get_args(DetailType.__value__)


def test_each_action_of_the_workflow_is_pinned_to_a_commit() -> None:
    used = [line.strip().removeprefix("- ") for line in WORKFLOW_FILE.splitlines() if "uses:" in line]
    assert len(used) == 3
    assert [line for line in used if not PINNED.fullmatch(line)] == []


def test_only_the_deploy_job_gets_an_identity_token_in_the_trusted_environment() -> None:
    jobs = WORKFLOW["jobs"]
    assert WORKFLOW["permissions"] == {}
    assert [name for name, job in jobs.items() if "id-token" in job["permissions"]] == ["deploy"]
    assert jobs["deploy"]["needs"] == "test"
    assert jobs["deploy"]["environment"] == translated(ROLE)["Parameters"]["Environment"]["Default"]


def test_the_workflow_makes_targets_that_there_are() -> None:
    made = re.findall(r"\bmake ([a-z-]+)", WORKFLOW_FILE)
    assert set(made) == {"check", "setup"}
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in made)


@pytest.mark.parametrize("given", ROLES)
def test_the_role_trusts_one_environment_of_one_repository(given: str) -> None:
    role = resolved(translated(ROLE), ROLES[given])["Resources"]["Role"]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    repository = ROLES[given]["Repository"]
    assert statement["Condition"] == {
        "StringEquals": {
            f"{GITHUB}:aud": "sts.amazonaws.com",
            f"{GITHUB}:sub": f"repo:{repository}:environment:production",
        }
    }
    assert role["ManagedPolicyArns"] == ROLES[given]["PolicyArns"].split(",")


@pytest.mark.parametrize("repository", ["octo-org/dailies", "octo-org@1/dailies@2", "o/d.x_y"])
def test_a_repository_is_named_with_its_ids_or_without(repository: str) -> None:
    assert re.fullmatch(translated(ROLE)["Parameters"]["Repository"]["AllowedPattern"], repository)


@pytest.mark.parametrize("repository", ["octo-org/*", "*", "octo-org", "octo-org/dailies:ref:x", "octo?/dailies", ""])
def test_no_repository_is_a_wildcard(repository: str) -> None:
    assert not re.fullmatch(translated(ROLE)["Parameters"]["Repository"]["AllowedPattern"], repository)

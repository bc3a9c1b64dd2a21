"""The file in which an owner sets parameters, as SAM itself reads it at each `sam deploy`."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from testkit.support.template import ROOT, template

READS = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
print(json.dumps(CfnParameterOverridesType().convert(sys.argv[1], None, None)))
"""
KEY = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:captions-key-AbC123"


def read_by_sam(value: str) -> dict[str, str]:
    """What `sam deploy` makes of this value for --parameter-overrides."""
    command = [str(ROOT / ".local/sam/bin/python"), "-c", READS, value]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    parameters: dict[str, str] = json.loads(answer.stdout)
    return parameters


def test_each_deploy_reads_the_file_and_the_one_here_sets_nothing_new() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    named = config["default"]["deploy"]["parameters"]["parameter_overrides"]
    declared = template()["Parameters"]
    found = read_by_sam(named)
    assert found == {"Architecture": declared["Architecture"]["Default"]}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('AlarmEmail: ""', ""),
        ("AlarmEmail:", ""),
        ("AlarmEmail: oncall@example.com", "oncall@example.com"),
        (f"CaptionsApiSecretArn: {KEY}", KEY),
        ("ReconcileMinutes: 10", "10"),
        ("CreatifyMediaHosts: creatify.ai,cdn.example.com", "creatify.ai,cdn.example.com"),
        ('AcceptBareSyncSignature: "false"', "false"),
    ],
)
def test_the_stack_gets_the_files_values(tmp_path: Path, line: str, expected: str) -> None:
    file = tmp_path / "parameters.yaml"
    file.write_text(f"# a comment\n{line}\n")
    (value,) = read_by_sam(f"file://{file}").values()
    assert value == expected


def test_each_line_that_is_commented_out_is_one_of_a_parameter() -> None:
    names = set(re.findall(r"^(?:# )?(\w+): ", (ROOT / "parameters.yaml").read_text(), re.MULTILINE))
    assert {"AlarmEmail", "Architecture", "CaptionsApiSecretArn"} <= names <= template()["Parameters"].keys()

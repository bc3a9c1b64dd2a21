"""`cdk synth` of the CDK example, and a check that its result has all resources."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from local.deploy import TEMPLATE
from local.preflight.translating import translated
from local.stack import ROOT, StackError

EXAMPLE = ROOT / "examples/cdk"
NODE = str(ROOT / "local/node.sh")
KEPT = ("Type", "Condition", "DeletionPolicy", "UpdateReplacePolicy")  # of each resource


def findings(packaged: Path, folder: Path) -> Iterator[str]:
    """The differences from the template, a line each. Raises StackError if a tool fails."""
    app = folder / "cdk"
    shutil.rmtree(app, ignore_errors=True)
    shutil.copytree(EXAMPLE, app, ignore=shutil.ignore_patterns("node_modules", "cdk.out"))
    _run([NODE, "npm", "ci", "--loglevel=error", "--no-fund", "--no-audit", "--ignore-scripts"], app, {})
    path = f"{ROOT / '.local/cdk/bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    settings = {"PACKAGED": str(packaged), "PARAMETERS": str(ROOT / "parameters.yaml"), "PATH": path}
    _run([NODE, "node", "node_modules/aws-cdk/bin/cdk", "synth", "--quiet", "--no-notices"], app, settings)
    made = {name: json.loads((app / f"cdk.out/{name}.template.json").read_text()) for name in ("dailies", "videos")}
    wanted = translated(TEMPLATE)
    resources = {_unhashed(name): each for name, each in made["dailies"]["Resources"].items()}
    for name, resource in wanted["Resources"].items():
        found = resources.get(_unhashed(name), {})
        for key in KEPT:
            if found.get(key) != resource.get(key):
                yield f"cdk: {name}: its {key} is {found.get(key)}, not {resource.get(key)}"
    if missing := wanted["Outputs"].keys() - made["dailies"]["Outputs"].keys():
        yield f"cdk: these outputs are missing: {', '.join(sorted(missing))}"
    rules = [each for each in made["videos"]["Resources"].values() if each["Type"] == "AWS::Events::Rule"]
    if [each["Properties"]["EventBusName"] for each in rules] != ["dailies"]:
        yield "cdk: there is not one rule on the bundle's bus"


def _unhashed(name: str) -> str:
    """A resource's name without the hash that SAM appends to the layer's."""
    return "DailiesLayer" if name.startswith("DailiesLayer") else name


def _run(command: list[str], folder: Path, settings: dict[str, str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | settings
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"{' '.join(command[1:4])} failed: {done.stderr[-2000:]}")

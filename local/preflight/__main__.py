"""The part of make lint that knows AWS: find what would fail on AWS, or means something else than it seems to.

    python -m local.preflight [TEMPLATE]

cdk-preflight, parliament and cfn-lint check the SAM template as CloudFormation receives it, once with its defaults and
once with every parameter set, and the policies in the examples. They also check the templates in `mistakes`, to show
that they detect them. Prints a line for each finding. Exits with 1 if there is one. `local/preflight.sh` installs the
tools.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from local.deploy import SAM, TEMPLATE
from local.preflight.parameters import EVERYTHING, ROLES
from local.preflight.resolving import resolved
from local.preflight.translating import translated
from local.stack import ROOT

FOLDER = ROOT / ".local/preflight"
PYTHON = FOLDER / "bin/python"
JUDGE = Path(__file__).with_name("judge.py")
MISTAKES = Path(__file__).with_name("mistakes")
# The oldest region, one of each other partition, and two of the newest: cfn-lint knows what they lack.
REGIONS = ("us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-5", "mx-central-1")
NOT_EVERYWHERE = "E2530"  # SnapStart, off by default, is not in each region: docs/configuration.md
PARAMETERS: Mapping[str, Mapping[str, str]] = {"defaults": {}, "everything": EVERYTHING}
POLICIES = sorted((ROOT / "examples/deployer-policy").glob("*.json"))
ROLE = ROOT / "examples/github/role.yaml"


class Finding(NamedTuple):
    """A tool's finding: the file, the place in it, the rule and the message."""

    template: str
    where: str
    rule: str
    words: str

    def __str__(self) -> str:
        return f"{self.template}: {self.where}: {self.rule}: {self.words}"


def findings(source: Path) -> Iterator[str]:
    """The findings in a SAM template, and the undetected mistakes, a line each. Raises SystemExit if a tool fails."""
    folder = FOLDER / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    role = translated(ROLE)
    made = [_written(folder / f"{name}.json", translated(source, given), given) for name, given in PARAMETERS.items()]
    made += [_written(folder / f"{name}.json", role, given) for name, given in ROLES.items()]
    wrong = {path.stem: translated(path) for path in sorted(MISTAKES.iterdir())}
    made += [_written(folder / f"{name}.json", mistake, {}) for name, mistake in wrong.items()]
    found = [*_judged([*made, *POLICIES], folder / "cdk"), *_linted(made)]
    yield from (str(finding) for finding in found if finding.template not in wrong)
    for name, mistake in wrong.items():
        rule = mistake["Metadata"]["Finds"]
        if rule not in {finding.rule for finding in found if finding.template == name}:
            yield f"{name}: {rule}: not found, so what is found above may not be all"


def _written(path: Path, template: Mapping[str, Any], parameters: Mapping[str, str]) -> Path:
    path.write_text(json.dumps(resolved(template, parameters), indent=1))
    return path


def _judged(files: list[Path], folder: Path) -> Iterator[Finding]:
    command = ["local/node.sh", str(PYTHON), "-W", "ignore", str(JUDGE), str(folder), *map(str, files)]
    yield from (Finding(*found) for found in json.loads(_printed(command)))


def _linted(templates: list[Path]) -> Iterator[Finding]:
    linter = str(SAM.with_name("cfn-lint"))
    command = [linter, "--format", "json", "--regions", *REGIONS, "--", *map(str, templates)]
    for found in json.loads(_printed(command)):
        where = "/".join(map(str, found["Location"]["Path"] or ["the template"]))
        if found["Rule"]["Id"] == NOT_EVERYWHERE:
            continue
        yield Finding(Path(found["Filename"]).stem, where, found["Rule"]["Id"], found["Message"])


def _printed(command: list[str]) -> str:
    """A tool's output; it worked if that is a list, whatever its exit code."""
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if not done.stdout.startswith("["):
        raise SystemExit(f"{done.stderr}\npreflight: {' '.join(command[:2])} did not look at the template, see above")
    return done.stdout


def main() -> None:
    found = list(findings(Path(sys.argv[1]) if len(sys.argv) > 1 else TEMPLATE))
    for line in found:
        print(f"preflight: {line}")
    if found:
        raise SystemExit(1)
    print("preflight: nothing found with the template's defaults, nothing with everything set")


if __name__ == "__main__":
    main()

"""make examples: test each example as far as its own tools go without an AWS account.

    python -m local.examples [PART...]

Prints the findings and a line for each part. Exits with 1 if there is a finding. `local/examples.sh` installs the
tools.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from local.examples import deploying, publishing, synthesis
from local.examples.packaging import packaged
from local.stack import ROOT, StackError

FOLDER = ROOT / ".local/examples-run"
TOOLS = ROOT / ".local/examples/bin"


def _cdk(folder: Path) -> Iterator[str]:
    yield from synthesis.findings(packaged(folder), folder)


def _deployer(folder: Path) -> Iterator[str]:
    yield from deploying.findings(folder)


def _publish(folder: Path) -> Iterator[str]:
    yield from publishing.findings(packaged(folder), folder)


def _terraform(folder: Path) -> Iterator[str]:
    example = folder / "checkout/examples/terraform"  # the expected place of packaged.yaml and parameters.yaml
    shutil.rmtree(folder / "checkout", ignore_errors=True)
    shutil.copytree(ROOT / "examples/terraform", example)
    shutil.copy(packaged(folder), folder / "checkout/packaged.yaml")
    shutil.copy(ROOT / "parameters.yaml", folder / "checkout")
    validating = str(Path(__file__).with_name("validating.py"))
    yield from _said([str(TOOLS / "python"), validating, str(folder / "terraform"), str(example)], "terraform")


def _workflow(_folder: Path) -> Iterator[str]:
    options = ["--offline", "--no-progress", "--quiet", "--persona", "pedantic", "--format", "github"]
    yield from _said(
        [str(TOOLS / "zizmor"), *options, str(ROOT / "examples/github/deploy.yml")], "workflow", {0, *range(10, 15)}
    )


def _said(command: list[str], part: str, done: frozenset[int] | set[int] = frozenset({0})) -> Iterator[str]:
    """A tool's output by line; it worked if its exit code is one of these."""
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode not in done:
        raise StackError(f"{command[0]} could not check the example: {result.stderr[-1000:]}")
    yield from (f"{part}: {line}" for line in result.stdout.splitlines() if line.strip())


PARTS: Mapping[str, Callable[[Path], Iterator[str]]] = {
    "workflow": _workflow,
    "publish": _publish,
    "terraform": _terraform,
    "cdk": _cdk,
    "deployer": _deployer,
}


def main() -> None:
    """Test the named parts, or all."""
    parser = argparse.ArgumentParser(prog="make examples", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    wanted = parser.parse_args().parts or list(PARTS)
    if unknown := set(wanted) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    found = 0
    for name in wanted:
        folder = FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lines = list(PARTS[name](folder))
        except StackError as error:
            sys.exit(f"examples: {name}: {error}")
        for line in lines:
            print(f"examples: {line}")
        print(f"examples: {name:10} {'NOT AS IT SHOULD BE' if lines else 'as it should be'}", flush=True)
        found += len(lines)
    if found:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

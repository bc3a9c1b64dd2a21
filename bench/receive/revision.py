"""Another revision's receivers, to measure beside the current ones: its functions and its built layer."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.suite.checkout import clone
from bench.tools import FOLDER
from local.deploy import sam_environment
from local.stack import ROOT

REVISIONS = FOLDER / "revisions"  # one folder per commit; kept, as a build takes a minute


@dataclass(frozen=True)
class Build:
    """A revision as it was named, its folder `functions/`, and the packages of its built layer."""

    name: str
    functions: Path
    layer: Path


def build(revision: str) -> Build:
    """Clone a revision and build its layer, unless that is done. SystemExit with git's or make's error."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", f"{revision}^{{commit}}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if commit.returncode:
        raise SystemExit(f"bench: {commit.stderr.strip()}")
    folder = REVISIONS / commit.stdout.strip()
    built = folder / ".local/layer"
    if not (built / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        clone(revision, REVISIONS)
        print(f"bench: building the layer of {revision}", file=sys.stderr)
        built.mkdir(parents=True)
        _make(folder / "layers/dailies", built)
        (built / "done").touch()
    return Build(revision, folder / "functions", built / "python")


def _make(sources: Path, built: Path) -> None:
    """Build the layer as `sam build` does."""
    command = ["make", "build-DailiesLayer", f"ARTIFACTS_DIR={built}", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=sources, env=sam_environment(built), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: the layer cannot be built: {(done.stderr or done.stdout).strip()[-500:]}")

"""`sam` as the README runs it: build, deploy with a parameters file, delete."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from local.stack import ROOT
from resilience.aws.steps import Wrong

SAM = ROOT / ".local/sam/bin/sam"
PREFIX = "sam"  # prefix of `sam deploy`'s uploads in the test's own bucket
LAYER = "DailiesLayer"
LAST_LINES = 3  # last lines of a failed command's output


class Sam:
    """Runs `sam` for one stack. Its output goes into files in the stack's folder."""

    def __init__(self, stack: str, folder: Path, files: str, environment: Mapping[str, str]) -> None:
        self._stack, self._folder, self._files = stack, folder, files
        # SAM has a Python of its own. `sam build` looks for the runtime's on PATH.
        kept = {name: value for name, value in environment.items() if not name.startswith(("PYTHON", "MAKE", "MFLAGS"))}
        path = f"{ROOT / '.venv/bin'}:{environment.get('PATH', os.defpath)}"
        self._environment = {**kept, "PATH": path, "SAM_CLI_TELEMETRY": "0"}
        self._runs = 0

    @property
    def _built(self) -> Path:
        return self._folder / "build"

    def build(self, architecture: str) -> None:
        """Build the template of this checkout. The parameter only selects whose modules the build imports."""
        self._run(
            "build",
            *("--build-dir", str(self._built)),
            *("--cache-dir", str(self._folder.parent / "build-cache")),
            *("--parameter-overrides", f"Architecture={architecture}"),
        )

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """Create or update the stack, with samconfig.toml but our name, bucket and parameters."""
        file = self._folder / "parameters.yaml"
        file.write_text(yaml.safe_dump(dict(parameters)))
        self._run(
            "deploy",
            *("--config-file", str(ROOT / "samconfig.toml")),  # otherwise it is searched beside the built template
            *("--template-file", str(self._built / "template.yaml")),
            *("--stack-name", self._stack),
            *("--no-resolve-s3", "--s3-bucket", self._files, "--s3-prefix", PREFIX),
            *("--parameter-overrides", f"file://{file}"),
            "--no-confirm-changeset",
        )

    def delete(self) -> None:
        """Delete the stack, and its uploads."""
        self._run("delete", "--stack-name", self._stack, "--no-prompts")

    def change_layer(self, text: str) -> None:
        """Change the built layer: add a file that nothing reads."""
        (self._built / LAYER / "python" / "aws-smoke.txt").write_text(text)

    def _run(self, command: str, *options: str) -> None:
        if not SAM.exists():
            raise Wrong("the SAM command is not installed; run `make setup`")
        self._runs += 1
        log = self._folder / f"{self._runs:02}-sam-{command}.log"
        run([str(SAM), command, *options], self._environment, log)


def run(command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Run a command in the checkout. Raises Wrong, with the end of its output, if it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if done.returncode:
        said = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise Wrong(
            f"`{Path(command[0]).name} {command[1]}` failed: {' '.join(said[-LAST_LINES:])} (full output: {log})"
        )

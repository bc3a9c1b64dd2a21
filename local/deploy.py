"""Builds the real template with `sam` and deploys it to the emulated AWS."""

import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

from local.aws import Aws
from local.stack import ROOT, StackError, alone

SAM = ROOT / ".local/sam/bin/sam"
TEMPLATE = ROOT / "template.yaml"
BUILT = ROOT / ".local/built"  # the build that all stacks of this checkout use
READY = "deploy.json"  # the built template, prepared so that each deploy is quick
STACK_NAME = "dailies"
PACKAGES = "dailies-packages"  # the bucket for `sam deploy`'s uploads

# Settings that differ from AWS, if the template has them.
LOCAL_PARAMETERS = {
    "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
    "PrivateMediaHosts": "127.0.0.1",
    "ArchiveTries": "4",  # with the next line: fails after 1 + 2 + 4 s
    "ArchiveBackoffSeconds": "1",
    "ArchiveConcurrency": "6",  # each is a process whose start takes a CPU second
    "ReconcileMinutes": "1",
}


def template_parameters() -> frozenset[str]:
    """The names of the template's parameters."""
    # Parsed, not loaded: CloudFormation's own tags (!Ref) stay.
    template: Any = yaml.compose(TEMPLATE.read_text(), Loader=yaml.SafeLoader)
    sections = {key.value: section for key, section in template.value}
    return frozenset(key.value for key, _ in sections["Parameters"].value)


def build(folder: Path) -> Path:
    """Build functions and layer into `<folder>/build`. Returns the template to deploy.

    All stacks of this checkout share one build, which is made again when a source has changed.
    """
    with alone(BUILT):
        sources = _digest()
        with _made(BUILT / "build", sources) as missing:
            if missing:
                _build(BUILT)
        with _made(folder / "build", sources) as missing:
            if missing:
                shutil.copytree(BUILT / "build", folder / "build", copy_function=_linked)
    return folder / "build" / READY


def _build(folder: Path) -> None:
    built = folder / "build"
    options = {
        "--template-file": str(TEMPLATE),
        "--build-dir": str(built),
        "--cache-dir": str(folder / "build-cache"),
        "--parameter-overrides": _override("Architecture", LOCAL_PARAMETERS["Architecture"]),
    }
    _sam("build", ["--cached", "--parallel", *itertools.chain(*options.items())], {}, folder)
    # Otherwise each deploy would parse the YAML template seven times, slowly, and compress the layer again.
    template = yaml.safe_load((built / "template.yaml").read_text())
    del template["Metadata"]["AWS::ServerlessRepo::Application"]  # its file names are relative to the current directory
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            content = built / resource["Properties"]["ContentUri"]
            resource["Properties"]["ContentUri"] = Path(shutil.make_archive(str(content), "zip", content)).name
    (built / READY).write_text(json.dumps(template))


@contextmanager
def _made(made: Path, sources: str) -> Iterator[bool]:
    """Whether the context has to make the folder from these sources. An outdated folder is removed."""
    stamp = made.with_name(f"{made.name}.sources")
    missing = not made.exists() or not stamp.exists() or stamp.read_text() != sources
    if missing:
        stamp.unlink(missing_ok=True)
        shutil.rmtree(made, ignore_errors=True)
    yield missing
    stamp.write_text(sources)


def _linked(source: str, target: str) -> None:
    """A copy by links, without copying 50 MB, as nothing writes to it; a real copy if the folder is on another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _digest() -> str:
    """A digest of all inputs of a build: the sources, and the tools' versions."""
    found = sha256(f"{sys.version} {ROOT}".encode() + Path(__file__).read_bytes())
    for path in _sources():
        found.update(f"\n{path.relative_to(ROOT)} ".encode() + sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _sources() -> Iterator[Path]:
    yield TEMPLATE
    yield ROOT / "requirements/sam.txt"
    for folder in ("functions", "layers"):
        yield from sorted(
            path for path in (ROOT / folder).rglob("*") if path.is_file() and path.parent.name != "__pycache__"
        )


def deploy(built: Path, aws: Aws, parameters: Mapping[str, str], folder: Path) -> None:
    """Create or update the stack. A parameter that is not given keeps its deployed value."""
    try:
        aws.s3.create_bucket(Bucket=PACKAGES)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    known = template_parameters()
    wanted = {name: value for name, value in LOCAL_PARAMETERS.items() if name in known} | dict(parameters)
    options = {
        "--template-file": str(built),
        "--stack-name": STACK_NAME,
        "--s3-bucket": PACKAGES,
        "--capabilities": "CAPABILITY_IAM",
    }
    switches = ["--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    overrides = ["--parameter-overrides", *itertools.starmap(_override, wanted.items())]
    environment = {
        "AWS_ACCESS_KEY_ID": aws.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.aws_secret_access_key,
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "SAM_CLI_POLL_DELAY": "0.2",  # seconds; SAM's default of 5, meant to spare AWS, takes most of a deploy here
    }
    _sam("deploy", [*itertools.chain(*options.items()), *switches, *overrides], environment, folder)


def resources(aws: Aws, stack_name: str = STACK_NAME) -> dict[str, str]:
    """The stack's resources: the physical name by the name in the template."""
    pages = aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    summaries = [summary for page in pages for summary in page["StackResourceSummaries"]]
    return {summary["LogicalResourceId"]: summary["PhysicalResourceId"] for summary in summaries}


def _override(name: str, value: str) -> str:
    return f'{name}="{value}"'


def sam_environment(folder: Path) -> dict[str, str]:
    """The environment for `sam`: no user variables that name another AWS, and its settings in this folder.

    The rest of the user's environment is kept: pip may need its proxy and its index, Docker its host.
    """
    # Nor variables that name another Python or make.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SAM_", "PYTHON", "MAKE", "MFLAGS"))}
    return kept | {
        # `sam build` looks for the runtime's interpreter on PATH.
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ.get('PATH', os.defpath)}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",  # it has credentials, or needs none
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(folder / "sam-settings"),
    }


def _sam(command: str, options: Sequence[str], environment: dict[str, str], folder: Path) -> None:
    """Run `sam` with its output in `<folder>/sam-<command>.log`. Raises StackError, which names that file, if it
    fails."""
    if not SAM.exists():
        raise StackError("the SAM command is not installed; run `make setup`")
    log = folder / f"sam-{command}.log"
    with log.open("wb") as output:
        done = subprocess.run(
            [str(SAM), command, *options],
            cwd=ROOT,
            env=sam_environment(folder) | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        errors = [line for line in log.read_text(errors="replace").splitlines() if "error" in line.lower()]
        raise StackError(
            f"`sam {command}` failed: {errors[-1].strip() if errors else 'no reason given'} (full output: {log})"
        )

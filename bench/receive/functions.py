"""The measured functions, as Lambda runs them: own folder, built layer, runtime client."""

import importlib.metadata
import os
from dataclasses import dataclass
from pathlib import Path

from bench.receive.revision import Build
from bench.tools import FOLDER
from local.stack import ROOT

BARE = Path(__file__).with_name("bare")
SECRET = "MeasuredToken0123456789abcdefghijklmnopqrstu"  # noqa: S105  proves to a stand-in, as signing secret and token
RECEIVER_SETTINGS = {  # the template's values
    "STACK_NAME": "dailies",
    "TABLE_NAME": "table",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
    "BUCKET_NAME": "bucket",
    "SIGNING_SECRET_ID": "secret",
    "SIGNATURE_TOLERANCE_SECONDS": "300",
    "ACCEPT_BARE_SYNC_SIGNATURE": "true",
    "MAX_BODY_BYTES": "1048576",
    "ROTATION_GRACE_HOURS": "24",
    "RETENTION_DAYS": "90",
}
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py")  # the contents of Lambda's /var/runtime


@dataclass(frozen=True)
class Function:
    """`folder` holds its app.py, `layer` its packages. `revision`: empty for the working tree."""

    name: str
    folder: Path
    layer: Path
    revision: str = ""

    def environment(self, aws_port: int) -> dict[str, str]:
        """The complete environment of its process: Lambda's variables and the template's."""
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": ":".join(map(str, (self.folder, self.layer, runtime_client()))),
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's disk is read-only
            "_HANDLER": "app.lambda_handler",
            "AWS_LAMBDA_FUNCTION_HANDLER": "app.lambda_handler",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_NAME": "measured",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "measured",
            "AWS_SECRET_ACCESS_KEY": "measured",
            "AWS_SESSION_TOKEN": "measured",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws_port}",
            "LAMBDA_TASK_ROOT": str(self.folder),
            **RECEIVER_SETTINGS,
        }


def receiver(name: str, layer: Path) -> Function:
    """A receiver of the working tree, with its built layer."""
    return Function(name, ROOT / "functions" / name, layer)


def receiver_of(build: Build, name: str) -> Function:
    """A receiver of another revision."""
    return Function(name, build.functions / name, build.layer, build.name)


def bare_write(layer: Path) -> Function:
    """The comparison for receivers."""
    return Function("bare put_item", BARE, layer)


def only_a_client(layer: Path) -> Function:
    """The comparison for their cold start."""
    return Function("a boto3 client", Path(__file__).with_name("client"), layer)


def runtime_client() -> Path:
    """A folder with Lambda's runtime client from this environment, and nothing else."""
    folder = FOLDER / "runtime-client"
    folder.mkdir(parents=True, exist_ok=True)
    for package in RUNTIME_CLIENT:
        for top in {file.parts[0] for file in importlib.metadata.files(package) or ()}:
            link = folder / top
            if not link.exists():
                link.unlink(missing_ok=True)  # in an environment that was moved
                link.symlink_to(str(importlib.metadata.distribution(package).locate_file(top)))
    return folder

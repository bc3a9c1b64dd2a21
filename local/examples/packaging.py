"""The examples' input: packaged.yaml, made by `sam package` with a moto bucket instead of S3."""

import logging
import os
import subprocess
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from local import deploy
from local.stack import ROOT, StackError

BUCKET = "packages"
KEY = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "key", "AWS_DEFAULT_REGION": "us-east-1"}


def environment(endpoint: str, folder: Path) -> dict[str, str]:
    """The environment for a `sam` that reaches this endpoint, without the user's AWS settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "PYTHON"))}
    own = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "SAM_CLI_POLL_DELAY": "0.2",  # seconds
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(folder / "sam-settings"),
        "no_proxy": "127.0.0.1",
    }
    return kept | own | KEY


def packaged(folder: Path) -> Path:
    """The packaged template, in the folder. Raises StackError if `sam` fails."""
    deploy.build(folder)
    built = deploy.BUILT / "build/template.yaml"  # as written by `sam build`
    result = folder / "packaged.yaml"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        session = boto3.Session(KEY["AWS_ACCESS_KEY_ID"], KEY["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
        session.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)
        options = ["--template-file", str(built), "--s3-bucket", BUCKET, "--output-template-file", str(result)]
        command = [str(deploy.SAM), "package", *options]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(endpoint, folder), capture_output=True, text=True, check=False
        )
    finally:
        server.stop()
    if done.returncode:
        raise StackError(f"`sam package` failed: {done.stderr[-1000:]}")
    return result

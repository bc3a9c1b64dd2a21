"""A process that is killed during its work: a transfer, or the archive's function.

`python -m resilience.transfers.killing transfer|function` reads its input from standard input, as JSON. A transfer
prints the upload that it has started. It imports only what the work needs, because it starts often.
"""

import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from dailies.jobs.models import Upload
from local.stack import ROOT

if TYPE_CHECKING:
    from simulators.s3 import S3Simulator

PATHS = os.pathsep.join(map(str, (ROOT, ROOT / "layers/dailies/python")))

type When = Callable[[], bool]


class Context:
    """The context that Lambda passes to the function, at the start of its timeout."""

    aws_request_id = "request-1"
    function_name = "dailies-archive"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:dailies-archive"
    memory_limit_in_mb = 384

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def killed_transfer(url: str, s3: "S3Simulator", when: When) -> Upload | None:
    """Start the transfer of a link to an S3 without TLS, and kill it at the given time. Returns the upload that it has
    started, if any."""
    with _begun("transfer", {"url": url, "endpoint_url": s3.endpoint_url}) as process:
        _kill(process, when)
        assert process.stdout
        told = process.stdout.readline()
    return Upload(**json.loads(told)) if told else None


def killed_function(environment: Mapping[str, str], batch: Mapping[str, Any], when: When) -> None:
    """Invoke the archive's function, and kill it at the given time."""
    with _begun("function", batch, environment) as process:
        _kill(process, when)


def called_function(environment: Mapping[str, str], batch: Mapping[str, Any]) -> None:
    """Invoke it, and let it finish."""
    with _begun("function", batch, environment) as process:
        assert process.wait() == 0


@contextmanager
def _begun(
    work: str, about: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The working process. The context ends it."""
    with subprocess.Popen(
        [sys.executable, "-m", "resilience.transfers.killing", work],
        cwd=ROOT,
        env={**os.environ, **(environment or {}), "PYTHONPATH": PATHS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        try:
            process.stdin.write(f"{json.dumps(about)}\n")
            process.stdin.close()
            yield process
        finally:
            process.kill()


def _kill(process: subprocess.Popen[str], when: When) -> None:
    """Kill it at the given time."""
    while not when():
        assert process.poll() is None, "it ended by itself"
        time.sleep(0.01)
    process.kill()
    process.wait()


def _transfer(url: str, endpoint_url: str) -> None:
    from botocore.credentials import Credentials  # noqa: PLC0415  in the other process only, as all that follows

    from dailies.aws.bucket import Bucket  # noqa: PLC0415
    from dailies.transfer.transfer import transfer  # noqa: PLC0415
    from resilience.transfers.orders import order  # noqa: PLC0415
    from simulators.s3 import BUCKET, S3Simulator  # noqa: PLC0415
    from simulators.s3.signature import ACCESS_KEY, SECRET_KEY  # noqa: PLC0415

    def tell(begun: Upload) -> None:
        sys.stdout.write(f"{json.dumps(asdict(begun))}\n")
        sys.stdout.flush()

    client = S3Simulator(endpoint_url, None, keep=False).client()
    transfer(
        replace(order(url), on_upload=tell),
        Bucket(lambda: client, BUCKET, credentials=Credentials(ACCESS_KEY, SECRET_KEY)),
    )


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    match sys.argv[1]:
        case "transfer":
            _transfer(**given)
        case "function":
            runpy.run_path(str(ROOT / "functions/archive/app.py"))["lambda_handler"](given, Context())

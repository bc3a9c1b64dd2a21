"""The emulated AWS: ministack with IAM enforced, on the loopback only, in memory.

It runs the functions in worker processes that inherit its environment.
"""

import json
import os
import shutil
import sys
import sysconfig
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from local import processes
from local.aws import Aws
from local.stack import ROOT, StackError

REGION = "us-east-1"

NAME = "emulator"
OWNER = "owner"  # the key with all permissions; not a secret: every user of this machine can reach the loopback
PATIENCE = 30.0  # seconds; ready within one on an idle machine

# It imports ministack from .venv and local/ from here. Its functions do not: they inherit no sys.path.
COMMAND = """
import sys, site
site.addsitedir(sys.argv.pop(1))
sys.path.append(sys.argv.pop(1))
from local import emulator_process
emulator_process.main(sys.argv.pop(1))
"""


def start(folder: Path, port: int, requests: Path | None = None) -> Aws:
    """Start it, without waiting until it is ready. The functions' requests are recorded in `record`, if given."""
    home, scratch = folder / "home", folder / "tmp"
    for path in (home, scratch):  # removes the temporary files of a killed one
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    aws = Aws(f"http://127.0.0.1:{port}", REGION, OWNER, OWNER)
    environment = {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": aws.aws_access_key_id,  # the account's root; functions get their role's
        "AWS_SECRET_ACCESS_KEY": aws.aws_secret_access_key,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "HOME": str(home),  # none of the user's configuration reaches the functions
        "IOT_MTLS_ENABLED": "0",  # it would listen on a port of its own
        "LANG": "C.UTF-8",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_REGION": REGION,
        "PATH": os.defpath,
        "TMPDIR": str(scratch),
        "TZ": "UTC",  # as on Lambda
    }
    # Its functions run on the interpreter that started it, the one behind .venv. They find their own folder, the layer
    # and Python, as on Lambda, and no development packages.
    interpreter = str(Path(sys.executable).resolve())
    given = [sysconfig.get_path("purelib"), str(ROOT), str(requests or "")]
    processes.start(NAME, [interpreter, "-P", "-c", COMMAND, *given], environment, folder)
    return aws


def is_ready(port: int) -> bool:
    """Whether it responds on this port."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_ministack/ready")
        return bool(json.load(connection.getresponse())["status"] == "completed")
    except (OSError, HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()


def wait_until_ready(folder: Path, port: int) -> None:
    """Return when it responds. Raises StackError if it ends before or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not is_ready(port):
        if not processes.running(NAME, folder):
            raise StackError(f"the emulated AWS did not start; {folder / NAME}.log has the reason")
        if time.monotonic() > deadline:
            raise StackError(
                f"the emulated AWS is not ready after {PATIENCE:.0f} s; {folder / NAME}.log may have the reason"
            )
        time.sleep(0.05)

"""The emulated AWS: ministack, with IAM enforced, on the loopback only, all in memory.

It runs the functions itself, in worker processes that inherit its whole environment.
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
from local.stack import StackError

REGION = "us-east-1"

NAME = "emulator"
OWNER = "owner"  # the key that may do everything; no secret: whoever reaches the loopback may
PATIENCE = 30.0  # seconds; ready within one on an idle machine

COMMAND = """
import site, sys
site.addsitedir(sys.argv.pop())
from awscrt import checksums
from ministack import app
from ministack.services import cloudwatch, s3
from ministack.services.cloudformation import provisioners
# Its own is written in Python: half a second for each MiB that is stored, and nothing else runs meanwhile.
s3._crc64nvme = checksums.crc64nvme
# It looks at no dimension, so that one queue's alarm rings for all: local/cloudwatch.py judges instead.
cloudwatch._evaluate_alarm = lambda alarm: None
# It knows no saved queries: a stack may have them, and they are kept nowhere.
provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
    "create": lambda name, properties, stack: (name, {}),
    "update": lambda name, old, new, stack: (name, {}),
    "delete": lambda name, properties: None,
}
app.main()
"""


def start(folder: Path, port: int) -> Aws:
    """Start it, without waiting until it is ready."""
    home, scratch = folder / "home", folder / "tmp"
    for path in (home, scratch):  # the scratch of one that was killed is thrown away
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    aws = Aws(f"http://127.0.0.1:{port}", REGION, OWNER, OWNER)
    environment = {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": aws.aws_access_key_id,  # the account's root; functions get their role's
        "AWS_SECRET_ACCESS_KEY": aws.aws_secret_access_key,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "HOME": str(home),  # no configuration of the user's reaches the functions
        "IOT_MTLS_ENABLED": "0",  # it would listen on a port of its own
        "LANG": "C.UTF-8",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_REGION": REGION,
        "PATH": os.defpath,
        "TMPDIR": str(scratch),
        "TZ": "UTC",  # as on Lambda
    }
    # Its functions run on the interpreter it was started with, the one behind .venv: they find their own folder,
    # the layer and Python, as on Lambda, and nothing that only development installs. ministack is told where .venv is.
    interpreter = str(Path(sys.executable).resolve())
    processes.start(NAME, [interpreter, "-P", "-c", COMMAND, sysconfig.get_path("purelib")], environment, folder)
    return aws


def is_ready(port: int) -> bool:
    """Whether it answers on this port."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_ministack/ready")
        return bool(json.load(connection.getresponse())["status"] == "completed")
    except (OSError, HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()


def wait_until_ready(folder: Path, port: int) -> None:
    """Return when it answers; a StackError when it ended instead or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not is_ready(port):
        if not processes.running(NAME, folder):
            raise StackError(f"the emulated AWS ended at once; {folder / NAME}.log says why")
        if time.monotonic() > deadline:
            raise StackError(f"the emulated AWS is not ready after {PATIENCE:.0f} s; {folder / NAME}.log may say why")
        time.sleep(0.05)

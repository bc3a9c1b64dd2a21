"""SnapStart's hooks: an environment that starts from a snapshot uses none of its secrets or connections. A fork plays
such an environment.
"""

import os
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.receive.aws import Stand, serve
from bench.receive.functions import RECEIVER_SETTINGS, SECRET, receiver
from bench.receive.rig import fresh, initialised
from testkit.support.functions import RECEIVERS
from testkit.support.template import ROOT, folder

FOLDERS = [folder(name).name for name in RECEIVERS]
# The layer as in the repository, with this environment's packages.
LAYER = Path(f"{ROOT / 'layers/dailies/python'}:{sysconfig.get_path('purelib')}")


class Aws:
    """A simulated AWS on the loopback, whose secret can be changed."""

    def __init__(self) -> None:
        self.stand: Stand = Stand(SECRET)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def answer(self, head: bytes, body: bytes) -> bytes:
        """The response for the current state."""
        return self.stand.answer(head, body)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection, self), daemon=True).start()

    def close(self) -> None:
        """Accept no further connections."""
        self._server.close()


@pytest.fixture
def aws() -> Iterator[Aws]:
    server = Aws()
    yield server
    server.close()


def connections(port: int) -> int:
    """The number of connections from this process's children to a port."""
    return sum(
        bool(one.raddr) and one.raddr.port == port and one.status == psutil.CONN_ESTABLISHED
        for child in psutil.Process().children(recursive=True)
        for one in child.net_connections()
    )


@pytest.mark.parametrize("name", FOLDERS)
def test_a_restored_snapshot_verifies_with_todays_secret_over_its_own_connections(aws: Aws, name: str) -> None:
    with initialised(receiver(name, LAYER), aws.port) as ask:
        (first, second, third) = fresh(name, 3)
        assert ask(b"warm " + first)["statusCode"] == 200
        assert connections(aws.port) == 2  # for the secret and for the table
        ask(b"snapshot")
        assert connections(aws.port) == 0
        assert ask(b"restore " + second)["statusCode"] == 200
        assert ask(b"warm " + second)["statusCode"] == 200
        aws.stand = Stand(SECRET[::-1])
        assert ask(b"warm " + second)["statusCode"] == 200, "it reads no secret anew within a minute"
        assert ask(b"restore " + third)["statusCode"] == 401


@pytest.mark.parametrize(("kind", "registered"), [("on-demand", False), ("snap-start", True)])
def test_only_a_snapshot_costs_the_import_of_its_hooks(kind: str, registered: bool) -> None:
    code = "import app, sys; print('snapshot_restore_py' in sys.modules)"
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": f"{ROOT / 'functions' / FOLDERS[0]}:{ROOT / 'layers/dailies/python'}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_INITIALIZATION_TYPE": kind,
        **RECEIVER_SETTINGS,
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(registered)

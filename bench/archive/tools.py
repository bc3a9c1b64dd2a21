"""What the archive's benchmark needs beside the repository: nginx and curl of the machine, a relay that is compiled."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.tools import FOLDER, bare_python, layer, others, run

RELAY = Path(__file__).with_name("relay.c")


@dataclass(frozen=True)
class Tools:
    """`python`: the bare interpreter. `others`: the folder of the compared programs. `relay`: None where the machine
    cannot compile it."""

    python: Path
    layer: Path
    others: Path
    nginx: Path
    relay: Path | None

    def can(self, way: str) -> bool:
        """Whether a way of that name can go here."""
        return self.relay is not None or not way.startswith("relay")


def tools() -> Tools:
    """All of them; SystemExit with one line where something is to be installed first."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if not nginx or not shutil.which("curl"):
        raise SystemExit("bench: nginx or curl is missing; apt-get install --no-install-recommends nginx-light curl")
    return Tools(bare_python(), layer(), others(), Path(nginx), _relay())


def _relay() -> Path | None:
    compiled = FOLDER / "relay"
    if not shutil.which("gcc") or not Path("/usr/include/openssl/ssl.h").exists():
        print("bench: without the relay; apt-get install gcc libc6-dev libssl-dev for it", file=sys.stderr)
        return None
    if not compiled.exists() or compiled.stat().st_mtime < RELAY.stat().st_mtime:
        run("gcc", "-O2", "-Wall", "-Wextra", "-o", str(compiled), str(RELAY), "-lssl", "-lcrypto", "-lpthread")
    return compiled

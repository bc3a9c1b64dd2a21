"""What the archive's benchmark needs beside the repository: nginx and curl of the machine, a relay that is compiled."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.tools import FOLDER, bare_python, installed, layer, others, run

RELAY = Path(__file__).with_name("relay.c")
OPENSSL_HEADERS = Path("/usr/include/openssl/ssl.h")
USUAL = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"  # nginx is not always on a user's PATH


@dataclass(frozen=True)
class Tools:
    """`python`: the bare interpreter. `others`: the folder of the compared programs; `versions` those of their
    packages. `nginx`: None where there is none. `missing`: what is not there of all that the ways need."""

    python: Path
    layer: Path
    others: Path
    versions: Mapping[str, str]
    nginx: Path | None
    relay: Path
    missing: frozenset[str]


def tools(needed: Collection[str], *, install: bool) -> Tools:
    """All that is there. What is needed is named: `curl`, `relay`, or a package of requirements/bench.in. With
    `install`, what can be installed without root is; SystemExit with one line where something is to be installed first.
    """
    nginx, curl = shutil.which("nginx", path=USUAL), shutil.which("curl")
    if install and not (nginx and curl):
        raise SystemExit(
            "bench: nginx or curl is missing; apt-get install --no-install-recommends nginx-light curl,"
            " or --no-install to run with what there is"
        )
    programs, relay = others(install=install), FOLDER / "relay"
    versions = installed(programs, needed)
    found = {*versions, *(["curl"] if curl else []), *(["relay"] if _is_compiled(relay) else [])}
    return Tools(
        python=bare_python(),
        layer=layer(),
        others=programs,
        versions=versions,
        nginx=Path(nginx) if nginx else None,
        relay=relay,
        missing=frozenset(needed) - found,
    )


def _is_compiled(relay: Path) -> bool:
    """Whether the relay is there: it is compiled where it is not."""
    if not shutil.which("gcc") or not OPENSSL_HEADERS.exists():
        return False
    if not relay.exists() or relay.stat().st_mtime < RELAY.stat().st_mtime:
        run("gcc", "-O2", "-Wall", "-Wextra", "-o", str(relay), str(RELAY), "-lssl", "-lcrypto", "-lpthread")
    return True

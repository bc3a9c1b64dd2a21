"""The external programs of the archive's benchmark: the machine's nginx and curl, and a compiled relay."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.tools import FOLDER, bare_python, installed, layer, others, run

RELAY = Path(__file__).with_name("relay.c")
OPENSSL_HEADERS = Path("/usr/include/openssl/ssl.h")
USUAL = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"  # nginx may be missing from a user's PATH


@dataclass(frozen=True)
class Tools:
    """`python`: the bare interpreter. `others`: the folder of the compared programs; `versions` their packages'
    versions. `nginx`: None if there is none. `missing`: what the machine lacks of the competitors' needs."""

    python: Path
    layer: Path
    others: Path
    versions: Mapping[str, str]
    nginx: Path | None
    relay: Path
    missing: frozenset[str]


def tools(needed: Collection[str], *, install: bool) -> Tools:
    """The available programs. Needs are named `curl`, `relay`, or by a package of requirements/bench.in. `install`
    installs what can be installed without root; otherwise raises SystemExit with one line if something is missing."""
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
    """Whether the relay exists; compiles it if not."""
    if not shutil.which("gcc") or not OPENSSL_HEADERS.exists():
        return False
    if not relay.exists() or relay.stat().st_mtime < RELAY.stat().st_mtime:
        run("gcc", "-O2", "-Wall", "-Wextra", "-o", str(relay), str(RELAY), "-lssl", "-lcrypto", "-lpthread")
    return True

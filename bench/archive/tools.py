"""What the benchmark needs beside the repository, each made once under .local/bench."""

import contextlib
import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from local.stack import ROOT

FOLDER = ROOT / ".local/bench"
PINS = ROOT / "requirements/bench.txt"
LAYER = ROOT / "layers/dailies"
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


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One benchmark at a time: two on the same cores would measure each other."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("bench: another one is running; wait for its end") from None
        yield


def tools() -> Tools:
    """All of them; SystemExit with one line where something is to be installed first."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if not nginx or not shutil.which("curl"):
        raise SystemExit("bench: nginx or curl is missing; apt-get install --no-install-recommends nginx-light curl")
    return Tools(_bare_python(), _layer(), _others(), Path(nginx), _relay())


def _bare_python() -> Path:
    """The interpreter that this environment was made from: what is not in the layer cannot be imported."""
    return Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")


def _layer() -> Path:
    """The layer as it is deployed, built by its own Makefile: pinned, botocore's data trimmed, compiled."""
    built = FOLDER / "layer"
    sources = [path for path in LAYER.rglob("*") if path.suffix in {".py", ".txt"} or path.name == "Makefile"]
    if _changed(built, sources):
        print("bench: building the layer", file=sys.stderr)
        shutil.rmtree(built, ignore_errors=True)
        _run(
            "make",
            "--silent",
            f"--directory={LAYER}",
            "build-DailiesLayer",
            f"ARTIFACTS_DIR={built}",
            f"PYTHON={sys.executable}",
        )
        _remember(built, sources)
    return built / "python"


def _others() -> Path:
    """The environment of the compared programs, by the hashes of requirements/bench.txt."""
    environment = FOLDER / "others"
    if _changed(environment, [PINS]):
        print("bench: installing requirements/bench.txt", file=sys.stderr)
        shutil.rmtree(environment, ignore_errors=True)
        _run(sys.executable, "-m", "venv", "--without-pip", str(environment))
        python, pins = str(environment / "bin/python"), ("--require-hashes", "--requirement", str(PINS))
        # uv leaves modules uncompiled; what is measured has been started before
        _run(str(ROOT / ".venv/bin/uv"), "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *pins)
        _remember(environment, [PINS])
    return environment / "bin"


def _relay() -> Path | None:
    compiled = FOLDER / "relay"
    if not shutil.which("gcc") or not Path("/usr/include/openssl/ssl.h").exists():
        print("bench: without the relay; apt-get install gcc libc6-dev libssl-dev for it", file=sys.stderr)
        return None
    if not compiled.exists() or compiled.stat().st_mtime < RELAY.stat().st_mtime:
        _run("gcc", "-O2", "-Wall", "-Wextra", "-o", str(compiled), str(RELAY), "-lssl", "-lcrypto", "-lpthread")
    return compiled


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: {command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")


def _changed(made: Path, sources: Iterable[Path]) -> bool:
    stamp = _stamp(made)
    return not stamp.exists() or stamp.read_text() != _digest(sources)


def _remember(made: Path, sources: Iterable[Path]) -> None:
    _stamp(made).write_text(_digest(sources))


def _stamp(made: Path) -> Path:
    return made.with_name(f"{made.name}.stamp")


def _digest(sources: Iterable[Path]) -> str:
    return sha256(b"".join(str(path).encode() + path.read_bytes() for path in sorted(sources))).hexdigest()

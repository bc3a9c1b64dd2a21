"""The benchmarks' external tools, each made once under .local/bench."""

import contextlib
import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from local import deploy
from local.stack import ROOT

FOLDER = ROOT / ".local/bench"
PINS = ROOT / "requirements/bench.txt"
VERSIONS = """\
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Run one benchmark at a time: two on the same cores would disturb each other."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("bench: waiting for another benchmark", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def bare_python() -> Path:
    """The interpreter behind this environment, which can import only the layer."""
    return Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")


def layer() -> Path:
    """The layer as it is deployed: pinned, botocore's data trimmed, compiled."""
    return deploy.build(FOLDER).parent / "DailiesLayer/python"


def others(*, install: bool = True) -> Path:
    """The programs in the environment of the compared packages, by the hashes of requirements/bench.txt. Without
    `install`, if that environment does not exist: the programs of .venv, which has some of the packages."""
    environment = FOLDER / "others"
    if changed(environment, [PINS]):
        if not install:
            return Path(sys.executable).parent
        print("bench: installing requirements/bench.txt", file=sys.stderr)
        shutil.rmtree(environment, ignore_errors=True)
        run(sys.executable, "-m", "venv", "--without-pip", str(environment))
        python, pins = str(environment / "bin/python"), ("--require-hashes", "--requirement", str(PINS))
        # uv leaves modules uncompiled; measured programs have been started before
        run(
            str(ROOT / ".local/uv/bin/uv"), "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *pins
        )
        remember(environment, [PINS])
    return environment / "bin"


def installed(programs: Path, packages: Iterable[str]) -> dict[str, str]:
    """The installed versions of these packages in these programs' environment."""
    command = [str(programs / "python"), "-c", VERSIONS, *packages]
    found: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def run(*command: str) -> None:
    """Run a command. Raises SystemExit with the end of its output if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: {command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")


def changed(made: Path, sources: Iterable[Path]) -> bool:
    """Whether something was never made, or from other sources."""
    stamp = _stamp(made)
    return not (made.exists() and stamp.exists()) or stamp.read_text() != _digest(sources)


def remember(made: Path, sources: Iterable[Path]) -> None:
    """Record that it is made from these sources."""
    _stamp(made).write_text(_digest(sources))


def _stamp(made: Path) -> Path:
    return made.with_name(f"{made.name}.stamp")


def _digest(sources: Iterable[Path]) -> str:
    return sha256(b"".join(str(path).encode() + path.read_bytes() for path in sorted(sources))).hexdigest()

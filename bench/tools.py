"""What the benchmarks need beside the repository, each made once under .local/bench."""

import contextlib
import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from local.stack import ROOT

FOLDER = ROOT / ".local/bench"
PINS = ROOT / "requirements/bench.txt"
LAYER = ROOT / "layers/dailies"


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


def bare_python() -> Path:
    """The interpreter that this environment was made from: what is not in the layer cannot be imported."""
    return Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")


def layer() -> Path:
    """The layer as it is deployed, built by its own Makefile: pinned, botocore's data trimmed, compiled."""
    built = FOLDER / "layer"
    sources = [path for path in LAYER.rglob("*") if path.suffix in {".py", ".txt"} or path.name == "Makefile"]
    if changed(built, sources):
        print("bench: building the layer", file=sys.stderr)
        shutil.rmtree(built, ignore_errors=True)
        run(
            "make",
            "--silent",
            f"--directory={LAYER}",
            "build-DailiesLayer",
            f"ARTIFACTS_DIR={built}",
            f"PYTHON={sys.executable}",
        )
        remember(built, sources)
    return built / "python"


def others() -> Path:
    """The programs of the environment of what is compared with, by the hashes of requirements/bench.txt."""
    environment = FOLDER / "others"
    if changed(environment, [PINS]):
        print("bench: installing requirements/bench.txt", file=sys.stderr)
        shutil.rmtree(environment, ignore_errors=True)
        run(sys.executable, "-m", "venv", "--without-pip", str(environment))
        python, pins = str(environment / "bin/python"), ("--require-hashes", "--requirement", str(PINS))
        # uv leaves modules uncompiled; what is measured has been started before
        run(
            str(ROOT / ".local/uv/bin/uv"), "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *pins
        )
        remember(environment, [PINS])
    return environment / "bin"


def run(*command: str) -> None:
    """Run a command; SystemExit with the end of what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: {command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")


def changed(made: Path, sources: Iterable[Path]) -> bool:
    """Whether something was not made yet, or of other sources."""
    stamp = _stamp(made)
    return not stamp.exists() or stamp.read_text() != _digest(sources)


def remember(made: Path, sources: Iterable[Path]) -> None:
    """It is made of these now."""
    _stamp(made).write_text(_digest(sources))


def _stamp(made: Path) -> Path:
    return made.with_name(f"{made.name}.stamp")


def _digest(sources: Iterable[Path]) -> str:
    return sha256(b"".join(str(path).encode() + path.read_bytes() for path in sorted(sources))).hexdigest()

"""One measured run of one competitor."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from awscrt import checksums

from bench.archive.media import File
from bench.archive.servers import Servers, Watched
from bench.archive.tools import Tools
from bench.archive.ways import Command, Copy, Way
from bench.tools import FOLDER

LAUNCHER = Path(__file__).with_name("launcher.py")
LONGEST = 300  # max seconds of a run; the slowest expected one takes a quarter


@dataclass(frozen=True)
class Run:
    """A run's figures. `seconds` from the first request to the last response, `process_seconds` with the program's
    start and end, CPU seconds of all its processes, peak memory (bytes) of the largest one. `problem`: why the run does
    not count; empty if it does."""

    way: str
    host: str
    size: int
    seconds: float
    process_seconds: float
    cpu_seconds: float
    peak_bytes: int
    requests: dict[str, int]
    calls: dict[str, int]
    core_seconds: float
    problem: str

    @property
    def s3_calls(self) -> int:
        """The number of S3 calls, of any operation."""
        return sum(self.calls.values())


@dataclass(frozen=True)
class Bench:
    """The fixed set-up of all runs. `core` is the competitors' core."""

    servers: Servers
    tools: Tools
    core: int

    def run(self, way: Way, host: str, file: File, bound: str = "-") -> Run:
        """Copy the file once, within the given memory limit for `launcher.py`."""
        copy = Copy(f"/{host}/{file.name}", file.size, f"{host}/{file.name}", self.servers, self.tools)
        command = way.command(copy)
        self.servers.forget()
        code, process_seconds, cpu_seconds, peak_bytes, said = self._launch(command, bound)
        watched = self.servers.watched()
        problem = (
            (f"killed by signal {-code}" if code < 0 else f"failed: {said}") if code else _difference(watched, file)
        )
        return Run(
            way=way.name,
            host=host,
            size=file.size,
            seconds=watched.seconds,
            process_seconds=process_seconds,
            cpu_seconds=cpu_seconds,
            peak_bytes=peak_bytes,
            requests=watched.requests,
            calls=watched.calls,
            core_seconds=watched.core_seconds,
            problem=problem,
        )

    def _launch(self, command: Command, bound: str) -> tuple[int, float, float, int, str]:
        """Exit code, seconds, CPU seconds, peak bytes and last output."""
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            report, log = Path(folder, "report"), Path(folder, "log")
            small = [str(self.tools.python), "-S", "-E", str(LAUNCHER), str(report), str(self.core), bound]
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": folder,
                **self.servers.environment,
                **command.environment,
            }
            with log.open("w") as said:
                process = subprocess.Popen(
                    [*small, *command.arguments],
                    stdin=subprocess.PIPE,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    text=True,
                    start_new_session=True,
                )
                try:
                    process.communicate(command.stdin, timeout=LONGEST)
                except BaseException:
                    os.killpg(process.pid, 9)  # the program and its children
                    process.wait()
                    raise
            lines = log.read_text().strip().splitlines()
            code, seconds, cpu, peak = report.read_text().split()
            return int(code), float(seconds), float(cpu), int(peak), lines[-1] if lines else "nothing said"


def _difference(watched: Watched, file: File) -> str:
    """The difference between the stored and the served bytes; empty if there is none."""
    size = crc = 0
    for one in sorted(watched.objects, key=lambda one: str(one["key"])):  # the relay's ranges are separate objects
        size += one["size"]
        crc = checksums.combine_crc64nvme(crc, one["crc64nvme"], one["size"])
    if (size, crc) != (file.size, file.crc64nvme):
        return f"what is stored ({size} bytes) is not what was served ({file.size})"
    return "an upload is left open" if watched.open_uploads else ""

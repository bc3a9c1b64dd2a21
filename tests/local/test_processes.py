"""Processes that a local stack leaves running are ended by their recorded pids, and no others."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil

from local import processes

WAITS = [sys.executable, "-c", "import time; time.sleep(60)"]
# Starts another, and ignores a request to end.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("started", flush=True)
time.sleep(60)
"""


def lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_a_started_process_is_known_by_its_folder_and_ended_once(tmp_path: Path) -> None:
    process = processes.start("waits", WAITS, {}, tmp_path)
    assert processes.running("waits", tmp_path) == process
    assert processes.end("waits", tmp_path) is True
    assert not lives(process)
    assert processes.running("waits", tmp_path) is None
    assert processes.end("waits", tmp_path) is False


def test_it_gets_the_environment_given_and_a_session_of_its_own(tmp_path: Path) -> None:
    process = processes.start("waits", WAITS, {"GIVEN": "1"}, tmp_path)
    try:
        assert process.environ().keys() == {"GIVEN", processes.MARK}
        assert os.getsid(process.pid) == process.pid
    finally:
        processes.end("waits", tmp_path)


def test_a_pid_that_belongs_to_somebody_else_by_now_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    theirs = processes.start("waits", WAITS, {}, tmp_path / "theirs")
    try:
        (tmp_path / "ours/waits.pid").write_text(str(theirs.pid))
        assert processes.end("waits", tmp_path / "ours") is False
        assert lives(theirs)
    finally:
        processes.end("waits", tmp_path / "theirs")


def test_one_that_died_by_itself_is_no_trouble(tmp_path: Path) -> None:
    process = processes.start("waits", WAITS, {}, tmp_path)
    process.send_signal(signal.SIGKILL)
    while lives(process):
        time.sleep(0.01)
    assert processes.running("waits", tmp_path) is None
    assert processes.end("waits", tmp_path) is False


def test_one_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    process = processes.start("stubborn", [sys.executable, "-c", STUBBORN], {}, tmp_path)
    while "started" not in (tmp_path / "stubborn.log").read_text():
        time.sleep(0.01)
    family = [process, *process.children()]
    assert len(family) == 2
    processes.end("stubborn", tmp_path)
    assert not any(map(lives, family))

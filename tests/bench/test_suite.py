"""The benchmark of the test command: it counts the CPU of all processes, names failures and leaves nothing running."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.suite.checkout import REAPER, Checkout, Measured, Outcome, clone
from bench.suite.loads import LOADS
from bench.suite.report import Build, Repeated, comparison, listed
from local.stack import ROOT
from testkit.support.wait import wait_for

DETACHED = """
import subprocess, sys
process = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, start_new_session=True)
process.stdout.readline()
print(process.pid, flush=True)
sys.exit(3)
"""
"""Ends with 3 when what it has detached has said something, and waits for nobody's end."""
BURN = "import time\nwhile time.process_time() < 0.5: pass\nprint()"
SLEEP = "import time; print(flush=True); time.sleep(1000)"


def measured(folder: Path, *command: str) -> tuple[Measured, str]:
    """The measurement of a command, and its output."""
    report = folder / "report.json"
    done = subprocess.run([sys.executable, str(REAPER), str(report), *command], capture_output=True, check=True)
    return Measured(**json.loads(report.read_text())), done.stdout.decode()


class TestMeasuring:
    def test_the_cpu_of_a_detached_process_counts_without_a_wait_for_it(self, tmp_path: Path) -> None:
        found, _ = measured(tmp_path, sys.executable, "-c", DETACHED, BURN)
        assert found.code == 3
        assert found.cpu_seconds > 0.5
        assert found.left == []

    def test_what_is_left_running_is_named_and_ended(self, tmp_path: Path) -> None:
        found, pid = measured(tmp_path, sys.executable, "-c", DETACHED, SLEEP)
        assert found.code == 3
        assert [SLEEP in left for left in found.left] == [True]
        assert not psutil.pid_exists(int(pid))


MAKEFILE = f"""\
setup:
\t@echo $$DAILIES_LOCAL >set-up
test:
\t@{sys.executable} -m pytest -p no:cacheprovider
"""
TESTS = """\
import os
def test_good(): pass
def test_bad(): assert os.environ.get("DAILIES_LOCAL")
"""


class TestCheckout:
    @pytest.fixture
    def toy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
        """A clone of a repository with two commits, at the first one."""
        repository, clones = tmp_path / "toy", tmp_path / "clones"
        for made in (repository, clones):
            made.mkdir()
        (repository / "Makefile").write_text(MAKEFILE)
        (repository / "test_toy.py").write_text(TESTS)
        for name in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{name}_NAME", "toy")
            monkeypatch.setenv(f"GIT_{name}_EMAIL", "toy@example.com")
        commit = (("add", "--all"), ("commit", "--quiet", "--message", "One"))
        for arguments in (("init", "--quiet"), *commit):
            subprocess.run(["git", *arguments], cwd=repository, check=True)
        (repository / "test_toy.py").unlink()
        for arguments in commit:
            subprocess.run(["git", *arguments], cwd=repository, check=True)
        monkeypatch.setenv("DAILIES_LOCAL", "of whoever measures")
        return clone("HEAD~1", clones, repository)

    def test_a_revision_is_set_up_and_tested_in_a_clone_of_its_own(self, toy: Checkout, tmp_path: Path) -> None:
        assert toy.set_up(tmp_path / "set-up.log").code == 0
        assert (toy.folder / "set-up").read_text().strip() == ""
        found = toy.test([], (), tmp_path / "test.log")
        assert found.counts == {"failed": 1, "passed": 1}
        (failed,) = found.failed
        assert failed.startswith("test_toy.py::test_bad")
        assert found.problem == "ended with 2"  # make's own exit code

    def test_some_tests_alone_can_be_run_under_a_prefix(self, toy: Checkout, tmp_path: Path) -> None:
        found = toy.test(["test_toy.py::test_good"], ("env", "SOMETHING=1"), tmp_path / "test.log")
        assert (found.counts, found.failed, found.problem) == ({"passed": 1}, [], "")

    def test_a_revision_that_is_not_there_is_refused_in_a_line(self, toy: Checkout, tmp_path: Path) -> None:
        with pytest.raises(SystemExit, match="git rev-parse failed"):
            clone("no-such", tmp_path, toy.folder)


def has_ended(process: psutil.Process) -> bool:
    """Whether the process has ended, even if its parent has not waited for it yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class TestLoads:
    def children(self) -> list[psutil.Process]:
        """The load processes that run beside this test."""
        found = psutil.Process().children(recursive=True)
        return [process for process in found if not has_ended(process) and "bench.suite.loads" in process.cmdline()]

    @pytest.mark.parametrize(("load", "processes"), [("quiet", 0), ("burners", 2), ("busy-disk", 1), ("one-core", 0)])
    def test_it_runs_while_it_should_and_not_longer(self, load: str, processes: int, tmp_path: Path) -> None:
        with LOADS[load](tmp_path, 2) as prefix:
            assert len(self.children()) == processes
            assert bool(prefix) == (load == "one-core")
        assert self.children() == []
        assert list(tmp_path.iterdir()) == []

    def test_it_ends_with_its_parent_however_that_ends(self, tmp_path: Path) -> None:
        code = "import sys\nfrom pathlib import Path\nfrom bench.suite.loads import burners\n"
        code += "with burners(Path(), 1): print(flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as owner:
            assert owner.stdout
            owner.stdout.readline()
            (burner,) = psutil.Process(owner.pid).children()
            owner.kill()
        wait_for("it ends", lambda: has_ended(burner), bool)


def ran(seconds: float, cpu: float, code: int = 0, **counts: int) -> Outcome:
    return Outcome(
        Measured(code, seconds, cpu, []), counts, ["test_a.py::test_b - boom"] if counts.get("failed") else []
    )


def build(name: str, *runs: Outcome) -> Build:
    return Build(Checkout(name, "abc1234", Path()), Measured(0, 10, 20, []), runs)


class TestReport:
    def test_the_later_build_is_given_in_the_base_s_figures(self) -> None:
        base = build("main", ran(100, 40, passed=9), ran(300, 40, passed=9), ran(200, 40, passed=9))
        lines = list(comparison(base, build("abc1234", ran(50, 30, failed=1, passed=3111))))
        assert lines[0] == "| seconds | main (abc1234) | abc1234 | ratio |"
        assert "| tests | 200.0 | 50.0 | 0.25 |" in lines
        assert "| tests, CPU | 40.0 | 30.0 | 0.75 |" in lines
        assert "| both | 210.0 | 60.0 | 0.29 |" in lines
        assert "| result | 9 passed | 1 failed, 3,111 passed | |" in lines

    def test_a_run_of_the_list_says_what_failed_and_what_it_left(self) -> None:
        assert list(listed(1, Repeated("quiet", ran(891, 270, passed=3111)))) == [
            "  1  quiet         14 min 51 s     270 s CPU  passed: 3,111 passed"
        ]
        wrong = Repeated("one-core", ran(60, 9, code=2, failed=1, passed=5))
        assert list(listed(12, wrong)) == [
            " 12  one-core       1 min 00 s       9 s CPU  ended with 2: 1 failed, 5 passed",
            "       test_a.py::test_b - boom",
        ]

    def test_a_run_that_left_something_or_tested_nothing_did_not_pass(self) -> None:
        assert Outcome(Measured(0, 1, 1, ["emulator"]), {"passed": 1}, []).problem == "left 1 processes running"
        assert Outcome(Measured(0, 1, 1, []), {}, []).problem == "ended with 0"

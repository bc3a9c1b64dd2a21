"""The second opinions: a difference is found, and so is a listed difference that no longer exists."""

from pathlib import Path

import pytest

from resilience.compatibility import archive, table
from resilience.compatibility.__main__ import EMULATOR, SECOND
from resilience.compatibility.checks import Check, Tally, try_all
from resilience.compatibility.servers import bring
from resilience.table import table as table_of

KNOWN = {"elsewhere": "it does otherwise"}


def holds(_: None) -> None:
    pass


def fails(_: None) -> None:
    raise AssertionError("two objects")


def hangs_up(_: None) -> None:
    raise ConnectionError("gone")


def tally(check: Check[None], server: str = "here") -> Tally:
    found = Tally()
    try_all([check], server, None, found)
    return found


def test_what_is_as_on_aws_is_counted() -> None:
    assert tally(Check("an object", holds)) == tally(Check("an object", holds, KNOWN)) == Tally(same=1)


def test_a_difference_is_found_and_reported() -> None:
    assert tally(Check("an object", fails)).lost == ["here: an object: AssertionError: two objects"]
    assert tally(Check("an object", fails, KNOWN)).lost == ["here: an object: AssertionError: two objects"]


def test_a_known_difference_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert tally(Check("an object", fails, KNOWN), "elsewhere") == Tally(different=1)
    assert capsys.readouterr().out == "  elsewhere differs: an object: it does otherwise\n"


def test_a_known_difference_that_is_none_any_more_is_found() -> None:
    found = tally(Check("an object", holds, KNOWN), "elsewhere")
    assert (found.tried, found.different, len(found.lost)) == (1, 0, 1)
    assert "no difference any more" in found.lost[0]


def test_a_server_that_is_gone_is_no_known_difference() -> None:
    assert tally(Check("an object", hangs_up, KNOWN), "elsewhere").lost == [
        "elsewhere: an object: ConnectionError: gone"
    ]


def test_each_difference_is_one_of_a_server_that_is_tried() -> None:
    servers = {*SECOND, *EMULATOR}
    assert {name for check in (*archive.CHECKS, *table.CHECKS) for name in check.differs} <= servers


def test_what_cannot_be_installed_says_why(tmp_path: Path) -> None:
    script = tmp_path / "bring.sh"
    script.write_text("#!/bin/sh\necho first >&2\necho 'no such package' >&2\nexit 3\n")
    script.chmod(0o755)
    assert bring(script) == "bring.sh: first no such package"


def test_what_was_left_out_has_its_line() -> None:
    found = {"tried": 0, "passed": 0, "lost": 0, "servers": []}
    assert table_of({"opinions": found}, {"opinions": 0}).endswith(
        "| 0 | left out: the servers could not be installed |"
    )

"""How the command and the console format durations, sizes and times, beyond the library's defaults."""

import pytest

from cli import formats, payloads

NOW = "2026-11-25T14:03:07.213456Z"
EARLIER = "2026-11-25T13:59:47.213456Z"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 seconds"),
        (0.3512, "0.35 seconds"),
        (9.96, "10 seconds"),
        (12.4, "12 seconds"),
        (59.7, "1 minute"),
        (200, "3 minutes and 20 seconds"),
        (3599.7, "1 hour"),
        (3600, "1 hour"),
        (2 * 3600 + 299.6, "2 hours and 5 minutes"),
        (86_399, "1 day"),
        (6 * 86_400 + 4 * 3600 + 59, "6 days and 4 hours"),
        (-200, "−3 minutes and 20 seconds"),
    ],
)
def test_a_span_has_its_two_largest_units(seconds: float, written: str) -> None:
    assert formats.span(seconds) == written


def test_times() -> None:
    assert formats.full_time(NOW) == "25 Nov 2026, 14:03:07 UTC"
    assert formats.clock_time(NOW) == "14:03:07.213"
    assert formats.day(NOW) == "25 November 2026"
    assert formats.short_time(NOW.replace("2026", "2020")) == "2020-11-25 14:03:07"
    assert formats.after(EARLIER, NOW) == "+3 minutes and 20 seconds"
    assert formats.after(NOW, NOW) == ""


def test_a_clock_behind_the_provider_does_not_show_the_future() -> None:
    assert formats.ago(NOW, EARLIER) == formats.ago(NOW, NOW) == "now"


def test_counts_have_their_noun() -> None:
    assert [formats.counted(number, "delivery", "deliveries") for number in (1, 2)] == ["1 delivery", "2 deliveries"]
    assert formats.counted(2000, "job") == "2,000 jobs"


def test_a_payload_is_indented_if_it_is_json() -> None:
    assert payloads.readable(b'{"a":["\xc3\xa9"]}') == '{\n  "a": [\n    "é"\n  ]\n}'
    assert payloads.readable(b"\xff no json") == "\ufffd no json"
    assert payloads.readable(b"[" * 100_000) == "[" * 100_000

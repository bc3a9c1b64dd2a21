"""The receiver benchmark's verdict: a figure over its limit fails. Another revision's figures are only shown."""

import pytest

from bench.receive.cold import Cold
from bench.receive.report import MAX_COLD, MAX_WARM, rows, table
from bench.receive.warm import Warm


def judged(warm: float = 100, cold: float = 100, peer: float = 200) -> dict[str, tuple[float, bool]]:
    """Ratio and verdict by comparison, where all other figures are 100."""
    warmed = [Warm("one", 100, []), Warm("two", warm, []), Warm("bare", 100, [])]
    started = [Cold("one", 100, []), Cold("two", cold, []), Cold("client", 100, [])]
    found = rows(warmed, started, {"ours": 100, "peer": peer, "slow": 300})
    return {f"{row.what} / {row.against}": (row.ratio, row.held) for row in found}


def test_each_receiver_and_each_peer_is_compared() -> None:
    assert judged() == {
        "warm, CPU: one / bare": (1, True),
        "warm, CPU: two / bare": (1, True),
        "cold: one / client": (1, True),
        "cold: two / client": (1, True),
        "proof alone, CPU / peer": (0.5, True),
        "proof alone, CPU / slow": (1 / 3, True),
    }


@pytest.mark.parametrize(
    ("measured", "missed"),
    [
        ({"warm": 100 * MAX_WARM + 1}, "warm, CPU: two / bare"),
        ({"cold": 100 * MAX_COLD + 1}, "cold: two / client"),
        ({"peer": 100}, "proof alone, CPU / peer"),
        ({"peer": 99}, "proof alone, CPU / peer"),
    ],
)
def test_what_is_missed_is_not_held(measured: dict[str, float], missed: str) -> None:
    assert [what for what, (_, held) in judged(**measured).items() if not held] == [missed]


def test_another_revision_is_shown_beside_and_not_judged() -> None:
    """A slow start of the other revision is no failure; one of the working tree is."""
    warmed = [Warm("one", 100, []), Warm("one", 150, [], "285269f"), Warm("bare", 100, [])]
    started = [Cold("one", 100, []), Cold("one", 200, [], "285269f"), Cold("client", 100, [])]
    found = list(rows(warmed, started, {"ours": 1, "peer": 2}))
    assert all(row.held for row in found)
    head, rule, warm, cold, proof = table(found, "285269f").splitlines()
    assert head.endswith("| held | 285269f | its ratio | ours / 285269f |")
    assert warm.endswith("| yes | 150 µs | 1.50 | 0.67 |")
    assert cold.endswith("| yes | 200 ms | 2.00 | 0.50 |")
    assert {line.count("|") for line in (head, rule, warm, cold, proof)} == {11}

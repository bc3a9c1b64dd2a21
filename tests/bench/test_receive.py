"""The receivers' speed is judged: what is slower than is wanted is told, and not held."""

import pytest

from bench.receive.cold import Cold
from bench.receive.report import MAX_COLD, MAX_WARM, rows
from bench.receive.warm import Warm


def judged(warm: float = 100, cold: float = 100, peer: float = 200) -> dict[str, tuple[float, bool]]:
    """Ratio and verdict by what is compared, where all others are 100."""
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

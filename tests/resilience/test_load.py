"""The load test mixes its deliveries as documented, and finds differences between published and stored."""

from random import Random

import pytest

from cli.sample_calls import CASES, SECRET_OF
from resilience.load import WRONG, Delivered, Stored, calls, compare, event_id
from simulators.provider_calls.call import Call
from simulators.provider_calls.captions import captions_creator

SECRETS = {name: f"whsec_{name}" for name in SECRET_OF.values()}
CALLS = [captions_creator("failure", f"o-{number}", "c") for number in range(3)]
ONE, OTHER, FORGED = CALLS
NOBODYS = event_id(captions_creator("failure", "nobody's", "c"))


def told(call: Call, status: int = 200, result: str = "recorded", *, forged: bool = False) -> Delivered:
    return Delivered(call, forged, status, result, (0.1,))


ALL_WELL = [told(ONE), told(ONE, result="duplicate"), told(OTHER), told(FORGED, 401, "unverified", forged=True)]
IDS = {event_id(ONE), event_id(OTHER)}


def test_what_is_acknowledged_and_stored_is_not_wrong() -> None:
    found = compare(ALL_WELL, Stored(IDS, set()))
    assert (found["acknowledged"], found["stored"]) == (2, 2)
    assert not any(found[name] for name in WRONG)


@pytest.mark.parametrize(
    ("wrong", "deliveries", "rows"),
    [
        ("acknowledged_not_stored", ALL_WELL, Stored(IDS - {event_id(ONE)}, set())),
        ("stored_not_sent", ALL_WELL, Stored(IDS | {NOBODYS}, set())),
        ("never_acknowledged", [*ALL_WELL[:2], told(OTHER, 503, "not_stored"), ALL_WELL[3]], Stored(IDS, set())),
        ("quarantined", ALL_WELL, Stored(IDS - {event_id(ONE)}, {event_id(ONE)})),
        ("quarantined", ALL_WELL, Stored(IDS, {NOBODYS})),
        ("forged_stored", ALL_WELL, Stored(IDS | {event_id(FORGED)}, set())),
        ("forged_stored", ALL_WELL, Stored(IDS, {event_id(FORGED)})),
        ("forged_not_refused", [*ALL_WELL[:3], told(FORGED, 503, "not_stored", forged=True)], Stored(IDS, set())),
        ("recorded_twice", [*ALL_WELL, told(ONE)], Stored(IDS, set())),
    ],
)
def test_each_way_to_part_is_found_once_and_by_its_name(wrong: str, deliveries: list[Delivered], rows: Stored) -> None:
    found = compare(deliveries, rows)
    assert {name: found[name] for name in WRONG if found[name]} == {wrong: 1}


@pytest.mark.parametrize("count", [5000, 300])
def test_the_deliveries_are_mixed_as_documented(count: int) -> None:
    made = calls(count, SECRETS, "run", Random(1))
    assert len(made) == count
    honest = [call for call, forged in made if not forged]
    assert count - len(honest) == count * 0.05
    first = list({event_id(call): call for call in honest}.values())
    assert len(honest) - len(first) == count * 0.30
    jobs: dict[str, list[Call]] = {}
    for call in first:
        jobs.setdefault(call.job_id, []).append(call)
    assert 2 * sum(len(told) == 2 and told[0].case == "failed" for told in jobs.values()) == count * 0.10
    assert {len(told) for told in list(jobs.values())[:-1]} == {1, 2}
    assert {call.webhook for call, forged in made if forged} == {call.webhook for call in honest} == set(CASES)

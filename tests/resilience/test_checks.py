"""The fault run's checks accept a good case, and find each way in which a case can lose data."""

import copy
import json
from collections.abc import Callable

import pytest

from resilience.faults.account import MOVED, Found, Stored
from resilience.faults.checks import Freedom, lies, state

CASE = "case00007-"
KEY = f"media/sync/{CASE}job/output-9a8b7c6d.mp4"
PAGE = f"media/sync/{CASE}job/job.json"
MEDIUM = {
    "role": "output",
    "media_id": "9a8b7c6d",
    "state": "archived",
    "key": KEY,
    "version_id": "v1",
    "bytes": 2,
    "checksum": "crc64nvme:AAAAAAAAAAA=",
    "content_type": "video/mp4",
}
ABOUT = {
    "pk": f"job#sync#{CASE}job",
    "provider": "sync",
    "webhook": "generation",
    "job_id": f"{CASE}job",
    "status": "completed",
    "provider_status": "COMPLETED",
}
JOB = {**ABOUT, "sk": "job", "stage": "settled", "version": 2, "media": [MEDIUM]}
EVENT = {**ABOUT, "sk": "event#1", "event_id": "1", "origin": "webhook"}

type Change = Callable[[Found], object]


def is_update(kind: str, id_: str, version: int = 2) -> dict[str, object]:
    told = {"id": id_, "provider": "sync", "job_id": f"{CASE}job", "version": version, "media": [MEDIUM]}
    return {"detail-type": kind, "detail": told}


def page(**changed: object) -> Stored:
    told = {"stage": "settled", "status": "completed", "media": [MEDIUM]} | changed
    return Stored("v1", 3, json.dumps(told).encode())


def as_it_should() -> Found:
    found = Found(rows=[JOB, EVENT], heard=[is_update("Media Archived", "a"), is_update("Job Settled", "b")])
    found.versions |= {KEY: [Stored("v1", 2, b"ab")], PAGE: [page()]}
    return copy.deepcopy(found)


LOSSES: dict[str, Change] = {
    "another version": lambda found: found.versions[KEY].append(Stored("v2", 2, b"ab")),
    "no object": lambda found: found.versions.pop(KEY),
    "a shorter object": lambda found: found.versions.update({KEY: [Stored("v1", 1, b"a")]}),
    "another object": lambda found: found.versions.update({KEY: [Stored("v1", 2, b"ba")]}),
    "no event": lambda found: found.rows.remove(EVENT),
    "recorded twice": lambda found: found.rows.append({**EVENT, "sk": "event#2", "event_id": "2"}),
    "no job": lambda found: found.rows.remove(JOB),
    "waiting": lambda found: found.rows[0].update(stage="waiting"),
    "other bytes": lambda found: found.rows[0]["media"][0].update(checksum="crc64nvme:BBBBBBBBBBB="),
    "not told": lambda found: found.heard.pop(),
    "told under two ids": lambda found: found.heard.append(is_update("Job Settled", "c")),
    "failed for good": lambda found: found.failed["AdvanceFailureQueueUrl"].add("a record"),
}
LIES: dict[str, Change] = {
    "no object": LOSSES["no object"],
    "no page": lambda found: found.versions.pop(PAGE),
    "a stale page": lambda found: found.versions[PAGE].insert(0, page(media=[])),
    "told before it was": lambda found: found.heard.append(is_update("Job Settled", "b", version=3)),
    "told of nobody": lambda found: found.rows.clear(),
    "told while under way": lambda found: found.heard[-1]["detail"]["media"][0].update(state="pending"),
}


def test_a_good_case_is_accepted_even_with_duplicate_events() -> None:
    found = as_it_should()
    assert lies(found) == []
    found.heard.append(found.heard[0])
    assert state(found, CASE) == state(as_it_should(), CASE)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_shows(loss: str) -> None:
    found = as_it_should()
    LOSSES[loss](found)
    assert state(found, CASE) != state(as_it_should(), CASE)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_shows(lie: str) -> None:
    found = as_it_should()
    LIES[lie](found)
    assert lies(found)


def test_an_unpublished_state_may_be_known_in_other_words() -> None:
    found, expected = as_it_should(), as_it_should()
    found.rows[0] |= {"provider_status": "COMPLETE", "credits": 30}
    found.rows.pop()
    without: set[Freedom] = {"words", "events"}
    assert state(found, CASE, without=without) == state(expected, CASE, without=without)
    for still in without:
        assert state(found, CASE, without={still}) != state(expected, CASE, without={still})


def test_a_message_that_sqs_dead_lettered_is_a_loss_unless_polling_repairs_it() -> None:
    found, expected = as_it_should(), as_it_should()
    found.failed[f"ArchiveDeadLetterQueueUrl{MOVED}"].add("a message")
    assert state(found, CASE) != state(expected, CASE)
    assert state(found, CASE, without={"moved"}) == state(expected, CASE, without={"moved"})

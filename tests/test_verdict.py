"""The verdict of the proof says nothing of a case that went as it should, and finds each way in which one can lose."""

import copy
import json
from collections.abc import Callable

import pytest

from proof.faults.account import MOVED, Found, Stored
from proof.faults.verdict import Freedom, lies, standing

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
JOB = {
    "pk": f"job#sync#{CASE}job",
    "sk": "job",
    "provider": "sync",
    "webhook": "generation",
    "job_id": f"{CASE}job",
    "status": "completed",
    "provider_status": "COMPLETED",
    "stage": "settled",
    "version": 2,
    "media": [MEDIUM],
}
EVENT = {
    "pk": f"job#sync#{CASE}job",
    "sk": "event#1",
    "event_id": "1",
    "origin": "webhook",
    "provider": "sync",
    "webhook": "generation",
    "job_id": f"{CASE}job",
    "status": "completed",
    "provider_status": "COMPLETED",
}


def news(kind: str, id_: str, version: int = 2) -> dict[str, object]:
    told = {"id": id_, "provider": "sync", "job_id": f"{CASE}job", "version": version, "media": [MEDIUM]}
    return {"detail-type": kind, "detail": told}


def as_it_should() -> Found:
    found = Found(rows=[JOB, EVENT], heard=[news("Media Archived", "a"), news("Job Settled", "b")])
    found.versions[KEY] = [Stored("v1", 2, b"ab")]
    page = {"stage": "settled", "status": "completed", "media": [MEDIUM]}
    found.versions[PAGE] = [Stored("v1", 3, json.dumps(page).encode())]
    return copy.deepcopy(found)


def another_version(found: Found) -> None:
    found.versions[KEY].append(Stored("v2", 2, b"ab"))


def no_object(found: Found) -> None:
    del found.versions[KEY]


def shorter_object(found: Found) -> None:
    found.versions[KEY] = [Stored("v1", 1, b"a")]


def other_object(found: Found) -> None:
    found.versions[KEY] = [Stored("v1", 2, b"ba")]


def no_event(found: Found) -> None:
    found.rows.remove(EVENT)


def recorded_twice(found: Found) -> None:
    found.rows.append({**EVENT, "sk": "event#2", "event_id": "2"})


def no_job(found: Found) -> None:
    found.rows.remove(JOB)


def waiting(found: Found) -> None:
    found.rows[0]["stage"] = "waiting"


def other_bytes(found: Found) -> None:
    found.rows[0]["media"][0]["checksum"] = "crc64nvme:BBBBBBBBBBB="


def not_told(found: Found) -> None:
    found.heard.pop()


def told_under_two_ids(found: Found) -> None:
    found.heard.append(news("Job Settled", "c"))


def failed_for_good(found: Found) -> None:
    found.failed["AdvanceFailureQueueUrl"].add("a record")


def told_before_it_was(found: Found) -> None:
    found.heard.append(news("Job Settled", "b", version=3))


def told_of_nobody(found: Found) -> None:
    found.rows.clear()


def told_while_under_way(found: Found) -> None:
    found.heard[-1]["detail"]["media"][0]["state"] = "pending"


def no_page(found: Found) -> None:
    del found.versions[PAGE]


def stale_page(found: Found) -> None:
    page = {"stage": "settled", "status": "completed", "media": []}
    found.versions[PAGE].insert(0, Stored("v2", 3, json.dumps(page).encode()))


LOSSES = (
    *(
        another_version,
        no_object,
        shorter_object,
        other_object,
        no_event,
        recorded_twice,
        no_job,
        waiting,
        other_bytes,
        not_told,
    ),
    *(told_under_two_ids, failed_for_good),
)


def test_a_case_that_went_as_it_should_is_one_whatever_its_name() -> None:
    found, wanted = as_it_should(), as_it_should()
    assert standing(found, CASE) == standing(wanted, CASE)
    assert lies(found) == []


def test_to_hear_the_same_twice_is_no_loss() -> None:
    found = as_it_should()
    found.heard.append(found.heard[0])
    assert standing(found, CASE) == standing(as_it_should(), CASE)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_shows(loss: Callable[[Found], None]) -> None:
    found = as_it_should()
    loss(found)
    assert standing(found, CASE) != standing(as_it_should(), CASE)


@pytest.mark.parametrize(
    "lie", [no_object, no_page, stale_page, told_before_it_was, told_of_nobody, told_while_under_way]
)
def test_a_lie_shows(lie: Callable[[Found], None]) -> None:
    found = as_it_should()
    lie(found)
    assert lies(found)


def test_what_nobody_told_may_be_known_in_other_words() -> None:
    found, wanted = as_it_should(), as_it_should()
    found.rows[0] |= {"provider_status": "COMPLETE", "credits": 30}
    found.rows.pop()
    without: set[Freedom] = {"words", "events"}
    assert standing(found, CASE, without=without) == standing(wanted, CASE, without=without)
    for still in without:
        assert standing(found, CASE, without={still}) != standing(wanted, CASE, without={still})


def test_what_sqs_has_moved_by_itself_is_a_loss_but_where_a_sweep_mends_it() -> None:
    found, wanted = as_it_should(), as_it_should()
    found.failed[f"ArchiveDeadLetterQueueUrl{MOVED}"].add("a message")
    assert standing(found, CASE) != standing(wanted, CASE)
    assert standing(found, CASE, without={"moved"}) == standing(wanted, CASE, without={"moved"})

"""Quarantined deliveries are parsed again. A large one that was received on two days has two rows and one body."""

import hashlib
import json
import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from cli import quarantine
from cli.concurrency import threads
from cli.quarantine import Delivery
from cli.stack import Stack
from dailies import timestamps
from dailies.aws.payload_store import compressed
from dailies.jobs import rows
from dailies.jobs.object_keys import delivery_key
from testkit.fixtures.aws import Cloud

NOW = datetime.now(UTC)
LARGE = json.dumps({"event": "creator.failure", "operationId": "o-1", "transcript": secrets.token_hex(400_000)})
STALL = 300  # seconds: if Ctrl-C does not end the search, the test fails after this
EVENT_ID = hashlib.sha256(LARGE.encode()).hexdigest()
BODY_KEY = delivery_key("captions", EVENT_ID, quarantined=True)


def quarantined(stack: Stack, cloud: Cloud, *days_ago: int) -> list[Delivery]:
    """The large delivery was received on these days; its row keys, newest first."""
    cloud.s3.put_object(Bucket=stack.bucket_name, Key=BODY_KEY, Body=compressed(LARGE.encode()))
    for ago in days_ago:
        item = rows.quarantine_item(
            EVENT_ID, "creator", provider="captions", received_at=timestamps.from_datetime(NOW - timedelta(days=ago)),
            reason="operationId: missing", proof="bearer (current)", payload_key=BODY_KEY,
        )  # fmt: skip
        stack.table.put_once(item, written_by="test")
    return quarantine.deliveries(stack, NOW - timedelta(days=2), provider="captions")


def test_both_rows_of_a_large_call_are_read_again(fast_stack: Stack, cloud: Cloud) -> None:
    deliveries = quarantined(fast_stack, cloud, 0, 1)
    assert len(deliveries) == 2
    done = [quarantine.reparse(fast_stack, delivery) for delivery in deliveries]
    assert [(one.job_id, one.reason) for one in done] == [("o-1", ""), ("o-1", "")]
    (row,) = cloud.rows()
    assert row["event_id"] == EVENT_ID
    assert list(cloud.objects()) == [row["payload_key"]]


def test_a_row_that_is_left_of_a_large_call_shows_what_came(fast_stack: Stack, cloud: Cloud) -> None:
    newest, oldest = quarantined(fast_stack, cloud, 0, 1)
    quarantine.reparse(fast_stack, newest)
    assert quarantine.payload(fast_stack, oldest) == LARGE.encode()


def test_a_call_whose_body_somebody_removed_stays_with_the_reason(fast_stack: Stack, cloud: Cloud) -> None:
    (call,) = quarantined(fast_stack, cloud, 0)
    cloud.s3.delete_object(Bucket=fast_stack.bucket_name, Key=BODY_KEY)
    done = quarantine.reparse(fast_stack, call)
    assert (done.job_id, "is no longer in the bucket" in done.reason) == ("", True)
    assert quarantine.deliveries(fast_stack, NOW - timedelta(days=1)) == [call]


def test_no_day_before_the_first_stack_is_queried(fast_stack: Stack) -> None:
    asked = []
    fast_stack.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.Query",
        lambda params, **_: asked.append(params["ExpressionAttributeValues"][":pk"]["S"]),
    )
    assert quarantine.deliveries(fast_stack, datetime(2000, 1, 1, tzinfo=UTC), provider="sync") == []
    assert (min(asked), max(asked)) == ("quarantine#sync#2026-11-01", f"quarantine#sync#{datetime.now(UTC).date()}")


@pytest.fixture
def ctrl_c_counts() -> Iterator[None]:
    """As in a terminal, even if these tests run in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_counts")
def test_ctrl_c_ends_the_search_and_skips_the_remaining_queries(fast_stack: Stack) -> None:
    asked, numbers, over = [], count(1), threading.Event()

    def read(params: Any, **_: object) -> None:
        asked.append(params)
        if next(numbers) == quarantine.READERS:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        over.wait(STALL)  # none of them continues before main has received it, however late main is scheduled

    fast_stack.dynamodb.meta.events.register("provide-client-params.dynamodb.Query", read)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        quarantine.deliveries(fast_stack, NOW - timedelta(days=20))
    over.set()
    for reader in set(threading.enumerate()) - before:
        reader.join()
    assert len(asked) == quarantine.READERS


def test_what_is_queued_when_ctrl_c_comes_is_not_begun() -> None:
    begun, over = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        over.wait()

    futures = []
    with suppress(KeyboardInterrupt), threads(1) as executor:
        futures += [executor.submit(wait), executor.submit(wait)]
        begun.wait()
        raise KeyboardInterrupt
    over.set()
    assert [future.cancelled() for future in futures] == [False, True]

"""What Captions sends, parsed.

The success has the fields of https://help.captions.ai/docs/api/webhooks and a link as its operations have them. What a
failure contains besides its event and operation is not published. Checked 2026-11-21.
"""

import json
from decimal import Decimal
from typing import Any

import pytest

from dailies.jobs.models import JobError, MediaLink, Report
from dailies.providers.captions import parse_creator

URL = (
    "https://storage.googleapis.com/captions-avatar-orc/orc/studio/dWBgT5iv1D4KS6KwpbCr/"
    "6f0b0d04-7010-4a57-8cac-d6fa47a62525/hd_result.mp4?X-Goog-Algorithm=GOOG4-RSA-SHA256"
    "&X-Goog-Date=20241130T170902Z&X-Goog-Expires=543058&X-Goog-SignedHeaders=host&X-Goog-Signature=00"
)
SUCCESS = {"url": URL, "event": "creator.success", "operationId": "tg7FaiVgmGqTQfuDhyGA", "creditsSpent": 30}
FAILURE = {"event": "creator.failure", "operationId": "tg7FaiVgmGqTQfuDhyGA"}


def parsed(body: dict[str, Any], **fields: Any) -> Report:
    return parse_creator(json.dumps(body | fields).encode())


def test_a_success_has_its_video_and_its_price() -> None:
    assert parsed(SUCCESS) == Report(
        job_id="tg7FaiVgmGqTQfuDhyGA",
        status="completed",
        provider_status="creator.success",
        media=(MediaLink("output", URL),),
        credits=Decimal(30),
    )


def test_a_failure_needs_only_event_and_operation() -> None:
    assert parsed(FAILURE) == Report(
        job_id="tg7FaiVgmGqTQfuDhyGA",
        status="failed",
        provider_status="creator.failure",
        error=JobError("", "", retryable=False),
    )


@pytest.mark.parametrize("name", ["error", "detail", "message", "reason"])
def test_why_it_failed_is_found_under_the_likely_names(name: str) -> None:
    assert parsed(FAILURE, **{name: "no face found"}).error == JobError("", "no face found", retryable=False)
    structured = {"code": "moderation", "message": "Script violates policy"}
    error = JobError("moderation", "Script violates policy", retryable=False)
    assert parsed(FAILURE, **{name: structured}).error == error


def test_an_event_that_is_new_is_kept_in_its_word() -> None:
    report = parsed(FAILURE, event="creator.progress")
    assert (report.status, report.provider_status, report.error) == ("unknown", "creator.progress", None)


@pytest.mark.parametrize(
    ("spent", "read"),
    [
        (30, Decimal(30)),
        (0, Decimal(0)),
        (12.5, Decimal("12.5")),
        ("30", Decimal(30)),
        (None, None),
        ("", None),
        ("many", None),
        (-1, None),
        (10**12, None),
        (float("nan"), None),
        (float("inf"), None),
        ([30], None),
    ],
)
def test_credits_are_a_number_that_a_bill_may_have(spent: object, read: Decimal | None) -> None:
    assert parsed(SUCCESS, creditsSpent=spent).credits == read

"""Any bytes that a provider signs give a report that a row can hold, or a PayloadError and no other exception, so that
every authentic delivery is recorded or quarantined.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, TypeAdapter

from dailies.aws.payload_store import MAX_INLINE
from dailies.errors import PayloadError
from dailies.jobs import rows
from dailies.jobs.models import Event, Report
from dailies.providers.contract import Webhook
from dailies.providers.payload import MAX_URL, Payload, Url
from testkit.support.recorded_events import RECORDED_AT, WEBHOOKS, delivery, outcomes

MAX_ITEM = 400 * 1024  # DynamoDB's limit, in bytes


def spellings(model: type[Payload]) -> Iterator[str]:
    """Every name that a payload model reads, in each of its spellings."""
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        yield from map(str, alias.choices) if isinstance(alias, AliasChoices) else [str(alias or name)]


def models(model: type[Payload] = Payload) -> Iterator[type[Payload]]:
    """Every payload model."""
    for inherits in model.__subclasses__():
        yield inherits
        yield from models(inherits)


NAMES = sorted({name for model in models() for name in spellings(model)})

ODD_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ODD_TEXT
    | st.sampled_from(["COMPLETED", "image_generated", "creator.success", "job-1", "https://h.example/a?b=c", "1e-99"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | ODD_TEXT, inner, max_size=4),
    max_leaves=12,
)
SOME_TEXT = st.text("abc", min_size=1, max_size=9)
DECIDING = ("id", "status", "event", "operationId", "generationId")
NEARLY_PAYLOADS = st.builds(
    dict.__or__,
    st.dictionaries(st.sampled_from(NAMES), SOME_TEXT | JSON, max_size=9),
    st.fixed_dictionaries(dict.fromkeys(DECIDING, SOME_TEXT | JSON)),
)
BODIES = st.binary() | (JSON | NEARLY_PAYLOADS).map(json.dumps).map(str.encode)

every_webhook = pytest.mark.parametrize("webhook", WEBHOOKS.values(), ids=WEBHOOKS)


def event_item(webhook: Webhook, report: Report, payload: bytes = b"") -> dict[str, Any]:
    """The row that records it, as DynamoDB gets it; TypeError if boto3 cannot write it."""
    event = Event.of(
        report,
        event_id="0" * 64,
        provider=webhook.provider,
        webhook=webhook.name,
        origin="webhook",
        received_at=RECORDED_AT,
        proof="x-signature-primary base64 (previous)",
    )
    item = rows.event_item(event, expires_at=2_000_000_000, payload=payload) | {"written_by": "0" * 36}
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


def size(typed: Any) -> int:
    """Bytes of an item as DynamoDB counts them: names and values, and a little for each list or map."""
    match typed:
        case {"S": str(text)}:
            return len(text.encode())
        case {"N": str(number)}:
            return len(number)
        case {"B": value}:
            return len(bytes(value))
        case {"L": list(items)}:
            return 3 + sum(1 + size(item) for item in items)
        case {"M": dict(fields)}:
            return 3 + sum(1 + len(name.encode()) + size(value) for name, value in fields.items())
        case _:
            return 1


@every_webhook
@given(body=BODIES)
def test_a_body_is_a_report_that_a_row_can_hold_or_a_payload_error(webhook: Webhook, body: bytes) -> None:
    try:
        report = webhook.parse(body)
    except PayloadError:
        return
    item = event_item(webhook, report)
    assert size({"M": item}) < MAX_ITEM - MAX_INLINE
    assert 0 < len(report.job_id) <= 256
    assert report.credits is None or isinstance(report.credits, Decimal)


NO_PAYLOADS: dict[str, bytes] = {
    "nothing": b"",
    "an open brace": b"{",
    "a list": b"[]",
    "null": b"null",
    "a string": b'"COMPLETED"',
    "an empty object": b"{}",
    "invalid UTF-8": b'{"id":"\xff\xfe","status":"COMPLETED"}',
    "UTF-16 without a mark": '{"id":"a","status":"COMPLETED"}'.encode("utf-16-le"),
    "100 levels": b"[" * 100 + b"]" * 100,
    "50,000 levels": b"[" * 50_000 + b"]" * 50_000,
    "a number of 10,000 digits": b"9" * 10_000,
    "a lone surrogate": b'{"id":"\\ud800","status":"COMPLETED","event":"creator.success","operationId":"\\ud800"}',
    "a NUL in the id": b'{"id":"a\\u0000b","status":"COMPLETED","event":"creator.success","operationId":"a\\u0000"}',
    "a form": b"id=a&status=COMPLETED",
    "a page": b"<!doctype html><title>Not found</title>",
}


@every_webhook
@pytest.mark.parametrize("body", NO_PAYLOADS.values(), ids=NO_PAYLOADS)
def test_what_is_no_payload_is_a_payload_error(webhook: Webhook, body: bytes) -> None:
    with pytest.raises(PayloadError):
        webhook.parse(body)


@every_webhook
def test_a_payload_that_no_parser_takes_is_a_payload_error(webhook: Webhook) -> None:
    """In an unused field, too: no parser accepts it."""
    body = delivery(outcomes(webhook)[0]).body
    with pytest.raises(PayloadError):
        webhook.parse(body.removesuffix(b"}") + b',"new":' + b"[" * 50_000 + b"]" * 50_000 + b"}")


@every_webhook
def test_unknown_fields_change_nothing(webhook: Webhook) -> None:
    for name in outcomes(webhook):
        body = json.loads(delivery(name).body)
        more = json.dumps({"new": {"deep": [1, None, "é"]}, **body, "last": None}).encode()
        assert webhook.parse(more) == webhook.parse(delivery(name).body)


@every_webhook
def test_the_largest_report_fits_into_a_row_beside_the_largest_payload(webhook: Webhook) -> None:
    """Every field at its maximum length, in letters of four bytes. Too large a row would be rejected by DynamoDB,
    answered 503 and retried without end.
    """
    body = json.loads(delivery(outcomes(webhook)[0]).body)
    most: dict[str, str] = {}
    for name in NAMES:
        for letters in (MAX_URL, 32 + (MAX_URL - 32) // 4, 256):
            with suppress(PayloadError):
                webhook.parse(json.dumps(body | {name: longest(name, letters)}, ensure_ascii=False).encode())
                most[name] = longest(name, letters)
                break
    report = webhook.parse(json.dumps(body | most, ensure_ascii=False).encode())
    assert report.media
    assert all(len(medium.url.encode()) == MAX_URL for medium in report.media)
    assert size({"M": event_item(webhook, report, payload=bytes(MAX_INLINE))}) <= MAX_ITEM


def longest(name: str, letters: int) -> str:
    """This number of letters, all but 32 of them of four bytes, different for each name, so that all links differ."""
    return name.ljust(32, ".") + "😀" * (letters - 32)


@pytest.mark.parametrize("blank", [" ", "\t", "\r\n", "\u00a0", "\ufeff", "\u200b "])
def test_blanks_around_a_url_are_no_part_of_it(blank: str) -> None:
    url = TypeAdapter[str | None](Url).validate_python(f"{blank}https://h.example/a b.mp4{blank}")
    assert url == "https://h.example/a b.mp4"

"""The fuzzers' first inputs: real calls, and invented attacks."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from dailies.providers.contract import Webhook
from resilience.fuzz.receiver import proof
from simulators.media_host.samples import media
from testkit.support.hostile_urls import NOT_PUBLIC, PUBLIC, REFUSED
from testkit.support.recorded_events import WEBHOOKS, event, outcomes

FUZZED = Path(__file__).with_name("found")
"""What was found: a folder for each target."""

HEADS = (
    b"Sync-Signature: $TIMED",
    b"X-Signature-Primary: $TIMED",
    b"X-Signature-Primary: $PLAIN",
    b"X-Signature-Primary: sha256=$PLAIN",
    b"X-Signature-Primary: $BASE64",
    b"Sync-Signature: $MILLIS",
    b"Sync-Signature: $TIMED,v1=00",
    b"Sync-Signature: $TIMED,t=1",
    b"Sync-Signature: t=1,v1=$V1",
    b"Sync-Signature: t=1,v1=$PLAIN",
    b"Sync-Signature: t=1,v1=00\nX-Signature-Primary: $PLAIN",
    b"Sync-Signature: $TIMED\nX-Signature-Primary: $PLAIN",
    b"Sync-Signature: t=9999999999999,v1=zz",
)
MOMENTS = (b"0", b"300", b"301", b"-300", b"-301")  # seconds of receipt: around the tolerance, in both directions
ANSWERS = (
    {"id": "j-1", "status": "COMPLETED", "outputUrl": "https://h.example/o", "outputMediaUrl": "", "errorCode": "c"},
    [{"id": "g-1", "status": "FAILED", "error": "why"}, {"id": "g-2", "status": "PROCESSING"}],
    {"results": [{"id": "p-1", "status": "failed", "failed_reason": "why", "updated_at": "2026-01-15T03:30:00-07:00"}]},
    {"state": "COMPLETE", "url": "https://h.example/o", "progress": 100},
    {"detail": "no such operation"},
    {"requestId": "1", "status": "COMPLETED", "generationId": "g-1", "outputMediaUrl": "https://h.example/o"},
    {"requestId": "1", "response": {"id": "g-1", "status": "COMPLETED", "outputUrl": "https://h.example/o"}},
)
UNPROVEN = (
    b"{}",
    b"[]",
    b'{"version":2,"headers":null,"pathParameters":null,"body":null,"isBase64Encoded":null}',
    b'{"headers":{"sync-signature":"$PLAIN","authorization":"$SECRET"},"pathParameters":{"token":""}}',
    b'{"headers":{"X-Signature-Primary":"","AUTHORIZATION":"Basic \\ud800"},"pathParameters":{"token":"\\u0000"}}',
)
UNREADABLE: tuple[dict[str, str | bool], ...] = (
    {"body": "!!", "isBase64Encoded": True},
    {"body": "\ud800", "isBase64Encoded": False},
)
BODIES = (
    b'{"id":"g-1","status":"COMPLETED","outputDuration":1e999999,"outputUrl":"https://h.example/o?a=1"}',
    b'{"event":"creator.success","operationId":"o-1","url":"https://h.example/o?a=1","creditsSpent":1e200}',
    b'{"id":"p-1","status":"video_generated","updated_at":"9999-12-31T23:59:59-23:59","webhook_url":"/$SECRET"}',
    b'{"id":"' + b"x" * 2048 + b'","status":"COMPLETED"}',
    b'{"id":"\\ud800","status":"\xc3\xa9","event":"creator.failure","operationId":"\\udfff"}',
    b"[" * 1024,
    b"\xff\xfe",
    b"",
)
TABLES = (b"", b"there", b"throttled", b"away")


def seeds(target: str) -> Iterator[bytes]:
    """A target's inputs: real ones, then those found before."""
    kind, _, which = target.partition("-")
    match kind:
        case "verify" if which == "sync":
            yield from (b"\n\n".join(parts) for parts in product(MOMENTS, HEADS, (b"$BODY", b"{}")))
        case "verify":
            yield from (
                b"$SECRET\n\n{}",
                b"Authorization: Bearer $SECRET\n\n{}",
                b'x\n\n{"u":"/$SECRET","v":"\\u0077"}',
            )
        case "parse":
            name = next(name for name in WEBHOOKS if name.replace("/", "-") == which)
            yield from (event(outcome)["body"].encode() for outcome in outcomes(WEBHOOKS[name]))
        case "receive":
            webhook = next(webhook for name, webhook in WEBHOOKS.items() if name.replace("/", "-") == which)
            bodies = [event(outcome)["body"].encode() for outcome in outcomes(webhook)]
            events = (*UNPROVEN, *(_proven(webhook, **body) for body in UNREADABLE))
            yield from (b"\n\n".join(parts) for parts in product(TABLES, (_proven(webhook),), (*bodies, *BODIES)))
            yield from (b"\n\n".join(parts) for parts in product(TABLES[:1], events, (bodies[0], b"")))
        case "answers":
            yield from (json.dumps(answer).encode() for answer in ANSWERS)
            yield b"https://h.example/o.mp4?X-Amz-Signature=1"
        case "api":
            yield from (b"a: b\n\n{}", b"base64\n\ne30=", b"base64\n\n!!", b"\0\n\n", b"Content-Type: x\n\n\xff")
        case "mp4" | "media":
            small = [medium.content for medium in media().values() if len(medium.content) < 32 * 1024]
            yield from (b"\0\x40" + content[:4096] for content in small)
            yield from (b"\0\x40" + content for content in _made_up())
        case "url":
            yield from (f"8.8.8.8\n\n{link}\n/next".encode("utf-8", "surrogateescape") for link in REFUSED)
            yield from (f"{address}\n\nhttps://h.example/o.mp4?a=b\n//i.example/".encode() for address in PUBLIC)
            yield from (f"{address}\n\nhttps://creatify.ai/o".encode() for address in NOT_PUBLIC)
    yield from found(target)


def found(target: str) -> Iterator[bytes]:
    """A target's inputs found by fuzzing."""
    yield from (path.read_bytes() for path in sorted((FUZZED / target).glob("*")))


def _proven(webhook: Webhook, **body: str | bool) -> bytes:
    """An event with a correct signature wherever the webhook has one."""
    written: dict[str, dict[str, str]] = {"headers": {}, "pathParameters": {}}
    for place, name in proof(webhook, b""):
        written[place][name] = "$PROOF"
    return json.dumps({**written, **body}).encode()


def _made_up() -> Iterator[bytes]:
    """Small media of each format."""
    box = b"\0\0\0\x10ftypisom\0\0\0\0"
    yield box + b"\0\0\0\x10moov\0\0\0\x08mvhd\0\0\0\x0cmdat\1\2\3\4"
    yield box + b"\0\0\0\1mdat\0\0\0\0\0\0\0\x14\1\2\3\4\0\0\0\x08moov"
    yield b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + b"IEND\xaeB`\x82"
    yield b"\xff\xd8\xff\xe0" + b"\0" * 8 + b"\xff\xd9"
    yield b"GIF89a" + b"\0" * 8 + b";"
    yield b"RIFF\x0c\0\0\0WEBP" + b"\0" * 8
    yield b'{"a":1}\n{"b":2}\n'
    yield b"\x1a\x45\xdf\xa3webm"

"""The fuzz targets: each takes bytes, and fails by an undocumented exception or a violated property."""

import base64
import hmac
import ipaddress
import json
import re
from contextlib import suppress
from hashlib import sha256

from dailies import timestamps
from dailies.aws import http_api
from dailies.aws.attribute_values import typed
from dailies.errors import DeliveryTooLarge, HostFailed, MediumRefused, PayloadError, VerificationError
from dailies.jobs import link_expiry, links
from dailies.jobs.merge import merge
from dailies.jobs.models import Delivery, Event, Report, delivery_digest
from dailies.jobs.rows import event_item, event_of, job_item, job_of
from dailies.outbound import address_guard
from dailies.outbound.address_guard import FetchPolicy
from dailies.providers.contract import ProofRules, Webhook
from dailies.providers.signatures import redacted
from dailies.transfer.formats import MAGIC, IntegrityCheck, sniff
from dailies.transfer.mp4 import BoxWalk
from resilience.fuzz.dynamodb import over_the_wire
from resilience.fuzz.inputs import NOW, PROVIDERS, SECRETS, WEBHOOKS, Target, headers_in, parted
from resilience.fuzz.receiver import receive

SIGNED = b'{"id":"g-1","status":"COMPLETED","outputUrl":"https://h.example/o.mp4?X-Amz-Signature=1"}'
"""The one body that the secrets' owner has signed."""
SIGNED_AT = int(timestamps.seconds(NOW))
TIMES = (str(SIGNED_AT), str(SIGNED_AT * 1000))
"""When: Sync does not say in which unit."""
MAX_SECONDS = 10**9  # thirty years: the clock's range
HOSTS = frozenset({"creatify.ai"})


# ---- Signatures: without the secret no call verifies -----------------------------------------------------------------


def verify_sync(data: bytes) -> None:
    """Only the signed body verifies. With a timestamp: only with the signed one, received within its tolerance.
    Without: only if no valid signature with a timestamp is present; an expired one is a replay.

    The input begins with the time of receipt, in seconds after the signature.
    """
    moment, rest = parted(data)
    head, body = parted(rest)
    body = body.replace(b"$BODY", SIGNED)
    for name, known in _known().items():
        head = head.replace(name.encode(), known.encode())
    headers, after = headers_in(head), _seconds(moment)
    delivery = Delivery(headers=headers, body=body, received_at=timestamps.at(SIGNED_AT + after))
    try:
        proof = WEBHOOKS["sync/generation"].verify(delivery, SECRETS, ProofRules())
    except VerificationError:
        return
    assert body == SIGNED, "a body that nobody signed"
    if proof.scheme.endswith(" t,v1"):
        header = headers[proof.scheme.removesuffix(" t,v1")]
        (time,) = (value.strip() for value in re.findall(r"(?:^|,)\s*t=([^,]*)", header))
        assert time in TIMES, "a time that nobody signed"
        assert _digest(f"{time}.").hex() in header.lower(), "no signature of ours at that time"
        assert abs(after) <= ProofRules().tolerance, "a replay"
    else:
        header = headers["x-signature-primary"]
        shown = header.removeprefix("sha256=").lower() == _digest("").hex() or base64.b64decode(header) == _digest("")
        assert shown, "no signature of ours"
        assert headers.get("sync-signature", "") not in map(_timed, TIMES), "a replay, beside a signature without time"


def _known() -> dict[str, str]:
    """Values that an attacker may have seen, by their name in an input."""
    return {
        "$TIMED": _timed(TIMES[0]),
        "$MILLIS": _timed(TIMES[1]),
        "$V1": _digest(f"{TIMES[0]}.").hex(),
        "$PLAIN": _digest("").hex(),
        "$BASE64": base64.b64encode(_digest("")).decode(),
    }


def _seconds(data: bytes) -> int:
    try:
        return max(-MAX_SECONDS, min(int(data), MAX_SECONDS))
    except ValueError:
        return 0


def _digest(before: str) -> bytes:
    return hmac.digest(SECRETS["current"].encode(), before.encode() + SIGNED, sha256)


def _timed(time: str) -> str:
    return f"t={time},v1={_digest(f'{time}.').hex()}"


def verify_captions(data: bytes) -> None:
    """Only the complete secret verifies."""
    head, body = parted(data.replace(b"$SECRET", SECRETS["current"].encode()))
    headers = headers_in(head)
    try:
        WEBHOOKS["captions/creator"].verify(
            Delivery(headers=headers, body=body, received_at=NOW), SECRETS, ProofRules()
        )
    except VerificationError:
        return
    scheme, _, shown = headers["authorization"].partition(" ")
    assert scheme.lower() == "bearer"
    assert shown.strip(" ") in SECRETS.values(), "a secret of theirs"


def verify_creatify(data: bytes) -> None:
    """Only the token itself verifies; a body that repeats it is stored without it, in any spelling."""
    head, body = parted(data.replace(b"$SECRET", SECRETS["current"].encode()))
    token = head.decode("utf-8", "surrogateescape")
    delivery = Delivery(headers={}, body=body, token=token, received_at=NOW)
    with suppress(VerificationError):
        WEBHOOKS["creatify/product_to_videos"].verify(delivery, SECRETS, ProofRules())
        assert token in SECRETS.values(), "a token of theirs"
    kept = redacted(body, SECRETS)
    assert not any(secret.encode() in kept for secret in SECRETS.values())
    with suppress(ValueError, RecursionError):
        assert not any(secret in json.dumps(json.loads(kept)) for secret in SECRETS.values())


# ---- Payloads: an authentic body is parsed, or reported as unreadable ------------------------------------------------


def parse(webhook: Webhook) -> Target:
    """A report that survives a round trip through rows, or PayloadError."""

    def target(data: bytes) -> None:
        with suppress(PayloadError):
            kept(webhook, webhook.parse(data), data)

    return target


def kept(webhook: Webhook, report: Report, data: bytes) -> None:
    """The report is complete in an event row and a job row, and the latter contains nothing signed or secret."""
    assert 1 <= len(report.job_id) <= 256
    assert report.job_id.isprintable()
    event = Event.of(
        report,
        event_id=delivery_digest(webhook.full_name, data),
        provider=webhook.provider,
        webhook=webhook.name,
        origin="webhook",
        received_at=NOW,
    )
    assert event_of(over_the_wire(typed(event_item(event, expires_at=2_000_000_000)))) == event
    job = merge(None, event)
    assert merge(job, event) == job
    assert job_of(over_the_wire(typed(job_item(job)))) == job


def answers(data: bytes) -> None:
    """Any response of a provider's API is parsed as the response to each of our requests, or raises PayloadError."""
    for provider in PROVIDERS.values():
        webhook = provider.webhooks[0]
        polling = provider.polling.values()
        for get_job in (*provider.link_refresh.values(), *(each.get_job for each in polling)):
            body = get_job.redact(data)
            for read in filter(None, (get_job.read, get_job.read_failure)):
                with suppress(PayloadError):
                    kept(webhook, read(body, "j-1"), data)
        for list_jobs in filter(None, (each.list_jobs for each in polling)):
            with suppress(PayloadError):
                for reported in list_jobs.read(list_jobs.redact(data)):
                    kept(webhook, reported.report, reported.payload)
        for listing in provider.manifests.values():
            for report in listing.read(iter(data.splitlines()), "b-1"):
                kept(webhook, report, data)
        for submission in provider.submissions.values():
            with suppress(PayloadError):
                assert submission.job_id(data)


# ---- API Gateway's event ---------------------------------------------------------------------------------------------


def api_event(data: bytes) -> None:
    """A delivery with exactly the sent bytes; or DeliveryTooLarge, or VerificationError without a body."""
    head, body = parted(data)
    as_base64 = head.startswith(b"base64")
    text = body.decode("utf-8", "surrogateescape")
    event = {
        "headers": None if head.endswith(b"\0") else headers_in(head),
        "pathParameters": {"token": head.decode("utf-8", "replace")} if head else None,
        "body": text or None,
        "isBase64Encoded": as_base64,
    }
    try:
        delivery = http_api.delivery(event, received_at=NOW, limit=2048)
    except (DeliveryTooLarge, VerificationError):
        return
    assert len(delivery.body) <= 2048
    assert all(name == name.lower() for name in delivery.headers)
    if as_base64:
        assert delivery.body == base64.b64decode(text)
    else:
        assert delivery.body.decode() == text


# ---- Media: bytes in any pieces --------------------------------------------------------------------------------------


def mp4_walk(data: bytes) -> None:
    """Complete, in pieces, or by requesting the missing ranges: the walk ends with the same result."""
    cut, content = data[:2], data[2:]
    step = max(1, int.from_bytes(cut, "big") % 97)
    whole, pieces, asked = BoxWalk(), BoxWalk(), BoxWalk()
    whole.feed(0, content)
    for at in range(0, len(content), step):
        pieces.feed(at, content[at : at + step])
    looks = 0
    while (at_missing := asked.next_gap(len(content))) is not None:
        looks += 1
        assert looks <= len(content) + 2, "a walk without an end"
        asked.feed(at_missing, content[at_missing : at_missing + step])
    problems = {walk.error(len(content)) for walk in (whole, pieces, asked)}
    assert len(problems) == 1, problems
    assert len({repr(walk.media_info()) for walk in (whole, pieces, asked)}) == 1


def media(data: bytes) -> None:
    """For every kind, the integrity check does not depend on the pieces."""
    cut, content = data[:2], data[2:]
    step = max(1, int.from_bytes(cut, "big") % 97)
    found = sniff(content[:64])
    for kind in {id(mark): mark for _, mark in MAGIC}.values() if found is None else (found,):
        whole, pieces = IntegrityCheck(kind), IntegrityCheck(kind)
        whole.feed(0, content)
        for at in range(0, len(content), step):
            pieces.feed(at, content[at : at + step])
        if step >= 64:  # the header is in the first piece, as in the archive
            assert whole.error(len(content)) == pieces.error(len(content))
        pieces.media_info()
        pieces.next_gap(len(content))


# ---- Links -----------------------------------------------------------------------------------------------------------


def url_guard(data: bytes) -> None:
    """A link is rejected, or leads by TLS to port 443 of a public address, and its request contains no second
    request."""
    address, rest = parted(data)
    link, _, location = rest.decode("utf-8", "surrogateescape").partition("\n")
    where = address.decode("utf-8", "replace")

    def resolve(_name: str, _port: int) -> list[str]:
        try:
            ipaddress.ip_address(where)
        except ValueError:
            raise OSError("no such name") from None
        return [where]

    links.media_id(link), links.host(link), link_expiry.expires_at(link), links.unsigned(link)
    for ways in (FetchPolicy(), FetchPolicy(only=HOSTS)):
        with suppress(MediumRefused, HostFailed):
            place = address_guard.resolve(link, ways, resolve)
            _is_safe(place, ways)
            with suppress(MediumRefused, HostFailed):
                _is_safe(address_guard.resolve(address_guard.redirect_url(link, location), ways, resolve), ways)


def _is_safe(place: address_guard.PinnedUrl, ways: FetchPolicy) -> None:
    assert place.tls
    assert place.port == 443
    ip = ipaddress.ip_address(place.address.partition("%")[0])
    inner = ip.ipv4_mapped or ip.sixtofour or _nat64(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    assert (inner or ip).is_global, place
    assert not (inner or ip).is_multicast, place
    for written in (place.target, place.host):
        assert written.isascii(), place
        assert written.isprintable(), place
        assert " " not in written, place
    assert place.target.startswith("/"), place
    assert "@" not in place.host, place
    if ways.only:
        assert any(place.name == host or place.name.endswith(f".{host}") for host in ways.only)


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if int(ip) >> 32 == 0x0064_FF9B << 64 else None


TARGETS: dict[str, Target] = {
    "verify-sync": verify_sync,
    "verify-creatify": verify_creatify,
    "verify-captions": verify_captions,
    **{f"parse-{name.replace('/', '-')}": parse(webhook) for name, webhook in WEBHOOKS.items()},
    **{f"receive-{name.replace('/', '-')}": receive(webhook) for name, webhook in WEBHOOKS.items()},
    "answers": answers,
    "api-event": api_event,
    "mp4-walk": mp4_walk,
    "media": media,
    "url-guard": url_guard,
}

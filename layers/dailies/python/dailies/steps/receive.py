"""A delivery to a recorded event and an answer: prove it, parse it, put it once.

Whatever a stranger sends is answered 401 or 413 and costs no read and no write, save one look at the secrets per
REREAD_SECONDS. What is proven is kept, read or not. An answer of 200 means that it is in the table.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from dailies import timestamps
from dailies.aws import bucket as buckets
from dailies.aws import cold_start, http_api
from dailies.aws import secrets as signing
from dailies.aws import table as tables
from dailies.aws.bucket import Bucket
from dailies.aws.secrets import SigningSecret
from dailies.aws.table import Table
from dailies.aws.telemetry import EVENT_ID, Telemetry
from dailies.errors import AwsUnavailable, DeliveryTooLarge, NotStored, PayloadError, VerificationError
from dailies.jobs import object_keys, rows
from dailies.jobs.models import Delivery, Event, Proof, delivery_digest
from dailies.jobs.rows import Item
from dailies.providers.contract import ProofRules, Webhook
from dailies.providers.signatures import Secrets, redacted

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

type Result = Literal["recorded", "duplicate", "quarantined", "unverified", "too_large", "not_stored"]

STATUS: dict[Result, int] = {
    "recorded": 200,
    "duplicate": 200,
    "quarantined": 200,
    "unverified": 401,
    "too_large": 413,
    "not_stored": 503,
}
RETRY_AFTER_SECONDS = "5"


@dataclass(frozen=True, slots=True)
class ReceiveResult:
    """What a provider is told, and for our own lines: which event and job it was, how it was proven, what was wrong."""

    result: Result
    event_id: str = ""
    job_id: str = ""
    proof: str = ""
    problem: str = ""

    def response(self) -> dict[str, Any]:
        """The answer in API Gateway's form. It tells a stranger nothing but the result."""
        status = STATUS[self.result]
        if status == 200:
            return http_api.response(status, {"result": self.result, "event_id": self.event_id})
        headers = {"retry-after": RETRY_AFTER_SECONDS} if status == 503 else {}
        return http_api.response(status, {"error": self.result}, headers)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where the deliveries of one webhook go, and the owner's rules for them."""

    webhook: Webhook
    secret: SigningSecret
    table: Table
    bucket: Bucket
    rules: ProofRules = field(default_factory=ProofRules)
    max_body_bytes: int = 1024 * 1024
    retention_days: int = 90


def receiver(
    webhook: Webhook, environment: Mapping[str, str], client: Callable[..., Any]
) -> "Callable[[dict[str, Any], LambdaContext], dict[str, Any]]":
    """The handler of a webhook's function. `client` makes AWS clients as botocore's sessions do; the one that every
    delivery needs is made now, while Lambda starts us up, the others when they are first needed. What was made until
    then stays: the collector, off until now, need never look at it."""
    inbox = Receiver(
        webhook=webhook,
        secret=SigningSecret(
            cache(lambda: client("secretsmanager", config=signing.CLIENT)),
            environment["SIGNING_SECRET_ID"],
            grace=float(environment["ROTATION_GRACE_HOURS"]) * 3600,
        ),
        table=Table(client("dynamodb", config=tables.CLIENT), environment["TABLE_NAME"]),
        bucket=Bucket(cache(lambda: client("s3", config=buckets.CLIENT)), environment["BUCKET_NAME"]),
        rules=ProofRules(
            tolerance=float(environment["SIGNATURE_TOLERANCE_SECONDS"]),
            accept_bare_sync_signature=environment["ACCEPT_BARE_SYNC_SIGNATURE"] == "true",
        ),
        max_body_bytes=int(environment["MAX_BODY_BYTES"]),
        retention_days=int(environment["RETENTION_DAYS"]),
    )
    telemetry = Telemetry(environment["STACK_NAME"])
    cold_start.end()

    def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
        # The end of a UUID: enough to tell writers of one row apart.
        answer = receive(inbox, event, request_id=context.aws_request_id[-12:])
        _tell(telemetry, webhook, answer)
        return answer.response()

    return lambda_handler


def receive(inbox: Receiver, request: Mapping[str, Any], *, request_id: str) -> ReceiveResult:
    """Answer one request of API Gateway's. Never raises for what came in, nor for what AWS did not take."""
    try:
        delivery = http_api.delivery(request, received_at=timestamps.now(), limit=inbox.max_body_bytes)
        proof, secrets = _prove(inbox, delivery)
        return _record(inbox, delivery, proof, secrets, written_by=request_id)
    except DeliveryTooLarge as error:
        return ReceiveResult("too_large", problem=str(error))
    except VerificationError as error:
        return ReceiveResult("unverified", problem=str(error))
    except (AwsUnavailable, NotStored, BotoCoreError, ClientError) as error:
        return ReceiveResult("not_stored", problem=f"{type(error).__name__}: {_code(error)}")


def _prove(inbox: Receiver, delivery: Delivery) -> tuple[Proof, Secrets]:
    """By the secrets that we know; if none proves it, once more by those that there are now. NotStored where the
    provider makes a new one just now: it may be what proves the delivery, and whoever is told so comes again."""
    now = time.time()
    secrets = inbox.secret.usable(now)
    try:
        return inbox.webhook.verify(delivery, secrets, inbox.rules), secrets
    except VerificationError:
        latest = inbox.secret.look_again(now)
        with suppress(VerificationError):
            if latest and latest != secrets:
                return inbox.webhook.verify(delivery, latest, inbox.rules), latest
        if inbox.secret.updating(now):
            raise NotStored("a new secret is being made just now") from None
        raise


def _record(inbox: Receiver, delivery: Delivery, proof: Proof, secrets: Secrets, *, written_by: str) -> ReceiveResult:
    webhook = inbox.webhook
    event_id = delivery_digest(webhook.full_name, delivery.body)
    payload = redacted(delivery.body, secrets) if webhook.in_path else delivery.body
    try:
        report = webhook.parse(payload)  # redacted: its words go into rows, and on to whoever reads the job's
    except PayloadError as error:
        _quarantine(inbox, event_id, delivery, payload, proof, reason=str(error), written_by=written_by)
        return ReceiveResult("quarantined", event_id, proof=str(proof), problem=str(error))
    event = Event.of(
        report,
        event_id=event_id,
        provider=webhook.provider,
        webhook=webhook.name,
        origin="webhook",
        received_at=delivery.received_at,
        payload=payload,
        proof=str(proof),
    )
    expires_at = int(timestamps.seconds(delivery.received_at)) + inbox.retention_days * timestamps.DAY
    item = rows.event_item(event, expires_at=expires_at, **_kept(inbox, event_id, payload, quarantined=False))
    stored = inbox.table.put_once(item, written_by=written_by)
    return ReceiveResult("recorded" if stored else "duplicate", event_id, event.job_id, proof=str(proof))


def _quarantine(
    inbox: Receiver, event_id: str, delivery: Delivery, payload: bytes, proof: Proof, *, reason: str, written_by: str
) -> None:
    item = rows.quarantine_item(
        event_id,
        inbox.webhook.name,
        provider=inbox.webhook.provider,
        received_at=delivery.received_at,
        reason=reason,
        proof=str(proof),
        **_kept(inbox, event_id, payload, quarantined=True),
    )
    inbox.table.put_once(item, written_by=written_by)


def _kept(inbox: Receiver, event_id: str, payload: bytes, *, quarantined: bool) -> Item:
    """The attribute that says where the payload is: in the row, or in the bucket where a row cannot hold it."""
    compressed = tables.compressed(payload)
    if len(compressed) <= tables.MAX_INLINE:
        return {"payload": compressed}
    key = object_keys.delivery_key(inbox.webhook.provider, event_id, quarantined=quarantined)
    inbox.bucket.put_delivery(key, compressed)
    return {"payload_key": key}


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else str(error)


def _tell(telemetry: Telemetry, webhook: Webhook, answer: ReceiveResult) -> None:
    fields = {
        "proof": answer.proof,
        "event_id": answer.event_id[:EVENT_ID],
        "job_id": answer.job_id,
        "problem": answer.problem,
    }
    telemetry.count(
        "Deliveries",
        {"webhook": webhook.full_name, "result": answer.result},
        {"result": answer.result},  # over all webhooks: what alarms watch
        fields={name: text for name, text in fields.items() if text},
    )

"""Receive a delivery: verify it, parse it, record it once, answer.

A delivery that does not verify gets 401, one that is too large 413. Such deliveries are not stored, and cause at most
one read of the secret per REREAD_SECONDS. A verified delivery is stored even if it cannot be parsed. 200 means that the
delivery is in the table.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dailies import timestamps
from dailies.aws import bucket as buckets
from dailies.aws import cold_start, http_api, payload_store, snap_start
from dailies.aws import secrets as signing
from dailies.aws import table as tables
from dailies.aws.bucket import Bucket
from dailies.aws.secrets import SigningSecret
from dailies.aws.table import Table
from dailies.aws.telemetry import EVENT_ID, Telemetry
from dailies.errors import AwsUnavailable, DeliveryTooLarge, NotStored, PayloadError, VerificationError, aws_problem
from dailies.jobs import rows
from dailies.jobs.models import Delivery, Event, Proof, delivery_digest
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
    """The result of a delivery.

    `result`: the answer to the provider. `event_id`, `job_id`: the event that was recorded and its job. `proof`: how
    the delivery was verified, such as `sync-signature t,v1 (current)`. `problem`: why it was not recorded as an event.
    Empty strings where they do not apply.
    """

    result: Result
    event_id: str = ""
    job_id: str = ""
    proof: str = ""
    problem: str = ""

    def response(self) -> dict[str, Any]:
        """The answer for API Gateway: `statusCode`, `headers`, `body`. For an error, the body has only the result."""
        status = STATUS[self.result]
        if status == 200:
            return http_api.response(status, {"result": self.result, "event_id": self.event_id})
        headers = {"retry-after": RETRY_AFTER_SECONDS} if status == 503 else {}
        return http_api.response(status, {"error": self.result}, headers)


class Receiver:
    """Receives the deliveries of one webhook."""

    def __init__(
        self,
        webhook: Webhook,
        secret: SigningSecret,
        table: Table,
        bucket: Bucket,
        *,
        rules: ProofRules | None = None,
        max_body_bytes: int = 1024 * 1024,
        retention_days: int = 90,
    ) -> None:
        """`webhook`: how deliveries are verified and parsed. `secret`: the signing secret, or the token in the path.
        `table`: takes the rows. `bucket`: takes payloads that are too large for a row. `rules`: the owner's choices
        for signatures. `max_body_bytes`: larger bodies are refused. `retention_days`: days after which an event row
        expires."""
        self._webhook = webhook
        self._secret = secret
        self._table = table
        self._bucket = bucket
        self._rules = rules or ProofRules()
        self._max_body_bytes = max_body_bytes
        self._retention_seconds = retention_days * timestamps.DAY

    def receive(self, request: Mapping[str, Any], *, request_id: str) -> ReceiveResult:
        """Receive one request of API Gateway (HTTP API, payload format 2.0). `request_id` is stored in the row, to tell
        its writers apart. No content of a request and no error of AWS makes it raise."""
        try:
            delivery = http_api.delivery(request, received_at=timestamps.now(), limit=self._max_body_bytes)
            proof, secrets = self._verify(delivery)
            return self._record(delivery, proof, secrets, request_id)
        except DeliveryTooLarge as error:
            return ReceiveResult("too_large", problem=str(error))
        except VerificationError as error:
            return ReceiveResult("unverified", problem=str(error))
        except (AwsUnavailable, NotStored, BotoCoreError, ClientError) as error:
            reason = aws_problem(error) if isinstance(error, ClientError) else str(error)
            return ReceiveResult("not_stored", problem=f"{type(error).__name__}: {reason}")

    def _verify(self, delivery: Delivery) -> tuple[Proof, Secrets]:
        """Verify with the known secrets, then once more with the secrets that Secrets Manager has now. NotStored while
        the provider makes a new secret: the delivery may be signed with that one, so the provider is to retry."""
        now = time.time()
        secrets = self._secret.usable(now)
        try:
            return self._webhook.verify(delivery, secrets, self._rules), secrets
        except VerificationError:
            latest = self._secret.reread(now)
            with suppress(VerificationError):
                if latest and latest != secrets:
                    return self._webhook.verify(delivery, latest, self._rules), latest
            if self._secret.updating(now):
                raise NotStored("a new secret is being made just now") from None
            if not (latest or secrets):
                raise VerificationError("no usable secret is set; `dailies doctor` says why") from None
            raise

    def _record(self, delivery: Delivery, proof: Proof, secrets: Secrets, request_id: str) -> ReceiveResult:
        """Record an event; a quarantine row when the payload cannot be parsed."""
        webhook = self._webhook
        event_id = delivery_digest(webhook.full_name, delivery.body)
        payload = redacted(delivery.body, secrets) if webhook.in_path else delivery.body
        try:
            report = webhook.parse(payload)  # the redacted one: its strings are stored and published
        except PayloadError as error:
            self._quarantine(event_id, delivery, payload, proof, reason=str(error), request_id=request_id)
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
        expires_at = int(timestamps.seconds(delivery.received_at)) + self._retention_seconds
        stored = self._store_payload(event_id, payload, quarantined=False)
        item = rows.event_item(event, expires_at=expires_at, **stored)
        new = self._table.put_once(item, written_by=request_id)
        return ReceiveResult("recorded" if new else "duplicate", event_id, event.job_id, proof=str(proof))

    def _quarantine(
        self, event_id: str, delivery: Delivery, payload: bytes, proof: Proof, *, reason: str, request_id: str
    ) -> None:
        item = rows.quarantine_item(
            event_id,
            self._webhook.name,
            provider=self._webhook.provider,
            received_at=delivery.received_at,
            reason=reason,
            proof=str(proof),
            **self._store_payload(event_id, payload, quarantined=True),
        )
        self._table.put_once(item, written_by=request_id)

    def _store_payload(self, event_id: str, payload: bytes, *, quarantined: bool) -> rows.Item:
        provider = self._webhook.provider
        return payload_store.store(self._bucket, payload, provider=provider, event_id=event_id, quarantined=quarantined)


def receiver(
    webhook: Webhook, environment: Mapping[str, str], client: Callable[..., Any]
) -> "Callable[[dict[str, Any], LambdaContext], dict[str, Any]]":
    """The Lambda handler of a webhook's function. `environment`: the function's variables. `client`: makes AWS clients,
    as `create_client` of a botocore session does.

    The client that every delivery needs is made now, while Lambda starts the function; the others when they are first
    needed, or before the snapshot of SnapStart. This ends `cold_start`.
    """
    clients: list[Any] = []

    def make(service: str, config: Config) -> Any:
        clients.append(client(service, config=config))
        return clients[-1]

    secrets_manager = cache(lambda: make("secretsmanager", signing.CLIENT))
    secret = SigningSecret(
        secrets_manager, environment["SIGNING_SECRET_ID"], grace=float(environment["ROTATION_GRACE_HOURS"]) * 3600
    )
    receives = Receiver(
        webhook,
        secret,
        Table(make("dynamodb", tables.CLIENT), environment["TABLE_NAME"]),
        Bucket(cache(lambda: make("s3", buckets.CLIENT)), environment["BUCKET_NAME"]),
        rules=ProofRules(
            tolerance=float(environment["SIGNATURE_TOLERANCE_SECONDS"]),
            accept_bare_sync_signature=environment["ACCEPT_BARE_SYNC_SIGNATURE"] == "true",
        ),
        max_body_bytes=int(environment["MAX_BODY_BYTES"]),
        retention_days=int(environment["RETENTION_DAYS"]),
    )
    telemetry = Telemetry(environment["STACK_NAME"])

    def prepare() -> None:
        secrets_manager()
        with suppress(PayloadError):
            webhook.parse(b"{}")  # pydantic builds a model when it is first used

    def forget() -> None:
        secret.forget()
        for each in clients:
            each.close()  # its connections; the next call opens new ones

    snap_start.register(environment, prepare=prepare, forget=forget)
    cold_start.end()

    def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
        # the last 12 characters of a UUID are enough to tell the writers of one row apart
        result = receives.receive(event, request_id=context.aws_request_id[-12:])
        _count(telemetry, webhook, result)
        return result.response()

    return lambda_handler


def _count(telemetry: Telemetry, webhook: Webhook, result: ReceiveResult) -> None:
    """Write the delivery's one log line, which is also its metric."""
    fields = {
        "proof": result.proof,
        "event_id": result.event_id[:EVENT_ID],
        "job_id": result.job_id,
        "problem": result.problem,
    }
    telemetry.count(
        "Deliveries",
        {"webhook": webhook.full_name, "result": result.result},
        {"result": result.result},  # for all webhooks: the alarms watch this one
        fields={name: text for name, text in fields.items() if text},
    )

"""A complete receiver: it answers every event from API Gateway, and an unverified call writes nothing.

AWS is simulated: one secret, and a table in the given state. An input has the state, then API Gateway's event as JSON,
then the sent bytes, if the event has no body. `$PROOF`, `$TIMED`, `$PLAIN` and `$SECRET` in the event are replaced by
values that need the secret; `$PROOF` is the provider's own signature.
"""

import base64
import contextlib
import gzip
import hmac
import io
import json
import time
from datetime import UTC, datetime
from hashlib import sha256
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError, EndpointConnectionError

from bench.receive.functions import RECEIVER_SETTINGS
from dailies.jobs.rows import event_of
from dailies.providers.contract import Webhook
from dailies.steps.receive import receiver
from resilience.fuzz.dynamodb import over_the_wire
from resilience.fuzz.inputs import SECRETS, Target, parted
from simulators.provider_calls import every_sample

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SECRET = SECRETS["current"]
SETTINGS = {**RECEIVER_SETTINGS, "MAX_BODY_BYTES": "2048"}  # less than an input's size, so that some are too large
TYPES = {"headers": dict, "pathParameters": dict, "body": str, "isBase64Encoded": bool}
CONTEXT = cast("LambdaContext", SimpleNamespace(aws_request_id="f" * 36))


class Exists(ClientError):
    """A row with that key exists."""


class Aws:
    """Secrets Manager and DynamoDB, as a receiver calls them; any other call raises AttributeError.

    `table` is the table's state: `there` has each row already, `throttled` and `away` accept none. `may_write` is false
    for an unverified call. `stored` is whether the table has the row now.
    """

    exceptions = SimpleNamespace(ConditionalCheckFailedException=Exists, ResourceNotFoundException=Exists)

    def __init__(self) -> None:
        self.begin(b"", may_write=False)

    def begin(self, table: bytes, *, may_write: bool) -> None:
        """Start a new delivery."""
        self.table, self.may_write, self.stored = table, may_write, False

    def describe_secret(self, **_: str) -> dict[str, Any]:
        """One version."""
        return {"VersionIdsToStages": {"v-1": ["AWSCURRENT"]}}

    def get_secret_value(self, **_: str) -> dict[str, Any]:
        """Its value."""
        return {"SecretString": SECRET, "CreatedDate": datetime.now(UTC)}

    def put_item(self, **call: Any) -> None:
        """Accepts a row that fits DynamoDB's limits and does not contain the secret."""
        assert self.may_write, "a write, and nothing was proven"
        row = over_the_wire(call["Item"])
        if row["pk"].startswith("job#"):
            event_of(row)
        assert SECRET.encode() not in gzip.decompress(call["Item"]["payload"]["B"])
        match self.table:
            case b"throttled":
                raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "PutItem")
            case b"away":
                raise EndpointConnectionError(endpoint_url="https://dynamodb.example")
        self.stored = True
        if self.table == b"there":
            raise Exists({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")


def receive(webhook: Webhook) -> Target:
    """The handler of a webhook's function."""
    aws = Aws()
    handler = receiver(webhook, SETTINGS, lambda *_, **__: aws)

    def target(data: bytes) -> None:
        table, rest = parted(data)
        event = handed_over(*parted(rest))
        aws.begin(table, may_write=_prove(event, webhook))
        with contextlib.redirect_stdout(io.StringIO()) as told:
            answer = handler(event, CONTEXT)
        assert answer["statusCode"] in ((200, 401, 413, 503) if aws.may_write else (401, 413)), answer
        assert (answer["statusCode"] == 200) == aws.stored, "an answer of 200 means that it is in the table"
        assert json.loads(answer["body"])
        assert SECRET not in told.getvalue()
        assert json.loads(told.getvalue())["result"]

    return target


def handed_over(text: bytes, sent: bytes) -> dict[str, Any]:
    """API Gateway's event: keys may be missing or null; keys that we read have values of their type, and headers and
    parameters are text. If the event names no body, it is the sent bytes, in base64 if they are not text."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = None
    event = read if isinstance(read, dict) else {}
    for name, kind in TYPES.items():
        if not isinstance(event.get(name), kind | None):
            del event[name]
    for name in ("headers", "pathParameters"):
        for key in [key for key, value in (event.get(name) or {}).items() if not isinstance(value, str)]:
            del event[name][key]
    if "body" not in event:
        try:
            event |= {"body": sent.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            event |= {"body": base64.b64encode(sent).decode(), "isBase64Encoded": True}
    return event


def proof(webhook: Webhook, body: bytes) -> dict[tuple[str, str], str]:
    """The values that verify a body, by their place in the event."""
    sample = every_sample()[webhook.full_name]
    headers = sample.prove(body, SECRET, datetime.now(UTC))
    in_path = {("pathParameters", "token"): SECRET} if sample.in_path else {}
    return {("headers", name.lower()): value for name, value in headers.items()} | in_path


def _prove(event: dict[str, Any], webhook: Webhook) -> bool:
    """Fill in the signatures that the event contains; returns whether one is in an effective place."""
    body = _bytes(event)
    at = int(time.time())
    proofs = proof(webhook, body)
    known = {
        "$TIMED": f"t={at},v1={hmac.digest(SECRET.encode(), f'{at}.'.encode() + body, sha256).hex()}",
        "$PLAIN": hmac.digest(SECRET.encode(), body, sha256).hex(),
        "$SECRET": SECRET,
    }
    proven = False
    for name in ("headers", "pathParameters"):
        for key, value in (event.get(name) or {}).items():
            place = name, key.lower()
            written = value.replace("$PROOF", proofs.get(place, ""))
            for word, meant in known.items():
                written = written.replace(word, meant)
            event[name][key] = written
            proven |= written != value and place in proofs
    if webhook.in_path and event["body"]:  # it may repeat its secret
        event["body"] = event["body"].replace("$SECRET", SECRET)
    return proven


def _bytes(event: dict[str, Any]) -> bytes:
    """The bytes that API Gateway received."""
    text = event["body"] or ""
    try:
        return base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError:
        return b""

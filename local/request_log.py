"""Records each AWS request that a role makes, as it reaches the emulated AWS, and the decision of the role's policies.

The log is a file of JSON lines, appended to, of three kinds. A request:

    at          seconds since 1970, when it was answered
    role        name of the role in IAM; `session`: of the role's session, which is the function's name in Lambda
    service     `s3`, `dynamodb`, ...; `operation`: AWS's name for it (`UploadPart`), empty if unknown
    checks      what was decided, in order: `action`, `resource` (ARN), `context` (condition keys and values),
                `decision` (Allow, Deny, ImplicitDeny), `policies` (the digest of the role's policies at that time)
    status      of the answer
    request     `method`, `path` (decoded), `query`, `headers`, `bytes` (of the body), and the `body`: JSON, or the text
                of another one; None for an object's data

The role's policies, before the first request that they decide:

    policies    digest; `statements`: as ministack's evaluator takes them

What a deployment has made (local/roles.py):

    roles       by logical name

It holds no credentials, signatures or values of secrets, and no long texts.
"""

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_evaluator

MAX_TEXT = 2048  # characters of a text in a body: keys and names are shorter, and payloads are not needed
NOT_KEPT = frozenset({"authorization", "x-amz-security-token", "x-amz-credential", "x-amz-signature"})
SECRET_VALUES = frozenset({"SecretString", "SecretBinary"})
OF_AN_UPLOAD = {
    "PUT": "UploadPart",
    "POST": "CompleteMultipartUpload",
    "GET": "ListParts",
    "DELETE": "AbortMultipartUpload",
}
OF_AN_OBJECT = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
OBJECT_DATA = frozenset({"PutObject", "UploadPart"})

type Json = dict[str, Any]


def record(path: Path) -> None:
    """Record from now on, in this ministack process. Replaces the log of an earlier process."""
    recorder = Recorder(path)
    iam_evaluator.evaluate = recorder.evaluate
    iam_evaluator.enforce = recorder.enforce
    app._dispatch_service_request = recorder.dispatch  # noqa: SLF001


class Recorder:
    """Wraps three ministack functions. A request is dispatched; each check of it calls `enforce`, which evaluates the
    caller's policies first and then those of the bucket or the secret."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(b"")
        self._log = path.open("a", buffering=1)
        self._lock = threading.Lock()
        self._written: set[str] = set()
        self._digests: dict[str, tuple[Any, str]] = {}
        self._checks: ContextVar[list[Json] | None] = ContextVar("checks", default=None)
        self._evaluated: ContextVar[list[tuple[Any, Any]] | None] = ContextVar("evaluated", default=None)
        self._evaluate, self._enforce = iam_evaluator.evaluate, iam_evaluator.enforce
        self._dispatch = app._dispatch_service_request  # noqa: SLF001

    def evaluate(self, context: Any, policies: list[Any], *limits: Any) -> Any:
        if (evaluated := self._evaluated.get()) is not None:
            evaluated.append((context, policies))
        return self._evaluate(context, policies, *limits)

    def enforce(self, *args: Any, **options: Any) -> Any:
        evaluated: list[tuple[Any, Any]] = []
        token = self._evaluated.set(evaluated)
        try:
            denied = self._enforce(*args, **options)
        finally:
            self._evaluated.reset(token)
        checks = self._checks.get()
        if evaluated and checks is not None:
            context, policies = evaluated[0]
            checks.append({
                "action": context.action,
                "resource": context.resource_arn,
                "context": {key: value for key, value in context.service_context.items() if value is not None},
                "decision": getattr(denied, "decision", "Allow"),
                "policies": self._digest(context.principal_arn, policies),
            })  # fmt: skip
        return denied

    async def dispatch(self, method: str, path: str, headers: Any, body: bytes, *others: Any) -> Any:
        checks: list[Json] = []
        token = self._checks.set(checks)
        try:
            answer = await self._dispatch(method, path, headers, body, *others)
        finally:
            self._checks.reset(token)
        kind, _, caller = iam_evaluator.caller_arn().rpartition(":")[2].partition("/")
        if kind == "assumed-role":
            role, _, session = caller.partition("/")
            request = request_as_json(method, path, others[0], headers, body)
            about = {"at": time.time(), "role": role, "session": session}
            self._write({**about, **request, "checks": checks, "status": answer[0]})
        return answer

    def _digest(self, principal: str, policies: list[Any]) -> str:
        """A digest of these policies; computed only if the principal's have changed."""
        before, digest = self._digests.get(principal, (None, ""))
        if policies != before:
            statements = [asdict(statement) for policy in policies for statement in policy]
            digest = hashlib.sha256(json.dumps(statements, sort_keys=True).encode()).hexdigest()[:16]
            self._digests[principal] = policies, digest
            if digest not in self._written:
                self._written.add(digest)
                self._write({"policies": digest, "statements": statements})
        return digest

    def _write(self, line: Json) -> None:
        text = json.dumps(line, separators=(",", ":"), default=str)
        with self._lock:
            self._log.write(f"{text}\n")


def request_as_json(method: str, path: str, query: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> Json:
    """A record's service, operation and request. `query` has a list of values for each name."""
    flat = {name: values[-1] if isinstance(values, list) else values for name, values in query.items()}
    target = headers.get("x-amz-target", "")  # all services that the functions call except S3
    service = service_of(headers)
    operation = target.rpartition(".")[2] if target else object_operation(method, path, flat)
    return {
        "service": service,
        "operation": operation,
        "request": {
            "method": method,
            "path": path,
            "query": dict(_kept(flat)),
            "headers": dict(_kept(headers)),
            "bytes": len(body),
            "body": None if operation in OBJECT_DATA else body_as_json(body),
        },
    }


def service_of(headers: Mapping[str, str]) -> str:
    """The service in a request's signature (`Credential=KEY/DATE/REGION/SERVICE/aws4_request`)."""
    scope = headers.get("authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
    return scope[3] if len(scope) > 3 else ""


def object_operation(method: str, path: str, query: Mapping[str, str]) -> str:
    """S3's name for a request about an object; empty for a bucket. `path` is /bucket/key."""
    if not path.strip("/").partition("/")[2]:
        return ""
    if "uploads" in query:
        return "CreateMultipartUpload" if method == "POST" else ""
    return (OF_AN_UPLOAD if "uploadId" in query else OF_AN_OBJECT).get(method, "")


def body_as_json(body: bytes) -> Any:
    """A body as JSON, or the start of its text, without values of secrets."""
    if not body:
        return ""
    try:
        return _shortened(json.loads(body))
    except ValueError:
        return body[:MAX_TEXT].decode("utf-8", "replace")


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, list):
        return [_shortened(each) for each in value]
    if isinstance(value, dict):
        return {name: "***" if name in SECRET_VALUES else _shortened(each) for name, each in value.items()}
    return value


def _kept(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in fields.items() if name.lower() not in NOT_KEPT)

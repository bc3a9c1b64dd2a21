"""A function's call to AWS on the wire, with a name that is the same in each run."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

JOB_IN_KEY = re.compile(r"^media/(\w+)/[^/]+/")
AT_A_VERSION = " at a version"
LETTERS_IN_KEY = re.compile(r"[0-9a-f]{8,}")


@dataclass(frozen=True, order=True)
class Call:
    """A function's call to AWS. `about`: its row, object, queue or event; `nth` numbers equal calls within one
    invocation."""

    function: str
    service: str
    operation: str
    about: str
    nth: int = 1

    def __str__(self) -> str:
        about = f" of {self.about}" if self.about else ""
        return f"{self.function}: {self.service} {self.operation}{about}{f' ({self.nth})' if self.nth > 1 else ''}"


def about(service: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> str:
    """The target of a request. `path` is decoded, without the query."""
    if service == "s3":
        return _object(path, query, headers)
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        return ""
    return SUBJECTS[service](said) if service in SUBJECTS else ""


def _news(said: Mapping[str, Any]) -> str:
    return ", ".join(sorted({entry["DetailType"] for entry in said.get("Entries", [])}))


def _queue(said: Mapping[str, Any]) -> str:
    name = str(said.get("QueueUrl", "")).rpartition("/")[2]
    return name.split("-")[1] if name.count("-") > 1 else name


def _secret(said: Mapping[str, Any]) -> str:
    """A secret's name in the stack: without the letters that an ARN appends, and without its case."""
    return "/".join(re.sub(r"(-case\d{5}-)?(-\w{6})?$", "", said.get("SecretId", "")).split("/")[-2:])


def _object(path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    key = path.lstrip("/").partition("/")[2]
    kind = LETTERS_IN_KEY.sub("*", JOB_IN_KEY.sub(r"media/\1/*/", key))
    part = f" part {query['partNumber']}" if "partNumber" in query else ""
    again = " as it stands" if headers.get("x-amz-checksum-mode") else ""
    version = AT_A_VERSION if "versionId" in query else ""
    return f"{kind}{part}{again}{version}"


def _row(said: Mapping[str, Any]) -> str:
    """The kind of row: in a job's partition the event by its origin, the job by whether it exists already."""
    if "ExpressionAttributeValues" in said and "Item" not in said and "Key" not in said:  # a query
        index = said.get("IndexName", "")
        values = [str(*value.values()) for value in said["ExpressionAttributeValues"].values()]
        return f"index {index}" if index else _kind(min(values, key=len, default=""))
    row = said.get("Item") or said.get("Key") or {}
    kind = _kind(_text(row, "sk") or _text(row, "pk"))
    if _text(row, "pk").startswith("quarantine#"):
        return "quarantine"
    if "Item" in said and kind == "job":
        return "job, changed" if "ExpressionAttributeValues" in said else "job, new"
    if "Item" in said and kind == "event":
        what = [name for name in ("receipt", "upload") if name in row]
        state = row.get("receipt", {}).get("M", {}).get("state", {}).get("S", "")
        return " ".join(["event", f"({_text(row, 'origin')})", *what, state]).rstrip()
    return kind


def _text(row: Mapping[str, Any], name: str) -> str:
    return str(row.get(name, {}).get("S", ""))


def _kind(text: str) -> str:
    return text.partition("#")[0]


SUBJECTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "dynamodb": _row,
    "events": _news,
    "sqs": _queue,
    "secretsmanager": _secret,
}

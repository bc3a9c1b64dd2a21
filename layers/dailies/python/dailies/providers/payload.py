"""Parse providers' JSON into typed models.

Empty, null and absent mean the same. A field that Dailies depends on must have its type, or PayloadError is raised. A
`Lenient` field is None if it is malformed. Undocumented fields are kept.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from dailies.errors import PayloadError
from dailies.jobs.links import BLANKS
from dailies.providers.lenient_json import REPLACEMENT, repaired

MAX_URL = 8192  # bytes: common limit of servers; also keeps a row far below DynamoDB's 400 KB


def _none_if_invalid(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("not printable")
    return value


def _intact(value: str) -> str:
    """An id with a broken character in it would be another job's."""
    if REPLACEMENT in value:
        raise ValueError("a broken character")
    return value


def _trimmed(value: str) -> str:
    return value.strip(BLANKS)


def _short(value: str) -> str:
    if len(value.encode()) > MAX_URL:
        raise ValueError("too long")
    return value


type JobId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=256),
    AfterValidator(_printable),
    AfterValidator(_intact),
]
type StatusWord = JobId  # a provider's status word: the same bounds
type Url = Annotated[str, AfterValidator(_trimmed), AfterValidator(_short)] | None
type Lenient[T] = Annotated[T | None, WrapValidator(_none_if_invalid)]
type Seconds = Annotated[Decimal, Field(gt=0, lt=10**6, max_digits=30)]
type Amount = Annotated[Decimal, Field(ge=0, lt=10**12, max_digits=30)]
"""A number of credits. The bounds fit a DynamoDB number and exceed any plausible bill."""


def list_items(body: bytes, *names: str) -> Iterator[bytes]:
    """The rows of a list, each as JSON. The list is an array, or is in an object under one of these names. PayloadError
    if there is no list."""
    try:
        read = json.loads(repaired(body))
    except ValueError as error:
        raise PayloadError("no JSON") from error
    if isinstance(read, dict):
        read = next((read[name] for name in names if isinstance(read.get(name), list)), None)
    if not isinstance(read, list):
        raise PayloadError("no list")
    return (json.dumps(row).encode() for row in read)


class Payload(BaseModel):
    """A provider's JSON object. Unknown fields are kept."""

    # Deferred: each function uses one or two of a provider's models, so the others need not be built.
    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, fields: Any) -> Any:
        """Remove empty values before fields are validated: a field may have two spellings, and an empty value under the
        first must not hide the second."""
        if not isinstance(fields, dict):
            return fields
        return {
            name: value
            for name, value in fields.items()
            if value is not None and not (isinstance(value, str) and not value.strip())
        }

    @classmethod
    def read(cls, body: bytes) -> Self:
        """The payload in these bytes. PayloadError if there is none; it names the fields and no values."""
        try:
            return cls._parse(body)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            where = (f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['type']}" for problem in problems[:3])
            raise PayloadError("; ".join(where)) from None

    @classmethod
    def _parse(cls, body: bytes) -> Self:
        """Parse strict JSON; only what fails as such is repaired and parsed again."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            if error.errors(include_url=False, include_context=False, include_input=False)[0]["type"] != "json_invalid":
                raise
            strict = error
        try:
            readable = repaired(body)
        except ValueError:
            raise strict from None
        return cls.model_validate_json(readable)

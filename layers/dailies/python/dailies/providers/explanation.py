"""Parse a provider's reason for a failure into a code and a message, from any JSON.

Providers document a string. They send a string, `{"code": ..., "message": ...}` at any depth, or a list of those, as
frameworks do for validation errors.
"""

import json
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator

CODES = ("code", "error_code", "errorCode", "type", "name", "status")
MESSAGES = ("message", "msg", "detail", "details", "description", "reason", "error", "errors", "title")


class Explanation(NamedTuple):
    """A failure's `code` and `message`; each may be empty. Without a text, `message` is the JSON value."""

    code: str = ""
    message: str = ""


def explained(value: Any) -> Explanation:
    """The explanation in a JSON value. An object or list without a message becomes its JSON."""
    found = _found(value)
    if found.message or not isinstance(value, dict | list) or len(value) <= bool(found.code):
        return found
    return Explanation(found.code, json.dumps(value, ensure_ascii=False))


def first_of(*given: Explanation | None) -> Explanation:
    """The first code and the first message of several fields."""
    explanations = [one for one in given if one]
    return Explanation(
        next((one.code for one in explanations if one.code), ""),
        next((one.message for one in explanations if one.message), ""),
    )


def _found(value: Any) -> Explanation:
    match value:
        case str():
            return Explanation(message=value.strip())
        case bool() | None:
            return Explanation()
        case int() | float():
            return Explanation(message=str(value))
        case list():
            parts = [_found(item) for item in value]
            messages = dict.fromkeys(part.message for part in parts if part.message)
            return Explanation(next((part.code for part in parts if part.code), ""), "; ".join(messages))
        case dict():
            return _of_object(value)
    return Explanation()


def _of_object(fields: dict[str, Any]) -> Explanation:
    inner = first_of(*(_found(fields[name]) for name in MESSAGES if name in fields))
    code = next((str(fields[name]) for name in CODES if _is_code(fields.get(name))), "")
    return Explanation(code or inner.code, inner.message)


def _is_code(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


type Explained = Annotated[Explanation, BeforeValidator(explained)]

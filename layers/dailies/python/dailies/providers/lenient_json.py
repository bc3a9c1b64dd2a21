"""Repair JSON that strict parsers reject because of its free text.

Senders cut a text within an emoji (`\\ud83d` alone), send a byte order mark, do not escape a line break in a string, or
cut UTF-8 within a character. None of that concerns the job or its links.
"""

import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any

REPLACEMENT = "\ufffd"  # Unicode's replacement for a broken character
SURROGATE = re.compile("[\ud800-\udfff]")
MAX_DEPTH = 100  # levels that are kept; pydantic accepts 200, and a provider's payload has 5
MAX_DIGITS = 400  # of an integer; Python parses 4,300, and a float holds 308


def repaired(body: bytes) -> bytes:
    """The same JSON in strict UTF-8. Half characters and broken bytes become U+FFFD; values nested below MAX_DEPTH
    and integers of more than MAX_DIGITS become null. ValueError if it still is not JSON."""
    try:
        value = json.loads(_text(body), strict=False, parse_int=_integer)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    text = json.dumps(_pruned(value, MAX_DEPTH), ensure_ascii=False)
    return SURROGATE.sub(REPLACEMENT, text).encode()


def _text(body: bytes) -> str:
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    return body.removeprefix(BOM_UTF8).decode(errors="replace")


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _pruned(value: Any, depth: int) -> Any:
    if not isinstance(value, dict | list):
        return value
    if not depth:
        return None
    if isinstance(value, list):
        return [_pruned(item, depth - 1) for item in value]
    return {name: _pruned(item, depth - 1) for name, item in value.items()}

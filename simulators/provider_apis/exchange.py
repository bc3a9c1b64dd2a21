"""A request to a provider's API, and its response."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.media_host.answers import Answer


@dataclass
class Request:
    """A request as it arrived. `path` follows the base URL; repeated parameters in `query` are joined by a comma;
    header names are in lower case; `at` is by the providers' clock; `status` is the response's, None if the connection
    was cut."""

    provider: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: float
    status: int | None = None

    def json(self) -> dict[str, Any]:
        """The body; empty if it is not a JSON object."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


class Refused(Exception):
    """A request that gets an error: its status and the provider's message."""

    def __init__(self, status: int, why: Any) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why


@dataclass(frozen=True)
class Route:
    """A route of an API. `answer` receives the request and the path's variable segments. An open route needs no key."""

    method: str
    path: re.Pattern[str]
    answer: Callable[..., Answer]
    open: bool = False


def route(method: str, path: str, answer: Callable[..., Answer], *, open: bool = False) -> Route:  # noqa: A002
    """A route with variable segments in braces: `/v2/generate/{id}`."""
    return Route(method, re.compile(re.sub(r"\{\w+\}", "([^/]+)", path)), answer, open)


@dataclass(frozen=True)
class Api:
    """What the server needs from a provider. `authenticate` raises Refused, `error` makes the body of an error."""

    name: str
    base_path: str
    routes: Sequence[Route]
    authenticate: Callable[[Request], None]
    error: Callable[[int, Any], Any]


def json_answer(body: Any, status: int = 200) -> Answer:
    """A response with a JSON body."""
    return _answer(status, "application/json", json.dumps(body).encode())


def text_answer(text: str) -> Answer:
    """A response in plain text."""
    return _answer(200, "text/plain; charset=utf-8", text.encode())


def _answer(status: int, content_type: str, body: bytes) -> Answer:
    return Answer(status, {"Content-Type": content_type, "Content-Length": str(len(body))}, body)

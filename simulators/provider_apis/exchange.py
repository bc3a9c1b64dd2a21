"""One call to a provider's API, and what answers it."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.media_host.answers import Answer


@dataclass
class Request:
    """A call as it arrived. `path` is what follows the base URL; in `query` the values of a parameter that is
    given twice are joined by a comma; header names are in lower case; `at` is by the providers' clock; `status` is what
    it was answered, None where the connection was cut instead."""

    provider: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: float
    status: int | None = None

    def json(self) -> dict[str, Any]:
        """The body, empty where it is no JSON object."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


class Refused(Exception):
    """A call is answered with an error: its status and what the provider says."""

    def __init__(self, status: int, why: Any) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why


@dataclass(frozen=True)
class Route:
    """A call of an API. `answer` gets the request and the variable segments of the path. An open one needs no key."""

    method: str
    path: re.Pattern[str]
    answer: Callable[..., Answer]
    open: bool = False


def route(method: str, path: str, answer: Callable[..., Answer], *, open: bool = False) -> Route:  # noqa: A002
    """A route by a path with variable segments in braces: `/v2/generate/{id}`."""
    return Route(method, re.compile(re.sub(r"\{\w+\}", "([^/]+)", path)), answer, open)


@dataclass(frozen=True)
class Api:
    """What the server has to know of a provider. `authenticate` raises Refused, `error` is the body of an error."""

    name: str
    base_path: str
    routes: Sequence[Route]
    authenticate: Callable[[Request], None]
    error: Callable[[int, Any], Any]


def json_answer(body: Any, status: int = 200) -> Answer:
    """A JSON body."""
    return _answer(status, "application/json", json.dumps(body).encode())


def text_answer(text: str) -> Answer:
    """Plain text."""
    return _answer(200, "text/plain; charset=utf-8", text.encode())


def _answer(status: int, content_type: str, body: bytes) -> Answer:
    return Answer(status, {"Content-Type": content_type, "Content-Length": str(len(body))}, body)

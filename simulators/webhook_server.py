"""A webhook on the loopback, called by the simulated providers: the deliveries, and the responses to give."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from simulators.loopback_server import LoopbackServer


@dataclass(frozen=True)
class Delivery:
    """One POST as it arrived; header names are in lower case."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)


@dataclass
class Webhook:
    """`answers` are the next statuses; after them it is always 200. `echoes`: responds with the received body."""

    url: str
    deliveries: list[Delivery] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    echoes: bool = False

    def told(self, key: str) -> list[Any]:
        """One field of each body, in the order of arrival."""
        return [delivery.body[key] for delivery in self.deliveries]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A webhook while the context is open."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            raw = self.rfile.read(int(headers["content-length"]))
            receiver.deliveries.append(Delivery(self.path, headers, raw))
            self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
            body = raw if receiver.echoes else b""
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_POST  # noqa: N815  the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    server = LoopbackServer(0, Handler)
    receiver = Webhook(f"http://127.0.0.1:{server.server_port}/webhook")
    with server.serving():
        yield receiver

"""Lambda's Runtime API, as its runtime client calls it: hands out events one by one and takes the answers."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

ARN = "arn:aws:lambda:us-east-1:123456789012:function:measured"
LIFETIME = 3600  # seconds that an invocation may take, as it is told


class RuntimeApi:
    """One for one process of the runtime client. `address` is its AWS_LAMBDA_RUNTIME_API."""

    def __init__(self) -> None:
        self._events: SimpleQueue[bytes] = SimpleQueue()
        self._answers: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), _handler(self._events, self._answers))
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def invoke(self, event: bytes, *, patience: float = 30) -> Any:
        """The function's answer to an event. RuntimeError with what it raised instead."""
        self._events.put(event)
        answer = self._answers.get(timeout=patience)
        if isinstance(answer, Exception):
            raise answer
        return json.loads(answer)

    def close(self) -> None:
        """Nothing is handed out any more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Nothing: a process that is ended hangs up."""


def _handler(events: SimpleQueue[bytes], answers: SimpleQueue[bytes | Exception]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            event = events.get()
            self._answer(
                200,
                event,
                {
                    "Lambda-Runtime-Aws-Request-Id": f"{time.time_ns():032x}",
                    "Lambda-Runtime-Invoked-Function-Arn": ARN,
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + LIFETIME) * 1000)),
                },
            )

        def do_POST(self) -> None:
            told = self.rfile.read(int(self.headers["content-length"]))
            self._answer(202, b"", {})
            answers.put(told if self.path.endswith("/response") else RuntimeError(told.decode()))

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            lines = [f"HTTP/1.1 {status} -", "Content-Type: application/json", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler

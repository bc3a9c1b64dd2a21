"""Lambda's Runtime API for its runtime client: hands out events one by one and takes the responses."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

ARN = "arn:aws:lambda:us-east-1:123456789012:function:measured"
LIFETIME = 3600  # max seconds of an invocation, as reported to the function


class RuntimeApi:
    """The API for one process of the runtime client. `address` is its AWS_LAMBDA_RUNTIME_API."""

    def __init__(self) -> None:
        self._events: SimpleQueue[bytes] = SimpleQueue()
        self._answers: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), _handler(self._events, self._answers))
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def invoke(self, event: bytes, *, patience: float = 30) -> Any:
        """The function's response to an event. Raises RuntimeError with the function's error."""
        self._events.put(event)
        answer = self._answers.get(timeout=patience)
        if isinstance(answer, Exception):
            raise answer
        return json.loads(answer)

    def close(self) -> None:
        """Hand out no more events."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Ignore the disconnect of an ended process."""


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

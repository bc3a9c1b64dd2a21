"""AWS as a receiver needs it, on the loopback, as fast as Python responds: python -m bench.receive.aws SECRET

DynamoDB's PutItem and Secrets Manager's two calls, in the correct format. The first printed line is its port. GET /last
returns the last row that it received, so that the bare write can use the same row.
"""

import json
import socket
import sys
import threading
import zlib
from typing import Any

VERSION = "00000000-0000-4000-8000-000000000000"
HEADERS_END = b"\r\n\r\n"


class Stand:
    """The responses, and the last row received."""

    def __init__(self, secret: str) -> None:
        described = {"ARN": "arn", "Name": "secret", "VersionIdsToStages": {VERSION: ["AWSCURRENT"]}}
        value = {"SecretString": secret, "VersionId": VERSION, "CreatedDate": 1.7e9, "Name": "secret", "ARN": "arn"}
        self._answers = {
            b"secretsmanager.DescribeSecret": _answer(described),
            b"secretsmanager.GetSecretValue": _answer(value),
            b"DynamoDB_20120810.PutItem": _answer({}),
        }
        self._last = b"{}"

    def answer(self, head: bytes, body: bytes) -> bytes:
        """The response to one request."""
        if head.startswith(b"GET /last"):
            return _answer(json.loads(self._last))
        _, _, named = head.partition(b"X-Amz-Target: ")
        target = named[: named.index(b"\r\n")]
        if target.endswith(b"PutItem"):
            self._last = body
        return self._answers[target]


def _answer(content: Any) -> bytes:
    body = json.dumps(content).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\n"
        f"x-amzn-RequestId: VAAKMA8RJKJ9DDN55RQ22MCV6FVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
        f"x-amz-crc32: {zlib.crc32(body)}\r\n\r\n"
    )
    return head.encode() + body


def serve(connection: socket.socket, stand: Stand) -> None:
    waiting = b""
    with connection:
        while True:
            while HEADERS_END not in waiting:
                more = connection.recv(65536)
                if not more:
                    return
                waiting += more
            head, _, waiting = waiting.partition(HEADERS_END)
            length = _length(head)
            while len(waiting) < length:
                waiting += connection.recv(65536)
            body, waiting = waiting[:length], waiting[length:]
            connection.sendall(stand.answer(head, body))


def _length(head: bytes) -> int:
    _, _, found = head.lower().partition(b"content-length:")
    return int(found.split(b"\r\n", 1)[0]) if found else 0


def main() -> None:
    stand = Stand(sys.argv[1])
    with socket.create_server(("127.0.0.1", 0)) as door:
        print(door.getsockname()[1], flush=True)
        while True:
            connection, _ = door.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(connection, stand), daemon=True).start()


if __name__ == "__main__":
    main()

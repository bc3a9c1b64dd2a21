"""An HTTP server on the loopback. Closing it also ends its connections and their threads."""

import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

POLL_SECONDS = 0.1  # max seconds to end, if closing the socket does not wake the thread


class LoopbackServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1 from its creation, with a thread per connection. Port 0 picks a free one. Speaks TLS if it
    has a TLS context."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> None:
        self.stopping = threading.Event()
        self._tls = tls
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:  # the handshake happens at the first read, in the connection's own thread
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        return connection, address

    def close_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        super().close_request(request)
        if isinstance(request, socket.socket):  # the other kind is a datagram
            self._open.discard(request)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Ignore clients that disconnect; report errors in the simulator itself."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve in a thread of its own while the context is open."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": POLL_SECONDS})
        thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            with suppress(OSError):  # wakes the listening thread on Linux
                self.socket.shutdown(socket.SHUT_RDWR)
            self.shutdown()
            for connection in list(self._open):
                with suppress(OSError):  # the plain socket's own method: the connection's thread still uses TLS
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            self.server_close()
            thread.join()


def certified(authority: Path, *more_names: str) -> ssl.SSLContext:
    """A TLS context for a server named `localhost`, 127.0.0.1 and `names`. Writes the certificate of its new authority
    to the file."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", "127.0.0.1", *more_names).configure_cert(context)
    return context

"""An HTTP server on the loopback that leaves nothing behind: ending it ends its connections and their threads."""

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

POLL_SECONDS = 0.1  # how long ending it may take, where closing its socket does not wake it


class LoopbackServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1 from the start on, with a thread per connection; port 0 takes a free one. Speaks TLS where
    there is a context for it."""

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
        if self._tls:  # the handshake comes with the first read, in the connection's own thread
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        return connection, address

    def close_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        super().close_request(request)
        if isinstance(request, socket.socket):  # the other kind is a datagram
            self._open.discard(request)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """A client that goes away is not worth a line; a mistake of ours is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve while the context lasts, in a thread of its own."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": POLL_SECONDS})
        thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            with suppress(OSError):  # wakes the thread that listens, on Linux
                self.socket.shutdown(socket.SHUT_RDWR)
            self.shutdown()
            for connection in list(self._open):
                with suppress(OSError):  # the plain socket's own method: TLS is in use in the connection's thread
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            self.server_close()
            thread.join()


def certified(authority: Path, *more_names: str) -> ssl.SSLContext:
    """A server's side of TLS, as `localhost`, 127.0.0.1 and more names; the certificate of its new authority is written
    to the file."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", "127.0.0.1", *more_names).configure_cert(context)
    return context

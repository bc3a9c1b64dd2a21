"""Serves the console on this machine's loopback until it is stopped."""

import socket
import threading
import webbrowser

import uvicorn

from cli.console.app import application
from cli.console.guard import HOSTS
from cli.errors import Refusal
from cli.stack import Stack

PORT = 8780
MAX_TAKEN = 20  # ports tried after the wanted one
BACKLOG = 128


def listening(port: int | None) -> socket.socket:
    """A socket on the loopback: on this port, a free one where it is 0; where it is None on PORT, or the next that is
    free. A Refusal where it is taken."""
    ports = range(PORT, PORT + MAX_TAKEN) if port is None else [port]
    for one in ports:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOSTS[0], one))
        except OSError:
            listener.close()
            continue
        listener.listen(BACKLOG)
        return listener
    raise Refusal(f"port {ports[0]} is taken; name another with --port, or --port 0 for a free one")


def address(listener: socket.socket) -> str:
    """The console's URL."""
    return f"http://{HOSTS[0]}:{listener.getsockname()[1]}/"


def serve(stack: Stack, listener: socket.socket, *, opens: bool) -> None:
    """Serve until the process is interrupted; `opens` shows it in the user's browser."""
    if opens:
        # A moment later: the socket takes the browser's connection already, so none is refused.
        threading.Timer(0.2, webbrowser.open, [address(listener)]).start()
    server(stack).run(sockets=[listener])


def server(stack: Stack) -> uvicorn.Server:
    """The server, not yet running. It logs errors alone: a line for each request would say nothing."""
    config = uvicorn.Config(
        application(stack),
        access_log=False,
        lifespan="off",
        log_level="warning",
        proxy_headers=False,
        server_header=False,
    )
    return uvicorn.Server(config)

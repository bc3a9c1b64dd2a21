"""Serves the console on the loopback until it is stopped."""

import socket
import threading
import webbrowser

import uvicorn

from cli.console.app import application
from cli.console.guard import HOSTS
from cli.errors import CliError
from cli.stack import Stack

PORT = 8780
MAX_PORTS = 20  # tried in turn, from PORT on
BACKLOG = 128


def listening(port: int | None) -> socket.socket:
    """A listening socket on the loopback. Port 0 picks a free one; None takes PORT or the next free one. Raises
    CliError if the port is in use."""
    ports = range(PORT, PORT + MAX_PORTS) if port is None else [port]
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
    raise CliError(f"Port {ports[0]} is in use. Name another with --port, or pick a free one with --port 0.")


def address(listener: socket.socket) -> str:
    """The console's URL."""
    return f"http://{HOSTS[0]}:{listener.getsockname()[1]}/"


def serve(stack: Stack, listener: socket.socket, *, opens: bool) -> None:
    """Serve until the process is interrupted. `opens` shows the console in the user's browser."""
    if opens:
        # The socket listens already, so the browser's connection is accepted however early it comes.
        threading.Timer(0.2, webbrowser.open, [address(listener)]).start()
    server(stack).run(sockets=[listener])


def server(stack: Stack) -> uvicorn.Server:
    """The server, not yet running. It logs only errors, not each request."""
    config = uvicorn.Config(
        application(stack),
        access_log=False,
        lifespan="off",
        log_level="warning",
        proxy_headers=False,
        server_header=False,
    )
    return uvicorn.Server(config)

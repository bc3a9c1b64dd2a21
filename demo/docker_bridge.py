"""From a Docker container to a port of this machine's loopback, while the container runs.

Our servers listen only on 127.0.0.1, and a container has its own loopback. So this opens a port on the machine's
address on Docker's bridge, serves only containers there, and closes it again.
"""

import asyncio
import ipaddress
import socket
import subprocess
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from local.webhook_proxy import pass_on

BRIDGE = '{{index .Options "com.docker.network.bridge.name"}}'
DESKTOP = "host.docker.internal"  # Docker Desktop's name for the machine with its loopback


class NoDocker(Exception):
    """Docker is missing or lacks something; the message says what."""


def bridge() -> ipaddress.IPv4Interface | None:
    """The machine's address and network on Docker's default bridge; None if Docker runs in a virtual machine, like
    Docker Desktop. Raises NoDocker if it does not respond."""
    name = _docker("network", "inspect", "bridge", "--format", BRIDGE)
    for one in psutil.net_if_addrs().get(name, ()):
        if one.family == socket.AF_INET:
            return ipaddress.IPv4Interface(f"{one.address}/{one.netmask}")
    return None


def has_image(image: str) -> bool:
    """Whether the image is on this machine. Raises NoDocker if Docker does not respond."""
    return bool(_docker("image", "ls", "--quiet", image))


@asynccontextmanager
async def reachable(port: int) -> AsyncIterator[str]:
    """The URL for containers of this loopback port, while the context is open. Raises NoDocker if Docker does not
    respond."""
    ours = bridge()
    if ours is None:
        yield f"http://{DESKTOP}:{port}"
    else:
        async with opened(ours, port) as url:
            yield url


@asynccontextmanager
async def opened(ours: ipaddress.IPv4Interface, port: int) -> AsyncIterator[str]:
    """A free port on an address of this machine, which connects that address's network to a port of the loopback; its
    URL."""
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        serving.add(asyncio.current_task())
        writers = [writer]
        try:
            # Another machine may have a route to the address: it is not served.
            if ipaddress.IPv4Address(writer.get_extra_info("peername")[0]) in ours.network:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                writers.append(far_writer)
                await asyncio.gather(pass_on(reader, far_writer), pass_on(far_reader, writer))
        except OSError:
            pass  # one side has disconnected
        finally:
            for one in writers:
                one.close()
            serving.discard(asyncio.current_task())

    server = await asyncio.start_server(serve, str(ours.ip), 0)
    try:
        yield f"http://{ours.ip}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        connections = list(filter(None, serving))
        for connection in connections:  # kept open by the other side
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def _docker(*arguments: str) -> str:
    """The output of `docker`. Raises NoDocker if it is missing or cannot reach its daemon."""
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoDocker("Docker (not installed)") from None
    if done.returncode:
        raise NoDocker(f"Docker (no response: {done.stderr.strip().partition('\n')[0]})")
    return done.stdout.strip()

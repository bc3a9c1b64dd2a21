"""From a Docker container to a port of this machine's loopback, while somebody waits for the container.

Nothing of ours listens elsewhere than on 127.0.0.1, and a container has a loopback of its own. So a port is opened on
the address that this machine has on Docker's bridge, where only containers are served, and closed again.
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
DESKTOP = "host.docker.internal"  # Docker Desktop's name for the machine, its loopback included


class NoDocker(Exception):
    """There is none, or it lacks something; says what."""


def bridge() -> ipaddress.IPv4Interface | None:
    """The address and the network of this machine on Docker's default bridge; None where Docker runs in a machine of
    its own, as Docker Desktop does. NoDocker where none answers."""
    name = _docker("network", "inspect", "bridge", "--format", BRIDGE)
    for one in psutil.net_if_addrs().get(name, ()):
        if one.family == socket.AF_INET:
            return ipaddress.IPv4Interface(f"{one.address}/{one.netmask}")
    return None


def has_image(image: str) -> bool:
    """Whether the image is on this machine. NoDocker where no Docker answers."""
    return bool(_docker("image", "ls", "--quiet", image))


@asynccontextmanager
async def reachable(port: int) -> AsyncIterator[str]:
    """The URL by which a container reaches this port of the loopback, while the context lasts. NoDocker where none
    answers."""
    ours = bridge()
    if ours is None:
        yield f"http://{DESKTOP}:{port}"
    else:
        async with opened(ours, port) as url:
            yield url


@asynccontextmanager
async def opened(ours: ipaddress.IPv4Interface, port: int) -> AsyncIterator[str]:
    """A free port on an address of this machine, which leads its own network to a port of the loopback; its URL."""
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        serving.add(asyncio.current_task())
        writers = [writer]
        try:
            # A machine beside this one may have a route to the address: it is not served.
            if ipaddress.IPv4Address(writer.get_extra_info("peername")[0]) in ours.network:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                writers.append(far_writer)
                await asyncio.gather(pass_on(reader, far_writer), pass_on(far_reader, writer))
        except OSError:
            pass  # one of the two went away
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
        for connection in connections:  # kept alive by the far side
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def _docker(*arguments: str) -> str:
    """What `docker` prints. NoDocker where it is not there, or does not reach its daemon."""
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoDocker("Docker, which is not installed") from None
    if done.returncode:
        raise NoDocker(f"Docker, which does not answer: {done.stderr.strip().partition('\n')[0]}")
    return done.stdout.strip()

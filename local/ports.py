"""Free ports on the loopback."""

import os
import random
import socket
from pathlib import Path

from local.stack import StackError

LOWEST = 10_240  # below it are well-known ports
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def is_taken(port: int) -> bool:
    """Whether a process listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free() -> int:
    """A port without a listener, outside the range that the system uses for outgoing connections: one of those might
    take it before a starting process listens on it."""
    while True:
        port = random.randrange(LOWEST, _lowest_outgoing())  # noqa: S311
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _lowest_outgoing() -> int:
    try:
        lowest = int(OUTGOING.read_text().split()[0])
    except (OSError, ValueError):
        lowest = 0
    return lowest if lowest > LOWEST + 1000 else 32_768  # Linux's own default


def choose(wanted: int | None, usual: int) -> int:
    """The requested port; raises StackError if it is in use. 0 picks a free one; None takes the usual one if it is
    free, else another one."""
    if wanted and is_taken(wanted):
        raise StackError(f"port {wanted} is in use; set a free one, or none to pick one")
    if wanted is None and not is_taken(usual):
        return usual
    return wanted or free()


def from_environment(variable: str) -> int | None:
    """The port in a variable, None if it is not set. Raises StackError if the value is no port."""
    value = os.environ.get(variable)
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or int(value) > 65535:  # the highest port
        raise StackError(f"{variable}={value} is not a port")
    return int(value)

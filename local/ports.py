"""Ports on the loopback: which is free."""

import os
import random
import socket
from pathlib import Path

from local.stack import StackError

LOWEST = 10_240  # below it are the ports of services that people know by number
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def is_taken(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free() -> int:
    """A port that nothing listens on. It is none that the system gives to outgoing connections: one of these might take
    it before a process that is only starting listens there."""
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
    """The port wanted, a StackError when it is taken. 0 is a free one; None is the usual one, or a free one too."""
    if wanted and is_taken(wanted):
        raise StackError(f"port {wanted} is taken; name a free one, or none to have one found")
    if wanted is None and not is_taken(usual):
        return usual
    return wanted or free()


def from_environment(variable: str) -> int | None:
    """The port that a variable names, None when it is not set; a StackError for what is no port."""
    value = os.environ.get(variable)
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or int(value) > 65535:  # the highest there is
        raise StackError(f"{variable}={value} is not a port")
    return int(value)

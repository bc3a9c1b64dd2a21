"""Ports on the loopback: which is free."""

import os
import socket

from local.stack import StackError


def is_taken(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


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

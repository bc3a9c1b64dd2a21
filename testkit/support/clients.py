"""AWS clients for the fast tests, made once in a process. Making one takes botocore 5 to 15 ms, and 100 ms if it reads
AWS's descriptions again, which adds up over two thousand tests.

A client outlives its account: the backend (moto) is looked up at each call. Handlers that a test registers at a
client's events are removed with the account.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import cache
from threading import Lock
from typing import Any

import boto3
import botocore
import botocore.session
import pytest
from botocore.config import Config

# moto checks neither; signing and the user agent take a fifth of a call.
UNSIGNED = Config(signature_version=botocore.UNSIGNED, user_agent="tests")
SIGNED = frozenset({"s3"})  # its links are signed by the client
# The environment variables that a client reads.
READ = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")

_made: dict[str, Any] = {}
_lock = Lock()
_registered: list[Callable[[], None]] = []


class Session(botocore.session.Session):
    """A session that shares existing clients with the same options. A client for a test's own server is always new.

    It starts with botocore's default handlers: registering them again takes as long as making a client.
    """

    def __init__(self) -> None:
        super().__init__(event_hooks=copy(_hooks()), include_builtin_handlers=False)

    def create_client(self, service_name: str, **how: Any) -> Any:  # type: ignore[override]
        if how.get("endpoint_url"):
            return super().create_client(service_name, **how)
        if service_name not in SIGNED:
            how["config"] = UNSIGNED.merge(how["config"]) if how.get("config") else UNSIGNED
        wishes = [vars(value) if name == "config" and value else value for name, value in sorted(how.items())]
        region = self.get_config_variable("region")
        key = repr([service_name, sorted(how), wishes, self.profile, region, [os.environ.get(name) for name in READ]])
        with _lock:
            if key not in _made:
                _made[key] = super().create_client(service_name, **how)
                _note_what_is_registered(_made[key].meta.events)
            return _made[key]


@cache
def _hooks() -> Any:
    return botocore.session.Session().get_component("event_emitter")


def _note_what_is_registered(events: Any) -> None:
    for name in ("register", "register_first", "register_last"):
        setattr(events, name, _noting(getattr(events, name), events.unregister))


def _noting(register: Callable[..., None], unregister: Callable[..., None]) -> Callable[..., None]:
    def noted(event_name: str, handler: Any, *more: Any, **options: Any) -> None:
        register(event_name, handler, *more, **options)
        _registered.append(lambda: unregister(event_name, handler, *more, **options))

    return noted


def own_client(service: str) -> Any:
    """A client that is not shared, for a test whose other side must not see its handlers."""
    return boto3.Session(botocore_session=botocore.session.Session()).client(service)  # type: ignore[call-overload]


@cache
def _default_session() -> boto3.Session:
    return boto3.Session(botocore_session=Session())


@contextmanager
def lent_clients() -> Iterator[None]:
    """While the context is open, all sessions, boto3's default one included, share clients."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(botocore.session, "get_session", Session)
        patched.setattr(boto3, "DEFAULT_SESSION", _default_session())
        try:
            yield
        finally:
            while _registered:
                _registered.pop()()

"""The console over moto's account, and a client that is no browser."""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from html.parser import HTMLParser
from itertools import batched
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import httpx
import pytest
from starlette.types import ASGIApp

from cli.console import serving
from cli.console.app import application
from cli.stack import Stack
from dailies import clock
from dailies.models import Event, JobError, Media, Receipt
from dailies.rows import event_item, quarantine_item
from dailies.table import compressed
from tests.cloud import BUCKET, BUS, TABLE, Cloud, account

# As a browser asks when its user follows a link within the console, and when a script of it does.
BY_LINK = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
BY_SCRIPT = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "same-origin", "sec-fetch-dest": "empty"}


class Fields(HTMLParser):
    """The forms of a page: each by its action, with its hidden fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given["action"], {}))
        elif tag == "input":
            self.forms[-1][1][given["name"]] = given["value"]


class InProcess(httpx.BaseTransport):
    """An application is asked without a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = httpx.ASGITransport(app)
        self._runner = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._app.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    def close(self) -> None:
        self._runner.close()


class Console:
    """A console, what is recorded in its account, and the answers it gives."""

    def __init__(self, cloud: Cloud) -> None:
        for service in ("dynamodb", "s3", "events"):
            getattr(cloud, service)
        self.cloud = cloud
        self.stack = Stack(
            name="dailies",
            region="us-east-1",
            webhook_base_url="https://r.example",
            outputs={
                "TableName": TABLE,
                "MediaBucketName": BUCKET,
                "BusName": BUS,
                "ArchiveQueueUrl": cloud.queue_url("found"),
                "ArchiveDeadLetterQueueUrl": cloud.queue_url("failures"),
            },
            parameters={"RetentionDays": "90"},
            session=boto3.DEFAULT_SESSION or boto3.Session(),
        )
        self.client = httpx.Client(transport=InProcess(application(self.stack)), base_url="http://127.0.0.1")

    @property
    def host(self) -> str:
        """Where it is served: the value of an honest Host header."""
        return self.client.base_url.netloc.decode()

    @contextmanager
    def served(self) -> Iterator[None]:
        """It answers as the command serves it, over a socket, while the context lasts."""
        server, listener = serving.server(self.stack), serving.listening(0)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with httpx.Client(base_url=serving.address(listener), trust_env=False) as self.client:
                yield
        finally:
            server.should_exit = True
            thread.join()

    def get(self, path: str, headers: dict[str, str] = BY_LINK) -> httpx.Response:
        """What a page answers."""
        return self.client.get(path, headers=headers)

    def press(self, path: str, action: str, headers: dict[str, str] = BY_LINK, **changed: str) -> httpx.Response:
        """Send the first form with this action of a page; `changed` are fields with another value."""
        (fields, *_) = [fields for where, fields in Fields(self.get(path).text).forms if where == action]
        return self.client.post(action, data=fields | changed, headers=headers)

    def hears(self, job_id: str = "g-1", **known: Any) -> Event:
        """An event of Sync's generation is recorded and merged; a medium that is named is found by it."""
        content = repr((job_id, known)).encode()
        event = Event(**{
            "event_id": hashlib.sha256(content).hexdigest(),
            "provider": "sync",
            "webhook": "generation",
            "job_id": job_id,
            "status": "completed",
            "provider_status": "COMPLETED",
            "origin": "webhook",
            "received_at": clock.now(),
            **known,
        })  # fmt: skip
        kept = {"payload": compressed(event.payload)} if event.payload else {}
        self.stack.table.put_once(event_item(event, expires_at=2_000_000_000, **kept), written_by="test")
        self.stack.table.advance(event)
        return event

    def quarantines(self, payload: bytes, *, reason: str = "id: missing") -> str:
        """A call that could not be read is kept; its event id."""
        event_id = hashlib.sha256(payload).hexdigest()
        item = quarantine_item(
            event_id,
            "generation",
            provider="sync",
            received_at=clock.now(),
            reason=reason,
            proof="sync-signature t,v1 (current)",
            payload=compressed(payload),
        )
        self.stack.table.put_once(item, written_by="test")
        return event_id

    def fails(self, *bodies: str, reason: str = "the host answered 500") -> None:
        """Media are given up, one for each message."""
        attributes: Any = {"reason": {"DataType": "String", "StringValue": reason}}
        for some in batched(bodies, 10, strict=False):
            entries: list[Any] = [
                {"Id": str(number), "MessageBody": body, "MessageAttributes": attributes}
                for number, body in enumerate(some)
            ]
            self.cloud.sqs.send_message_batch(QueueUrl=self.cloud.queue_url("failures"), Entries=entries)


def archived(medium: Media, **known: Any) -> Receipt:
    """The receipt of a medium in the bucket."""
    return Receipt(**{
        "role": medium.role,
        "media_id": medium.media_id,
        "state": "archived",
        "at": clock.now(),
        "source_host": "h.example",
        "key": f"media/sync/g-1/{medium.role}-{medium.media_id}.mp4",
        "version_id": "v1",
        "bytes": 24_080,
        "checksum": "crc64nvme:lxN5SSqpOFE=",
        "content_type": "video/mp4",
        "seconds": Decimal(2),
        "width": 320,
        "height": 180,
        **known,
    })  # fmt: skip


def failure(code: str, message: str) -> JobError:
    """Why a job failed."""
    return JobError(code, message, retryable=False)


def query(link: str) -> dict[str, str]:
    """The query of a link."""
    return dict(parse_qsl(urlsplit(link).query))


@pytest.fixture
def console(cloud: Cloud) -> Iterator[Console]:
    """A console over an account of this test's own, asked without a socket."""
    opened = Console(cloud)
    with opened.client:
        yield opened


@pytest.fixture(scope="module")
def one_console() -> Iterator[Console]:
    """A console as it is served, for all tests of a file that only look."""
    with account() as cloud:
        opened = Console(cloud)
        with opened.served():
            yield opened

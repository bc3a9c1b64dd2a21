"""The queues of failed messages: what they contain and why, and the buttons that redrive it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cli import queues
from cli.console import guard, rendering
from cli.console.rendering import url
from cli.errors import NothingFound
from cli.queues import FailedMessage, Queue, Redriven
from cli.stack import Stack

EVERY = 5  # seconds: only the counts, one request per queue; the messages are read when the page is loaded


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue, the number of messages that SQS counts in it, and those that were read."""

    queue: Queue
    count: int
    failed: Sequence[FailedMessage]

    @property
    def total(self) -> str:
        """The number of messages; approximate if there are more than were read."""
        return queues.in_words(max(self.count, len(self.failed)), len(self.failed))

    @property
    def is_part(self) -> bool:
        """Whether there are more messages than are shown."""
        return self.count > len(self.failed)

    @property
    def question(self) -> str:
        """The question before all messages are redriven."""
        return f"Process {self.total} of {self.queue.name} again? Messages that fail again come back here."


def show(request: Request) -> Response:
    """GET /queues"""
    stack, query = rendering.stack_of(request), request.query_params
    counts = queues.counts(stack)
    is_update = "shown" in query
    existing = queues.of(stack)
    with ThreadPoolExecutor(len(existing)) as readers:  # reading takes a second
        read = readers.map(lambda q: [] if is_update or not counts[q.name] else queues.look(stack, q), existing)
        views = [QueueView(queue, counts[queue.name], failed) for queue, failed in zip(existing, read, strict=True)]
    found = sum(counts[queue.name] for queue in existing)
    return rendering.page(
        request,
        "queues",
        every=EVERY,
        seen=query.get("seen", "") if is_update else str(found),
        section="/queues",
        counts=counts,
        queues=views,
        changed=is_update and query.get("seen") != str(found),
        notice=notice(request),
    )


def failed(request: Request) -> Response:
    """GET /queues/failed: the number of failed messages, for the tab; empty if there are none."""
    counts = queues.counts(rendering.stack_of(request))
    waiting = sum(count for name, count in counts.items() if name != "waiting")
    return HTMLResponse(rendering.TEMPLATES.get_template("badge.html").render(waiting=waiting))


async def redriven(request: Request) -> Response:
    """POST /redrive: all of a queue, or one message of it."""
    fields = await guard.approve(request)
    queue = next((queue for queue in queues.QUEUES.values() if queue.name == fields.get("queue")), None)
    if queue is None:
        raise NothingFound("No such queue.")
    done = await run_in_threadpool(redrive, rendering.stack_of(request), queue, fields.get("message", ""))
    result = {
        "processed": sum(not one.stays for one in done),
        "failed": sum(bool(one.problem) for one in done),
        "repeated": sum(one.is_repeated for one in done),
    }
    return RedirectResponse(url("/queues", **result), 303)


def redrive(stack: Stack, queue: Queue, message_id: str) -> list[Redriven]:
    """Redrive one message, or all if none is named."""
    if not message_id:
        return queues.redrive(stack, queue)
    return queues.redrive(stack, queue, matches=lambda one: one.message_id == message_id, limit=1)


def notice(request: Request) -> str:
    """The result of the redrive that redirected here. Only numbers are taken from the link."""
    given = [request.query_params.get(name, "") for name in ("processed", "failed", "repeated")]
    if not all(number.isdecimal() for number in given):
        return ""
    processed, failed, repeated = map(int, given)
    if not processed + failed:
        return "No messages were received. Try again in a few seconds."
    failures = f" {failed} failed again and stay here." if failed else ""
    repeats = f" {repeated} for the same work stay here." if repeated else ""
    return f"{processed} redriven.{failures}{repeats}"

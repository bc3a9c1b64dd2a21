"""The queues of failed work: what waits and why, and the buttons that put it back."""

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
from cli.queues import Failed, Queue, Redriven
from cli.stack import Stack

EVERY = 5  # seconds: the counts alone, a call for each queue; the messages are looked at when the page is loaded


@dataclass(frozen=True, slots=True)
class Heap:
    """A queue, how many messages SQS counts in it, those that were looked at, and the question before all of it is put
    back."""

    queue: Queue
    count: int
    failed: Sequence[Failed]

    @property
    def many(self) -> str:
        """How many wait: a queue with more than are shown is counted roughly."""
        return queues.in_words(max(self.count, len(self.failed)), len(self.failed))

    @property
    def is_part(self) -> bool:
        """Whether more wait than are shown."""
        return self.count > len(self.failed)

    @property
    def question(self) -> str:
        """Says how many there are."""
        return f"Put {self.many} of {self.queue.name} back to work? What fails again comes back here."


def show(request: Request) -> Response:
    """GET /queues"""
    stack, query = rendering.stack_of(request), request.query_params
    counts = queues.counts(stack)
    asks_itself = "shown" in query
    there = queues.of(stack)
    with ThreadPoolExecutor(len(there)) as lookers:  # a look takes a second
        looks = lookers.map(lambda q: [] if asks_itself or not counts[q.name] else queues.look(stack, q), there)
        heaps = [Heap(queue, counts[queue.name], failed) for queue, failed in zip(there, looks, strict=True)]
    found = sum(counts[queue.name] for queue in there)
    return rendering.page(
        request,
        "queues",
        every=EVERY,
        seen=query.get("seen", "") if asks_itself else str(found),
        section="/queues",
        counts=counts,
        heaps=heaps,
        changed=asks_itself and query.get("seen") != str(found),
        notice=notice(request),
    )


def failed(request: Request) -> Response:
    """GET /queues/failed: how many wait, for the tab; nothing where none do."""
    counts = queues.counts(rendering.stack_of(request))
    waiting = sum(count for name, count in counts.items() if name != "waiting")
    return HTMLResponse(rendering.TEMPLATES.get_template("badge.html").render(waiting=waiting))


async def redriven(request: Request) -> Response:
    """POST /redrive: all of a queue, or one message of it."""
    fields = await guard.approve(request)
    queue = next((queue for queue in queues.QUEUES.values() if queue.name == fields.get("queue")), None)
    if queue is None:
        raise NothingFound("There is no such queue.")
    done = await run_in_threadpool(redrive, rendering.stack_of(request), queue, fields.get("message", ""))
    back, still, same = (
        sum(not one.stays for one in done),
        sum(bool(one.problem) for one in done),
        sum(one.is_repeated for one in done),
    )
    return RedirectResponse(url("/queues", back=back, still=still, same=same), 303)


def redrive(stack: Stack, queue: Queue, message_id: str) -> list[Redriven]:
    """Put one message back to work, or all where none is named."""
    if not message_id:
        return queues.redrive(stack, queue)
    return queues.redrive(stack, queue, wanted=lambda one: one.message_id == message_id, most=1)


def notice(request: Request) -> str:
    """What the redrive that led here came to; its words are ours, whatever the link says."""
    back, still, same = (request.query_params.get(name, "") for name in ("back", "still", "same"))
    if not (back.isdecimal() and still.isdecimal() and same.isdecimal()):
        return ""
    if not int(back) + int(still):
        return "Nothing was found to put back: look again in a few seconds."
    failing = f" {still} failed again and still wait." if int(still) else ""
    repeated = f" {same} of the same work as others still wait." if int(same) else ""
    return f"{back} put back to work.{failing}{repeated}"

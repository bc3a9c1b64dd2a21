"""The quarantine: calls that could not be read, what came, and the buttons that read them again."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cli import quarantine
from cli.console import formats, guard, rendering
from cli.console.rendering import url
from cli.quarantine import Call, Read
from cli.stack import Stack

SPANS = (7, 30, 90)  # days; a query for each provider and day


def show(request: Request) -> Response:
    """GET /quarantine"""
    back = _days(request.query_params)
    calls = quarantine.calls(rendering.stack_of(request), _ago(back))
    many = f"these {len(calls)} calls" if len(calls) != 1 else "this call"
    return rendering.page(
        request,
        "quarantine",
        section="/quarantine",
        spans=SPANS,
        back=back,
        calls=calls,
        question=f"Read {many} again with this version? What can be read becomes events, the rest stays here.",
        notice=notice(request),
    )


def call(request: Request) -> Response:
    """GET /call?provider=...&day=...&event=..."""
    stack = rendering.stack_of(request)
    one = named(stack, request.query_params)
    text = formats.payload(quarantine.payload(stack, one))
    return rendering.page(request, "call", section="/quarantine", call=one, text=text, notice=notice(request))


async def read_again(request: Request) -> Response:
    """POST /read-again: one call, or all of the last days."""
    fields = await guard.approve(request)
    stack = rendering.stack_of(request)
    if "event" not in fields:
        done = await run_in_threadpool(_read_all, stack, _days(fields))
        read = sum(bool(one.job_id) for one in done)
        return RedirectResponse(url("/quarantine", days=_days(fields), read=read, unread=len(done) - read), 303)
    one = await run_in_threadpool(named, stack, fields)
    result = await run_in_threadpool(quarantine.read_again, stack, one)
    if result.job_id:
        return RedirectResponse(url("/job", provider=one.provider, id=result.job_id), 303)
    where = url("/call", provider=one.provider, day=one.received_at[:10], event=one.event_id, read=0, unread=1)
    return RedirectResponse(where, 303)


def named(stack: Stack, fields: Mapping[str, str]) -> Call:
    """The call that a page of ours names by provider, day and event."""
    provider, day, event = (fields.get(name, "") for name in ("provider", "day", "event"))
    return quarantine.one(stack, provider, day, event)


def notice(request: Request) -> str:
    """What the reading that led here came to; its words are ours, whatever the link says."""
    read, unread = (request.query_params.get(name, "") for name in ("read", "unread"))
    if not (read.isdecimal() and unread.isdecimal()):
        return ""
    left = f" {unread} still cannot be read." if int(unread) else ""
    return f"{read} read and recorded.{left}"


def _read_all(stack: Stack, days: int) -> Sequence[Read]:
    return [quarantine.read_again(stack, one) for one in quarantine.calls(stack, _ago(days))]


def _days(fields: Mapping[str, str]) -> int:
    asked = fields.get("days", "")
    return int(asked) if asked in {str(days) for days in SPANS} else SPANS[0]


def _ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)

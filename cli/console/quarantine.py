"""The quarantine: deliveries that could not be parsed, their bodies, and the buttons that parse them again."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cli import payloads, quarantine
from cli.console import guard, rendering
from cli.console.rendering import url
from cli.formats import counted
from cli.quarantine import Delivery, Reparsed
from cli.stack import Stack

SPANS = (7, 30, 90)  # days; one query per provider and day


def show(request: Request) -> Response:
    """GET /quarantine"""
    back = _days(request.query_params)
    found = quarantine.deliveries(rendering.stack_of(request), _ago(back))
    count = counted(len(found), "delivery", "deliveries")
    return rendering.page(
        request,
        "quarantine",
        section="/quarantine",
        spans=SPANS,
        back=back,
        deliveries=found,
        question=f"Parse {count} again with this version? Parsed ones become events, the others stay here.",
        notice=notice(request),
    )


def delivery(request: Request) -> Response:
    """GET /delivery?provider=...&day=...&event=..."""
    stack = rendering.stack_of(request)
    one = requested(stack, request.query_params)
    text = payloads.readable(quarantine.payload(stack, one))
    return rendering.page(request, "delivery", section="/quarantine", delivery=one, text=text, notice=notice(request))


async def reparsed(request: Request) -> Response:
    """POST /reparse: one delivery, or all of the last days."""
    fields = await guard.approve(request)
    stack = rendering.stack_of(request)
    if "event" not in fields:
        done = await run_in_threadpool(_reparse_all, stack, _days(fields))
        parsed = sum(bool(one.job_id) for one in done)
        return RedirectResponse(url("/quarantine", days=_days(fields), parsed=parsed, failed=len(done) - parsed), 303)
    one = await run_in_threadpool(requested, stack, fields)
    result = await run_in_threadpool(quarantine.reparse, stack, one)
    if result.job_id:
        return RedirectResponse(url("/job", provider=one.provider, id=result.job_id), 303)
    where = url("/delivery", provider=one.provider, day=one.received_at[:10], event=one.event_id, parsed=0, failed=1)
    return RedirectResponse(where, 303)


def requested(stack: Stack, fields: Mapping[str, str]) -> Delivery:
    """The delivery that the fields name by provider, day and event. Raises NothingFound."""
    provider, day, event = (fields.get(name, "") for name in ("provider", "day", "event"))
    return quarantine.one(stack, provider, day, event)


def notice(request: Request) -> str:
    """The result of the parsing that redirected here. Only numbers are taken from the link."""
    parsed, failed = (request.query_params.get(name, "") for name in ("parsed", "failed"))
    if not (parsed.isdecimal() and failed.isdecimal()):
        return ""
    rest = f" {failed} still cannot be parsed." if int(failed) else ""
    return f"{parsed} parsed and recorded.{rest}"


def _reparse_all(stack: Stack, days: int) -> Sequence[Reparsed]:
    return [quarantine.reparse(stack, one) for one in quarantine.deliveries(stack, _ago(days))]


def _days(fields: Mapping[str, str]) -> int:
    given = fields.get("days", "")
    return int(given) if given in {str(days) for days in SPANS} else SPANS[0]


def _ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)

"""`dailies queues`: what failed and why. `dailies redrive`: back to work with it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cli import queues as failures
from cli.commands.options import stack_of
from cli.errors import NothingFound, Refusal
from cli.output import Json, Yes, ask, counted, plain, print_json, print_table, progress, say
from cli.queues import QUEUES, Failed, Queue, QueueName, Redriven
from cli.stack import Stack
from cli.times import shown

BY_AWS = "AWS moved it: at every try the function was ended, or AWS failed"
LOOKED_AT = 100  # messages of each queue, before the question: their reasons are shown

Name = Annotated[QueueName | None, typer.Argument(help="One queue; none: all.")]


def queues(
    ctx: typer.Context,
    name: Name = None,
    limit: Annotated[int, typer.Option(min=1, help="At most about so many of each.")] = 100,
    json: Json = False,
) -> None:
    """What failed and waits for a person, by queue: whose it is, and why.

    Nothing is taken out. Messages wait for 14 days.
    """
    stack = stack_of(ctx)
    counts = failures.counts(stack)
    waiting = {queue: failures.look(stack, queue, limit) for queue in _chosen(stack, name)}
    if json:
        print_json({"archive_queue": counts["waiting"], **{q.name: [_plain(f) for f in w] for q, w in waiting.items()}})
        return
    for queue, failed in waiting.items():
        number = max(counts[queue.name], len(failed))
        say(f"[bold]{queue.name}[/]: {queue.holds}: {f'[red]{number}[/]' if number else 'none'}")
        if failed:
            print_table(
                ("  waits since", "job", "what", "why"),
                (
                    (f"  {shown(f.waits_since)}", f"{f.provider}/{plain(f.job_id)}", plain(f.about), _why(f))
                    for f in failed
                ),
            )
            if number > len(failed):
                say(f"[dim]  {len(failed):,} of {failures.in_words(number, len(failed))}; --limit shows more[/]")
    say(f"[dim]Work that waits for the archive: {counts['waiting']}[/]")
    if any(waiting.values()):
        say("[dim]`dailies redrive` puts it back to work, once the cause is gone.[/]")


def redrive(
    ctx: typer.Context,
    name: Name = None,
    job: Annotated[str, typer.Option(help="Only the work of this job.")] = "",
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Put failed work back to work: media into the archive's queue, events and announcements done here and now.

    All of it may be done twice. What fails again stays in its queue, and where two messages mean the same work, one.
    """
    stack = stack_of(ctx)

    def wanted(failed: Failed) -> bool:
        return not job or job in (failed.job_id, f"{failed.provider}/{failed.job_id}")

    # SQS cannot be asked for a job's messages: for one, the whole queue is looked through.
    most = None if job else LOOKED_AT
    waiting = {queue: [f for f in failures.look(stack, queue, most) if wanted(f)] for queue in _chosen(stack, name)}
    waiting = {queue: failed for queue, failed in waiting.items() if failed}
    if not waiting:
        raise NothingFound("nothing waits there; `dailies queues` shows what does")
    looked_at = sum(map(len, waiting.values()))
    count = looked_at if job else _number(failures.counts(stack), waiting)
    if not json:
        _show_reasons(waiting, is_part=count > looked_at)
    ask(f"Put {failures.in_words(count, looked_at)} back to work on {stack}?", yes=yes)
    done: list[Redriven] = []
    with progress("redrive", count) as more:
        for queue in waiting:
            done += failures.redrive(stack, queue, wanted=wanted, progress=lambda _: more(1))
    problems = Counter(one.problem for one in done if one.problem)
    repeated = sum(one.is_repeated for one in done)
    if json:
        print_json([_plain(one.failed) | {"stays": one.stays, "problem": one.problem or None} for one in done])
    else:
        say(f"{counted(sum(not one.stays for one in done), 'message')} back at work.")
        for problem, number in problems.most_common():
            say(f"[red]{number:,} stayed[/]: {plain(problem)}")
        if repeated:
            say(f"[yellow]{repeated:,} stayed[/]: the same work as another message; once that is done, redrive again")
    if problems:
        raise Refusal("not all could be put back to work; what stayed waits in its queue, with the reason above")


def _number(counts: Mapping[str, int], waiting: Mapping[Queue, Sequence[Failed]]) -> int:
    """How many messages wait, as SQS counts them: what was looked at is a part of it."""
    return sum(max(counts[queue.name], len(failed)) for queue, failed in waiting.items())


def _chosen(stack: Stack, name: QueueName | None) -> list[Queue]:
    there = failures.of(stack)
    if name and QUEUES[name] not in there:
        raise Refusal(f"this stack has no queue of {name}; deploy this version first (`sam deploy`)")
    return [QUEUES[name]] if name else there


def _show_reasons(waiting: Mapping[Queue, Sequence[Failed]], *, is_part: bool) -> None:
    for queue, failed in waiting.items():
        say(f"[bold]{queue.name}[/]: {queue.holds}{f'; of {len(failed)} looked at' if is_part else ''}")
        for reason, number in Counter(map(_why, failed)).most_common():
            say(f"  {number:>5,}  {reason}")


def _why(failed: Failed) -> str:
    return plain(failed.reason) or BY_AWS


def _plain(failed: Failed) -> dict[str, Any]:
    names = ("message_id", "reason", "waits_since", "provider", "job_id", "about")
    return {"queue": failed.queue.name, **{name: getattr(failed, name) for name in names}}

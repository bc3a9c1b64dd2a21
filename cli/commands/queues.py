"""`dailies queues`: list failed messages. `dailies redrive`: process them again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cli import queues as failures
from cli.commands.options import AsJson, Yes, listed, stack_of
from cli.errors import CliError, NothingFound
from cli.formats import counted, short_time
from cli.output import ask, plain, print_json, print_table, progress, say
from cli.queues import QUEUES, FailedMessage, Queue, QueueName, Redriven
from cli.stack import Stack

BY_AWS = "no reason recorded: AWS moved it after the function timed out or crashed at every attempt"
LOOKED_AT = 100  # messages of each queue that are read for the reasons shown before the question

Name = Annotated[
    QueueName | None, typer.Argument(metavar="QUEUE", help=f"Only this queue: {listed(QUEUES)}.", show_default=False)
]


def queues(
    ctx: typer.Context,
    name: Name = None,
    limit: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="Messages to read from each queue, about.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List failed messages by queue, with the job and the reason.

    Removes nothing. SQS keeps the messages for 14 days.
    """
    stack = stack_of(ctx)
    counts = failures.counts(stack)
    waiting = {queue: failures.look(stack, queue, limit) for queue in _chosen(stack, name)}
    if as_json:
        messages = {queue.name: [_fields(one) for one in found] for queue, found in waiting.items()}
        print_json({"archive_queue": counts["waiting"], **messages})
        return
    for queue, found in waiting.items():
        _print_queue(queue, found, counts[queue.name])
    say(f"[dim]Waiting for the archive: {counts['waiting']}[/]")
    if any(waiting.values()):
        say("[dim]Process them again with `dailies redrive`, once the cause is fixed.[/]")


def _print_queue(queue: Queue, found: Sequence[FailedMessage], count: int) -> None:
    number = max(count, len(found))
    say(f"[bold]{queue.name}[/]: {queue.holds}: {f'[red]{number}[/]' if number else 'none'}")
    if not found:
        return
    print_table(
        ("  since", "job", "about", "reason"),
        (
            (f"  {short_time(one.waits_since)}", f"{one.provider}/{plain(one.job_id)}", plain(one.about), _reason(one))
            for one in found
        ),
    )
    if number > len(found):
        say(f"[dim]  {len(found):,} of {failures.in_words(number, len(found))}; show more with --limit[/]")


def redrive(
    ctx: typer.Context,
    name: Name = None,
    job: Annotated[str, typer.Option(metavar="JOB", help="Only messages of this job.")] = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Process failed messages again.

    Media go back to the archive's queue; merges, announcements and submitted jobs are processed here and now. Safe to
    repeat. A message that fails again stays in its queue, as does a second message for the same work.
    """
    stack = stack_of(ctx)

    def matches(message: FailedMessage) -> bool:
        return not job or job in (message.job_id, f"{message.provider}/{message.job_id}")

    limit = None if job else LOOKED_AT  # SQS cannot select a job's messages, so the whole queue is read for one
    read = {queue: [m for m in failures.look(stack, queue, limit) if matches(m)] for queue in _chosen(stack, name)}
    waiting = {queue: messages for queue, messages in read.items() if messages}
    if not waiting:
        raise NothingFound("No failed messages found. List all with `dailies queues`.")
    looked_at = sum(map(len, waiting.values()))
    count = looked_at if job else _count(failures.counts(stack), waiting)
    if not as_json:
        _print_reasons(waiting, is_part=count > looked_at)
    ask(f"Process {failures.in_words(count, looked_at)} again on {stack}?", yes=yes)
    done: list[Redriven] = []
    with progress("Redriving", count) as more:
        for queue in waiting:
            done += failures.redrive(stack, queue, matches=matches, progress=lambda _: more(1))
    if as_json:
        print_json([_fields(one.message) | {"stays": one.stays, "problem": one.problem or None} for one in done])
    else:
        _print_result(done)
    if any(one.problem for one in done):
        raise CliError("Some messages failed again and stay in their queue. Fix the cause, then redrive again.")


def _count(counts: Mapping[str, int], waiting: Mapping[Queue, Sequence[FailedMessage]]) -> int:
    """The number of messages as SQS counts them: at least those that were read."""
    return sum(max(counts[queue.name], len(messages)) for queue, messages in waiting.items())


def _chosen(stack: Stack, name: QueueName | None) -> list[Queue]:
    existing = failures.of(stack)
    if name and QUEUES[name] not in existing:
        raise CliError(f"The stack has no queue {name}: it is an older version. Run `sam deploy`.")
    return [QUEUES[name]] if name else existing


def _print_reasons(waiting: Mapping[Queue, Sequence[FailedMessage]], *, is_part: bool) -> None:
    for queue, messages in waiting.items():
        say(f"[bold]{queue.name}[/]: {queue.holds}{f'; the first {len(messages)}' if is_part else ''}")
        for reason, number in Counter(map(_reason, messages)).most_common():
            say(f"  {number:>5,}  {reason}")


def _print_result(done: Sequence[Redriven]) -> None:
    say(f"{counted(sum(not one.stays for one in done), 'message')} redriven.")
    for problem, number in Counter(one.problem for one in done if one.problem).most_common():
        say(f"[red]{number:,} stayed[/]: {plain(problem)}")
    repeated = sum(one.is_repeated for one in done)
    if repeated:
        say(f"[yellow]{repeated:,} stayed[/]: another message has the same work; redrive again when that is done")


def _reason(message: FailedMessage) -> str:
    return plain(message.reason) or BY_AWS


def _fields(message: FailedMessage) -> dict[str, Any]:
    names = ("message_id", "reason", "waits_since", "provider", "job_id", "about")
    return {"queue": message.queue.name, **{name: getattr(message, name) for name in names}}

"""`dailies replay`: merge what is recorded again, and tell the bus again."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli import jobs
from cli import replay as replaying
from cli.commands.jobs import Provider, a_time
from cli.commands.options import stack_of
from cli.concurrency import threads
from cli.errors import NothingFound
from cli.jobs import Filter
from cli.output import Json, Yes, ask, coloured, counted, plain, print_json, progress, say
from cli.replay import Replayed
from cli.stack import Stack
from cli.times import moment_since
from dailies.jobs.models import Stage

WORKERS = 8  # jobs replayed at once


def replay(
    ctx: typer.Context,
    *,
    job_ids: Annotated[list[str] | None, typer.Argument(help="Ids, or provider/id.")] = None,
    since: Annotated[str, typer.Option(callback=a_time, help="All whose last news are not older: 2h, 7d, a day.")] = "",
    stage: Annotated[Stage | None, typer.Option(help="All at this stage.")] = None,
    provider: Provider = None,
    from_rows: Annotated[
        bool,
        typer.Option(
            "--from-rows", help="Look for them in the whole table: also jobs that were never merged or listed."
        ),
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Merge jobs' recorded events again, and tell the bus how they stand.

    What is told has the ids it had before: who remembers them hears only what was missed. Media that nobody has tried
    go to the archive again. Replaying what is in order changes nothing.
    """
    if not (job_ids or since or stage or from_rows):
        raise typer.BadParameter("say which jobs: ids, --since, --stage or --from-rows")
    if job_ids and (since or stage or provider or from_rows):
        raise typer.BadParameter("ids say which jobs already: leave out --since, --stage, --provider and --from-rows")
    if from_rows and stage:
        raise typer.BadParameter("--from-rows finds jobs that are at no stage yet: leave out --stage, or --from-rows")
    stack = stack_of(ctx)
    chosen = _chosen(stack, job_ids, Filter(provider, None, stage, since_moment(since)), from_rows)
    if not chosen:
        raise NothingFound("no such jobs; `dailies jobs` lists those there are")
    if not job_ids:
        ask(f"Replay {counted(len(chosen), 'job')} of {stack}?", yes=yes)

    def again(pair: tuple[str, str]) -> Replayed:
        replayed = replaying.replay(stack, *pair)
        more(1)
        return replayed

    with progress("replay", len(chosen)) as more, threads(WORKERS) as workers:
        done = list(workers.map(again, chosen))
    if json:
        print_json([
            {
                "provider": one.job.provider,
                "job_id": one.job.job_id,
                "events": one.events,
                "changed": one.changed,
                "queued": one.queued,
                "told": one.told,
            }
            for one in done
        ])  # fmt: skip
    elif job_ids:
        for one in done:
            _show(one)
    else:
        changed = sum(one.changed for one in done)
        queued, told = sum(one.queued for one in done), sum(len(one.told) for one in done)
        say(
            f"{counted(len(done), 'job')} replayed: {changed:,} changed, {counted(told, 'announcement')} told, "
            f"{queued:,} media queued for the archive."
        )


def since_moment(text: str) -> str:
    """As a filter has it: empty for all."""
    return moment_since(text) if text else ""


def _chosen(stack: Stack, job_ids: Sequence[str] | None, wanted: Filter, from_rows: bool) -> list[tuple[str, str]]:
    if job_ids:
        return [replaying.find_job(stack, name) for name in job_ids]
    if from_rows:
        return replaying.from_rows(stack, since=wanted.since, provider=wanted.provider)
    return [(row["provider"], row["job_id"]) for row in jobs.every(stack, wanted)]


def _show(one: Replayed) -> None:
    job = one.job
    changed = "its row changed" if one.changed else "its row was right"
    say(f"{job.provider}/{plain(job.job_id)}  {coloured(job.status)}, {coloured(job.stage)}")
    say(f"  {counted(one.events, 'event')} merged, {changed}; told the bus: {', '.join(one.told) or 'nothing'}")
    if one.queued:
        say(f"  {one.queued} media queued for the archive")

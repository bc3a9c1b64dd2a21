"""`dailies replay`: merge recorded events again, and announce the result again."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli import jobs
from cli import replay as replays
from cli.commands.options import AsJson, ProviderOption, SinceOption, StageOption, Yes, stack_of
from cli.concurrency import threads
from cli.errors import NothingFound
from cli.formats import counted
from cli.jobs import Filter
from cli.output import ask, coloured, plain, print_json, progress, say
from cli.replay import Replayed
from cli.stack import Stack
from cli.times import timestamp_since

WORKERS = 8  # jobs replayed at the same time


def replay(
    ctx: typer.Context,
    *,
    job_ids: Annotated[list[str] | None, typer.Argument(metavar="JOB", help="Job ids, or provider/id.")] = None,
    since: SinceOption = "",
    stage: StageOption = None,
    provider: ProviderOption = None,
    from_rows: Annotated[
        bool,
        typer.Option("--from-rows", help="Scan the whole table: also finds jobs that were never merged or listed."),
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Merge jobs' recorded events again, and announce their state again.

    Name jobs, or select them with --since, --stage or --from-rows. Announcements keep their ids, so consumers can skip
    those that they have. Media without an attempt are queued for the archive. Safe to repeat.
    """
    criteria = Filter(provider, None, stage, timestamp_since(since) if since else "")
    _check_choice(job_ids, criteria, from_rows=from_rows)
    stack = stack_of(ctx)
    chosen = _chosen(stack, job_ids, criteria, from_rows=from_rows)
    if not chosen:
        raise NothingFound("No matching jobs. List the jobs with `dailies jobs`.")
    if not job_ids:
        ask(f"Replay {counted(len(chosen), 'job')} of {stack}?", yes=yes)
    done = _replay_all(stack, chosen)
    if as_json:
        print_json([_fields(one) for one in done])
    elif job_ids:
        for one in done:
            _print_job(one)
    else:
        _print_sum(done)


def _check_choice(job_ids: Sequence[str] | None, criteria: Filter, *, from_rows: bool) -> None:
    """Raises BadParameter if no jobs are chosen, or in two ways at once."""
    if job_ids and (criteria != Filter() or from_rows):
        raise typer.BadParameter("Job ids select the jobs already; omit --since, --stage, --provider and --from-rows.")
    if not (job_ids or criteria.since or criteria.stage or from_rows):
        raise typer.BadParameter("No jobs selected; give job ids, --since, --stage or --from-rows.")
    if from_rows and criteria.stage:
        raise typer.BadParameter("--from-rows finds jobs without a stage; omit --stage or --from-rows.")


def _chosen(stack: Stack, job_ids: Sequence[str] | None, criteria: Filter, *, from_rows: bool) -> list[tuple[str, str]]:
    if job_ids:
        return [replays.find_job(stack, name) for name in job_ids]
    if from_rows:
        return replays.from_rows(stack, since=criteria.since, provider=criteria.provider)
    return [(row["provider"], row["job_id"]) for row in jobs.every(stack, criteria)]


def _replay_all(stack: Stack, chosen: Sequence[tuple[str, str]]) -> list[Replayed]:
    def one(pair: tuple[str, str]) -> Replayed:
        replayed = replays.replay(stack, *pair)
        more(1)
        return replayed

    with progress("Replaying", len(chosen)) as more, threads(WORKERS) as workers:
        return list(workers.map(one, chosen))


def _fields(one: Replayed) -> dict[str, object]:
    return {
        "provider": one.job.provider,
        "job_id": one.job.job_id,
        "events": one.events,
        "changed": one.changed,
        "queued": one.queued,
        "announced": one.announced,
    }


def _print_job(one: Replayed) -> None:
    job = one.job
    row = "row changed" if one.changed else "row unchanged"
    say(f"{job.provider}/{plain(job.job_id)}  {coloured(job.status)}, {coloured(job.stage)}")
    say(f"  {counted(one.events, 'event')} merged, {row}; announced: {', '.join(one.announced) or 'nothing'}")
    if one.queued:
        say(f"  {one.queued} media queued for the archive")


def _print_sum(done: Sequence[Replayed]) -> None:
    changed, queued = sum(one.changed for one in done), sum(one.queued for one in done)
    announced = sum(len(one.announced) for one in done)
    say(
        f"{counted(len(done), 'job')} replayed: {changed:,} changed, {counted(announced, 'announcement')},"
        f" {queued:,} media queued for the archive."
    )

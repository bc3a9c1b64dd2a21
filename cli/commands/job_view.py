"""A job's timeline as text, for `dailies job`."""

from collections.abc import Iterator

from cli.commands.wording import ORIGINS
from cli.formats import ago, short_time, size, span
from cli.output import coloured, plain, say
from cli.timeline import Step, Timeline
from dailies import timestamps
from dailies.jobs.models import Event, Job, MediaItem

INDENT = " " * 19  # the columns of time and origin


def print_timeline(shown: Timeline) -> None:
    """Print a job: its state, its problems, its media, its steps."""
    job = shown.job
    say(f"[bold]{job.provider}/{plain(job.job_id)}[/]  {coloured(job.status)}, {coloured(job.stage)}")
    facts = [
        f"{job.provider}/{job.webhook}",
        f"first seen {short_time(job.first_seen_at)}, {ago(job.first_seen_at, timestamps.now())}",
    ]
    if job.parent:
        facts.append(f"made from {plain(job.parent)}")
    if job.credits is not None:
        facts.append(f"{job.credits} credits")
    say(f"[dim]{' · '.join(facts)}[/]")
    for line in _problems(job):
        say(f"[red]{line}[/]")
    if job.media:
        say()
    for medium in job.media:
        for line in _medium(medium, job):
            say(line)
    say()
    for step in shown.steps:
        for line in _step(step):
            say(line)
    if not shown.steps:
        say("[dim]The event rows have expired.[/]")


def _problems(job: Job) -> Iterator[str]:
    if job.error:
        hint = "submit it again" if job.error.retryable else "submitting it again unchanged may not help"
        yield f"{plain(job.error.code or 'failed')}: {plain(job.error.message)} ({hint})"
    if job.confirmation.contradiction:
        yield f"The provider's API contradicts the delivery: {plain(job.confirmation.contradiction)}"
    if job.is_silent:
        yield f"No update since {short_time(job.updated_at)}"
    if job.status == "completed" and not job.media:
        yield "Completed without media; check the payload with --payload"


def _medium(medium: MediaItem, job: Job) -> Iterator[str]:
    receipt = medium.receipt
    line = f"  {plain(medium.role):8} {medium.media_id}  {coloured(medium.state)}"
    if receipt is None or medium.state != "archived":
        yield line + (f": {plain(receipt.reason)}" if receipt and receipt.reason else "")
        return
    facts = [size(receipt.bytes), plain(receipt.content_type)]
    if receipt.width:
        facts.append(f"{receipt.width}x{receipt.height}")
    if receipt.seconds:
        facts.append(span(receipt.seconds))
    took = timestamps.seconds(receipt.at) - timestamps.seconds(job.first_seen_at)
    yield f"{line}: {', '.join(facts)}; archived {span(took)} after the job was first seen"
    yield f"[dim]{' ' * 20}{plain(receipt.key)}[/]"


def _step(step: Step) -> Iterator[str]:
    event = step.event
    status = f"{coloured(event.status)} ({plain(event.provider_status)})" if event.provider_status else ""
    proof = f"verified by {plain(event.proof)}" if event.proof else ""
    facts = ", ".join(filter(None, (status, proof)))
    head = f"{short_time(step.at):>8}  {ORIGINS[event.origin]:8} "
    has_head = False
    if facts or not (event.receipt or event.upload):
        yield f"{head}{facts}  [dim]{event.event_id[:12]}[/]"
        has_head = True
    for line in _media(event):
        yield (INDENT if has_head else head) + line
        has_head = True
    if step.queued:
        roles = ", ".join(item.detail["media"][0]["role"] for item in step.queued)
        yield f"{INDENT}[dim]→ queued for the archive:[/] {roles}"
    if step.announced:
        yield f"{INDENT}[dim]→ announced:[/] {', '.join(item.detail_type for item in step.announced)}"


def _media(event: Event) -> Iterator[str]:
    for medium in event.media:
        yield f"link to {plain(medium.role)} {medium.media_id}"
    if event.upload:
        yield f"multipart upload started: {size(event.upload.total)}"
    receipt = event.receipt
    if receipt and receipt.state == "archived":
        yield f"{plain(receipt.role)} {receipt.media_id} [green]archived[/]: {plain(receipt.checksum)}"
        yield f"[dim]from {plain(receipt.source_host)}, version {plain(receipt.version_id)}[/]"
    elif receipt:
        yield f"{plain(receipt.role)} {receipt.media_id} {coloured(receipt.state)}: {plain(receipt.reason)}"

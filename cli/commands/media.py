"""`dailies media`: link to or download a job's media."""

import webbrowser
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import jobs
from cli import media as archive
from cli.commands.options import AsJson, stack_of
from cli.errors import CliError
from cli.formats import short_time
from cli.output import coloured, plain, print_json, progress, say
from cli.stack import Stack
from dailies import timestamps
from dailies.jobs.models import MediaItem


def media(
    ctx: typer.Context,
    *,
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or provider/id.")],
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="Only this role: output, segment, photo, video or result.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the media in the browser.")] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Download the files and verify their checksums.")
    ] = False,
    to: Annotated[Path, typer.Option(metavar="PATH", help="Download to this folder or new file.")] = Path(),
    seconds: Annotated[
        int, typer.Option(min=1, max=604_800, metavar="SECONDS", help="How long the links work, up to 7 days (604800).")
    ] = archive.LINK_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Print links to a job's media, or download them.

    The links work without credentials for an hour: do not share them. They stop working earlier if the credentials
    that sign them expire.
    """
    stack = stack_of(ctx)
    found = archive.archived(jobs.find(stack, job_id), role)
    if download and len(found) > 1 and not to.is_dir():
        raise CliError(f"{job_id} has {len(found)} media. Name a folder with --to, or choose one with --role.")
    links = [archive.link(stack, medium, seconds=seconds) for medium in found]
    if download:
        _print_files(found, [_download(stack, medium, to) for medium in found], as_json=as_json)
    else:
        until = archive.works_until(stack, seconds, now=datetime.now(UTC))
        _print_links(found, links, until, as_json=as_json)
    if open_it:
        for url in links:
            webbrowser.open(url)


def _print_files(found: Sequence[MediaItem], files: Sequence[Path], *, as_json: bool) -> None:
    if as_json:
        print_json([{"role": medium.role, "file": str(file)} for medium, file in zip(found, files, strict=True)])
        return
    for medium, file in zip(found, files, strict=True):
        say(f"{medium.role}  {plain(file)}  [green]verified[/]: size and checksum match the receipt")


def _print_links(found: Sequence[MediaItem], links: Sequence[str], until: datetime | None, *, as_json: bool) -> None:
    if as_json:
        at = until and timestamps.from_datetime(until)
        print_json([{"role": m.role, "url": url, "works_until": at} for m, url in zip(found, links, strict=True)])
        return
    for medium, url in zip(found, links, strict=True):
        say(f"{coloured(medium.role)}  {plain(url)}")
    if until:
        say(f"Works until {short_time(timestamps.from_datetime(until))}.")
    else:
        say("Works until your temporary credentials expire, at most as long as --seconds says.")


def _download(stack: Stack, medium: MediaItem, to: Path) -> Path:
    size = medium.receipt.bytes if medium.receipt else 0
    with progress(f"Downloading {medium.role}", size) as more:
        return archive.download(stack, medium, to, progress=more)

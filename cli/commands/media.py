"""`dailies media`: a link to what a job made, or the file itself."""

import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli import jobs
from cli import media as archive
from cli.commands.options import stack_of
from cli.errors import Refusal
from cli.output import Json, coloured, plain, print_json, progress, say
from cli.stack import Stack
from dailies.jobs.models import MediaItem


def media(
    ctx: typer.Context,
    *,
    job_id: Annotated[str, typer.Argument(help="The job's id, or provider/id.")],
    role: Annotated[str | None, typer.Option(help="One role: output, segment, photo, video, result.")] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch it, its checksum held against the receipt.")
    ] = False,
    to: Annotated[Path, typer.Option(help="Where to: a folder, or a new file.")] = Path(),
    seconds: Annotated[int, typer.Option(min=1, max=604_800, help="How long the link lives.")] = archive.LINK_SECONDS,
    json: Json = False,
) -> None:
    """A link to a job's media, good for an hour without credentials; or the files.

    Whoever has the link can fetch the medium: do not post it.
    """
    stack = stack_of(ctx)
    found = archive.archived(jobs.find(stack, job_id), role)
    if download and len(found) > 1 and not to.is_dir():
        raise Refusal(f"{job_id} has {len(found)} media: name a folder with --to, or one of them with --role")
    links = [archive.link(stack, medium, seconds=seconds) for medium in found]
    if download:
        _show_files(found, [_fetch(stack, medium, to) for medium in found], json=json)
    else:
        _show_links(found, links, json=json)
    if open_it:
        for url in links:
            webbrowser.open(url)


def _show_files(found: Sequence[MediaItem], files: Sequence[Path], *, json: bool) -> None:
    if json:
        print_json([{"role": medium.role, "file": str(file)} for medium, file in zip(found, files, strict=True)])
        return
    for medium, file in zip(found, files, strict=True):
        say(f"{medium.role}  {plain(file)}  [green]checked[/]: its bytes are those of the receipt")


def _show_links(found: Sequence[MediaItem], links: Sequence[str], *, json: bool) -> None:
    if json:
        print_json([{"role": medium.role, "url": url} for medium, url in zip(found, links, strict=True)])
        return
    for medium, url in zip(found, links, strict=True):
        say(f"{coloured(medium.role)}  {plain(url)}")


def _fetch(stack: Stack, medium: MediaItem, to: Path) -> Path:
    size = medium.receipt.bytes if medium.receipt else 0
    with progress(medium.role, size) as more:
        return archive.download(stack, medium, to, progress=more)

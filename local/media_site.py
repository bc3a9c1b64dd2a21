"""The local stack's media host: `dailies trigger` links to it. Serves until ended.

    make media-down     ends the media host: deliveries from now on cannot be archived
    make media-up       starts it again on the same port; links made meanwhile work

A path ends in a medium's name, or in `result.jsonl` under a batch's id: the list of the batch's generations.
"""

import argparse
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

from local import ports, processes, stack
from local.media_links import KEY, NAME, links, remember_port, remembered_port
from local.stack import StackError
from simulators.media_host.answers import Pieces, Request
from simulators.media_host.server import MediaHost, media_host
from simulators.provider_calls.sync import sync_batch_result, sync_batch_row

PORT = 8789
PATIENCE = 30.0  # seconds; the first start makes the media
RESULT = "/result.jsonl"


class MediaSite(MediaHost):
    """A media host with the results of all batches."""

    def answer(self, request: Request) -> tuple[Pieces, bool]:
        if request.path.endswith(RESULT):
            path = request.path.removeprefix("/signed")
            self.add(unquote(path), self._result(unquote(path.split("/")[-2])), "application/jsonl")
        return super().answer(request)

    def _result(self, batch: str) -> bytes:
        """The list of two completed generations and a failed one."""
        clips = {f"{batch}-{number}": f"batch-{number}.mp4" for number in (1, 2)}
        links = {job_id: self.url(f"/{quote(job_id, safe='')}/{clip}") for job_id, clip in clips.items()}
        rows = [sync_batch_row(f"request-{job_id}", job_id, url) for job_id, url in links.items()]
        return sync_batch_result([*rows, sync_batch_row(f"request-{batch}-3", f"{batch}-3", None)])


def up(folder: Path, port: int | None = None) -> str:
    """Start it unless it runs, on its previous port. Returns its base URL."""
    remembered = remembered_port(folder)
    if not processes.running(NAME, folder):
        chosen = ports.choose(remembered or port, PORT)
        remember_port(folder, chosen)
        command = [sys.executable, "-P", "-m", "local.media_site", "serve", str(chosen)]
        processes.start(NAME, command, {"LANG": "C.UTF-8"}, folder)
        deadline = time.monotonic() + PATIENCE
        while not ports.is_taken(chosen):
            if not processes.running(NAME, folder) or time.monotonic() > deadline:
                raise StackError(f"the media host did not start; {folder / NAME}.log has the reason")
            time.sleep(0.05)
    return links(folder).base_url


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m local.media_site", description=__doc__)
    options.add_argument("action", choices=["up", "down", "serve"])
    options.add_argument("port", type=int, nargs="?", default=0)
    asked = options.parse_args()
    folder = stack.folder_from_environment()
    match asked.action:
        case "serve":
            with media_host(port=asked.port, key=KEY, kind=MediaSite), suppress(KeyboardInterrupt):
                threading.Event().wait()
        case "up":
            try:
                print(f"media-up: {up(folder)}")
            except StackError as error:
                raise SystemExit(f"media-up: {error}") from None
        case _:
            print("media-down: ended" if processes.end(NAME, folder) else "media-down: it was not running")


if __name__ == "__main__":
    main()

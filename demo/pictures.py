"""`python -m demo.pictures`: write the console's pictures to docs/. Needs `make browser` and `make up`.

It makes the jobs that they show: calls of each webhook, an unreadable one, one whose media host does not respond.
"""

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from cli import jobs
from cli import stack as connection
from cli.console import serving
from cli.main import main as dailies
from cli.stack import Stack
from dailies import timestamps
from demo.browser import NoBrowser, running
from local.stack import ROOT

DOCS = ROOT / "docs"
WIDE, NARROW = {"width": 1180, "height": 800}, {"width": 400, "height": 860}
STALL = 60.0  # seconds without any change, after which waiting ends; attempts are 4 s apart
UNREACHABLE = "http://127.0.0.1:1/gone.mp4"


CALLS = (
    ("sync/generation",),
    ("sync/batch",),
    ("creatify/product_to_videos",),
    ("captions/creator",),
    ("sync/generation", "--case", "failed"),
    ("captions/creator", "--job", "tg7FaiVgmGqTQfuDhyGA", "--media-url", UNREACHABLE),
)
"""Each makes a job."""


def tell(stack: Stack) -> None:
    """Make the calls that the pages show, and wait until all jobs have settled."""
    began = timestamps.now()
    run("trigger", "captions/creator", "--case", "unreadable")
    for call in CALLS:
        run("trigger", *call)
    rest(stack, began)


def rest(stack: Stack, since: timestamps.Timestamp) -> None:
    """Wait until each job is known and none is in progress. Raises SystemExit if nothing changes any more before
    that."""
    seen: dict[str, str] = {}
    changed = time.monotonic()
    while len(seen) < len(CALLS) or not {"settled", "attention"}.issuperset(seen.values()):
        time.sleep(0.5)
        now = {row["pk"]: row["stage"] for row in jobs.every(stack, jobs.Filter(since=since))}
        if now != seen:
            seen, changed = now, time.monotonic()
        elif time.monotonic() - changed > STALL:
            raise SystemExit(f"pictures: the jobs do not settle: {seen}")


def run(*arguments: str) -> None:
    """Run the command, with any exit code."""
    try:
        dailies(arguments)
    except SystemExit as ended:
        if ended.code:
            raise SystemExit(f"pictures: dailies {' '.join(arguments)} ended with {ended.code}") from None


@contextmanager
def console(stack: Stack) -> Iterator[str]:
    """A console's address for the stack."""
    server, listener = serving.server(stack), serving.listening(0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield serving.address(listener)
    finally:
        server.should_exit = True
        thread.join()


def take(browser: Browser, address: str, job: str, folder: Path) -> Iterator[Path]:
    """Take each picture: light and dark, wide and narrow. Returns the files."""
    for name, path, size, scheme in (
        ("console-jobs", "", WIDE, "light"),
        ("console-jobs-dark", "", WIDE, "dark"),
        ("console-job", job, WIDE, "light"),
        ("console-job-narrow", job, NARROW, "dark"),
        ("console-figures", "figures", WIDE, "light"),
        ("console-queues", "queues", WIDE, "dark"),
    ):
        context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(address + path)
        settle(page)
        page.screenshot(path=folder / f"{name}.png")
        context.close()
        yield folder / f"{name}.png"


def settle(page: Page) -> None:
    """Wait until videos show a frame and the fonts are loaded."""
    page.wait_for_load_state("load")
    page.wait_for_function("[...document.querySelectorAll('video')].every((video) => video.readyState >= 2)")
    page.evaluate("document.fonts.ready")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m demo.pictures", description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--folder", type=Path, default=DOCS, help="where the pictures are written (docs/)")
    folder = options.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    stack = connection.local()
    try:
        with running() as browser:
            tell(stack)
            with console(stack) as address:
                page = browser.new_page()
                page.goto(address)
                href = page.get_by_role("link", name="trigger-").first.get_attribute("href") or ""
                page.close()
                for picture in take(browser, address, href.removeprefix("/"), folder):
                    print(f"pictures: {picture.name:24} {picture.stat().st_size:>9,} bytes", flush=True)
    except NoBrowser as missing:
        raise SystemExit(f"pictures: {missing}") from None


if __name__ == "__main__":
    main()

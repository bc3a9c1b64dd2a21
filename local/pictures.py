"""`python -m local.pictures`: the console's pages as they look, into docs/. Needs `make browser` and `make up`.

What is on them is made here: calls of each webhook, one that cannot be read, one whose media host does not answer.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from cli import stack as connection
from cli.console import serving
from cli.main import main as dailies
from local.browser import NoBrowser, running
from local.stack import ROOT

DOCS = ROOT / "docs"
WIDE, NARROW = {"width": 1180, "height": 800}, {"width": 400, "height": 860}
SETTLES = 25.0  # seconds until all of it has come to rest
UNREACHABLE = "http://127.0.0.1:1/gone.mp4"


def tell() -> None:
    """The calls that the pages show."""
    for webhook in ("sync/generation", "sync/batch", "creatify/product_to_videos", "captions/creator"):
        run("trigger", webhook)
    run("trigger", "sync/generation", "--case", "failed")
    run("trigger", "captions/creator", "--case", "unreadable")
    run("trigger", "captions/creator", "--job", "tg7FaiVgmGqTQfuDhyGA", "--media-url", UNREACHABLE)


def run(*arguments: str) -> None:
    """The command; what it ends with does not matter here."""
    try:
        dailies(arguments)
    except SystemExit as ended:
        if ended.code:
            raise SystemExit(f"pictures: dailies {' '.join(arguments)} ended with {ended.code}") from None


@contextmanager
def console() -> Iterator[str]:
    """The address of a console of the local stack."""
    server, listener = serving.server(connection.local()), serving.listening(0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield serving.address(listener)
    finally:
        server.should_exit = True
        thread.join()


def take(browser: Browser, address: str, job: str) -> None:
    """Each picture: light and dark, wide and narrow."""
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
        page.screenshot(path=DOCS / f"{name}.png")
        context.close()


def settle(page: Page) -> None:
    """Videos have shown their first frame."""
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)


def main() -> None:
    try:
        with running() as browser:
            tell()
            time.sleep(SETTLES)
            with console() as address:
                page = browser.new_page()
                page.goto(address)
                href = page.get_by_role("link", name="trigger-").first.get_attribute("href") or ""
                page.close()
                take(browser, address, href.removeprefix("/"))
    except NoBrowser as missing:
        raise SystemExit(f"pictures: {missing}") from None
    print(f"pictures: {', '.join(sorted(path.name for path in DOCS.glob('console-*.png')))}")


if __name__ == "__main__":
    main()

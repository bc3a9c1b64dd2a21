"""A browser that Playwright drives: for the console's tests and its pictures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from local import chromium

MISSING = "no Chromium here: `make browser` brings one; or set CHROMIUM=/path/to/it"
# No sandbox: within a container there are no namespaces for one, and the pages are our own. The rest keeps it from
# asking anybody but the page's own server.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowser(Exception):
    """There is none; says what to do."""


@contextmanager
def running() -> Iterator[Browser]:
    """A browser while the context lasts. NoBrowser where there is none."""
    executable = chromium.path()
    if executable is None:
        raise NoBrowser(MISSING)
    if chromium.NODE.exists():  # Playwright's own needs libatomic.so.1, which a bare Debian does not have
        os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(chromium.NODE))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()

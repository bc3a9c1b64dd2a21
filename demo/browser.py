"""A browser driven by Playwright, for the console's tests and pictures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from local import chromium

MISSING = "no Chromium here: `make browser` brings one; or set CHROMIUM=/path/to/it"
# No sandbox: in a container there are no namespaces for it, and the pages are our own. The rest restricts it to the
# page's own server.
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
    """There is no browser; the message says what to do."""


@contextmanager
def running() -> Iterator[Browser]:
    """A browser while the context is open. Raises NoBrowser if there is none."""
    executable = chromium.path()
    if executable is None:
        raise NoBrowser(MISSING)
    if chromium.NODE.exists():  # Playwright's own Node.js needs libatomic.so.1, which a bare Debian lacks
        os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(chromium.NODE))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()

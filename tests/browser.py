"""A real browser before the console of the stack of the tests. `make test` brings one where the machine has none."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from cli import stack as connection
from cli.console import serving
from local.browser import running
from local.stack import Stack

PATIENCE = 30_000  # ms: the page looks every four seconds, and a busy machine takes its time

# The contrast of every piece of text with what is behind it, as WCAG 2 has it; those that are too low for their size.
LOW_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = rgba(getComputedStyle(element).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.querySelector("body"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    const isShown = text && element.checkVisibility();
    if (!isShown || element.closest("script, svg, option, .visually-hidden, .skip")) continue;
    const [one, other] = [light(rgba(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) low.push(`${contrast.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  return low;
}"""


class Window:
    """The console in a browser. `complaints` are what the browser said of it: errors, and what the policy forbade."""

    def __init__(self, context: BrowserContext, address: str, server: Any) -> None:
        self.address = address
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._server = server

    def open(self, path: str = "") -> Page:
        """A page of the console."""
        self.page.goto(self.address + path.removeprefix("/"))
        return self.page

    def stop_serving(self) -> None:
        """End the console, as Ctrl-C does."""
        self._server.should_exit = True

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; where there is none, the tests that ask for it fail."""
    with running() as browser:
        yield browser


@pytest.fixture
def window(browser: Browser, stack: Stack, stack_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """The console of the stack, in a window of its own."""
    monkeypatch.setenv("DAILIES_LOCAL", str(stack_folder))
    server, listener = serving.server(connection.local()), serving.listening(0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    context = browser.new_context(viewport={"width": 1180, "height": 860}, color_scheme="light")
    try:
        yield Window(context, serving.address(listener), server)
    finally:
        context.close()
        server.should_exit = True
        thread.join()

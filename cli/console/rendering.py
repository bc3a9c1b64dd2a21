"""Renders pages, and the live part of a page that updates itself.

Templates escape every value, without exceptions. The live part of a page requests itself every few seconds with a
digest of what it shows; if nothing changed, the response is 204 and the page stays as it is.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cli import formats
from cli.console import guard
from cli.stack import Stack
from dailies import timestamps

FOLDER = Path(__file__).parent
LIVE_QUERY = {"shown", "seen"}  # what the live part adds to its page's query
DIGEST = 16  # hex digits

TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def url(path: str, **query: object) -> str:
    """A link within the console. Ids are in the query, which browsers do not normalize."""
    given = {name: str(value) for name, value in query.items() if value not in {None, ""}}
    return f"{path}?{urlencode(given)}" if given else path


TEMPLATES.globals.update(url=url)
TEMPLATES.filters.update(
    after=formats.after,
    ago=formats.ago,
    clock_time=formats.clock_time,
    day=formats.day,
    full_time=formats.full_time,
    size=formats.size,
    span=formats.span,
)


def stack_of(request: Request) -> Stack:
    """The stack that the console was started for."""
    stack: Stack = request.app.state.stack
    return stack


def page(request: Request, name: str, *, status: int = 200, every: int = 0, seen: str = "", **values: Any) -> Response:
    """A page, or only its live part if that requests itself.

    `templates/<name>.html` is the page. With `every`, in seconds, `templates/live/<name>.html` is its live part, which
    sends `seen` back with its next request.
    """
    stack = stack_of(request)
    values = {
        "here": request.url.path,
        "now": timestamps.now(),
        "query": request.query_params,
        "stack": stack,
        "token": guard.TOKEN,
        **values,
    }
    if not every:
        return HTMLResponse(_render(f"{name}.html", values), status)
    inner = _render(f"live/{name}.html", values)
    shown = sha256(inner.encode()).hexdigest()[:DIGEST]
    is_update = "shown" in request.query_params
    if is_update and request.query_params["shown"] == shown:
        return Response(status_code=204)
    own = {name: value for name, value in request.query_params.items() if name not in LIVE_QUERY}
    again = url(request.url.path, **own, shown=shown, seen=seen)
    live = _render("live.html", {**values, "inner": Markup(inner), "again": again, "every": every})  # noqa: S704  rendered
    if is_update:
        return HTMLResponse(live + _render("changes.html", values), status)
    return HTMLResponse(_render(f"{name}.html", {**values, "live": Markup(live)}), status)  # noqa: S704  rendered


def _render(name: str, values: Mapping[str, Any]) -> str:
    return TEMPLATES.get_template(name).render(values)

"""Who may ask the console, and what a browser may do with its answers.

The console acts with the user's own AWS credentials, so nothing may ask it but its own pages. It listens on the
loopback only. A page of another site cannot reach it by a name of its own (DNS rebinding: the Host header is held to
ours), nor read or embed its answers (Sec-Fetch-Site), nor make it do something: what acts is a POST from our own origin
that brings the token, which stands in our own pages alone.

None of this is in the way of another user of this machine: who reaches the port may load a page, and so has the token.
"""

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
TOKEN = secrets.token_urlsafe(32)
"""Of this process: pages of an earlier one cannot act, they have to be loaded again."""

REFUSED = "This page acts only when it is asked from its own buttons. Load it again and try once more."


class CrossSite(Exception):
    """A request to act that does not come from our own pages."""


class Guard:
    """Answers our own pages and the address bar alone, and says with every answer what a browser may do with it."""

    def __init__(self, app: ASGIApp, *, media_source: str) -> None:
        self._app = app
        self._headers = answer_headers(media_source)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        if is_foreign(scope["method"], Headers(scope=scope)):
            refusal = PlainTextResponse("The console answers its own pages only.", status_code=403)
            await refusal(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def answer_headers(media_source: str) -> Mapping[str, str]:
    """What goes with every answer. Everything comes from here, but for media: those come from `media_source` too."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' {media_source}",
        "media-src": f"'self' {media_source}",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def is_foreign(method: str, headers: Headers) -> bool:
    """Whether another site asks. Following a link to a page is no asking: a site may do that, and sees nothing of it.
    Another port of this machine is another site to us."""
    site = headers.get("sec-fetch-site", "none")
    follows_a_link = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    return site not in {"same-origin", "none"} and not (follows_a_link and headers.get("sec-fetch-dest") == "document")


async def approve(request: Request) -> Mapping[str, str]:
    """The fields of a form of our own. CrossSite where its token is not ours, or its browser says that it is not."""
    if not is_of_our_page(request.headers):
        raise CrossSite(REFUSED)
    form = await request.form()
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    if not secrets.compare_digest(fields.pop("token", "").encode(), TOKEN.encode()):
        raise CrossSite(REFUSED)
    return fields


def is_of_our_page(headers: Headers) -> bool:
    """Whether a browser says that a page of ours asks. Sec-Fetch-Site first: without a referrer, as we want it,
    browsers write `Origin: null`. Those that know no Sec-Fetch-Site name the origin."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return (origin.scheme, origin.netloc) == ("http", headers.get("host"))

"""Which requests the console answers, and what a browser may do with the responses.

The console acts with the user's AWS credentials, so it answers only its own pages. It listens on the loopback only.
Another site cannot reach it by a name of its own (DNS rebinding: the Host header must be ours), cannot read or embed
its responses (Sec-Fetch-Site), and cannot trigger an action: that is a POST from our origin with the token that only
our pages contain.

This does not protect against other users of this machine: anyone who can reach the port can load a page with the token.
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
"""Valid for this process: pages of an earlier one have to be loaded again before they can act."""

REJECTED = "The request did not come from a page of this console. Load the page again and retry."


class CrossSite(Exception):
    """A request for an action that does not come from our own pages."""


class Guard:
    """Answers only our own pages and the address bar, and adds security headers to every response."""

    def __init__(self, app: ASGIApp, *, media_source: str) -> None:
        self._app = app
        self._headers = response_headers(media_source)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry point."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        if is_foreign(scope["method"], Headers(scope=scope)):
            rejection = PlainTextResponse("The console answers only its own pages.", status_code=403)
            await rejection(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def response_headers(media_source: str) -> Mapping[str, str]:
    """Headers of every response. A page loads content from the console only, media from `media_source` too."""
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
    """Whether another site sends the request. A link to a page may be followed from anywhere, as the other site cannot
    read the response. Another port of this machine counts as another site."""
    site = headers.get("sec-fetch-site", "none")
    follows_a_link = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    return site not in {"same-origin", "none"} and not (follows_a_link and headers.get("sec-fetch-dest") == "document")


async def approve(request: Request) -> Mapping[str, str]:
    """The fields of a form of ours. Raises CrossSite if the token is wrong, or the request is from another site."""
    if not is_of_our_page(request.headers):
        raise CrossSite(REJECTED)
    form = await request.form()
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    if not secrets.compare_digest(fields.pop("token", "").encode(), TOKEN.encode()):
        raise CrossSite(REJECTED)
    return fields


def is_of_our_page(headers: Headers) -> bool:
    """Whether the browser says that the request is from our own page. Sec-Fetch-Site comes first: without a referrer,
    as our policy asks, browsers send `Origin: null`. Browsers without Sec-Fetch-Site send the origin."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return (origin.scheme, origin.netloc) == ("http", headers.get("host"))

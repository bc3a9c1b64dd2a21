"""The media host if nginx is missing: python -m bench.archive.host PORT CERTIFICATE MEDIA LOG BYTES_PER_SECOND

Serves a folder over TLS: under /free/ at full speed, under /capped/ with a limit of bytes per second and connection.
Writes nginx's line for each request: seconds since 1970 at its end, its duration, method, status. This shows that the
benchmark works; being Python, it is slower than some of the competitors.
"""

import asyncio
import sys
import time
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def watched(app: ASGIApp, log: Path, cap: float) -> ASGIApp:
    """The application with its line for each request, and its rate limit."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        began, status = time.time(), 0

        async def told(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)
            if scope["path"].startswith("/capped/"):
                await asyncio.sleep(len(message.get("body", b"")) / cap)

        try:
            await app(scope, receive, told)
        finally:
            now = time.time()
            with log.open("a") as lines:
                lines.write(f"{now:.3f} {now - began:.3f} {scope['method']} {status}\n")

    return serve


def main() -> None:
    port, certificate, media, log, cap = sys.argv[1:]
    Path(log).touch()
    files = StaticFiles(directory=media)
    app = Starlette(routes=[Mount("/free", files), Mount("/capped", files)])
    uvicorn.run(
        watched(app, Path(log), float(cap)), port=int(port), ssl_certfile=certificate, log_level="error", lifespan="off"
    )


if __name__ == "__main__":
    main()

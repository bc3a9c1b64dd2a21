"""The console as an ASGI application: its routes, and what is answered when something is refused."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cli.console import guard, job, jobs, quarantine, queues, rendering, stats
from cli.errors import NothingFound, Refusal, of_aws, of_ours
from cli.stack import Stack
from dailies.errors import DailiesError

STATUSES: Mapping[type[Exception], int] = {NothingFound: 404, Refusal: 409, guard.CrossSite: 403, DailiesError: 502}


def application(stack: Stack) -> ASGIApp:
    """The console of a stack."""
    for client in ("dynamodb", "events", "s3", "sqs"):
        getattr(stack, client)  # made now: boto3 makes no clients in several threads at once
    app = Starlette(
        routes=[
            Route("/", jobs.show),
            Route("/job", job.show),
            Route("/medium", job.medium),
            Route("/said", job.said),
            Route("/figures", stats.show),
            Route("/queues", queues.show),
            Route("/queues/failed", queues.failed),
            Route("/quarantine", quarantine.show),
            Route("/call", quarantine.call),
            Route("/replay", job.replayed, methods=["POST"]),
            Route("/redrive", queues.redriven, methods=["POST"]),
            Route("/read-again", quarantine.read_again, methods=["POST"]),
            Mount("/static", StaticFiles(directory=rendering.FOLDER / "static")),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(guard.HOSTS), www_redirect=False)],
        exception_handlers={
            Refusal: refused,
            guard.CrossSite: refused,
            DailiesError: refused,
            BotoCoreError: aws_refused,
            ClientError: aws_refused,
            HTTPException: no_such_page,
        },
    )
    app.state.stack = stack
    return guard.Guard(app, media_source=media_source(stack))  # around all, so that no answer goes without its headers


def media_source(stack: Stack) -> str:
    """Where the browser gets media: the bucket's own endpoint, as its links have it."""
    link = urlsplit(stack.s3.generate_presigned_url("get_object", Params={"Bucket": stack.bucket_name, "Key": "media"}))
    return f"{link.scheme}://{link.netloc}"


async def refused(request: Request, error: Exception) -> Response:
    """What cannot be done, and what to do about it."""
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    title = "Not found" if status == 404 else "That cannot be done"
    said = str(of_ours(error) if isinstance(error, DailiesError) else error)
    return rendering.page(request, "refusal", status=status, section="", title=title, said=said)


async def aws_refused(request: Request, error: Exception) -> Response:
    """AWS did not do it, or did not answer."""
    said = str(of_aws(error)) if isinstance(error, (BotoCoreError, ClientError)) else str(error)
    return rendering.page(request, "refusal", status=502, section="", title="AWS did not do it", said=said)


async def no_such_page(request: Request, error: Exception) -> Response:
    """Another path, or another method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return rendering.page(
        request, "refusal", status=status, section="", title="No such page", said="The console has no page there."
    )

"""The console as an ASGI application: its routes and its error pages."""

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
from cli.errors import CliError, NothingFound, of_aws, of_ours
from cli.stack import Stack
from dailies.errors import DailiesError

STATUSES: Mapping[type[Exception], int] = {NothingFound: 404, CliError: 409, guard.CrossSite: 403, DailiesError: 502}


def application(stack: Stack) -> ASGIApp:
    """The console of a stack."""
    for client in ("dynamodb", "events", "s3", "sqs"):
        getattr(stack, client)  # created now: boto3 cannot create clients in several threads
    app = Starlette(
        routes=[
            Route("/", jobs.show),
            Route("/job", job.show),
            Route("/medium", job.medium),
            Route("/payload", job.payload),
            Route("/figures", stats.show),
            Route("/queues", queues.show),
            Route("/queues/failed", queues.failed),
            Route("/quarantine", quarantine.show),
            Route("/delivery", quarantine.delivery),
            Route("/replay", job.replayed, methods=["POST"]),
            Route("/redrive", queues.redriven, methods=["POST"]),
            Route("/reparse", quarantine.reparsed, methods=["POST"]),
            Mount("/static", StaticFiles(directory=rendering.FOLDER / "static")),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(guard.HOSTS), www_redirect=False)],
        exception_handlers={
            CliError: error_page,
            guard.CrossSite: error_page,
            DailiesError: error_page,
            BotoCoreError: aws_error_page,
            ClientError: aws_error_page,
            HTTPException: no_such_page,
        },
    )
    app.state.stack = stack
    return guard.Guard(app, media_source=media_source(stack))  # outermost, so that every response has its headers


def media_source(stack: Stack) -> str:
    """The origin of media links: the bucket's endpoint."""
    link = urlsplit(stack.s3.generate_presigned_url("get_object", Params={"Bucket": stack.bucket_name, "Key": "media"}))
    return f"{link.scheme}://{link.netloc}"


async def error_page(request: Request, error: Exception) -> Response:
    """An error of the command or of the layer, with the next step."""
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    title = "Not found" if status == 404 else "This cannot be done"
    message = str(of_ours(error) if isinstance(error, DailiesError) else error)
    return rendering.page(request, "error", status=status, section="", title=title, message=message)


async def aws_error_page(request: Request, error: Exception) -> Response:
    """An error from AWS, or a failed connection to it."""
    message = str(of_aws(error)) if isinstance(error, (BotoCoreError, ClientError)) else str(error)
    return rendering.page(request, "error", status=502, section="", title="AWS reported an error", message=message)


async def no_such_page(request: Request, error: Exception) -> Response:
    """An unknown path or method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return rendering.page(
        request, "error", status=status, section="", title="No such page", message="The console has no such page."
    )

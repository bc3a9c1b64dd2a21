"""How the stack fares: counts, the time from call to bucket, the margin left on links, as charts."""

from starlette.requests import Request
from starlette.responses import Response

from cli.console import charts, rendering
from cli.stats import MAX_JOBS, figures
from dailies import timestamps

EVERY = 30  # seconds: of a busy stack, some 500 reads


def show(request: Request) -> Response:
    """GET /figures"""
    found = figures(rendering.stack_of(request), timestamps.now())
    return rendering.page(
        request,
        "figures",
        every=EVERY,
        section="/figures",
        tiles=charts.tiles(found.stages, found.to_bucket),
        charts=[charts.by_hour(found.hours), charts.to_bucket(found.to_bucket), charts.margins(found.margins)],
        part=f"There were more: these are the newest {MAX_JOBS:,}." if found.is_part else "",
    )

"""Figures as charts: jobs by hour, the time from delivery to bucket, the time left on links."""

from starlette.requests import Request
from starlette.responses import Response

from cli.console import charts, rendering
from cli.stats import MAX_JOBS, figures
from dailies import timestamps

EVERY = 30  # seconds: about 500 reads on a busy stack


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
        part=f"Only the newest {MAX_JOBS:,} jobs are counted." if found.is_part else "",
    )

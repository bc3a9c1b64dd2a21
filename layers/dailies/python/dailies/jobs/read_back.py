"""Compare a delivery's claim about a medium with the provider's API. No I/O.

For providers that do not sign their deliveries, such as Creatify: there, a valid delivery only shows that the sender
knows the URL.
"""

from collections.abc import Container
from dataclasses import dataclass

from dailies.jobs import links
from dailies.jobs.models import FINISHED, Report
from dailies.timestamps import Timestamp


@dataclass(frozen=True, slots=True)
class Claim:
    """The content of the newest delivery with a link to a medium. `occurred_at`: by the provider's clock, or empty."""

    url: str
    provider_status: str
    occurred_at: Timestamp = ""


def contradiction(claim: Claim, role: str, report: Report | None) -> str:
    """How the API contradicts a claim, in one line; empty if they agree. `report`: None if the API has no such job.

    A newer status with the same link is progress, not a contradiction. Another link, or none, always is one. The
    claim's age does not excuse it, because the sender states that age.
    """
    if report is None:
        return "the provider's API knows no such job"
    ids = {links.media_id(medium.url) for medium in report.media if medium.role == role}
    if ids and links.media_id(claim.url) not in ids:
        return f"the provider's API has another {role}"
    if not ids:
        return f"the provider's API says {report.provider_status} and has no {role}"
    is_older = (report.occurred_at or "") <= claim.occurred_at
    if is_older and report.provider_status != claim.provider_status:
        return f"the provider's API says {report.provider_status}, the call {claim.provider_status}"
    return ""


def may_be_late(claim: Claim, report: Report | None, may_go_on: Container[str]) -> bool:
    """Whether the API may lag behind the delivery: its state is older and not final.

    `may_go_on`: the provider's words for a completed job that may have another stage.
    """
    if report is None or (report.occurred_at or "") >= claim.occurred_at:
        return False
    return report.status not in FINISHED or report.provider_status in may_go_on

"""Whether what a delivery claims of a medium is what the provider's own API says: pure.

For providers whose deliveries prove only that the sender knows the URL (Creatify).
"""

from collections.abc import Container
from dataclasses import dataclass

from dailies.jobs import links
from dailies.jobs.models import FINISHED, Report
from dailies.timestamps import Timestamp


@dataclass(frozen=True, slots=True)
class Claim:
    """What the newest delivery with a medium's link said of its job. `occurred_at` is by the provider's clock, empty
    where it gave none."""

    url: str
    provider_status: str
    occurred_at: Timestamp = ""


def contradiction(claim: Claim, role: str, report: Report | None) -> str:
    """What the API says against a claim, one line; empty where it agrees. `report` is None where it knows no such job.

    The same link under another status that is newer than the claim's is progress, not a contradiction. Another link, or
    none, always is one, however old the claim says it is: that would be the sender's own word.
    """
    if report is None:
        return "the provider's API knows no such job"
    found = {links.media_id(medium.url) for medium in report.media if medium.role == role}
    if found and links.media_id(claim.url) not in found:
        return f"the provider's API has another {role}"
    if not found:
        return f"the provider's API says {report.provider_status} and has no {role}"
    older = (report.occurred_at or "") <= claim.occurred_at
    if older and report.provider_status != claim.provider_status:
        return f"the provider's API says {report.provider_status}, the call {claim.provider_status}"
    return ""


def may_be_late(claim: Claim, report: Report | None, may_go_on: Container[str]) -> bool:
    """Whether the API may only not have heard yet of what the delivery claims: it tells an older state, and one that
    is not the job's last. `may_go_on`: the provider's words for a completed job that another stage may follow."""
    if report is None or (report.occurred_at or "") >= claim.occurred_at:
        return False
    return report.status not in FINISHED or report.provider_status in may_go_on

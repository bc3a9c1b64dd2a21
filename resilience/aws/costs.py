"""The smoke test's cost, estimated from AWS's list prices (us-east-1, without free tiers)."""

from dataclasses import dataclass

from bench.cost.prices import ALARM, MONTH, SECRET

# The stack's cost while it exists, in dollars a month. AWS bills each by the hour.
SECRETS, ALARMS, METRICS = 7, 18, 40  # Captions' key included; a metric for each used combination of dimensions
METRIC = 0.30
STANDING = SECRETS * SECRET + ALARMS * ALARM + METRICS * METRIC

CALL = 6.51 / 1_000_000  # docs/cost.md: the most expensive call, received, merged and announced
MEDIUM = 28.05 / 1_000_000  # docs/cost.md: the most expensive archived medium
DOWNLOADED_MB = 0.09 / 1000  # from AWS to this machine
DEPLOY = 20 * 5 / 1_000_000 + 0.001  # uploads of the packages; the calls for secrets, table and CloudWatch


@dataclass(frozen=True, slots=True)
class Usage:
    """A step's usage: webhook calls, archived media, megabytes that this machine downloads, deploys and deletes."""

    calls: int = 0
    media: int = 0
    downloaded_mb: int = 0
    deploys: int = 0


def dollars(usage: Usage, seconds: float) -> float:
    """An estimate for a step of this duration: its usage, and the stack's cost meanwhile."""
    used = usage.calls * CALL + usage.media * MEDIUM + usage.downloaded_mb * DOWNLOADED_MB + usage.deploys * DEPLOY
    return used + STANDING * seconds / MONTH

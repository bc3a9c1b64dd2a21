"""What the smoke test costs, estimated from AWS's list prices (us-east-1, without free tiers)."""

from dataclasses import dataclass

from bench.cost.prices import ALARM, MONTH, SECRET

# What the stack costs while it is there, in dollars a month. AWS bills each by the hour.
SECRETS, ALARMS, METRICS = 7, 18, 40  # Captions' key included; a metric for each combination of dimensions in use
METRIC = 0.30
STANDING = SECRETS * SECRET + ALARMS * ALARM + METRICS * METRIC

CALL = 6.51 / 1_000_000  # docs/cost.md: the dearest call received, merged and announced
MEDIUM = 28.05 / 1_000_000  # the same: the dearest medium archived
DOWNLOADED_MB = 0.09 / 1000  # out of AWS to this machine
DEPLOY = 20 * 5 / 1_000_000 + 0.001  # uploads of the packages; the secrets', the table's and CloudWatch's own calls


@dataclass(frozen=True, slots=True)
class Usage:
    """What a step uses: webhook calls, media archived, megabytes that this machine downloads, deploys and deletes."""

    calls: int = 0
    media: int = 0
    downloaded_mb: int = 0
    deploys: int = 0


def dollars(usage: Usage, seconds: float) -> float:
    """An estimate for a step that took so long: what it used, and what the stack cost meanwhile."""
    used = usage.calls * CALL + usage.media * MEDIUM + usage.downloaded_mb * DOWNLOADED_MB + usage.deploys * DEPLOY
    return used + STANDING * seconds / MONTH

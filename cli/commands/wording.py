"""Words that several commands print for the same thing."""

from collections.abc import Mapping

from dailies.jobs.models import Origin

ORIGINS: Mapping[Origin, str] = {
    "webhook": "webhook",
    "poll": "polled",
    "track": "tracked",
    "archive": "archive",
    "batch": "batch",
}
"""How Dailies learned of an event; each fits into eight columns."""

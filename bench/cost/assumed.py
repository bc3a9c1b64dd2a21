"""What is billed and cannot be counted on this machine: times, and what AWS does by itself. The page marks it."""

from math import ceil

BY_THEMSELVES = frozenset({"gb_seconds", "messages"})  # of a usage

CORE_MB = 1769  # of memory, with which Lambda gives one core
CPU_MS = 1.5  # of a core, for a call of AWS and what the function does around it: docs/speed.md
WAIT_MS = 4  # until DynamoDB or the bus has answered
HOST_MB = 30  # that the media's host gives in a second, on one connection: the slow one of docs/archive.md
AROUND_SECONDS = 0.13  # a transfer: names, handshakes, rows, and what S3 still does when it has all
ASK_SECONDS = 0.3  # until a provider's API has answered, the handshake included
START_SECONDS = 0.5  # a new instance of a receiver
PER_MESSAGE = 3  # requests of SQS: announce sends it, Lambda receives and deletes it
ARCHIVE_MB = 384  # of the archive: as quick as more where the host is waited for, docs/archive.md
POLLERS, POLL_SECONDS = 5, 20  # Lambda's own, at a queue that is empty


def gb_seconds(megabytes: int, calls: int) -> float:
    """Of an invocation that makes so many calls of AWS: rounded up as Lambda does, and as if it had its share of a core
    and never more."""
    milliseconds = ceil(calls * (CPU_MS * CORE_MB / megabytes + WAIT_MS))
    return milliseconds / 1000 * megabytes / 1024


def copying(host_mb: float = HOST_MB) -> float:
    """Seconds for a video of 20 MB."""
    return 20 / host_mb + AROUND_SECONDS


def archive(seconds: float) -> float:
    """GB-seconds of the archive."""
    return seconds * ARCHIVE_MB / 1024

"""Billed values that cannot be counted on this machine: times, and AWS's own calls. The page marks them."""

from math import ceil

BY_THEMSELVES = frozenset({"gb_seconds", "messages"})  # per usage

CORE_MB = 1769  # MB of memory for which Lambda gives one core
CPU_MS = 1.5  # milliseconds of a core per AWS call and the function's work around it: docs/speed.md
WAIT_MS = 4  # milliseconds until DynamoDB or the bus has responded
HOST_MB = 30  # MB a second of the media host on one connection: the slow one of docs/archive.md
AROUND_SECONDS = 0.13  # seconds per transfer: names, handshakes, rows, and S3's work after the last byte
ASK_SECONDS = 0.3  # seconds until a provider's API has responded, with the handshake
START_SECONDS = 0.5  # a new instance of a receiver
RECEIVER_MB = 512  # MB of a receiver's memory, in the template
PER_MESSAGE = 3  # SQS requests: announce sends it, Lambda receives and deletes it
ARCHIVE_MB = 384  # MB of the archive's memory: as fast as more if the host limits the speed, docs/archive.md
POLLERS, POLL_SECONDS = 5, 20  # Lambda's own polls of an empty queue


def gb_seconds(megabytes: int, calls: int) -> float:
    """The GB-seconds of an invocation that makes `calls` AWS calls: rounded up as Lambda does, and assuming its share
    of a core as the maximum."""
    milliseconds = ceil(calls * (CPU_MS * CORE_MB / megabytes + WAIT_MS))
    return milliseconds / 1000 * megabytes / 1024


def copying(host_mb: float = HOST_MB) -> float:
    """The seconds of copying a 20 MB video."""
    return 20 / host_mb + AROUND_SECONDS


def archive(seconds: float) -> float:
    """The archive's GB-seconds."""
    return seconds * ARCHIVE_MB / 1024

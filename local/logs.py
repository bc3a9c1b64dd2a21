"""make logs: follow the logs of all functions, each line after its function's name, until Ctrl-C.

Starts with the last minute. Omits Lambda's own lines about the start and the end of an invocation, except REPORT.
"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from local import stack
from local.aws import Aws

BEGIN_BEFORE = 60_000  # milliseconds
OVERLAP = 5_000  # milliseconds that each poll reads again: a line may appear later than a newer one
PAUSE = 0.5  # seconds between polls
UNWANTED = re.compile(r"(?:START|END) RequestId: ")


class Line(NamedTuple):
    """A line of a function's log; `stream` distinguishes invocations."""

    timestamp: int  # milliseconds since 1970
    function: str
    stream: str
    message: str


def lines(aws: Aws, log_groups: Mapping[str, str], since: int) -> list[Line]:
    """All lines of these log groups (by function) since a time, in the order they were written."""

    def of(function: str) -> list[Line]:
        pages = aws.logs.get_paginator("filter_log_events").paginate(logGroupName=log_groups[function], startTime=since)
        return [
            Line(event["timestamp"], function, event["logStreamName"], event["message"].rstrip("\n"))
            for page in pages
            for event in page["events"]
        ]

    found = [line for function in log_groups for line in of(function)]
    return sorted(found, key=lambda line: line.timestamp)  # stable: lines with equal times stay in the order written


def looks(aws: Aws, log_groups: Mapping[str, str], since: int, pause: float) -> Iterator[list[Line]]:
    """Each line since a time once, without end: the new ones of each poll, with a pause of `seconds` between polls."""
    told: Counter[Line] = Counter()
    while True:
        found = Counter(lines(aws, log_groups, since))
        # Equal lines are possible: print as many as are there now and were not printed before.
        yield [line for line in found for _ in range(found[line] - told[line])]
        since = max(since, now() - OVERLAP)
        told = Counter({line: count for line, count in found.items() if line.timestamp >= since})
        time.sleep(pause)


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def main() -> None:
    argparse.ArgumentParser(
        prog="make logs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    try:
        running = stack.read(stack.folder_from_environment())
        width = max(map(len, running.log_groups))
        new = looks(running.aws, running.log_groups, now() - BEGIN_BEFORE, PAUSE)
        for line in chain.from_iterable(new):
            if not UNWANTED.match(line.message):
                moment = datetime.fromtimestamp(line.timestamp / 1000, UTC).astimezone()
                print(f"{moment:%H:%M:%S} {line.function:<{width}}  {line.message}", flush=True)
    except stack.StackError as error:
        raise SystemExit(f"logs: {error}") from None
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"logs: the emulated AWS does not answer ({error}); `make up` brings it back") from None
    except (KeyboardInterrupt, BrokenPipeError):
        sys.stderr.close()  # suppresses Python's message about a closed pipe
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()

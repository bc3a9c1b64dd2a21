"""What Dailies costs, from counted AWS calls and dated list prices: `python -m bench.cost` writes docs/cost.md.

The counts are held by tests/test_cost.py, which runs the functions and counts. Durations are not: each has its reason.
"""

from dataclasses import dataclass, fields, replace
from math import ceil

from local.stack import ROOT

PAGE = ROOT / "docs/cost.md"
PRICED = "2026-11-25, us-east-1, on demand, arm64, without free tiers"
MILLION = 1_000_000
PLATFORM_LOG_BYTES = 330  # Lambda's own START, END and REPORT lines of one invocation
ACCESS_LOG_BYTES = 260  # the API's own line of one request, by the template's format


@dataclass(frozen=True, slots=True)
class Usage:
    """What is billed of one thing done. `writes` and `reads` are DynamoDB's units (1 KB, 4 KB), the index's included;
    `gb_seconds` are Lambda's."""

    requests: int = 0
    invocations: int = 0
    gb_seconds: float = 0
    writes: int = 0
    reads: float = 0
    events: int = 0
    messages: int = 0
    objects: int = 0
    log_bytes: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Usage)})


@dataclass(frozen=True, slots=True)
class Priced:
    """A thing that is billed: its words in the page, dollars for a million of them."""

    words: str
    dollars: float


PRICES = {
    "requests": Priced("HTTP API requests", 1.00),
    "invocations": Priced("Lambda invocations", 0.20),
    "gb_seconds": Priced("Lambda GB-seconds", 13.3334),
    "writes": Priced("DynamoDB write units", 0.625),
    "reads": Priced("DynamoDB read units", 0.125),
    "events": Priced("EventBridge events", 1.00),
    "messages": Priced("SQS requests", 0.40),
    "objects": Priced("S3 PUTs and parts", 5.00),
    "log_bytes": Priced("log bytes", 0.50 / 1000),  # $0.50 a GB
}

# A receiver takes 1.5 ms of a core (docs/speed.md), and 512 MB have 0.29 of one: 5 ms of half a GB.
RECEIVED = Usage(
    requests=1,
    invocations=1,
    gb_seconds=0.005 * 0.5,
    writes=1,
    log_bytes=522 + PLATFORM_LOG_BYTES + ACCESS_LOG_BYTES,
)
WRITES = {  # of each webhook's delivery, with the documented fields all set: what is above 1 KB is two units
    "sync_generation/completed": 1,
    "sync_batch/completed": 1,
    "creatify_product_to_video/video_generated": 2,
    "captions_creator/success": 1,
}
# Of a job's delivery that finishes it, with one medium: merged and told. Each 10 ms of a quarter of a GB, one record at
# a time, which is the dearest that it can be: under load, a batch holds up to a hundred.
MERGED = Usage(invocations=1, gb_seconds=0.010 * 0.25, reads=1, writes=2, log_bytes=360 + PLATFORM_LOG_BYTES)
TOLD = Usage(invocations=1, gb_seconds=0.010 * 0.25, events=2, log_bytes=420 + PLATFORM_LOG_BYTES)
# A medium of 20 MB: 0.8 s of 1 GB, from a host that gives 30 MB/s.
COPIED = Usage(
    invocations=1, gb_seconds=0.8, writes=1, reads=1, messages=3, objects=1, log_bytes=670 + PLATFORM_LOG_BYTES
)
SETTLED = replace(MERGED, writes=3) + replace(TOLD, objects=1)

ROWS = {
    "a delivery received": RECEIVED,
    "... merged into its job row, with its index": MERGED,
    "... announced": TOLD,
    "a medium of 20 MB archived: copied, its receipt recorded": COPIED,
    "... the job settled: merged, `job.json`, announced": SETTLED,
}
MOST = {"receiving": 3.0, "a job": 7.0, "a medium": 30.0}  # dollars a million
SUMS = {
    "receiving alone": (RECEIVED, MOST["receiving"]),
    "with the job row, its index and what is announced": (RECEIVED + MERGED + TOLD, MOST["a job"]),
    "a video of 20 MB archived, storage aside": (COPIED + SETTLED, MOST["a medium"]),
}


REMARKS = """\
Dearest first: of a delivery the API's request, the log and the write; of a medium the time of its transfer (a slow
host costs as long as it takes: $13 a million for each second more) and S3's PUTs. The functions that merge and
announce are counted with one record in each batch; under load a batch holds up to a hundred. The row of a Creatify
video with all its fields is a little over 1 KB, two write units: $0.63 a million more. A duplicate costs what a
delivery does, and nothing behind it. A forged call costs its request and its log line. Idle, a month: the secrets
($0.40 each), the alarms ($0.10 each), the dashboard ($3; the first three of an account are free), a metric ($0.30), and
two schedules every five minutes, a sweep and a look at Sync's signing secret: 17,500 invocations, 22 cents, since the
two read four secrets (18 cents) and 48 partitions of the index (3 cents) each time."""


def dollars(usage: Usage) -> float:
    """For a million of it."""
    return float(sum(getattr(usage, name) * priced.dollars for name, priced in PRICES.items()))


def write_units(row_bytes: int) -> int:
    """What DynamoDB bills for a row of that size, in the table or in an index."""
    return ceil(row_bytes / 1024)


def page() -> str:
    """docs/cost.md."""
    billed = [name for name in PRICES if any(getattr(usage, name) for usage in ROWS.values())]
    lines = [
        "# What it costs",
        "",
        f"Written by `python -m bench.cost`. List prices of {PRICED}.",
        "The counts are those that `tests/test_cost.py` makes by running the functions; a change that costs more is",
        "a red test. Storage, and what your own systems do with the events, are aside.",
        "",
        "| for a million | dollars | at most |",
        "|---|---|---|",
        *(f"| {name} | {dollars(usage):.2f} | {most:.0f} |" for name, (usage, most) in SUMS.items()),
        "",
        "## Of each, how many",
        "",
        "| | " + " | ".join(PRICES[name].words for name in billed) + " | $ a million |",
        "|---|" + "---|" * (len(billed) + 1),
        *(
            f"| {words} | "
            + " | ".join(_number(getattr(usage, name)) for name in billed)
            + f" | {dollars(usage):.2f} |"
            for words, usage in ROWS.items()
        ),
        "| **$ a million of these** | " + " | ".join(_price(PRICES[name]) for name in billed) + " | |",
        "",
        *REMARKS.splitlines(),
        "",
        "## Beside others",
        "",
        "Published prices for a million webhooks received, none of which copies a video:",
        "",
        "| | dollars |",
        "|---|---|",
        f"| Dailies, received, merged and announced | {dollars(RECEIVED + MERGED + TOLD):.2f} |",
        "| Hookdeck | 10 to about 3.30 in volume, and $39 to $499 a month |",
        "| Svix, dispatch (ingest: on request) | 100 |",
        "| Convoy cloud | from $99 a month, at 25 events a second |",
        "",
    ]
    return "\n".join(lines)


def _number(value: float) -> str:
    return "" if not value else f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _price(priced: Priced) -> str:
    return f"{priced.dollars:g}"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"cost: wrote {PAGE.relative_to(ROOT)}")

"""docs/cost.md: the figures for page.md."""

from collections.abc import Iterable
from dataclasses import replace
from math import ceil

from bench.cost import assumed
from bench.cost.assumed import BY_THEMSELVES, POLL_SECONDS, POLLERS, copying
from bench.cost.counted import (
    ALARMS,
    CREATIFY,
    DEAREST,
    LOOK,
    READ_BACK,
    RECEIVE,
    RECEIVERS,
    RUNS,
    SECRETS,
    SETTLED,
    START,
    SWEEP,
    SYNC,
    TRACKED,
    USUAL,
    VIDEOS,
)
from bench.cost.prices import (
    ALARM,
    MILLION,
    MONTH,
    PRICED,
    PRICES,
    RESTORED_GB,
    SECRET,
    SNAPSHOT_GB_SECOND,
    Usage,
    a_month,
    dollars,
)
from bench.cost.wanted import ARCHIVED, MOST, WHOLE, Bound, bounds
from dailies.aws.secrets import REFRESH_SECONDS, REREAD_SECONDS
from local.stack import ROOT

PAGE = ROOT / "docs/cost.md"
TEXT = ROOT / "bench/cost/page.md"
HOSTS = (15, assumed.HOST_MB, 60, 120)  # MB a second
PACES = (10_000, 100_000, MILLION, 10 * MILLION)  # calls a month
ASKS = round(MONTH / REFRESH_SECONDS)  # max reads of its secret by a warm instance in a month

type Row = tuple[str, ...]


def page() -> str:
    """The whole page: page.md with its figures."""
    return TEXT.read_text().format(**_tables(), **_figures())


def _tables() -> dict[str, str]:
    copied = [f"*{copying(host):.2f}*" for host in HOSTS]
    cost = [f"*{dollars(_video_from(host)):.2f}*" for host in HOSTS]
    return {
        "bounds": _table(("dollars for a million", "", "usual", "dearest", "at most"), map(_judged, bounds())),
        "usages": _usages(),
        "hosts": _table(
            ("20 MB from a host of", *(f"{host} MB/s" for host in HOSTS)),
            [("seconds", *copied), ("dollars for a million", *cost)],
        ),
        "idle": _table(
            ("regardless of traffic", "dollars"), ((words, f"{each:.2f}") for words, each in idle().items())
        ),
        "paces": _table(
            ("deliveries a month", "reads", "dollars a month", "dollars for a million"),
            (_pace(calls) for calls in PACES),
        ),
    }


def _figures() -> dict[str, str]:
    call, video, ask = USUAL[SYNC][0].whole, VIDEOS[SYNC], Usage(secrets=1)
    usual = [bound.usual for bound in bounds() if bound.thing == WHOLE]
    return {
        "api_seconds": f"{assumed.ASK_SECONDS}",
        "archive_mb": f"{assumed.ARCHIVE_MB}",
        "around": f"{assumed.AROUND_SECONDS}",
        "asks": f"{ASKS:,}",
        "asks_dollars": f"{a_month(ask, ASKS):.2f}",
        "asks_every": f"{REFRESH_SECONDS:.0f}",
        "call": f"{dollars(call):.2f}",
        "call_assumed": f"{_assumed(call):.2f}",
        "core_mb": f"{assumed.CORE_MB:,}",
        "cpu_ms": f"{assumed.CPU_MS}",
        "host_mb": f"{assumed.HOST_MB}",
        "in_vain_dollars": f"{a_month(ask, MONTH / REREAD_SECONDS):.2f}",
        "in_vain_every": f"{REREAD_SECONDS:.0f}",
        "per_kb": f"{PRICES['writes'].dollars:g}",
        "per_message": f"{assumed.PER_MESSAGE}",
        "priced": PRICED,
        "receiver_ms": f"{RECEIVE * 2000:.0f}",
        "restored_gb": f"{RESTORED_GB:.10f}",
        "restores": f"{RESTORED_GB * assumed.RECEIVER_MB / 1024 * MILLION:.2f}",
        "slowest_mb": f"{_slowest_host()}",
        "snapshot_gb_second": f"{SNAPSHOT_GB_SECOND:.10f}",
        "snapshot_mb": f"{assumed.RECEIVER_MB}",
        "snapshot_versions": f"{RECEIVERS}",
        "snapshots": f"{SNAPSHOT_GB_SECOND * MONTH * RECEIVERS * assumed.RECEIVER_MB / 1024:.2f}",
        "start_asks": f"{START.secrets}",
        "start_dollars": f"{dollars(START):.2f}",
        "start_seconds": f"{assumed.START_SECONDS}",
        "usual": f"{min(usual):.2f} to {max(usual):.2f}",
        "video": f"{dollars(video):.2f}",
        "video_assumed": f"{_assumed(video):.2f}",
        "video_most": f"{MOST[ARCHIVED]:.0f}",
        "wait_ms": f"{assumed.WAIT_MS}",
    }


def idle() -> dict[str, float]:
    """Dollars a month without any call."""
    polls = POLLERS * MONTH / POLL_SECONDS
    return {
        f"{SECRETS} secrets": SECRETS * SECRET,
        f"{ALARMS} alarms": ALARMS * ALARM,
        f"{RUNS:,} runs of reconcile, each with {SWEEP.secrets} secrets and {SWEEP.reads:g} read units": a_month(
            SWEEP, RUNS
        ),
        f"{RUNS:,} checks of Sync's signing secret, each with {LOOK.secrets} secret": a_month(LOOK, RUNS),
        f"*{POLLERS} pollers of Lambda on the archive's queue, every {POLL_SECONDS} s*": a_month(
            Usage(messages=1), polls
        ),
    }


def _judged(bound: Bound) -> Row:
    figures = (f"{bound.usual:.2f}", f"{bound.dearest:.2f}", f"{MOST[bound.thing]:.0f}")
    return bound.thing, f"`{bound.webhook}`", *figures


def _usages() -> str:
    usages = {
        f"`{one.event}`, a row of {one.row_bytes:,} bytes": one.whole for calls in USUAL.values() for one in calls
    }
    usages |= {f"`{one.event}`, a tracked job": one.whole for one in DEAREST.values()}
    usages |= {"a tracked job without a delivery": TRACKED}
    usages |= {f"a video of `{webhook}`": usage for webhook, usage in VIDEOS.items()}
    usages |= {f"a video of `{CREATIFY}`, read back": READ_BACK}
    billed = [name for name in PRICES if any(getattr(usage, name) for usage in usages.values())]
    return _table(
        ("", *(PRICES[name].words for name in billed), "dollars for a million"),
        [
            *((words, *(_cell(one, name) for name in billed), f"{dollars(one):.2f}") for words, one in usages.items()),
            ("**dollars for a million of these**", *(f"{PRICES[name].dollars:g}" for name in billed), ""),
        ],
    )


def _cell(usage: Usage, name: str) -> str:
    value = getattr(usage, name)
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return "" if not value else f"*{shown}*" if name in BY_THEMSELVES else shown


def _assumed(usage: Usage) -> float:
    return float(sum(getattr(usage, name) * PRICES[name].dollars for name in BY_THEMSELVES))


def _video_from(host_mb: float) -> Usage:
    return replace(VIDEOS[SYNC], gb_seconds=assumed.archive(copying(host_mb)) + SETTLED)


def _slowest_host() -> int:
    """The lowest MB a second at which a video stays within its bound."""
    for_seconds = MOST[ARCHIVED] - dollars(replace(VIDEOS[SYNC], gb_seconds=SETTLED))
    seconds = for_seconds / PRICES["gb_seconds"].dollars * 1024 / assumed.ARCHIVE_MB
    return ceil(20 / (seconds - assumed.AROUND_SECONDS))


def _pace(calls: int) -> Row:
    asks = min(calls, ASKS)
    month = a_month(Usage(secrets=1), asks)
    return f"{calls:,}", f"{asks:,}", f"{month:.2f}", f"{month / calls * MILLION:.2f}"


def _table(head: Row, rows: Iterable[Row]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows))

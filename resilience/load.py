"""Storage under load: thousands of deliveries through the webhook proxy, as fast as the machine allows.

Three providers mixed; 30 % of the calls are duplicates, 10 % are out of order, 5 % are forged. One run is without
faults. In another, 5 % of the receivers' DynamoDB requests fail, and another 5 % fail at all attempts of the SDK
(microburst is between them and the emulated AWS). A call is repeated until the response is 200, as a provider does.
Then the acknowledged events are compared with the stored ones.
"""

import argparse
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from secrets import token_hex
from statistics import quantiles
from typing import Any, NamedTuple

import urllib3
from urllib3.exceptions import HTTPError

from cli.sample_calls import SECRET_OF
from dailies import timestamps
from dailies.timestamps import Timestamp
from demo.__main__ import secrets_of
from demo.scenarios import Secrets
from local import ports
from local.stack import ROOT, Stack, StackError, alone, read
from local.up import end, up
from resilience import figures
from simulators.provider_calls import every_sample
from simulators.provider_calls.call import Call, send
from simulators.provider_calls.sample import Order
from testkit.support.functions import RECEIVERS, start_anew
from testkit.support.wait import wait_for

FORGED, DUPLICATES, DISORDER = 0.05, 0.30, 0.10
CALLERS = 6  # callers at once: more only wait for each other on two processors
CALLERS_MEETING_FAULTS = 10  # callers, some of which wait in the SDK's pauses
MAX_CALLS = 8  # attempts of one delivery until it is acknowledged
WARM_UP = 200  # calls that do not count: each receiver runs in as many processes as callers meet in it
FAULTS = (
    {"error": {"code": "ProvisionedThroughputExceededException"}},
    {"error": {"code": "InternalServerError", "status": 500}},
    {"reset": True},
    {"response": {"abort_frac": 0.0}},  # it took effect, and no response is sent
)
FAULTY = 0.05  # of the requests, and of the invocations
WRONG = (
    "acknowledged_not_stored",
    "stored_not_sent",
    "never_acknowledged",
    "quarantined",
    "forged_stored",
    "forged_not_refused",
    "recorded_twice",
)
"""What `compare` counts and should find none of."""


class Stored(NamedTuple):
    """Event ids of rows: those of this run's jobs, and all that reached quarantine meanwhile, where none belongs: each
    body here can be parsed."""

    events: set[str]
    quarantined: set[str]


@dataclass(frozen=True)
class Delivered:
    """One call's result: whether it was forged, its final response, the seconds of each attempt."""

    call: Call
    forged: bool
    status: int
    result: str
    seconds: tuple[float, ...]


def calls(count: int, secrets: Secrets, run: str, chance: random.Random) -> list[tuple[Call, bool]]:
    """This number of calls with whether each is forged, in the order in which they are made."""
    forged, again = round(count * FORGED), round(count * DUPLICATES)
    jobs = _jobs(count - forged - again, secrets, run)
    pairs = [number for number, told in enumerate(jobs) if len(told) == 2]
    late = set(chance.sample(pairs, round(count * DISORDER / 2)))
    ordered = [call for number, told in enumerate(jobs) for call in (told[::-1] if number in late else told)]
    theirs = dict.fromkeys(secrets, "whsec_theirs")
    mixed = [(call, False) for call in ordered]
    for _ in range(again):  # soon after the first
        at = chance.randrange(len(mixed))
        mixed.insert(min(len(mixed), at + chance.randrange(1, 40)), mixed[at])
    for number in range(forged):
        told = _told(number, theirs, f"{run}-forged")
        mixed.insert(chance.randrange(len(mixed)), (told[number % len(told)], True))
    return mixed


def _jobs(count: int, secrets: Secrets, run: str) -> list[list[Call]]:
    """The calls about each job, this number in total: the last job may lack some of its calls."""
    jobs: list[list[Call]] = []
    while count > 0:
        jobs.append(_told(len(jobs), secrets, run)[:count])
        count -= len(jobs[-1])
    return jobs


def _told(number: int, secrets: Secrets, run: str) -> list[Call]:
    """All calls about one job of one webhook, the webhooks in turn: it is in progress, if the provider reports that,
    and has failed. None links to a medium, so that only the receivers are under load."""
    samples = tuple(every_sample().values())
    sample = samples[number % len(samples)]
    before = [word for word, case in sample.cases.items() if case.status == "processing" and not case.media]
    secret = secrets[SECRET_OF[sample.webhook]]
    return [sample.call(Order(word, f"{run}-{number}", secret)) for word in (*before, sample.failure)]


def deliver(call: Call, url: str, *, forged: bool) -> Delivered:
    """Deliver as a provider does: retry until it is acknowledged or rejected."""
    seconds: list[float] = []
    status, result = 0, ""
    for _ in range(MAX_CALLS):
        began = time.perf_counter()
        try:
            reply = send(call, url)
        except HTTPError:
            continue
        finally:
            seconds.append(time.perf_counter() - began)
        status, body = reply.status, reply.body if isinstance(reply.body, dict) else {}
        result = str(body.get("result") or body.get("error"))
        if status in (200, 401):
            break
    return Delivered(call, forged, status, result, tuple(seconds))


def stored(stack: Stack, run: str, since: Timestamp) -> Stored:
    """The table's contents."""
    pages = stack.aws.dynamodb.get_paginator("scan").paginate(
        TableName=stack.outputs["TableName"],
        FilterExpression="begins_with(sk, :event) AND origin = :webhook AND received_at >= :since"
        " AND (contains(pk, :run) OR begins_with(pk, :quarantine))",
        ExpressionAttributeValues={
            ":event": {"S": "event#"},
            ":webhook": {"S": "webhook"},
            ":since": {"S": since},
            ":run": {"S": f"#{run}-"},
            ":quarantine": {"S": "quarantine#"},
        },
        ConsistentRead=True,
    )
    rows = Stored(set(), set())
    for item in (item for page in pages for item in page["Items"]):
        found = rows.quarantined if item["pk"]["S"].startswith("quarantine#") else rows.events
        found.add(item["event_id"]["S"])
    return rows


def compare(told: list[Delivered], rows: Stored) -> dict[str, int]:
    """The number of acknowledged and stored deliveries, and of all others: each delivery counts once."""
    honest = {event_id(one.call) for one in told if not one.forged}
    acknowledged = {event_id(one.call) for one in told if not one.forged and one.status == 200}
    forged = {event_id(one.call) for one in told if one.forged}
    return {
        "acknowledged": len(acknowledged),
        "stored": len(rows.events),
        "acknowledged_not_stored": len(acknowledged - rows.events - rows.quarantined),
        "stored_not_sent": len(rows.events - honest - forged),
        "never_acknowledged": len(honest - acknowledged),
        "quarantined": len(rows.quarantined - forged),
        "forged_stored": len(forged & (rows.events | rows.quarantined)),
        "forged_not_refused": sum(one.forged and one.status != 401 for one in told),
        "recorded_twice": sum(times > 1 for times in _recorded(told).values()),
    }


def event_id(call: Call) -> str:
    """By the public contract."""
    return sha256(call.webhook.encode() + b"\n" + call.body).hexdigest()


def _recorded(told: list[Delivered]) -> Counter[str]:
    return Counter(event_id(one.call) for one in told if one.result == "recorded")


def once(stack: Stack, count: int, warm_up: int, run: str, callers_at_once: int) -> figures.Figures:
    """Make all deliveries; returns the figures and the problems."""
    run = f"{run}-{token_hex(2)}"  # jobs of its own, as another run may share the stack
    made = calls(count, secrets_of(stack), run, random.Random(count))  # noqa: S311  no secret
    warm = calls(warm_up, secrets_of(stack), f"warm-{run}", random.Random(count))  # noqa: S311

    def one(call: tuple[Call, bool]) -> Delivered:
        return deliver(call[0], stack.webhook_base_url, forged=call[1])

    since = timestamps.now()
    with ThreadPoolExecutor(callers_at_once) as callers:
        list(callers.map(one, warm))
        began = time.monotonic()
        told = list(callers.map(one, made))
    seconds = time.monotonic() - began
    found = compare(told, stored(stack, run, since))
    each = quantiles([1000 * one.seconds[-1] for one in told], n=100)
    return {
        "tried": len(told),
        "lost": sum(found[name] for name in WRONG),
        **found,
        "forged": sum(one.forged for one in told),
        "made_again": sum(len(one.seconds) - 1 for one in told),
        "results": dict(Counter(one.result for one in told)),
        "p50_ms": round(each[49], 1),
        "p95_ms": round(each[94], 1),
        "p99_ms": round(each[98], 1),
        "per_second": round(len(told) / seconds, 1),
        "seconds": round(seconds),
    }


def rules() -> list[dict[str, Any]]:
    """The rules for microburst: FAULTY of the invocations fail at all attempts of the SDK, and FAULTY of all other
    requests fail, each in one of four ways. The row of the put identifies the invocation."""
    whole, single = [], []
    endings, rest = (f"{number:02x}" for number in range(256)), 1.0
    for fault in FAULTS:
        which = islice(endings, round(256 * FAULTY / len(FAULTS)))
        written_by = " || ".join(f"ends_with(Item.written_by.S, '{ending}')" for ending in which)
        whole.append({"service": "dynamodb", "operation": "PutItem", "body": written_by, **fault})
        share = FAULTY / len(FAULTS)
        single.append({"service": "dynamodb", "probability": share / rest, **fault})
        rest -= share  # evaluated in order: each has its share of the requests that the previous ones left
    return [*whole, *single]


@contextmanager
def faults(stack: Stack) -> Iterator[str]:
    """While the context is open, the receivers' DynamoDB requests fail by these rules."""
    port = ports.free()
    command = [sys.executable, "-m", "microburst", "--port", str(port), "--upstream", stack.aws.endpoint_url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proxy:
        try:
            wait_for("the proxy listens", lambda: ports.is_taken(port), bool)
            url = f"http://127.0.0.1:{port}"
            start_anew(stack, RECEIVERS, HTTP_PROXY=url)
            urllib3.request("POST", f"{url}/_microburst/rules", json=rules())
            yield url
        finally:
            start_anew(stack, RECEIVERS, HTTP_PROXY=None)
            proxy.terminate()


@contextmanager
def own_stack(folder: Path) -> Iterator[Stack]:
    """A stack for this run only."""
    with alone(folder / "run"):
        end(folder)
        try:
            yield up(folder, {}, emulator_port=0, webhook_port=0)
        finally:
            end(folder)


def prove(stack: Stack, count: int, warm_up: int, callers: int, callers_meeting_faults: int) -> figures.Figures:
    """Run without faults, then with faults."""
    quiet = once(stack, count, warm_up, "quiet", callers)
    with faults(stack) as proxy:
        faulty = once(stack, count, warm_up, "faulty", callers_meeting_faults)
        fired = urllib3.request("GET", f"{proxy}/_microburst/stats").json()["requests"]
    lost = quiet["lost"] + faulty["lost"]
    tried = quiet["tried"] + faulty["tried"]
    return {"tried": tried, "passed": tried - lost, "lost": lost, "quiet": quiet, "faulty": {**faulty, "calls": fired}}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m resilience.load", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local/proof-load", help="folder of its stack")
    parser.add_argument(
        "--running", action="store_true", help="use the running stack of the folder, and leave it running"
    )
    parser.add_argument("--deliveries", type=int, default=5000, help="deliveries per run (5,000)")
    parser.add_argument("--warm-up", type=int, default=WARM_UP, help=f"deliveries that do not count ({WARM_UP})")
    parser.add_argument(
        "--callers", type=int, help=f"parallel callers ({CALLERS}; {CALLERS_MEETING_FAULTS} if calls fail)"
    )
    figures.add_option(parser)
    options = parser.parse_args()
    callers = [options.callers or usual for usual in (CALLERS, CALLERS_MEETING_FAULTS)]
    try:
        folder = options.folder.resolve()
        with nullcontext(read(folder)) if options.running else own_stack(folder) as stack:
            found = prove(stack, options.deliveries, options.warm_up, *callers)
    except StackError as error:
        raise SystemExit(f"load: {error}") from None
    figures.keep("load", found, options.figures)
    for name in ("quiet", "faulty"):
        print(f"load, {name}: {found[name]}")
    raise SystemExit(figures.code(found))


if __name__ == "__main__":
    main()

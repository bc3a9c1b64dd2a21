"""Sent is stored, under load: thousands of deliveries through the front door, as fast as the machine takes them.

Three providers mixed; of the calls 30 % are duplicates, 10 % come in the wrong order, 5 % are forged. Once quiet, once
while 5 % of what the receivers ask of DynamoDB fails, and another 5 % at every try of the SDK's (microburst between
them and the emulated AWS). A call that is not answered 200 is made again, as a provider does. Then what was
acknowledged is compared with what is stored.
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
CALLERS = 6  # at once: more only wait for each other on two processors
CALLERS_MEETING_FAULTS = 10  # of whom some wait in the SDK's pauses
MAX_CALLS = 8  # of one delivery until it is acknowledged
WARM_UP = 200  # calls before any counts: each receiver runs in as many processes as callers meet in it
FAULTS = (
    {"error": {"code": "ProvisionedThroughputExceededException"}},
    {"error": {"code": "InternalServerError", "status": 500}},
    {"reset": True},
    {"response": {"abort_frac": 0.0}},  # it took effect, and nobody hears so
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
    """Event ids of rows: of this run's jobs, and all that came into quarantine meanwhile, where none belongs: each body
    here can be read."""

    events: set[str]
    quarantined: set[str]


@dataclass(frozen=True)
class Delivered:
    """What became of one call: whether it was forged, the answer that was final, seconds of each try."""

    call: Call
    forged: bool
    status: int
    result: str
    seconds: tuple[float, ...]


def calls(count: int, secrets: Secrets, run: str, chance: random.Random) -> list[tuple[Call, bool]]:
    """So many calls with whether each is forged, in the order in which they are made."""
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
    """The calls about each job, so many in all: of the last one perhaps not all that there are."""
    jobs: list[list[Call]] = []
    while count > 0:
        jobs.append(_told(len(jobs), secrets, run)[:count])
        count -= len(jobs[-1])
    return jobs


def _told(number: int, secrets: Secrets, run: str) -> list[Call]:
    """All calls about one job of one webhook, each webhook in turn: it is under way, if the provider reports that, and
    has failed. None links to a medium, so that only the receivers are under load."""
    samples = tuple(every_sample().values())
    sample = samples[number % len(samples)]
    before = [word for word, case in sample.cases.items() if case.status == "processing" and not case.media]
    secret = secrets[SECRET_OF[sample.webhook]]
    return [sample.call(Order(word, f"{run}-{number}", secret)) for word in (*before, sample.failure)]


def deliver(call: Call, url: str, *, forged: bool) -> Delivered:
    """As a provider does: again until it is acknowledged, or refused."""
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
    """What is in the table."""
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
    """How many were acknowledged and are stored, and of how many that is not so: each delivery counts for one thing."""
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
    """All deliveries, and what is wrong then."""
    run = f"{run}-{token_hex(2)}"  # jobs of its own, where the stack is another run's too
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
    """For microburst: FAULTY of the invocations fail at every try that the SDK makes, and FAULTY of the requests of all
    others, each in one of four ways. The row that is put says which invocation writes it."""
    whole, single = [], []
    endings, rest = (f"{number:02x}" for number in range(256)), 1.0
    for fault in FAULTS:
        which = islice(endings, round(256 * FAULTY / len(FAULTS)))
        written_by = " || ".join(f"ends_with(Item.written_by.S, '{ending}')" for ending in which)
        whole.append({"service": "dynamodb", "operation": "PutItem", "body": written_by, **fault})
        share = FAULTY / len(FAULTS)
        single.append({"service": "dynamodb", "probability": share / rest, **fault})
        rest -= share  # one after the other is asked: each has its share of what the ones before it left
    return [*whole, *single]


@contextmanager
def faults(stack: Stack) -> Iterator[str]:
    """While the context lasts, what the receivers ask of DynamoDB fails as the rules say."""
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
    """A stack that is there for this alone."""
    with alone(folder / "run"):
        end(folder)
        try:
            yield up(folder, {}, emulator_port=0, webhook_port=0)
        finally:
            end(folder)


def prove(stack: Stack, count: int, warm_up: int, callers: int, callers_meeting_faults: int) -> figures.Figures:
    """Quiet, then with faults."""
    quiet = once(stack, count, warm_up, "quiet", callers)
    with faults(stack) as proxy:
        faulty = once(stack, count, warm_up, "faulty", callers_meeting_faults)
        fired = urllib3.request("GET", f"{proxy}/_microburst/stats").json()["requests"]
    lost = quiet["lost"] + faulty["lost"]
    tried = quiet["tried"] + faulty["tried"]
    return {"tried": tried, "passed": tried - lost, "lost": lost, "quiet": quiet, "faulty": {**faulty, "calls": fired}}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m resilience.load", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".local/proof-load", help="where its stack keeps its files"
    )
    parser.add_argument("--running", action="store_true", help="try the stack that is up there, which stays up")
    parser.add_argument("--deliveries", type=int, default=5000, help="each time (5,000)")
    parser.add_argument("--warm-up", type=int, default=WARM_UP, help=f"deliveries before any counts ({WARM_UP})")
    parser.add_argument("--callers", type=int, help=f"at once ({CALLERS}; {CALLERS_MEETING_FAULTS} where calls fail)")
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

"""Recorded events: the input that AWS passes to each function, for `make invoke EVENT=...`, for tests, and to read.

    python -m simulators.recorded_events                             writes events/; always the same files
    python -m simulators.recorded_events --check                     writes nothing; exits with 1 if a file differs
    python -m simulators.recorded_events sync_generation/completed   prints this event, made now
    python -m simulators.recorded_events sync_generation/completed --secret whsec_...    signed with your secret

The formats are AWS's: API Gateway's payload format 2.0, records of a DynamoDB stream and of a queue. The media have
links like the providers', which lead nowhere.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from simulators.provider_calls import every_sample
from simulators.provider_calls.call import Call
from simulators.recorded_events.changes import ACCOUNT, RECORDED_AT, REGION, Json, consequences, notices
from simulators.recorded_events.secrets import secret_events

FOLDER = Path(__file__).parents[2] / "events"
API = "a1b2c3d4e5"

# ---- Deliveries: a call as API Gateway passes it ---------------------------------------------------------------------


def deliveries(at: datetime, secret: str | None = None) -> dict[str, Json]:
    """One event per webhook and outcome, by `<function>/<outcome>`. `secret` replaces the example secrets."""
    return {
        f"{sample.folder}/{case}": http_api_event(call, at)
        for sample in every_sample().values()
        for case, call in sample.recorded(at, secret).items()
    }


def http_api_event(call: Call, at: datetime) -> Json:
    """A call in API Gateway's payload format 2.0 for HTTP APIs."""
    segments = call.path.split("/")
    token = segments[-1] if every_sample()[call.webhook].in_path else None
    route = "POST " + ("/".join([*segments[:-1], "{token}"]) if token else call.path)
    domain, sender, program = f"{API}.execute-api.{REGION}.amazonaws.com", "203.0.113.7", "simulated-provider"
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": call.path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-length": str(len(call.body)),
            "host": domain,
            "user-agent": program,
            "x-amzn-trace-id": "Root=1-6968c288-0123456789abcdef01234567",
            "x-forwarded-for": sender,
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **{name.lower(): value for name, value in call.headers.items()},
        },
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API,
            "domainName": domain,
            "domainPrefix": API,
            "http": {
                "method": "POST",
                "path": call.path,
                "protocol": "HTTP/1.1",
                "sourceIp": sender,
                "userAgent": program,
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route,
            "stage": "$default",
            "time": at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(at.timestamp() * 1000),
        },
        **({"pathParameters": {"token": token}} if token else {}),
        "body": call.body.decode(),
        "isBase64Encoded": False,
    }


# ---- The command -----------------------------------------------------------------------------------------------------


def recorded() -> dict[str, Json]:
    """All events by `<function>/<name>`, as in events/."""
    return deliveries(RECORDED_AT) | consequences(RECORDED_AT) | notices(RECORDED_AT) | secret_events(RECORDED_AT)


def text(event: Json) -> str:
    """An event as in its file."""
    return json.dumps(event, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m simulators.recorded_events", description=(__doc__ or "").partition("\n")[0]
    )
    options.add_argument("event", nargs="?", help="such as sync_generation/completed; without it, write events/")
    options.add_argument("--check", action="store_true", help="write nothing; only compare events/")
    options.add_argument("--secret", help="sign with this secret (Creatify: the token), not the example one")
    asked = options.parse_args()
    if asked.event:
        now = deliveries(datetime.now(UTC), asked.secret)
        if asked.event not in now:
            options.error(f"no delivery is called {asked.event}; there are: {', '.join(now)}")
        print(text(now[asked.event]), end="")
        return
    files = {FOLDER / f"{name}.json": text(event) for name, event in recorded().items()}
    if asked.check:
        check(files)
        return
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def check(files: dict[Path, str]) -> None:
    """Compare events/ with the generated files. SystemExit names each file that differs, is missing or is unknown."""
    there = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*/*.json")}
    different = {path for path, _ in files.items() ^ there.items()}
    if different:
        names = ", ".join(sorted(str(path.relative_to(FOLDER)) for path in different))
        raise SystemExit(f"recording: not what `python -m simulators.recorded_events` writes: {names}")
    print(f"recording: all {len(files)} events are as they are written")


if __name__ == "__main__":
    main()

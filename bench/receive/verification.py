"""Verification alone: CPU microseconds to verify a 1 KB body, by us and by other packages, as a JSON object by name.

    python verification.py CALLS PACKAGE...

A script for the interpreter that has these packages (requirements/bench.txt); PYTHONPATH adds ours.
"""

import base64
import hmac
import json
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib import import_module
from statistics import median
from typing import Any

from dailies.providers.signatures import timestamped_hmac

BODY = json.dumps({"id": "6533643b", "status": "COMPLETED", "padding": "x" * 960}).encode()
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
NOW = int(time.time())
ROUNDS = 9
OURS = "ours"


def stamped() -> str:
    """`t=..,v1=..`, as Sync and Stripe sign: the key is the whole secret."""
    return f"t={NOW},v1={hmac.digest(SECRET.encode(), f'{NOW}.'.encode() + BODY, sha256).hex()}"


def standard() -> dict[str, str]:
    """The headers of Standard Webhooks: the key is the decoded base64 of the secret."""
    signed = hmac.digest(KEY, f"msg_1.{NOW}.".encode() + BODY, sha256)
    signature = "v1," + base64.b64encode(signed).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": signature}


def ways(packages: Sequence[str]) -> dict[str, Callable[[], Any]]:
    """Our verification and each package's, ready to call."""
    header, headers, secrets = stamped(), standard(), {"current": SECRET}
    svix_headers = {name.replace("webhook-", "svix-"): value for name, value in headers.items()}
    text = BODY.decode()
    theirs: dict[str, Callable[[Any], Callable[[], Any]]] = {
        "standardwebhooks": lambda package: lambda: package.Webhook(SECRET).verify(BODY, headers),
        "svix": lambda package: lambda: package.Webhook(SECRET).verify(BODY, svix_headers),
        "stripe": lambda package: lambda: package.WebhookSignature.verify_header(text, header, SECRET, 300),
    }
    return {
        OURS: lambda: timestamped_hmac(header, BODY, secrets, scheme="sync-signature", now=float(NOW), tolerance=300),
        **{name: theirs[name](import_module(name)) for name in packages},
    }


def measure(packages: Sequence[str], calls: int) -> dict[str, float]:
    """Medians; the packages take turns."""
    taken: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, verify in ways(packages).items():
            verify()
            before = time.process_time_ns()
            for _ in range(calls):
                verify()
            taken.setdefault(name, []).append((time.process_time_ns() - before) / 1000 / calls)
    return {name: median(found) for name, found in taken.items()}


if __name__ == "__main__":
    count, *names = sys.argv[1:]
    json.dump(measure(names, int(count)), sys.stdout)

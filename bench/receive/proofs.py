"""The proof alone: CPU microseconds to verify a body of 1 KB, ours and other packages', as a JSON object by name.

A script for the interpreter that has the other packages (requirements/bench.txt); ours comes by PYTHONPATH.
"""

import base64
import hmac
import json
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from statistics import median
from typing import Any

import standardwebhooks  # type: ignore[import-not-found]  # these three are in another environment
import stripe  # type: ignore[import-not-found]
import svix  # type: ignore[import-not-found]

from dailies.verification import stamped_hmac

BODY = json.dumps({"id": "6533643b", "status": "COMPLETED", "padding": "x" * 960}).encode()
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
NOW = int(time.time())
CALLS, ROUNDS = 2000, 9


def stamped() -> str:
    """`t=..,v1=..`, as Sync and Stripe sign: the key is the whole secret."""
    return f"t={NOW},v1={hmac.digest(SECRET.encode(), f'{NOW}.'.encode() + BODY, sha256).hex()}"


def standard() -> dict[str, str]:
    """The headers of Standard Webhooks: the key is what the secret's base64 stands for."""
    signed = hmac.digest(KEY, f"msg_1.{NOW}.".encode() + BODY, sha256)
    signature = "v1," + base64.b64encode(signed).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": signature}


def ways() -> dict[str, Callable[[], Any]]:
    """Each way of proof, ready to be called."""
    header, headers, secrets = stamped(), standard(), {"current": SECRET}
    svix_headers = {name.replace("webhook-", "svix-"): value for name, value in headers.items()}
    text = BODY.decode()
    return {
        "ours": lambda: stamped_hmac(header, BODY, secrets, way="sync-signature", now=float(NOW), tolerance=300),
        "standardwebhooks": lambda: standardwebhooks.Webhook(SECRET).verify(BODY, headers),
        "svix": lambda: svix.Webhook(SECRET).verify(BODY, svix_headers),
        "stripe": lambda: stripe.WebhookSignature.verify_header(text, header, SECRET, 300),
    }


def measure() -> dict[str, float]:
    """Medians, the ways in turn."""
    taken: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, verify in ways().items():
            verify()
            before = time.process_time_ns()
            for _ in range(CALLS):
                verify()
            taken.setdefault(name, []).append((time.process_time_ns() - before) / 1000 / CALLS)
    return {name: median(found) for name, found in taken.items()}


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)

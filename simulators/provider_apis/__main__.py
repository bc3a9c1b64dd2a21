"""Serve the simulated provider APIs until interrupted, and print how to reach them.

The first lines are environment variables for `make up`, the next are the values for the stack's secrets.
"""

import argparse
import json
import threading
from contextlib import ExitStack, suppress

from simulators.provider_apis import Pace, provider_apis


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m simulators.provider_apis", description="Serve the simulated providers' APIs."
    )
    options.add_argument("--port", type=int, default=0, help="0 picks a free one")
    options.add_argument("--seed", type=int, default=0, help="the same seed gives the same ids and secrets")
    options.add_argument("--waiting", type=float, default=2, help="seconds until a submitted job starts")
    options.add_argument("--working", type=float, default=8, help="seconds until it ends")
    options.add_argument("--failing", type=_share, default=0.0, metavar="SHARE", help="share of jobs that fail: 0 to 1")
    given = options.parse_args()
    with ExitStack() as running, suppress(KeyboardInterrupt):
        try:
            apis = running.enter_context(provider_apis(seed=given.seed, port=given.port))
        except OSError as error:
            options.error(f"cannot listen on port {given.port}: {error.strerror}; name another one")
        for provider in (apis.sync, apis.creatify, apis.captions):
            provider.part.pace = Pace(given.waiting, given.working, given.failing)
            print(f"{provider.part.provider.upper()}_API_URL={provider.base_url}")
        print(f"sync/signing {apis.sync.signing_secret}")
        for provider in (apis.sync, apis.creatify, apis.captions):
            print(f"{provider.part.provider}/api {json.dumps(provider.credentials)}")
        print(f"media {apis.host.base_url}", flush=True)
        threading.Event().wait()


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return share


if __name__ == "__main__":
    main()

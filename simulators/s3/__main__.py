"""`python -m simulators.s3`: serve until interrupted."""

import argparse
import json
import signal
import threading
from contextlib import suppress

from simulators.s3 import s3_simulator


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m simulators.s3", description="An S3 simulator that keeps no bytes."
    )
    options.add_argument("--port", type=int, default=0, help="0 picks a free one")
    options.add_argument("--tls", action="store_true")
    options.add_argument("--keep", action="store_true", help="keep the bytes, in memory")
    chosen = options.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    with s3_simulator(port=chosen.port, tls=chosen.tls, keep=chosen.keep) as s3, suppress(KeyboardInterrupt):
        print(json.dumps({"endpoint_url": s3.endpoint_url, "ca_file": str(s3.ca_file or "")}), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()

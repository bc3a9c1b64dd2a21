"""The archive's code on SeaweedFS, the table's on dynalite, both on the emulator: the differences from AWS.

Each check states AWS's documented behaviour. A known difference of a server must still exist. `--dynamodb` adds another
running DynamoDB: DynamoDB Local, if you have an AWS account, as its licence requires.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.aws import Aws
from resilience import figures
from resilience.compatibility import archive, table
from resilience.compatibility.checks import Check, Tally, try_all
from resilience.compatibility.servers import Server, at, bring, dynalite, ministack, seaweedfs
from resilience.compatibility.store import Store
from simulators.media_host.server import media_host
from tests.smoke import LEFT_OUT

type Trial = Callable[[str, Aws, Tally, bool], None]


def try_archive(server: str, aws: Aws, tally: Tally, quick: bool) -> None:
    with media_host() as host:
        try_all(_chosen(archive.CHECKS, quick=quick), server, Store.of(aws, host), tally)


def try_table(server: str, aws: Aws, tally: Tally, quick: bool) -> None:
    try_all(_chosen(table.CHECKS, quick=quick), server, table.CheckedTable.of(aws), tally)


SECOND: Mapping[str, tuple[Server, tuple[Trial, ...]]] = {
    "SeaweedFS": (seaweedfs, (try_archive,)),
    "dynalite": (dynalite, (try_table,)),
}
EMULATOR = {"ministack": (ministack, (try_archive, try_table))}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m resilience.compatibility", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="only the short checks of installed servers, without the emulator"
    )
    parser.add_argument("--dynamodb", metavar="URL", help="another DynamoDB to check")
    figures.add_option(parser)
    options = parser.parse_args()
    began = time.monotonic()
    if missing := bring():
        if not options.quick:
            raise SystemExit(f"opinions: {missing}")
        print(f"{LEFT_OUT}second opinions: {missing}")
        figures.keep("opinions", {"tried": 0, "passed": 0, "lost": 0, "servers": []}, options.figures)
        return
    given = {"the one given": (at(options.dynamodb), (try_table,))} if options.dynamodb else {}
    servers = {**SECOND, **given, **({} if options.quick else EMULATOR)}
    tally = Tally()
    for name, (server, trials) in servers.items():
        with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as aws:
            for trial in trials:
                trial(name, aws, tally, options.quick)
    for line in tally.lost:
        print(f"  {line}")
    found = {
        "tried": tally.tried,
        "passed": tally.same + tally.different,
        "lost": len(tally.lost),
        "different": tally.different,
        "servers": list(servers),
        "seconds": round(time.monotonic() - began),
    }
    figures.keep("opinions", found, options.figures)
    print(f"opinions: {tally.same} as on AWS, {tally.different} known differences, {len(tally.lost)} unexpected")
    raise SystemExit(figures.code(found))


def _chosen[Subject](checks: tuple[Check[Subject], ...], *, quick: bool) -> tuple[Check[Subject], ...]:
    return tuple(check for check in checks if not (quick and check.long))


if __name__ == "__main__":
    main()

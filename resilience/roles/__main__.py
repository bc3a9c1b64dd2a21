"""Remove each grant from its role, one after the other, and restore it; print the failures."""

import argparse
import re
import time
import traceback
from pathlib import Path

from local.stack import ROOT
from resilience import figures
from resilience.roles.flows import Ground
from resilience.roles.grants import Grant, of_lambda
from resilience.roles.recording import Recording, read
from resilience.roles.taking_out import Outcomes, outcomes
from simulators.media_host.server import media_host
from simulators.provider_apis import provider_apis
from testkit.fixtures.account_reader import Owner
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.captions_stack import deployed
from testkit.fixtures.provider_client import Providers


def take_out(folder: Path, only: str) -> tuple[Outcomes, Recording]:
    """Remove the grants whose name contains `part`: each one's result, and the functions' AWS requests meanwhile."""
    with provider_apis(seed=1) as apis, deployed(folder, apis) as stack, media_host() as host:
        providers = Providers(stack, host)
        providers.set_secrets()
        apis.sync.signing_secret = providers.sync
        wanted = [grant for grant in read(folder).grants if not of_lambda(grant) and only in str(grant)]
        ground = Ground(stack, providers, Owner(stack), Listener(stack), apis)
        return outcomes(ground, wanted), read(folder)


def problems(came: Outcomes, recording: Recording) -> dict[Grant, str]:
    """The grants whose flow gave a wrong result, or in which no request was denied for lack of them."""
    refused = {grant for _, grant in recording.refused()}
    found = {
        grant: "".join(traceback.format_exception(error)).rstrip() if error else "nothing was refused without it"
        for grant, error in came.items()
        if error or grant not in refused
    }
    return dict(sorted(found.items()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m resilience.roles", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local/proof-roles", help="folder of its stack")
    parser.add_argument("--only", default="", help="only the grants whose name contains this")
    figures.add_option(parser)
    options = parser.parse_args()
    began = time.monotonic()
    came, recording = take_out(options.folder.resolve(), options.only)
    wrong = problems(came, recording)
    for grant, problem in wrong.items():
        print(f"  {grant}", re.sub("^", "      ", problem, flags=re.MULTILINE), sep="\n")
    others = [*recording.disagreements(), *recording.not_allowed(), *recording.unchecked]
    others += [f"{check}: refused, though no grant was taken out" for check, grant in recording.refused() if not grant]
    for other in others:
        print(f"  {other}")
    seconds = round(time.monotonic() - began)
    print(f"roles: {len(came)} grants removed, {len(wrong)} wrong, {seconds} s")
    found = {
        "tried": len(came),
        "passed": len(came) - len(wrong),
        "lost": len(wrong),
        "roles": len(recording.roles),
        "decisions": len(recording.checks),
        "wrong_decisions": len(others),
        "seconds": seconds,
    }
    figures.keep_whole("roles", found | ({"failed": others[0]} if others else {}), options, part_of_it=options.only)
    raise SystemExit(1 if others else figures.code(found))


if __name__ == "__main__":
    main()

"""The providers' side: a stand-in of the API of each, on loopback, that a test scripts and a clock moves.

    with provider_apis(seed=1) as apis:
        apis.sync.base_url, apis.sync.credentials            # for SyncApiUrl and the secret <stack>/sync/api
        apis.sync.job("g-1", webhook_url=...).completes()    # COMPLETED; its webhook has been called
        apis.sync.links.die("g-1")                           # the links given so far are dead; `lose`: new ones too
        apis.sync.callbacks.are(LOST)                        # from now on; or SENT
        apis.sync.fail(status=503, times=2, retry_after=1)   # the next two calls
        apis.sync.part.pace = Pace(waiting=2, working=8)     # of what is submitted; None: by script only
        apis.clock.forward(60)                               # what falls due on the way has happened after it
        apis.requests, apis.callbacks, apis.host.requests    # who called, was called, fetched

What is here is what the providers document, or is marked as a guess. It shares nothing with the bundle. `python -m
simulators.provider_apis` serves until it is interrupted.
"""

from simulators.provider_apis.callbacks import LOST, SENT
from simulators.provider_apis.faults import Limit
from simulators.provider_apis.running import ProviderApis, provider_apis
from simulators.provider_apis.state import Pace

__all__ = ["LOST", "SENT", "Limit", "Pace", "ProviderApis", "provider_apis"]

"""The providers' side: a stand-in of the API of each, on loopback, that a test scripts and a clock moves.

    with provider_apis(seed=1) as apis:
        apis.sync.base_url, apis.sync.credentials            # for SyncApiUrl and the secret <stack>/sync/api
        apis.sync.job("g-1").completes()                     # COMPLETED, its link signed anew at each GET
        apis.sync.links.die("g-1")                           # the links given so far are dead
        apis.sync.callbacks.are(LOST, times=2)               # also DOUBLED, OVERTAKEN, late(30)
        apis.sync.fail(status=503, times=2, retry_after=1)   # the next two calls
        apis.clock.forward(60)                               # what falls due on the way has happened after it
        apis.requests, apis.callbacks, apis.host.requests    # who called, was called, fetched

What is here is only what the providers document, or is marked as a guess. It shares nothing with the bundle.
`python -m local.apis` serves until it is interrupted.
"""

from local.apis.callbacks import DOUBLED, LOST, OVERTAKEN, SENT, late
from local.apis.running import ProviderApis, provider_apis

__all__ = ["DOUBLED", "LOST", "OVERTAKEN", "SENT", "ProviderApis", "late", "provider_apis"]

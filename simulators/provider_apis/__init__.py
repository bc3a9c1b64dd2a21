"""The providers' APIs, simulated on the loopback. A test scripts them, and moves their clock.

    with provider_apis(seed=1) as apis:
        apis.sync.base_url, apis.sync.credentials            # for SyncApiUrl and the secret <stack>/sync/api
        apis.sync.job("g-1", webhook_url=...).completes()    # COMPLETED, and its webhook is called
        apis.sync.links.die("g-1")                           # existing links expire; `lose`: new ones fail too
        apis.sync.callbacks.are(LOST)                        # from now on; or SENT
        apis.sync.fail(status=503, times=2, retry_after=1)   # the next two requests
        apis.sync.part.pace = Pace(waiting=2, working=8)     # for submitted jobs; None: by script only
        apis.clock.forward(60)                               # returns when everything due by then has happened
        apis.requests, apis.callbacks, apis.host.requests    # API requests, webhook calls, media requests

The behaviour is documented by the providers, or marked as a guess. Shares no code with the layer.
`python -m simulators.provider_apis` serves until it is interrupted.
"""

from simulators.provider_apis.callbacks import LOST, SENT
from simulators.provider_apis.faults import Limit
from simulators.provider_apis.running import ProviderApis, provider_apis
from simulators.provider_apis.state import Pace

__all__ = ["LOST", "SENT", "Limit", "Pace", "ProviderApis", "provider_apis"]

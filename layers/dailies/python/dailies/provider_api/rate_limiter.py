"""Reserves API calls in a provider's rate limit. The table keeps the count, which all functions of a stack share."""

from dailies.aws.table import Table
from dailies.provider_api.rate_limit import Reservation, reserve
from dailies.providers.contract import Limit

MAX_ATTEMPTS = 20  # to write a row that others write too: each attempt that fails means that another one succeeded


def reserve_calls(table: Table, name: str, limit: Limit, requested: int, now: float) -> int:
    """Reserve up to `requested` calls in the limit with this name, and return the number granted.

    `now`: seconds since 1970. 0 also after MAX_ATTEMPTS: the other writers have then used up the limit. Botocore's
    errors pass through.
    """
    key = {"pk": f"allowance#{name}", "sk": "allowance"}
    for _ in range(MAX_ATTEMPTS):
        row = table.get(key) or {"version": 0, "taken": []}
        before = [Reservation(float(at), int(calls)) for at, calls in row["taken"]]
        granted, reservations = reserve(before, limit, requested, now)
        written = {**key, "taken": [[str(one.at), one.calls] for one in reservations]}
        if not granted or table.put_versioned(written, int(row["version"])):
            return granted
    return 0

"""Calls are taken from a provider's rate limit, which all functions of a stack share: the table keeps the count."""

from dailies.aws.table import Table
from dailies.provider_api.rate_limit import Reservation, reserve
from dailies.providers.contract import Limit

MAX_ATTEMPTS = 20  # at a row that others write too: each time, one of them has gone through


def reserve_calls(table: Table, name: str, limit: Limit, wanted: int, now: float) -> int:
    """Take calls from the limit of this name: how many there is room for. None where others overtook us MAX_ATTEMPTS
    times: they have taken what there was. `now`: seconds since 1970."""
    key = {"pk": f"allowance#{name}", "sk": "allowance"}
    for _ in range(MAX_ATTEMPTS):
        row = table.get(key) or {"version": 0, "taken": []}
        before = [Reservation(float(at), int(calls)) for at, calls in row["taken"]]
        granted, taken = reserve(before, limit, wanted, now)
        written = {**key, "taken": [[str(one.at), one.calls] for one in taken]}
        if not granted or table.put_versioned(written, int(row["version"])):
            return granted
    return 0

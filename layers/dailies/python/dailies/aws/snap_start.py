"""SnapStart: what a receiver does before Lambda takes the snapshot of its initialised process, and after each restore.

Many environments start from one snapshot, so nothing may stay in it that is secret, connected, or meant to be unique.
Lambda's runtime has `snapshot_restore_py`; it is imported only where Lambda takes a snapshot.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
"""

import random
from collections.abc import Callable, Mapping

INITIALIZATION_TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"
SNAP_START = "snap-start"


def register(environment: Mapping[str, str], *, prepare: Callable[[], None], forget: Callable[[], None]) -> None:
    """Register the hooks if Lambda takes a snapshot of this process; else do nothing. `environment`: the function's
    variables. `prepare`: makes what the first delivery needs. `forget`: discards secrets and connections; it runs
    before the snapshot, so that it contains none, and after each restore."""
    if environment.get(INITIALIZATION_TYPE) != SNAP_START:
        return
    from snapshot_restore_py import register_after_restore, register_before_snapshot  # noqa: PLC0415

    def before_snapshot() -> None:
        prepare()
        forget()

    def after_restore() -> None:
        forget()
        random.seed()  # the pauses between attempts: else all environments of a snapshot pause alike

    register_before_snapshot(before_snapshot)
    register_after_restore(after_restore)

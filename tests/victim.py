"""The archive's function in a process of its own, which is killed in its middle, or ends."""

import os
import runpy
from collections.abc import Mapping
from typing import Any

from proof.transfers.killing import PATIENCE, SPAWN, When, killed
from tests.cloud import FUNCTIONS, Context


def killed_function(environment: Mapping[str, str], batch: Mapping[str, Any], when: When) -> None:
    """Call the archive's function, and kill it as soon as it is time."""
    killed(when, _call, environment, batch)


def called_function(environment: Mapping[str, str], batch: Mapping[str, Any]) -> None:
    """Call it, and let it end."""
    process = SPAWN.Process(target=_call, args=(environment, batch))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0


def _call(environment: Mapping[str, str], batch: Mapping[str, Any]) -> None:
    os.environ.update(environment)
    runpy.run_path(str(FUNCTIONS / "archive" / "app.py"))["lambda_handler"](batch, Context())

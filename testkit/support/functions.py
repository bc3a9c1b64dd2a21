"""The deployed functions in end-to-end tests: restarts and logs."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil

from local.logs import lines
from local.stack import Stack
from testkit.support.template import receivers
from testkit.support.wait import wait_for

# The receivers, and the webhook of each.
RECEIVERS = receivers()
ALIAS = "live"
"""Theirs, in the template."""


def start_anew(stack: Stack, names: Iterable[str], **variables: str | None) -> None:
    """Restart these functions (by their names in the template) without memory. Variables are added to their
    environment; None removes one.

    As on Lambda, a running invocation finishes after its function is updated. Returns when all have finished.
    """
    client = stack.aws.functions

    def update(name: str) -> None:
        function = stack.functions[name]
        given = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        kept = {key: value for key, value in {**given, **variables}.items() if value is not None}
        client.update_function_configuration(FunctionName=function, Environment={"Variables": kept})
        if name in RECEIVERS:  # the API calls a published version
            old = client.get_alias(FunctionName=function, Name=ALIAS)["FunctionVersion"]
            new = client.publish_version(FunctionName=function)["Version"]
            client.update_alias(FunctionName=function, Name=ALIAS, FunctionVersion=new)
            client.delete_function(FunctionName=function, Qualifier=old)

    names = list(names)
    before = workers(stack, names)
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(update, names))
    wait_for("calls from before have ended", lambda: before & workers(stack, names), lambda left: not left)


def workers(stack: Stack, names: Iterable[str]) -> set[psutil.Process]:
    """The processes of these functions, which the emulated AWS has started."""
    folders = [f"ministack-lambda-{stack.functions[name]}-" for name in names]
    found = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(folder in part for part in process.cmdline() for folder in folders):
                found.add(process)
    return found


def set_api_secrets(stack: Stack, values: Mapping[str, str]) -> None:
    """Set the secrets of the providers' APIs, and restart the archive, so that it has no others in memory."""
    for provider, value in values.items():
        stack.aws.secretsmanager.put_secret_value(SecretId=f"{stack.stack_name}/{provider}/api", SecretString=value)
    start_anew(stack, ["Archive"])


def logged(stack: Stack, name: str, since: float) -> list[str]:
    """A function's log since a time (seconds since 1970)."""
    return [line.message for line in lines(stack.aws, {name: stack.log_groups[name]}, int(since * 1000))]

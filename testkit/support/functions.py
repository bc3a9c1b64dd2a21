"""The deployed functions in end-to-end tests: started anew, and what they log."""

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


def start_anew(stack: Stack, names: Iterable[str], **variables: str | None) -> None:
    """Let these functions (by their names in the template) begin with nothing in memory. Variables are added to their
    environment; one that is None is taken out of it.

    As on Lambda, a call that runs when its function is updated goes on as it began: returns when none does any more.
    """
    client = stack.aws.functions

    def update(name: str) -> None:
        function = stack.functions[name]
        given = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        kept = {key: value for key, value in {**given, **variables}.items() if value is not None}
        client.update_function_configuration(FunctionName=function, Environment={"Variables": kept})

    names = list(names)
    before = workers(stack, names)
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(update, names))
    wait_for("calls from before have ended", lambda: before & workers(stack, names), lambda left: not left)


def workers(stack: Stack, names: Iterable[str]) -> set[psutil.Process]:
    """The processes in which these functions run. The emulated AWS, a process of ours, has started them."""
    folders = [f"ministack-lambda-{stack.functions[name]}-" for name in names]
    found = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(folder in part for part in process.cmdline() for folder in folders):
                found.add(process)
    return found


def set_api_secrets(stack: Stack, values: Mapping[str, str]) -> None:
    """The owner sets the secrets of the providers' APIs; the archive begins anew, so that it remembers no others."""
    for provider, value in values.items():
        stack.aws.secretsmanager.put_secret_value(SecretId=f"{stack.stack_name}/{provider}/api", SecretString=value)
    start_anew(stack, ["Archive"])


def logged(stack: Stack, name: str, since: float) -> list[str]:
    """What a function has logged since a moment (seconds since 1970)."""
    return [line.message for line in lines(stack.aws, {name: stack.log_groups[name]}, int(since * 1000))]

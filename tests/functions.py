"""The deployed functions in end-to-end tests: started anew, and what they log."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from local.logs import lines
from local.stack import Stack
from tests.template import receivers

# The receivers, and the webhook of each.
RECEIVERS = receivers()


def start_anew(stack: Stack, names: Iterable[str], **variables: str | None) -> None:
    """End what runs of these functions (by their names in the template): their next calls begin with nothing in memory.
    Variables are added to their environment; one that is None is taken out of it."""
    client = stack.aws.functions

    def update(name: str) -> None:
        function = stack.functions[name]
        given = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        kept = {key: value for key, value in {**given, **variables}.items() if value is not None}
        client.update_function_configuration(FunctionName=function, Environment={"Variables": kept})

    names = list(names)
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(update, names))


def logged(stack: Stack, name: str, since: float) -> list[str]:
    """What a function has logged since a moment (seconds since 1970)."""
    return [line.message for line in lines(stack.aws, {name: stack.log_groups[name]}, int(since * 1000))]

"""make up: run the bundle on this machine.

Starts the emulated AWS with IAM enforced, builds and deploys the real template to it, starts the webhook proxy and the
media host of `dailies trigger`, and leaves them running. Running it again updates them. `stack.json` in the folder
describes how to connect.

in the environment:
  <PROVIDER>_API_URL (such as SYNC_API_URL), RECONCILE_QUIET_SECONDS
                          set the template's parameters of those names
  DAILIES_LOCAL           the stack's folder (.local); another folder is another stack
  DAILIES_EMULATOR_PORT   port of the emulated AWS (4577, or a free one if that is in use)
  DAILIES_WEBHOOK_PORT    port of the webhook proxy (8787, or a free one if that is in use)
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from dailies.providers import every_provider
from local import (
    alarm_evaluator,
    deploy,
    emulator,
    emulator_gaps,
    media_links,
    media_site,
    ports,
    processes,
    roles,
    stack,
)
from local.aws import Aws
from local.stack import ROOT, Stack, StackError

EMULATOR_PORT = 4577
WEBHOOK_PORT = 8787
FRONT_DOOR = "front-door"
REQUESTS = "requests.jsonl"
FRONT_DOOR_SCRIPT = ROOT / "local/webhook_proxy.py"
FUNCTION = "AWS::Lambda::Function"
PATIENCE = 60.0  # max seconds for a response; a function's first takes two, on a busy machine ten
# The template's parameters that the environment of `make up` may set.
FROM_ENVIRONMENT = {
    **{
        f"{name.upper()}_API_URL": f"{name.capitalize()}ApiUrl" for name, one in every_provider().items() if one.has_api
    },
    "RECONCILE_QUIET_SECONDS": "ReconcileQuietSeconds",
}


def up(
    folder: Path,
    parameters: Mapping[str, str],
    *,
    emulator_port: int | None = None,
    webhook_port: int | None = None,
    record: bool = False,
    prepare: Callable[[Aws], Mapping[str, str]] = lambda _: {},
    tell: Callable[[str], None] = lambda _: None,
) -> Stack:
    """Start this folder's stack, or update it to the working tree and the given parameters.

    Keeps running processes that respond. A port that is None is the usual one, or a free one if that is in use; 0 picks
    a free one. `tell` is called with each step. Raises StackError with the reason. If a new stack fails to start, or on
    Ctrl-C, its processes are ended. `record`: record the functions' AWS requests in the folder (local/request_log.py).
    `prepare` creates what the stack needs in the account before the deploy, and returns more parameters.
    """
    with stack.alone(folder):
        aws = _running_emulator(folder)
        if aws and emulator_port not in (None, 0, aws.port):
            raise StackError(
                f"the emulated AWS already runs on port {aws.port}; run `make down` first to change the port"
            )
        anew = aws is None
        try:
            if aws is None:
                end(folder)
                requests = folder / REQUESTS if record else None
                aws = emulator.start(folder, ports.choose(emulator_port, EMULATOR_PORT), requests)
            tell("building")
            built = deploy.build(folder)
            emulator.wait_until_ready(folder, aws.port)
            tell("deploying")
            deploy.deploy(built, aws, {**parameters, **prepare(aws)}, folder)
            template = emulator_gaps.processed_template(aws, deploy.STACK_NAME)
            running = complete(aws, deploy.STACK_NAME, webhook_port, folder)
            if record:
                roles.append(roles.deployed_roles(aws, template, deploy.resources(aws)), folder / REQUESTS)
        except BaseException:
            if anew:
                end(folder)
            raise
        stack.write(running, folder)
        tell("calling each webhook once")
        _call_each_webhook(running, [(method, path) for method, path, _ in emulator_gaps.routes(template)])
        start_cloudwatch(folder)
        return running


def end(folder: Path) -> bool:
    """End the processes of this folder's stack. Returns whether any ran."""
    ended = [
        processes.end(name, folder) for name in (alarm_evaluator.NAME, FRONT_DOOR, emulator.NAME, media_links.NAME)
    ]
    stack.forget(folder)
    return any(ended)


def parameters_from_environment(tell: Callable[[str], None]) -> dict[str, str]:
    """The parameters that the environment sets. `tell` receives a warning for a variable whose parameter the template
    lacks."""
    known = deploy.template_parameters()
    parameters = {}
    for variable, parameter in FROM_ENVIRONMENT.items():
        if value := os.environ.get(variable):
            if parameter in known:
                parameters[parameter] = value
            else:
                tell(f"{variable} changes nothing: the template has no parameter {parameter}")
    return parameters


def _running_emulator(folder: Path) -> Aws | None:
    """The emulated AWS of this folder, if the stack was deployed to it and it responds."""
    try:
        aws = stack.read(folder).aws
    except (StackError, ValueError, KeyError):
        return None  # never finished, or written by another version of this file
    return aws if processes.running(emulator.NAME, folder) and emulator.is_ready(aws.port) else None


def complete(aws: Aws, stack_name: str, webhook_port: int | None, folder: Path) -> Stack:
    """Complete the deploy, start the webhook proxy, and describe how to connect."""
    template = emulator_gaps.processed_template(aws, stack_name)
    physical = deploy.resources(aws, stack_name)
    emulator_gaps.create_routes(aws, template, physical)
    emulator_gaps.type_queue_concurrency(aws)
    functions = {
        name: physical[name]
        for name, resource in template["Resources"].items()
        if resource["Type"] == FUNCTION and name in physical  # some depend on a condition
    }
    logging = {
        name: aws.functions.get_function_configuration(FunctionName=function)["LoggingConfig"]
        for name, function in functions.items()
    }
    described = aws.cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    return Stack(
        aws=aws,
        stack_name=stack_name,
        webhook_base_url=f"http://127.0.0.1:{_open_front_door(aws, physical['Api'], webhook_port, folder)}",
        outputs={output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]},
        functions=functions,
        log_groups={name: config["LogGroup"] for name, config in logging.items()},
    )


def _open_front_door(aws: Aws, api_id: str, port: int | None, folder: Path) -> int:
    """The port of a webhook proxy for this API: the running one, else a new one."""
    script = [sys.executable, "-P", str(FRONT_DOOR_SCRIPT)]
    leads_to = [str(aws.port), f"{api_id}.execute-api.localhost:{aws.port}"]
    if door := processes.running(FRONT_DOOR, folder):
        *_, open_port, api_port, api_host = door.cmdline()
        if [api_port, api_host] == leads_to and port in (None, 0, int(open_port)):
            return int(open_port)
        processes.end(FRONT_DOOR, folder)
    port = ports.choose(port, WEBHOOK_PORT)
    processes.start(FRONT_DOOR, [*script, str(port), *leads_to], {"LANG": "C.UTF-8"}, folder)
    deadline = time.monotonic() + PATIENCE
    while not ports.is_taken(port):
        if not processes.running(FRONT_DOOR, folder) or time.monotonic() > deadline:
            raise StackError(f"the webhook proxy did not start; {folder / FRONT_DOOR}.log has the reason")
        time.sleep(0.05)
    return port


def start_cloudwatch(folder: Path) -> None:
    """Restart it each time, as functions and alarms may have changed. It starts after our own calls, which are not
    verified."""
    processes.end(alarm_evaluator.NAME, folder)
    environment = {"LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    processes.start(alarm_evaluator.NAME, [sys.executable, "-P", "-m", "local.alarm_evaluator"], environment, folder)


def _call_each_webhook(running: Stack, routes: Sequence[tuple[str, str]]) -> None:
    """Call each webhook without a signature: when all respond, the stack is ready and the functions are warm."""

    def call(route: tuple[str, str]) -> str | None:
        method, path = route
        connection = HTTPConnection(urlsplit(running.webhook_base_url).netloc, timeout=PATIENCE)
        try:
            connection.request(method, path.replace("{token}", "none"), b"{}", {"Content-Type": "application/json"})
            response = connection.getresponse()
            refused = response.status == HTTPStatus.NOT_FOUND or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            return f"{method} {path} answers {response.status} {response.read(200)!r}" if refused else None
        except (OSError, HTTPException) as error:
            return f"{method} {path} does not answer: {error!r}"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(routes)) as callers:
        wrong = [answer for answer in callers.map(call, routes) if answer]
    if wrong:
        raise StackError(f"the stack is running, but {'; '.join(wrong)}; `make logs` may show the cause")


def main() -> None:
    argparse.ArgumentParser(
        prog="make up", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()

    def tell(step: str) -> None:
        print(f"up: {step}", flush=True)

    began = time.monotonic()
    folder = stack.folder_from_environment()
    try:
        running = up(
            folder,
            parameters_from_environment(tell),
            emulator_port=ports.from_environment("DAILIES_EMULATOR_PORT"),
            webhook_port=ports.from_environment("DAILIES_WEBHOOK_PORT"),
            tell=tell,
        )
        media = media_site.up(folder)
    except StackError as error:
        raise SystemExit(f"up: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit("up: interrupted; `make up` begins again where it can") from None
    print(f"up: ready after {time.monotonic() - began:.0f} s; {folder / 'stack.json'} says how to reach it")
    print(f"up: webhooks  {running.webhook_base_url}/webhooks/...")
    print(f"up: media     {media}")
    print(f"up: AWS       {running.aws.endpoint_url}")


if __name__ == "__main__":
    main()

"""make invoke: run one function with one event in Lambda's own image, by `sam local invoke`. Needs Docker.

    python -m demo.invoke sync_generation/completed       a provider's call, made now: a new job, the stack's secret
    python -m demo.invoke advance/webhook                 any other recorded event, unchanged
    python -m demo.invoke sync_generation --event FILE    an event of yours; - reads it from standard input
    python -m demo.invoke --check                         each webhook and outcome: exits with 1 unless all are recorded

Prints the function's response. The function has its environment from the local stack, and works on that stack's table,
bucket and secrets. With --stack, --profile or --region it uses a stack on AWS, with your credentials.
"""

import argparse
import asyncio
import json
import platform
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import IO, Any
from urllib.parse import urlsplit

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from cli import errors, sample_calls, secrets, stack
from cli.errors import CliError
from cli.sample_calls import SECRET_OF, Link, Order
from cli.stack import Stack
from demo import docker_bridge
from demo.docker_bridge import NoDocker
from local import deploy, media_links
from local.stack import ROOT, StackError, folder_from_environment

EVENTS = ROOT / "events"
FUNCTION, LAYER = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"
RECORDED = 200, "recorded"
NOWHERE = "https://media.example"  # a name that never resolves (RFC 2606)

type Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A function's response; `log` is the output of the function and SAM, if it was kept."""

    text: str
    seconds: float
    log: str = ""

    @property
    def read(self) -> Any:
        """The response as JSON; None if it is not JSON: SAM prints nothing if the container fails."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def status(self) -> tuple[int | None, str]:
        """The response to a call: HTTP status, and the word in its body."""
        answer = self.read if isinstance(self.read, dict) else {}
        try:
            body = json.loads(answer["body"])
        except (KeyError, TypeError, ValueError):
            body = {}
        return answer.get("statusCode"), body.get("result") or body.get("error") or answer.get("errorMessage") or "none"

    @property
    def is_good(self) -> bool:
        """Whether the function ended without an error and rejected no call."""
        failed = isinstance(self.read, dict) and ("errorType" in self.read or self.read.get("statusCode", 200) != 200)
        return bool(self.text.strip()) and not failed


# ---- The event -------------------------------------------------------------------------------------------------------


def deliveries() -> list[str]:
    """The recorded provider calls, by name: `sync_generation/completed`."""
    names = [str(path.relative_to(EVENTS).with_suffix("")) for path in sorted(EVENTS.glob("*/*.json"))]
    return [name for name in names if "rawPath" in _recorded(name)]


def event(name: str, of: Stack, folder: Path) -> str:
    """An event from events/. A provider's call is made again: now, for a new job, signed with the stack's secret."""
    recorded = _recorded(name)
    if "rawPath" not in recorded:
        return json.dumps(recorded)
    webhook, case = "/".join(recorded["rawPath"].split("/")[2:4]), name.partition("/")[2]
    job, secret = f"invoke-{token_hex(4)}", secrets.set_for_trial(of, SECRET_OF[webhook])
    return sample_calls.as_event(sample_calls.call(Order(webhook, case, job, secret, _links(of, job, folder))))


def _recorded(name: str) -> Json:
    try:
        found: Json = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise CliError(f"No event {name}. events/README.md lists the events.") from None
    return found


def _links(of: Stack, job: str, folder: Path) -> Link:
    """The media links of a call: on the local stack's media host, so that they can be archived; on AWS they lead
    nowhere."""
    host = media_links.links(folder) if of.is_local else None
    return lambda medium: host.url(f"/{job}/{medium}") if host else f"{NOWHERE}/{job}/{medium}"


# ---- The function ----------------------------------------------------------------------------------------------------


def template(function: str, configuration: Mapping[str, Any], variables: Mapping[str, str], built: Path) -> Json:
    """A template with only the deployed function and its layer, for this machine's architecture. `built` is made by
    `sam build`.

    SAM gives a container only variables that the template names, and only values that it can resolve without AWS: no
    secret's id, no AWS_ENDPOINT_URL.
    """
    resources = yaml.safe_load((built / "template.yaml").read_text())["Resources"]
    (layer,) = [name for name, resource in resources.items() if resource["Type"] == LAYER]
    properties = {
        "CodeUri": str(built / resources[function]["Properties"]["CodeUri"]),
        "Layers": [{"Ref": layer}],
        "Architectures": [ARCHITECTURE],
        "Environment": {"Variables": dict.fromkeys(variables, "")},
        **{name: configuration[name] for name in ("Handler", "Runtime", "MemorySize", "Timeout")},
    }
    content = {"ContentUri": str(built / resources[layer]["Properties"]["ContentUri"])}
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            function: {"Type": FUNCTION, "Properties": properties},
            layer: {"Type": LAYER, "Properties": content},
        },
    }


def deployed(function: str, of: Stack) -> Mapping[str, Any]:
    """The function's configuration in its stack. Raises CliError if the stack lacks it."""
    name = of.resources("AWS::Lambda::Function").get(function)
    if name is None:
        raise CliError(f"{of} has no function {function}. events/README.md lists each function's events.")
    return of.functions.get_function_configuration(FunctionName=name)


def environment(configuration: Mapping[str, Any], of: Stack, endpoint: str | None) -> dict[str, str]:
    """The function's environment in its stack, and what Lambda would add: credentials, here the user's, and the
    region."""
    credentials = of.session.get_credentials()
    if credentials is None:
        raise CliError("no AWS credentials; name a profile with --profile, or set AWS_PROFILE")
    held = credentials.get_frozen_credentials()
    variables: dict[str, str] = {
        **configuration["Environment"]["Variables"],
        "AWS_ACCESS_KEY_ID": str(held.access_key),
        "AWS_SECRET_ACCESS_KEY": str(held.secret_key),
        "AWS_DEFAULT_REGION": of.region,
        "AWS_REGION": of.region,
    }
    if held.token:
        variables["AWS_SESSION_TOKEN"] = held.token
    if of.endpoint_url and endpoint:
        there, here = urlsplit(of.endpoint_url), urlsplit(endpoint).netloc
        for host in (there.netloc, f"localhost:{there.port}"):  # queues are named by their URLs
            variables = {name: value.replace(host, here) for name, value in variables.items()}
        variables["AWS_ENDPOINT_URL"] = endpoint
    return variables


@asynccontextmanager
async def _endpoint(of: Stack) -> AsyncIterator[str | None]:
    """The URL for containers of the stack's AWS; None means AWS itself."""
    port = urlsplit(of.endpoint_url).port if of.endpoint_url else None
    if port is None:
        yield None
    else:
        async with docker_bridge.reachable(port) as url:
            yield url


async def invoke(function: str, given: str, of: Stack, folder: Path, *, keep_log: bool = False) -> Answer:
    """Run the function in a container with the event (JSON). Its log goes to standard error, or is kept."""
    configuration, built = deployed(function, of), deploy.build(folder).parent
    async with _endpoint(of) as endpoint:
        variables = environment(configuration, of, endpoint)
        # It contains credentials: readable only by this user, and deleted at the end.
        with TemporaryDirectory(prefix="invoke-", dir=folder) as scratch:
            files = {
                "--template-file": template(function, configuration, variables, built),
                "--env-vars": {function: variables},
                "--event": json.loads(given),
            }
            options = ["--layer-cache-basedir", str(folder / "sam-layers")]
            for option, content in files.items():
                path = Path(scratch, option.strip("-")).with_suffix(".json")
                path.write_text(json.dumps(content))
                options += [option, str(path)]
            if docker_bridge.has_image(IMAGE):  # otherwise the registry is queried each time
                options.append("--skip-pull-image")
            began = time.monotonic()
            sam = await asyncio.create_subprocess_exec(
                str(deploy.SAM),
                *("local", "invoke", function, *options),
                cwd=ROOT,
                env=deploy.sam_environment(folder),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE if keep_log else None,
            )
            try:
                answer, log = await sam.communicate()
            finally:
                await sam.wait()  # interrupted with us, it still ends its container
            return Answer(answer.decode(), time.monotonic() - began, (log or b"").decode(errors="replace"))


def function_of(name: str) -> str:
    """The function's name in the template, from its folder's: `sync_generation/completed` is for SyncGeneration."""
    return name.partition("/")[0].title().replace("_", "")


# ---- The command -----------------------------------------------------------------------------------------------------


async def check(names: Sequence[str], of: Stack, folder: Path) -> list[str]:
    """Print each response. Returns the events that were not recorded, after their logs."""
    wrong = []
    print(f"{'function':24}{'event':20}response", flush=True)
    for name in names:
        answer = await invoke(function_of(name), event(name, of, folder), of, folder, keep_log=True)
        status, word = answer.status
        print(f"{function_of(name):24}{name.partition('/')[2]:20}{status} {word}  {answer.seconds:.1f} s", flush=True)
        if answer.status != RECORDED:
            print(answer.log, flush=True)
            wrong.append(name)
    return wrong


def one(name: str, own: IO[str] | None, of: Stack, folder: Path) -> None:
    """Invoke, and print the response. Raises SystemExit if the function failed or rejected the call."""
    given = own.read() if own else event(name, of, folder)
    answer = asyncio.run(invoke(function_of(name), given, of, folder))
    print(answer.text.strip())
    if not answer.is_good:
        raise SystemExit(1)


def all_of_them(names: Sequence[str], of: Stack, folder: Path) -> None:
    """Check all calls. Raises SystemExit with those that were not recorded. A missing Docker is reported, and is no
    failure."""
    try:
        if not docker_bridge.has_image(IMAGE):
            raise NoDocker(f"Docker's image {IMAGE} (run `docker pull`)")
    except NoDocker as lacking:
        print(f"Left out: sam local invoke, which needs {lacking}")
        return
    if wrong := asyncio.run(check(names, of, folder)):
        raise SystemExit(f"invoke: not recorded: {', '.join(wrong)}")
    print(f"invoke: all {len(names)} are recorded")


def parsed() -> argparse.Namespace:
    """The command line."""
    options = argparse.ArgumentParser(
        prog="make invoke", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("names", nargs="*", metavar="EVENT", help="an event, such as sync_generation/completed")
    options.add_argument(
        "--event", type=argparse.FileType(encoding="utf-8"), help="a file with an event; EVENT is its function"
    )
    options.add_argument("--check", action="store_true", help="run all providers' calls; without EVENT")
    for name in ("stack", "profile", "region"):
        options.add_argument(f"--{name}", help="a stack on AWS, as for `dailies`")
    asked = options.parse_args()
    if not asked.check and len(asked.names) != 1:
        options.error(f"name one event: {', '.join(deliveries())}; or --check")
    if asked.check and asked.event:
        options.error("--check takes the events of events/")
    asked.names = [name.removeprefix("events/").removesuffix(".json") for name in asked.names]  # as the shell completes
    return asked


def main() -> None:
    asked, folder = parsed(), folder_from_environment()
    try:
        of = stack.connect(asked.stack, profile=asked.profile, region=asked.region)
        if asked.check:
            all_of_them(asked.names or deliveries(), of, folder)
        else:
            one(asked.names[0], asked.event, of, folder)
    except (CliError, StackError) as error:
        raise SystemExit(f"invoke: {error}") from None
    except NoDocker as lacking:
        raise SystemExit(f"invoke: needs {lacking}") from None
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"invoke: {errors.of_aws(error)}") from None
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

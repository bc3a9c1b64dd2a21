"""The two servers of every run: nginx as the media host, the S3 simulator as the bucket.

Without nginx, if it is not required, `bench.archive.host` replaces it.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import trustme
import urllib3
from botocore.config import Config

from bench.archive.media import MIB
from bench.archive.tools import Tools
from bench.tools import FOLDER
from local.stack import ROOT
from simulators.s3.signature import ACCESS_KEY, SECRET_KEY

CAP = 30 * MIB  # bytes a second per connection: what a careful media host allows
PATIENCE = 30.0  # seconds until the media host listens; nginx takes a tenth of one
# Both ends choose what S3 and CloudFront choose; by default, OpenSSL and Go choose differently.
CIPHERS = "TLS_AES_128_GCM_SHA256"

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    log_format watched '$msec $request_time $request_method $status';
    access_log {folder}/nginx.log watched;
    client_body_temp_path {folder}/temp; proxy_temp_path {folder}/temp; fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
    types {{ video/mp4 mp4; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/host.pem;
        ssl_certificate_key {folder}/host.pem;
        ssl_protocols TLSv1.3;
        ssl_conf_command Ciphersuites {ciphers};
        location /free/ {{ alias {media}/; }}
        location /capped/ {{ alias {media}/; limit_rate {cap}; }}
    }}
}}
"""
OPENSSL = f"""
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = default
[default]
Ciphersuites = {CIPHERS}
"""


@dataclass(frozen=True)
class Watched:
    """The servers' view of one run.

    `seconds` from the first request to the last response; `core_seconds`: their CPU time, of the busier one if each has
    its own core; `requests`: the media host's, by method; `calls`: the bucket's, by operation.
    """

    seconds: float
    core_seconds: float
    requests: dict[str, int]
    calls: dict[str, int]
    objects: list[dict[str, Any]]
    open_uploads: list[str]


class Servers:
    """The running servers. `environment` has the variables with which programs reach the bucket; `client` signs links
    to it."""

    def __init__(
        self, folder: Path, media_port: int, endpoint_url: str, by_core: Sequence[Sequence[psutil.Process]]
    ) -> None:
        self.media_port = media_port
        self.endpoint_url = endpoint_url
        self.ca_file = folder / "ca.pem"
        self.client = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(signature_version="s3v4"),
        )
        self._by_core = by_core
        self._log = folder / "nginx.log"
        self._control = urllib3.PoolManager(ca_certs=str(self.ca_file))
        self._offset = 0
        self._before = self._used()

    @property
    def environment(self) -> dict[str, str]:
        """Variables for AWS's libraries, requests and curl."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_CA_BUNDLE": str(self.ca_file),
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
            "CURL_CA_BUNDLE": str(self.ca_file),
        }

    def forget(self) -> None:
        """Reset the measurement."""
        self._ask("DELETE")
        self._offset = self._log.stat().st_size
        self._before = self._used()

    def watched(self) -> Watched:
        """The measurement since `forget`, once no more requests come."""
        used = self._used()
        time.sleep(0.1)  # nginx writes its line when the client has closed
        told = self._ask("GET")
        with self._log.open() as log:
            log.seek(self._offset)
            lines = [line.split() for line in log]
        began = [float(at) - float(took) for at, took, *_ in lines] + [told["first"]]
        ended = [float(at) for at, *_ in lines] + [told["last"]]
        methods = [method for *_, method, _ in lines]
        return Watched(
            seconds=max(ended) - min(began),
            core_seconds=max(after - before for after, before in zip(used, self._before, strict=True)),
            requests={method: methods.count(method) for method in sorted(set(methods))},
            calls=told["calls"],
            objects=told["objects"],
            open_uploads=told["open_uploads"],
        )

    def _ask(self, method: str) -> Any:
        return self._control.request(method, f"{self.endpoint_url}/-/calls").json()

    def _used(self) -> list[float]:
        return [sum(sum(process.cpu_times()[:2]) for process in processes) for processes in self._by_core]


@contextlib.contextmanager
def servers(tools: Tools, media: Path, cores: Sequence[int]) -> Iterator[Servers]:
    """Both servers, while the context is open: on the first and the last core."""
    port = _free_port()
    with contextlib.ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(dir=FOLDER)))
        authority = trustme.CA()
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "host.pem"))
        (folder / "openssl.cnf").write_text(OPENSSL)
        chosen = {"OPENSSL_CONF": str(folder / "openssl.cnf")}
        host = _started(running, cores[0], *_media_host(tools, folder, media, port), **chosen)
        s3_simulator = _started(running, cores[-1], sys.executable, "-m", "simulators.s3", "--tls", **chosen)
        assert s3_simulator.stdout  # noqa: S101  it was asked for
        told = json.loads(s3_simulator.stdout.readline())
        (folder / "ca.pem").write_bytes(authority.cert_pem.bytes() + Path(told["ca_file"]).read_bytes())
        _wait_for(port, host)
        pair = [psutil.Process(host.pid), psutil.Process(s3_simulator.pid)]
        yield Servers(folder, port, told["endpoint_url"], [pair] if len(cores) == 1 else [[one] for one in pair])


def _media_host(tools: Tools, folder: Path, media: Path, port: int) -> list[str]:
    """The media host's command. It writes `nginx.log` in the folder."""
    if tools.nginx is None:
        log, certificate = str(folder / "nginx.log"), str(folder / "host.pem")
        return [sys.executable, "-m", "bench.archive.host", str(port), certificate, str(media), log, str(CAP)]
    settings = NGINX.format(folder=folder, media=media, port=port, cap=CAP, ciphers=CIPHERS)
    (folder / "nginx.conf").write_text(settings)
    return [str(tools.nginx), "-c", str(folder / "nginx.conf")]


def _wait_for(port: int, host: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + PATIENCE
    while host.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise SystemExit("bench: the media host did not start, see above")


def _started(running: contextlib.ExitStack, core: int, *command: str, **environment: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        ["taskset", "--cpu-list", str(core), *command],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    running.callback(process.wait)
    running.callback(process.send_signal, signal.SIGINT)
    return process


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""The providers in end-to-end tests: they call with proofs, serve media, and remember what may show up nowhere."""

import re
import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from json import loads
from time import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.apis import ProviderApis
from local.callers import Call, sync_proofs
from local.media_host import MediaHost, media_host
from local.stack import Stack
from tests.template import signing_secrets
from tests.waiting import wait_for

ANSWER_SECONDS = 120.0  # for an answer; fifty functions that start cold at once on two cores take a minute
NOT_SET = "not-set"  # what the template puts in

SECRET_OF = signing_secrets()
WEBHOOKS = tuple(SECRET_OF)

# What a provider is answered where its delivery was not stored: by the function, and by Lambda where it has none free.
COME_AGAIN = (503, 429)

type Headers = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True)
class Answer:
    """What a webhook answered. Header names are in lower case; `body` is parsed."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def result(self) -> str:
        """`recorded`, `unverified`, ...: the one word of it."""
        return str(self.body.get("result") or self.body.get("error"))


class Providers:
    """All three, and the host of their media. `run` begins every job id: the stack is shared.

    Remembered: `ever_secret`, each value that was a secret; `signed`, signatures and the queries of links; `bodies`.
    """

    def __init__(self, stack: Stack, host: MediaHost) -> None:
        self.host = host
        self.run = secrets.token_hex(3)
        self.secrets: dict[str, str] = {}
        self.ever_secret: set[str] = set()
        self.signed: set[str] = set()
        self.bodies: list[bytes] = []
        self._stack = stack
        self._address = urlsplit(stack.webhook_base_url).netloc

    @property
    def sync(self) -> str:
        return self.secrets["sync/signing"]

    @property
    def creatify(self) -> str:
        return self.secrets["creatify/token"]

    @property
    def captions(self) -> str:
        return self.secrets["captions/signing"]

    def job(self, name: str) -> str:
        """A job id of this run's own."""
        return f"{self.run}-{name}"

    def link(self, job_id: str, name: str, fault: str | None = None) -> str:
        """A signed link to a medium of a job's own."""
        return self.host.url(f"/{job_id}/{name}", fault=fault)

    def send(self, call: Call, *, stored_as: str = "recorded") -> Answer:
        """Make a call, again for as long as it is told to come again."""
        return self.post(call.path, call.headers.items(), call.body, stored_as=stored_as)

    def send_once(self, call: Call) -> Answer:
        """Make a call once, whatever it is answered."""
        return self.post_once(call.path, call.headers.items(), call.body)

    def send_all(self, calls: Iterable[Call]) -> list[Answer]:
        """Make calls one after the other, each webhook's in a line of its own: as many functions as webhooks start."""
        lines: dict[str, list[tuple[int, Call]]] = {}
        for number, call in enumerate(calls):
            lines.setdefault(call.webhook, []).append((number, call))
        with ThreadPoolExecutor(len(WEBHOOKS)) as callers:
            answered = callers.map(lambda line: [(number, self.send(call)) for number, call in line], lines.values())
            numbered = [pair for pairs in answered for pair in pairs]
        return [answer for _, answer in sorted(numbered, key=lambda pair: pair[0])]

    def post(self, path: str, headers: Headers, body: bytes, *, stored_as: str = "recorded") -> Answer:
        """Post as a provider does: again for as long as it is told to come again.

        A call that was told so may have been stored, as AWS answered the function too late. Then it is a duplicate when
        it comes again; as the first one that is acknowledged, its result is told as `stored_as`.
        """
        headers, tries = list(headers), 0

        def look() -> Answer:
            nonlocal tries
            tries += 1
            return self.post_once(path, headers, body)

        answer = wait_for("an answer", look, lambda answer: answer.status not in COME_AGAIN)
        if answer.result == "duplicate" and tries > 1:
            return replace(answer, body={**answer.body, "result": stored_as})
        return answer

    def post_once(self, path: str, headers: Headers, body: bytes) -> Answer:
        """Post with exactly these headers, doubled ones and bytes included."""
        headers = list(headers)
        self._remember(headers, body)
        connection = HTTPConnection(self._address, timeout=ANSWER_SECONDS)
        try:
            connection.putrequest("POST", path, skip_accept_encoding=True)
            connection.putheader("Content-Length", str(len(body)))
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, loads(answer.read()))
        finally:
            connection.close()

    def proven(self, webhook: str, body: bytes, *, secret: str | None = None, job_id: str = "") -> Call:
        """A call of any bytes, proven by the secret that is set, or by another one."""
        secret = self.secrets[SECRET_OF[webhook]] if secret is None else secret
        path = f"/webhooks/{webhook}"
        headers = {"Content-Type": "application/json"}
        match webhook.partition("/")[0]:
            case "sync":
                headers |= sync_proofs(secret, body, int(time()))["Sync-Signature"]
            case "captions":
                headers["Authorization"] = f"Bearer {secret}"
            case _:
                path = f"{path}/{secret}"
        return Call(webhook, "made for a test", job_id, path, headers, body)

    def set_secrets(self) -> None:
        """Set the secrets that nobody has set, and wait until they verify."""
        client = self._stack.aws.secretsmanager
        for name in sorted(set(SECRET_OF.values())):
            secret_id = f"{self._stack.stack_name}/{name}"
            value = client.get_secret_value(SecretId=secret_id)["SecretString"]
            if value == NOT_SET:
                value = f"whsec_{secrets.token_urlsafe(24)}"
                client.put_secret_value(SecretId=secret_id, SecretString=value)
            self.use_secret(name, value)
        for webhook in WEBHOOKS:
            wait_for(
                f"{webhook} takes its secret",
                lambda webhook=webhook: self.send(self.proven(webhook, b"no payload")),  # type: ignore[misc]
                lambda answer: answer.status == 200,
            )

    def put_pending(self, name: str) -> str:
        """Give a secret a new pending version: its value."""
        client, secret_id = self._stack.aws.secretsmanager, f"{self._stack.stack_name}/{name}"
        value = f"whsec_{secrets.token_urlsafe(24)}"
        self.ever_secret.add(value)
        # AWS takes the label off the version that had it; the emulator leaves it there too.
        for version, stages in client.describe_secret(SecretId=secret_id)["VersionIdsToStages"].items():
            if "AWSPENDING" in stages:
                client.update_secret_version_stage(
                    SecretId=secret_id, VersionStage="AWSPENDING", RemoveFromVersionId=version
                )
        client.put_secret_value(SecretId=secret_id, SecretString=value, VersionStages=["AWSPENDING"])
        return value

    def use_secret(self, name: str, value: str) -> None:
        """From now on, prove by this secret."""
        self.secrets[name] = value
        self.ever_secret.add(value)

    def _remember(self, headers: list[tuple[str, str | bytes]], body: bytes) -> None:
        for name, value in headers:
            if name.lower() in {"sync-signature", "x-signature-primary"} and isinstance(value, str):
                self.signed |= set(re.findall(r"[0-9a-f]{64}|[A-Za-z0-9+/]{43}=", value))
        self.signed |= set(re.findall(r"\?([\w=&%.:/+-]{16,})", body.decode("utf-8", "replace")))
        self.bodies.append(body)


@pytest.fixture(scope="session")
def providers(stack: Stack, stack_apis: ProviderApis) -> Iterator[Providers]:
    """The providers, their secrets set in the stack. Sync's API gives the same one, so that it may be fetched."""
    with media_host() as host:
        providers = Providers(stack, host)
        providers.set_secrets()
        stack_apis.sync.signing_secret = providers.sync
        yield providers

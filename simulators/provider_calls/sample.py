"""A webhook's samples: the cases that it reports, their media, the body and the signature of each call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from simulators.provider_calls.call import Call

type Headers = dict[str, str]


@dataclass(frozen=True)
class Order:
    """A call to make. `links` are the media's URLs by role; `at` is the time of the call."""

    case: str
    job_id: str
    secret: str = field(repr=False)
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Medium:
    """A medium that a call links to. `file`: its name on the local media host (`simulators/media_host/samples.py`).
    `url`: its link in the recorded events, shaped like the provider's; without one they leave the medium out."""

    file: str
    url: str = ""


@dataclass(frozen=True)
class Case:
    """What a call reports: the job's status in Dailies' words, and the roles of the media it links to.

    `recorded`: whether events/ has it. `seconds_before`: how long before the recording it happened, for providers with
    a clock of their own.
    """

    status: str
    media: tuple[str, ...] = ()
    recorded: bool = True
    seconds_before: int = 0


def no_headers(_body: bytes, _secret: str, _at: datetime) -> Headers:
    """No headers: the webhook's secret is in its path."""
    return {}


@dataclass(frozen=True)
class Sample:
    """The calls of one webhook.

    `secret` and `job_id` are those of the recorded events. `media` are by role. `cases` are by the provider's own word;
    the first is the usual one. `body` writes the body of a call. `prove` makes the headers that verify a body, from a
    time and a secret. `in_path`: the secret is the last segment of the path instead.
    """

    webhook: str
    secret: str = field(repr=False)
    job_id: str
    cases: Mapping[str, Case]
    media: Mapping[str, Medium]
    body: Callable[[Order], bytes]
    prove: Callable[[bytes, str, datetime], Headers] = no_headers
    in_path: bool = False

    @property
    def folder(self) -> str:
        """The function's folder in functions/ and in events/: singular, as a call is about one job."""
        return self.webhook.replace("/", "_").removesuffix("s")

    @property
    def proof_headers(self) -> frozenset[str]:
        """The names of the headers that verify a call, in lower case."""
        return frozenset(name.lower() for name in self._proof())

    @property
    def shows_secret(self) -> bool:
        """Whether a call contains the secret in clear text, in its path or a header, instead of a signature made with
        it."""
        return self.in_path or any(self.secret in value for value in self._proof().values())

    @property
    def failure(self) -> str:
        """The case of a failed job, which links to no medium."""
        return next(word for word, case in self.cases.items() if case.status == "failed" and not case.media)

    def call(self, order: Order) -> Call:
        """The ordered call, signed with its secret."""
        return self.proven(self.body(order), order.secret, case=order.case, job_id=order.job_id, at=order.at)

    def proven(self, body: bytes, secret: str, *, case: str, job_id: str, at: datetime | None = None) -> Call:
        """A call with any body, signed with a secret."""
        path = f"/webhooks/{self.webhook}" + (f"/{secret}" if self.in_path else "")
        headers = {"Content-Type": "application/json", **self.prove(body, secret, at or datetime.now(UTC))}
        return Call(self.webhook, case, job_id, path, headers, body)

    def links(self, case: str, link: Callable[[str], str]) -> dict[str, str]:
        """The links of a case's media by role; `link` makes one from a file's name."""
        return {role: link(self.media[role].file) for role in self.cases[case].media}

    def _proof(self) -> Headers:
        return self.prove(b"", self.secret, datetime.now(UTC))

    def recorded(self, at: datetime, secret: str | None = None) -> dict[str, Call]:
        """The calls of the recorded events by case, as made at a given time."""
        calls = {}
        for word, case in self.cases.items():
            links = {role: self.media[role].url for role in case.media if self.media[role].url}
            happened = at - timedelta(seconds=case.seconds_before)
            if case.recorded:
                calls[word] = self.call(Order(word, self.job_id, secret or self.secret, links, happened))
        return calls

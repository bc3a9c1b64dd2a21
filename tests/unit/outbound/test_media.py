"""Where a link may lead: no connection is made to an address that is not public, whatever the link, its name or a
redirect says.

Python reports every connection to an audit hook before it is made; the tests check that there is none.
"""

import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import pytest

from dailies.errors import HostFailed, LinkDead, MediumRefused
from dailies.outbound.address_guard import FetchPolicy, Resolve
from dailies.outbound.connection import Network
from dailies.outbound.media import MAX_REDIRECTS, MediaResponse, get
from simulators.media_host.answers import Answer
from simulators.media_host.server import MediaHost
from testkit.support.hostile_urls import NOT_PUBLIC, REFUSED

CLIP = "generation.mp4"
LOOPBACK = FetchPolicy(private=frozenset({"127.0.0.1"}))
SYSTEM = Network()

connections: list[object] = []
sys.addaudithook(lambda event, args: connections.append(args[1]) if event == "socket.connect" else None)


@contextmanager
def no_connection() -> Iterator[None]:
    before = len(connections)
    yield
    assert connections[before:] == []


def whole(medium: MediaResponse) -> bytes:
    """All bytes of a response."""
    content, buffer = b"", memoryview(bytearray(64 * 1024))
    while read := medium.read_into(buffer):
        content += buffer[:read]
    return content


def fetched(url: str, ways: FetchPolicy = LOOPBACK, network: Network = SYSTEM) -> bytes:
    with closing(get(url, ways, network)) as medium:
        return whole(medium)


def answers(*addresses: str) -> Resolve:
    """A resolver that returns these addresses for every name."""
    return lambda _name, _port: addresses


class TestHostileLinks:
    @pytest.mark.parametrize("url", REFUSED)
    def test_nothing_is_connected_to(self, url: str) -> None:
        """The system resolves names here: it knows the odd spellings of an address."""
        with no_connection(), pytest.raises(MediumRefused) as refusal:
            fetched(url, FetchPolicy())
        assert "secret" not in refusal.value.reason

    @pytest.mark.parametrize("address", NOT_PUBLIC)
    def test_a_name_whose_address_is_not_public(self, address: str) -> None:
        for resolved in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
            with no_connection(), pytest.raises(MediumRefused, match="has an address that is not public"):
                fetched("https://h.example/", FetchPolicy(), Network(answers(*resolved)))

    def test_a_name_that_does_not_resolve_may_do_so_later(self) -> None:
        def no_resolver(_name: str, _port: int) -> Sequence[str]:
            raise OSError("no such name")

        for resolve in (no_resolver, answers()):
            with no_connection(), pytest.raises(HostFailed, match="does not resolve"):
                fetched("https://h.example/", FetchPolicy(), Network(resolve))

    def test_a_private_host_is_excepted_by_its_very_name(self) -> None:
        ways = FetchPolicy(private=frozenset({"media.internal"}))
        for url in ("https://other.internal/", "https://x.media.internal/", "https://media.internal.example/"):
            with no_connection(), pytest.raises(MediumRefused):
                fetched(url, ways, Network(answers("127.0.0.1")))


class TestOnlySomeHosts:
    """A provider whose deliveries authenticate no links."""

    @pytest.mark.parametrize("name", ["creatify.ai", "media.creatify.ai", "a.b.CREATIFY.ai", "creatify.ai."])
    def test_the_hosts_and_their_subdomains_are_requested(self, name: str) -> None:
        ways = FetchPolicy(only=frozenset({"creatify.ai"}))
        with no_connection(), pytest.raises(MediumRefused, match="not public"):
            fetched(f"https://{name}/", ways, Network(answers("10.0.0.1")))

    @pytest.mark.parametrize("name", ["notcreatify.ai", "creatify.ai.example", "creatify.example", "ai", "8.8.8.8"])
    def test_no_other_is(self, name: str) -> None:
        for only in ({"creatify.ai"}, set[str]()):
            with no_connection(), pytest.raises(MediumRefused, match="not among the hosts"):
                fetched(f"https://{name}/", FetchPolicy(only=frozenset(only)))

    def test_a_redirect_from_one_of_them_elsewhere_is_not_followed(self, host: MediaHost) -> None:
        host.redirect("/away", to="https://elsewhere.example/x")
        ways = FetchPolicy(private=frozenset({"127.0.0.1"}), only=frozenset({"creatify.ai"}))
        with pytest.raises(MediumRefused, match=r"elsewhere\.example is not among the hosts"):
            fetched(host.url("/away"), ways)


class TestRedirects:
    @pytest.mark.parametrize(
        "to",
        [
            # But a link to that one may be fetched from here.
            *(url for url in REFUSED if ":" in url and "/127.0.0.1" not in url),
            *("https://127.0.0.2/", "//169.254.169.254/", "https:\\\\10.0.0.1/", "HTTPS://10.0.0.1/", "//[::1/"),
        ],
    )
    def test_each_is_checked_like_the_first_link(self, host: MediaHost, to: str) -> None:
        if not to.isascii():
            to = to.encode().decode("latin-1")  # as a header's bytes are decoded
        host.redirect("/hostile", to=to)
        before = len(connections)
        with pytest.raises((MediumRefused, HostFailed, LinkDead)):
            fetched(host.url("/hostile", lifetime=None))
        assert len(connections) - before == 1, "the host itself, and nobody else"

    def test_a_good_one_is_followed(self, host: MediaHost) -> None:
        assert fetched(host.url(f"/{CLIP}", lifetime=None, fault="redirect-to-good")) == host.media[CLIP].content

    def test_the_last_host_is_reported(self, host: MediaHost) -> None:
        host.redirect("/over", to=host.url(f"/{CLIP}").replace("127.0.0.1", "localhost"))
        ways = FetchPolicy(private=frozenset({"127.0.0.1", "localhost"}))
        with closing(get(host.url("/over"), ways, SYSTEM)) as medium:
            assert medium.place.name == "localhost"

    def test_there_are_not_endlessly_many(self, host: MediaHost) -> None:
        url = host.url(f"/endless/{CLIP}", fault="redirect-to-itself", lifetime=None)
        with pytest.raises(MediumRefused, match="more than 5 redirects"):
            fetched(url)
        assert len(host.requests_for(f"/endless/{CLIP}")) == MAX_REDIRECTS + 1

    def test_the_link_is_requested_unchanged(self, host: MediaHost) -> None:
        """A signature covers the path and query as they were written."""
        fetched(host.url(f"/a%20b/ü+~/{CLIP}", lifetime=None) + "?X-Amz-Signature=a%2Fb&c=d%20e#part")
        request = host.requests[-1]
        assert request.path == f"/a%20b/%C3%BC+~/{CLIP}"
        assert request.query == "X-Amz-Signature=a%2Fb&c=d%20e"
        assert request.header("host") == host.base_url.removeprefix("http://")
        assert request.header("accept-encoding") == "identity"
        assert not {"authorization", "x-api-key", "cookie", "referer"} & {name for name, _ in request.headers}


class TestTls:
    def fetched(self, secure: MediaHost, name: str, resolve: Resolve | None = None) -> bytes:
        resolve = resolve or answers("127.0.0.1")
        url = secure.url(f"/{CLIP}").replace("127.0.0.1", name)
        return fetched(url, FetchPolicy(private=frozenset({name})), Network(resolve, str(secure.ca_file)))

    def test_the_certificate_must_be_the_names(self, secure: MediaHost) -> None:
        """The connection goes to an address; the certificate is for the name."""
        for name in ("localhost", "127.0.0.1"):
            assert self.fetched(secure, name) == secure.media[CLIP].content
        with pytest.raises(HostFailed, match="certificate does not hold"):
            self.fetched(secure, "media.example")

    def test_the_authority_must_be_a_known_one(self, secure: MediaHost) -> None:
        with pytest.raises(HostFailed, match="certificate does not hold"):
            fetched(secure.url(f"/{CLIP}"))

    def test_a_name_is_resolved_once_and_its_address_is_the_one_that_is_connected_to(self, secure: MediaHost) -> None:
        """A name with another address at the second lookup leads nowhere else."""
        asked = []

        def rebinding(name: str, port: int) -> Sequence[str]:
            asked.append((name, port))
            return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

        assert self.fetched(secure, "localhost", rebinding) == secure.media[CLIP].content
        assert len(asked) == 1

    def test_from_https_nothing_leads_to_http(self, secure: MediaHost, host: MediaHost) -> None:
        secure.redirect("/down", to=host.url(f"/{CLIP}"))
        with pytest.raises(MediumRefused, match="redirected from https to something else"):
            fetched(secure.url("/down"), LOOPBACK, Network(ca_file=str(secure.ca_file)))

    def test_a_host_that_speaks_no_tls_is_none(self, host: MediaHost) -> None:
        with pytest.raises(HostFailed):
            fetched(host.url(f"/{CLIP}").replace("http:", "https:"))

    def test_a_response_without_a_length_ends_only_with_tls_close(self, secure: MediaHost) -> None:
        """An attacker who cuts the connection can end it, but cannot fake a regular end."""
        network = Network(ca_file=str(secure.ca_file))
        whole = secure.media[CLIP].content
        assert fetched(secure.url(f"/{CLIP}", fault="plain-no-length"), LOOPBACK, network) == whole
        with pytest.raises(HostFailed, match="the host hung up"):
            fetched(secure.url(f"/{CLIP}", fault="plain-end-unannounced"), LOOPBACK, network)

    def test_the_usual_authorities_are_trusted(self) -> None:
        assert ssl.create_default_context(cafile=SYSTEM.ca_file).cert_store_stats()["x509_ca"] > 50


class TestAnswers:
    @pytest.mark.parametrize(
        ("fault", "error", "reason"),
        [
            ("forbidden", LinkDead, "the host answered 403"),
            ("expired", LinkDead, "the host answered 400"),
            ("missing", LinkDead, "the host answered 404"),
            ("gone", LinkDead, "the host answered 410"),
            ("broken", HostFailed, "the host answered 500"),
            ("unavailable-twice", HostFailed, "the host answered 503"),
            ("busy-once", HostFailed, "the host answered 429"),
            ("gzip-unasked", MediumRefused, "the host compressed what was asked for as it is"),
            ("redirect-to-metadata", MediumRefused, "not https: http"),
            ("hang-up", HostFailed, "the host hung up"),
            ("headers-flood", HostFailed, "the host's head is malformed or too long"),
            ("wrong-content-range", HostFailed, "the host answered another range: "),
            ("cut-with-length", HostFailed, "cut short: "),
            ("cut-chunked", HostFailed, "cut short: the host ended the answer before its end"),
            ("reset-at-half", HostFailed, "the host hung up"),
        ],
    )
    def test_each_fault_has_its_own_reason(
        self, host: MediaHost, fault: str, error: type[Exception], reason: str
    ) -> None:
        with pytest.raises(error) as failure:
            fetched(host.url(f"/told-apart/{CLIP}", fault=fault))
        assert str(failure.value).startswith(reason)
        assert "X-Amz" not in str(failure.value)

    @pytest.mark.parametrize(
        ("fault", "least", "most"),
        [("busy-two-minutes", 120, 120), ("back-in-two-minutes", 100, 120), ("busy", 1, 1), ("broken", 0, 0)],
    )
    def test_a_hosts_retry_after_is_returned_in_seconds(
        self, host: MediaHost, fault: str, least: float, most: float
    ) -> None:
        """In seconds, or until a date."""
        with pytest.raises(HostFailed) as failure:
            fetched(host.url(f"/later/{CLIP}", fault=fault))
        assert least <= failure.value.retry_after <= most

    @pytest.mark.parametrize("said", ["", "soon", "-5", "1.5", "9" * 500, "Thu, 99 Nov 2026 99:00:00 GMT", "٣"])
    def test_what_it_says_otherwise_is_nothing(self, host: MediaHost, said: str) -> None:
        host.answers("/odd", Answer(503, {"Retry-After": said, "Content-Length": "0"}))
        with pytest.raises(HostFailed, match="the host answered 503") as failure:
            fetched(host.url("/odd"))
        assert failure.value.retry_after == 0

    @pytest.mark.parametrize("fault", [None, "chunked", "no-length", "range-ignored", "redirect-to-good"])
    def test_good_ones_are_whole(self, host: MediaHost, fault: str | None) -> None:
        assert fetched(host.url(f"/{CLIP}", fault=fault)) == host.media[CLIP].content

    def test_no_host_answers_at_all(self) -> None:
        with pytest.raises(HostFailed, match="takes no connections"):
            fetched("http://127.0.0.1:1/")


class TestRanges:
    """A host's headers are trusted only if they fit the request."""

    def range(
        self, host: MediaHost, start: int, end: int | None, fault: str | None = None, validator: str = ""
    ) -> bytes:
        url = host.url(f"/ranges/{CLIP}", fault=fault)
        with closing(get(url, LOOPBACK, SYSTEM, start=start, end=end, validator=validator)) as medium:
            assert medium.total == len(host.media[CLIP].content)
            return whole(medium)

    def test_a_range_is_exactly_the_requested_bytes(self, host: MediaHost) -> None:
        content = host.media[CLIP].content
        for start, end in ((0, 1), (5, 500), (5, None), (len(content) - 1, len(content)), (9, len(content) + 99)):
            assert self.range(host, start, end) == content[start:end]

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            ("wrong-content-range", "another range"),
            ("range-ignored", "answered a range with the whole"),
            ("no-length", None),
            ("chunked", None),
        ],
    )
    def test_another_one_is_not_taken(self, host: MediaHost, fault: str, reason: str | None) -> None:
        if reason is None:
            assert self.range(host, 5, 500, fault) == host.media[CLIP].content[5:500]
        else:
            with pytest.raises(HostFailed, match=reason):
                self.range(host, 5, 500, fault)

    def test_of_a_medium_that_changed_meanwhile_no_further_range_is_taken(self, host: MediaHost) -> None:
        with closing(get(host.url(f"/ranges/{CLIP}"), LOOPBACK, SYSTEM)) as medium:
            validator = medium.validator
        assert self.range(host, 5, 500, validator=validator) == host.media[CLIP].content[5:500]
        with pytest.raises(HostFailed, match="changed while it was fetched"):
            self.range(host, 5, 500, "changing", validator)

    def test_one_connection_serves_one_range_after_the_other(self, host: MediaHost) -> None:
        content = host.media[CLIP].content
        before = len(connections)
        first = get(host.url(f"/ranges/{CLIP}"), LOOPBACK, SYSTEM, start=0, end=100)
        assert whole(first) == content[:100]
        with closing(first.again(100, 200)) as second:
            assert whole(second) == content[100:200]
        assert len(connections) - before == 1

    def test_an_answer_that_was_left_halfway_is_not_gone_on_with(self, host: MediaHost) -> None:
        with closing(get(host.url(f"/ranges/{CLIP}"), LOOPBACK, SYSTEM)) as medium:
            medium.read_into(memoryview(bytearray(10)))
            with pytest.raises(HostFailed, match="not read to its end"):
                medium.again(10, 20)

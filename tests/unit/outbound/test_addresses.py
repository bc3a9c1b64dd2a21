"""Which of a host's addresses is connected to, and where a redirect's bytes lead."""

from contextlib import closing

import pytest

from dailies.errors import HostFailed, LinkDead, MediumRefused
from dailies.outbound.address_guard import FetchPolicy, allowed_hosts, redirect_url, resolve
from dailies.outbound.connection import Network
from dailies.outbound.media import get
from simulators.media_host.answers import Answer
from simulators.media_host.server import MediaHost

CLIP = "generation.mp4"


class TestAddresses:
    @pytest.mark.parametrize("dead", [["127.0.0.2"], ["::1"], ["127.0.0.2", "127.0.0.3"], ["127.0.0.2", "127.0.0.2"]])
    def test_the_next_one_is_tried_and_the_connected_one_is_pinned(self, host: MediaHost, dead: list[str]) -> None:
        ways = FetchPolicy(private=frozenset({"media.internal"}))
        network = Network(lambda _name, _port: [*dead, "127.0.0.1"])
        with closing(get(host.url(f"/{CLIP}").replace("127.0.0.1", "media.internal"), ways, network)) as medium:
            assert medium.place.addresses == ("127.0.0.1",)

    def test_one_whose_tls_fails_is_passed_over(self, secure: MediaHost, host: MediaHost) -> None:
        ways = FetchPolicy(private=frozenset({"localhost"}))
        network = Network(lambda _name, _port: ["127.0.0.2", "127.0.0.1"], str(secure.ca_file))
        with closing(get(secure.url(f"/{CLIP}").replace("127.0.0.1", "localhost"), ways, network)) as medium:
            assert medium.place.address == "127.0.0.1"

    def test_if_none_answers_the_last_ones_failure_is_the_reason(self) -> None:
        network = Network(lambda _name, _port: ["127.0.0.2", "127.0.0.3"])
        with pytest.raises(HostFailed, match="takes no connections"):
            get("http://media.internal:1/", FetchPolicy(private=frozenset({"media.internal"})), network)


class TestRedirects:
    @pytest.mark.parametrize(
        ("location", "target"),
        [
            (b"/vid\xc3\xa9o.mp4", "/vid%C3%A9o.mp4"),
            (b"/vid%C3%A9o.mp4", "/vid%C3%A9o.mp4"),
            (b"/vid%25C3.mp4", "/vid%25C3.mp4"),
            (b"/vid\xe9o.mp4", "/vid%E9o.mp4"),
            (b"/a b.mp4", "/a%20b.mp4"),
            (b"/y.mp4 \t", "/y.mp4"),
            (b"y.mp4?a=%2F#part", "/x/y.mp4?a=%2F"),
            (b"//h.example/y.mp4", "/y.mp4"),
            (b"https://h.example", "/"),
        ],
    )
    def test_the_headers_bytes_are_encoded_once(self, location: bytes, target: str) -> None:
        url = redirect_url("https://h.example/x/o.mp4", location.decode("latin-1"))
        assert resolve(url, FetchPolicy(), lambda _name, _port: ["8.8.8.8"]).target == target

    def test_a_name_in_other_letters_is_the_same_name(self) -> None:
        url = redirect_url("https://h.example/", "https://b\u00fccher.example/".encode().decode("latin-1"))
        assert resolve(url, FetchPolicy(), lambda _name, _port: ["8.8.8.8"]).name == "xn--bcher-kva.example"

    def test_on_the_wire_it_is_the_same(self, host: MediaHost) -> None:
        host.answers("/away", Answer(302, {"Location": f"/vid\u00e9o/{CLIP} \t", "Content-Length": "0"}))
        with closing(get(host.url("/away"), FetchPolicy(private=frozenset({"127.0.0.1"})), Network())):
            assert host.requests[-1].path == f"/vid%C3%A9o/{CLIP}"

    def test_a_switch_of_protocols_is_no_medium(self, host: MediaHost) -> None:
        host.answers("/switch", Answer(101, {"Content-Length": "0"}))
        with pytest.raises(HostFailed, match="the host answered 101"):
            get(host.url("/switch"), FetchPolicy(private=frozenset({"127.0.0.1"})), Network())

    def test_two_lengths_and_an_unknown_transfer_coding_are_none(self, host: MediaHost) -> None:
        for name, value in (("content-length", "7"), ("Transfer-Encoding", "gzip, chunked")):
            host.answers("/two", Answer(200, {"Content-Length": "5", name: value}, b"12345"))
            with pytest.raises((HostFailed, LinkDead), match="malformed"):
                get(host.url("/two"), FetchPolicy(private=frozenset({"127.0.0.1"})), Network())


class TestHostsWithPaths:
    ONLY = allowed_hosts(" S3.Example/Bucket/videos/ , cdn.example,")

    def allowed(self, url: str) -> bool:
        try:
            resolve(url, FetchPolicy(only=self.ONLY), lambda _name, _port: ["8.8.8.8"])
        except MediumRefused as refused:
            return "not among the hosts" not in refused.reason
        return True

    @pytest.mark.parametrize(
        "url", ["https://s3.example/Bucket/videos/o.mp4?a=1", "https://a.cdn.example/x", " https://cdn.example/x "]
    )
    def test_urls_below_the_path_are_allowed(self, url: str) -> None:
        assert self.allowed(url)

    @pytest.mark.parametrize(
        "path",
        [
            *("/Bucket/videos", "/Bucket/videos2/o.mp4", "/bucket/videos/o.mp4", "/Bucket/", "//Bucket/videos/o", ""),
            *("/Bucket/videos/../o", "/Bucket/videos/%2e%2E/o", "/Bucket/videos/%252e%252e/o", "/Bucket/videos/..%2fo"),
            *("/Bucket/videos/..\\o", "/Bucket/videos/..%5co", "/Bucket/videos/./o", "/Bucket/videos/..;/o"),
        ],
    )
    def test_others_on_the_host_are_not(self, path: str) -> None:
        assert not self.allowed(f"https://s3.example{path}")

    def test_its_subdomains_are_not_allowed(self) -> None:
        assert not self.allowed("https://x.s3.example/Bucket/videos/o.mp4")

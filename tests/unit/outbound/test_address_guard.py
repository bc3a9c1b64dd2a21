"""Which addresses are public, and where a link leads."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.errors import HostFailed, MediumRefused, TransferError
from dailies.outbound.address_guard import FetchPolicy, PinnedUrl, is_public, redirect_url, resolve
from testkit.support.hostile_urls import NOT_PUBLIC, PUBLIC


def public(_name: str, _port: int) -> Sequence[str]:
    return ["8.8.8.8"]


class TestIsPublic:
    @pytest.mark.parametrize("address", PUBLIC)
    def test_those_of_the_public_internet_are(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize("address", NOT_PUBLIC)
    def test_private_shared_special_and_wrapped_ones_are_not(self, address: str) -> None:
        assert not is_public(address)

    @given(st.ip_addresses(v=4))
    def test_an_ipv4_address_is_the_same_wrapped_in_ipv6(self, address: object) -> None:
        """IPv4-mapped and NAT64, as a resolver or a link may write it."""
        for wrapped in (f"::ffff:{address}", f"64:ff9b::{address}"):
            assert is_public(wrapped) == is_public(str(address))


class TestPlace:
    @pytest.mark.parametrize(
        "link", ["https://h.example/\udcbc", "https://h.e\0e/", "https://h.e\x7fe/", "https://h e/"]
    )
    def test_what_is_no_text_and_no_name_is_refused(self, link: str) -> None:
        """Found by fuzzing: the first raised an unexpected exception, the others were sent to a resolver."""
        with pytest.raises(MediumRefused):
            resolve(link, FetchPolicy(), public)

    def test_it_is_the_checked_address_with_the_name_kept_for_tls(self) -> None:
        assert resolve(
            "https://Media.Example./a b/o.mp4?X-Amz-Signature=a%2Fb+c&d=é#part", FetchPolicy(), public
        ) == PinnedUrl(
            url="https://Media.Example./a b/o.mp4?X-Amz-Signature=a%2Fb+c&d=é#part",
            name="media.example",
            address="8.8.8.8",
            port=443,
            tls=True,
            host="media.example",
            target="/a%20b/o.mp4?X-Amz-Signature=a%2Fb+c&d=%C3%A9",
        )

    def test_a_private_host_may_have_another_port_and_no_tls(self) -> None:
        ways = FetchPolicy(private=frozenset({"127.0.0.1", "::1"}))
        found = resolve("http://127.0.0.1:8080", ways, lambda _name, _port: ["127.0.0.1"])
        assert (found.port, found.tls, found.host, found.target) == (8080, False, "127.0.0.1:8080", "/")
        found = resolve("http://[::1]:8080/x", ways, lambda _name, _port: ["::1"])
        assert (found.name, found.host) == ("::1", "[::1]:8080")

    @given(url=st.text() | st.text().map("https://{}".format) | st.text().map("https://h.example/{}".format))
    def test_no_text_is_too_odd(self, url: str) -> None:
        """It is a place on the public internet, or is rejected."""
        try:
            found = resolve(url, FetchPolicy(), public)
        except (MediumRefused, HostFailed):
            return
        assert found.tls
        assert found.port == 443
        assert found.target.isascii()
        assert found.target.isprintable()
        assert " " not in found.target

    @given(url=st.text(), location=st.text())
    def test_no_redirect_is_too_odd(self, url: str, location: str) -> None:
        try:
            link = redirect_url("https://h.example/" + url, location)
        except TransferError:
            return
        assert link.startswith("https:")

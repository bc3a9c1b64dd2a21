"""What a link shows: its medium, its host, its expiry."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies import timestamps
from dailies.jobs import links

ANY = st.text(st.characters(exclude_categories=()))


class TestMediaId:
    def test_it_is_of_the_link_without_its_query(self) -> None:
        """The contract's: 8 hex digits of SHA-256."""
        expected = sha256(b"https://h.example/o.mp4").hexdigest()[:8]
        for link in ("https://h.example/o.mp4", "https://h.example/o.mp4?a=1", "https://h.example/o.mp4?b=2&c=?"):
            assert links.media_id(link) == expected
        assert links.media_id("https://h.example/p.mp4") != expected


class TestHost:
    @pytest.mark.parametrize(
        ("link", "host"),
        [
            ("https://H.Example/o.mp4?a=1", "h.example"),
            ("https://user:secret@h.example:8443/o.mp4", "h.example"),
            ("https://[::1]:443/", "::1"),
            ("no link", ""),
            ("https://", ""),
            ("https://[::1", ""),
        ],
    )
    def test_it_is_the_name_alone(self, link: str, host: str) -> None:
        assert links.host(link) == host


class TestUnsigned:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("GET https://h.example/o.mp4?X-Amz-Signature=0 failed", "GET https://h.example/o.mp4 failed"),
            ("https://h.example/o#token", "https://h.example/o"),
            ("HTTP://h.example?a http://i.example?b", "HTTP://h.example http://i.example"),
            ("why? because #1", "why? because #1"),
            ("https://h.example/o.mp4", "https://h.example/o.mp4"),
        ],
    )
    def test_links_lose_what_makes_them_keys(self, text: str, expected: str) -> None:
        assert links.unsigned(text) == expected

    @given(text=ANY)
    def test_twice_is_once(self, text: str) -> None:
        assert links.unsigned(links.unsigned(text)) == links.unsigned(text)


class TestExpiresAt:
    @pytest.mark.parametrize(
        ("query", "at"),
        [
            ("X-Amz-Date=20260115T103000Z&X-Amz-Expires=3600&X-Amz-Signature=0", "2026-01-15T11:30:00.000000Z"),
            ("X-Goog-Date=20241130T170902Z&X-Goog-Expires=543058", "2024-12-07T00:00:00.000000Z"),
            ("x-amz-date=20260115T103000Z&x-amz-expires=0", "2026-01-15T10:30:00.000000Z"),
            ("Expires=1768473000&Signature=0&Key-Pair-Id=k", "2026-01-15T10:30:00.000000Z"),
            ("se=2026-01-15T10%3A30%3A00Z&sig=0", "2026-01-15T10:30:00.000000Z"),
            ("exp=1768473000", "2026-01-15T10:30:00.000000Z"),
            ("exp=1768473000000", "2026-01-15T10:30:00.000000Z"),
            ("", None),
            ("token=00000000-0000-4000-8000-000000000000", None),
            ("X-Amz-Date=20260115T103000Z", None),
            ("X-Amz-Date=yesterday&X-Amz-Expires=60", None),
            ("X-Amz-Date=20260115T103000Z&X-Amz-Expires=" + "9" * 20, None),
            ("Expires=soon", None),
            ("Expires=" + "9" * 5000, None),
            ("&" * 200, None),
        ],
    )
    def test_it_is_read_as_the_usual_signers_write_it(self, query: str, at: str | None) -> None:
        assert links.expires_at(f"https://h.example/o.mp4?{query}") == at


@given(link=ANY | ANY.map("https://h.example/?Expires={}".format) | ANY.map("https://{}".format))
def test_no_link_is_too_odd(link: str) -> None:
    assert len(links.media_id(link)) == 8
    assert "?" not in links.host(link)
    at = links.expires_at(link)
    assert at is None or timestamps.parse(at) == at

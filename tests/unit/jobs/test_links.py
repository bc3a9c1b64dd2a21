"""What a link shows: its medium, its host, its expiry."""

import json
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from botocore.signers import CloudFrontSigner
from hypothesis import given
from hypothesis import strategies as st

from dailies import timestamps
from dailies.jobs import link_expiry, links

AT = "2026-01-15T10:30:00.000000Z"
UNIX = 1768473000  # the same
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
        assert link_expiry.expires_at(f"https://h.example/o.mp4?{query}") == at


def packed(claims: object) -> str:
    return urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


class TestDialects:
    @pytest.mark.parametrize(
        "query",
        [
            "x-oss-date=20260115T093000Z&x-oss-expires=3600&x-oss-signature=0",
            "X-Tos-Date=20260115T093000Z&X-Tos-Expires=3600",
            f"Expires={UNIX}&OSSAccessKeyId=k&Signature=0",
            f"Expires={UNIX}&KeyName=k&Signature=0",
            f"expires_at={UNIX}",
            f"token_exp={UNIX}",
            f"x-expires={UNIX}",
            f"e={UNIX}&token=k:0",
            "se=2026-01-15T10%3A30Z&sig=0",
            "expires=2026-01-15T11%3A30%3A00%2B01%3A00",
            f"hdnea=st=1768470000~exp={UNIX}~acl=/*~hmac=00112233",
            f"hdnts=exp%3D{UNIX}%7Eacl%3D%2F%2A%7Ehmac%3D00112233",
            f"auth_key={UNIX}-0-0-0123456789abcdef0123456789abcdef",
            f"verify={UNIX}-0123456789abcdef0123456789abcdef",
            f"token={UNIX}_0123456789abcdef0123456789abcdef",
            f"q-sign-algorithm=sha1&q-sign-time=1768470000;{UNIX}&q-signature=0",
            f"txSecret=0123&txTime={UNIX:x}",
            f"wsSecret=0123&wsABSTime={UNIX:X}",
            f"token={packed({'alg': 'HS256'})}.{packed({'exp': UNIX, 'sub': 'o'})}.c2ln",
        ],
    )
    def test_other_signers_are_read_by_their_shape(self, query: str) -> None:
        assert link_expiry.expires_at(f"https://h.example/o.mp4?{query}", "2026-01-15T09:00:00.000000Z") == AT

    def test_a_path_may_hold_it(self) -> None:
        assert link_expiry.expires_at(f"https://h.example/exp={UNIX}~acl=%2f*~hmac=00/o.mp4") == AT

    def test_of_cloudfronts_policy_as_its_signer_makes_it(self) -> None:
        signer = CloudFrontSigner("K1", lambda message: b"signature of " + message[:9])
        ends = datetime.fromtimestamp(UNIX, UTC)
        policy = signer.build_policy("https://d1.cloudfront.net/*", ends, date_greater_than=ends)
        for options in ({"date_less_than": ends}, {"policy": policy}):
            link = signer.generate_presigned_url("https://d1.cloudfront.net/o.mp4?a=1", **options)
            assert link_expiry.expires_at(link) == AT

    def test_the_policys_end_is_no_other_of_its_times(self) -> None:
        policy = {"Statement": [{"Condition": {"DateLessThan": {"AWS:EpochTime": UNIX},
                  "DateGreaterThan": {"AWS:EpochTime": UNIX - 600}}}]}  # fmt: skip
        text = b64encode(json.dumps(policy, indent=1).encode()).decode().translate(str.maketrans("+=/", "-_~"))
        assert (
            link_expiry.expires_at(f"https://h.example/?Policy={text}&Signature=0", "2026-01-15T10:00:00.000000Z") == AT
        )

    @pytest.mark.parametrize(
        "query",
        [
            *("Expires=3600", "exp=60", "expires=0", f"Expires={UNIX}", f"exp={UNIX}000"),
            *(f"auth_key={UNIX}-0-0-0123456789abcdef0123456789abcdef", f"v={UNIX}", "id=1799999999", "e=1", "se=1"),
            *("X-Amz-Date=20260115T103000Z&X-Amz-Expires=0", "Policy=eyJ!!", "token=a.b.c", "token=eyJ.eyJ.eyJ"),
        ],
    )
    def test_a_duration_or_a_past_time_says_nothing(self, query: str) -> None:
        assert link_expiry.expires_at(f"https://h.example/o.mp4?{query}", "2026-01-15T11:00:00.000000Z") is None


@given(link=ANY | ANY.map("https://h.example/?Expires={}".format) | ANY.map("https://{}".format))
def test_no_link_is_too_odd(link: str) -> None:
    assert len(links.media_id(link)) == 8
    assert "?" not in links.host(link)
    at = link_expiry.expires_at(link)
    assert at is None or timestamps.parse(at) == at

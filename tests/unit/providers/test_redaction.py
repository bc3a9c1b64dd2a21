"""The verifying secret is removed from a delivery before anything is stored, in every spelling."""

import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from dailies.providers.signatures import redacted

# Characters that a path may have unescaped; the stack's own tokens are letters and digits.
TOKENS = st.text("abcdefXYZ0189-._~!$&'()*+,;=:@", min_size=16, max_size=60)


@st.composite
def spelled(draw: st.DrawFn, token: str) -> str:
    """Each letter as itself, as JSON's escape or as a URL's, its digits in either case."""
    ways = draw(st.lists(st.sampled_from(["%c", "\\u%04x", "\\u%04X", "%%%02x", "%%%02X"]), min_size=1, max_size=9))
    pairs = ((letter, ways[number % len(ways)]) for number, letter in enumerate(token))
    return "".join(way % (letter if way == "%c" else ord(letter)) for letter, way in pairs)


@given(token=TOKENS, data=st.data())
def test_no_spelling_of_the_token_survives(token: str, data: st.DataObject) -> None:
    before, after = b'{"webhook_url":"https://r.example/', b'/" , "id":"j"}'
    payload = before + data.draw(spelled(token)).encode() + after
    assert redacted(payload, {"current": token}) == before + b"[redacted]" + after


@given(token=TOKENS)
def test_json_and_urls_as_programs_write_them_are_known(token: str) -> None:
    url = f"https://r.example/{token}"
    percent = "".join(f"%{byte:02X}" for byte in url.encode())
    for text in (json.dumps({"u": url}), json.dumps({"u": url}).replace("/", "\\/"), json.dumps({"u": percent})):
        kept = redacted(text.encode(), {"current": token})
        assert kept.endswith(b'[redacted]"}')
        assert token.encode() not in kept


def test_a_letter_beyond_ascii_has_an_escape_for_each_of_its_bytes() -> None:
    token = "schlüssel-0123456"
    for written in ("schlüssel-0123456", "schl\\u00fcssel-0123456", "schl%C3%BCssel-0123456"):
        assert redacted(f'"{written}"'.encode(), {"current": token}) == b'"[redacted]"'


def test_each_version_is_redacted_wherever_it_stands() -> None:
    secrets = {"current": "AAAAAAAAAAAAAAAA", "previous": "BBBBBBBBBBBBBBBB"}
    payload = b'{"a":"AAAAAAAAAAAAAAAA","BBBBBBBBBBBBBBBB":["AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB"]}'
    assert redacted(payload, secrets) == b'{"a":"[redacted]","[redacted]":["[redacted][redacted]"]}'


@given(payload=st.binary())
def test_all_else_stays_as_it_came(payload: bytes) -> None:
    assert redacted(payload, {"current": sha256(payload).hexdigest()}) == payload

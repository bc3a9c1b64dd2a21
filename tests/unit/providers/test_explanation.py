"""A failure's code and text, in any JSON that a provider or its framework uses."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.jobs.models import MAX_MESSAGE
from dailies.providers.explanation import explained, first_of
from dailies.providers.sync import RETRYABLE, parse_generation


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ("Script violates policy", "", "Script violates policy"),
        ({"code": "moderation", "message": "Script violates policy"}, "moderation", "Script violates policy"),
        ({"error": {"type": "moderation", "detail": "no"}}, "moderation", "no"),
        ([{"loc": ["body", "text"], "msg": "too long", "type": "value_error"}], "value_error", "too long"),
        ([{"msg": "too long"}, {"msg": "no face"}, {"msg": "no face"}], "", "too long; no face"),
        (["too long", "no face"], "", "too long; no face"),
        ({"status": 422, "errors": {"script": "too long"}}, "422", '{"status": 422, "errors": {"script": "too long"}}'),
        ({"script": ["too long"]}, "", '{"script": ["too long"]}'),
        ({"code": "moderation"}, "moderation", ""),
        ({"code": {"a": 1}, "message": "no"}, "", "no"),
        (17, "", "17"),
        (True, "", ""),
        (None, "", ""),
        ({}, "", ""),
        ([], "", ""),
    ],
)
def test_code_and_message_are_taken_out(value: object, code: str, message: str) -> None:
    assert explained(value) == (code, message)


def test_the_first_field_with_a_message_is_given() -> None:
    assert first_of(None, explained(None), explained("one"), explained({"code": "c", "message": "two"})) == ("c", "one")


def test_a_structured_error_is_retryable_only_by_a_code_that_is_known() -> None:
    known = min(RETRYABLE)
    for code, retryable in ((known, True), ("moderation", False)):
        body = {"id": "g", "status": "FAILED", "error": {"code": code, "message": "why"}}
        error = parse_generation(json.dumps(body).encode()).error
        assert error is not None
        assert (error.code, error.message, error.retryable) == (code, "why", retryable)


def test_a_long_object_is_cut_to_length() -> None:
    error = parse_generation(json.dumps({"id": "g", "status": "FAILED", "error": {"a": "x" * 9000}}).encode()).error
    assert error is not None
    assert len(error.message) == MAX_MESSAGE


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["code", "message", "error", "x"]), inner),
    )
)
def test_any_json_gives_two_texts(value: object) -> None:
    assert all(isinstance(text, str) for text in explained(value))

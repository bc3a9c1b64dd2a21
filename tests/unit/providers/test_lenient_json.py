"""A bad value in a field that is not needed never costs the job or its link."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.errors import PayloadError
from dailies.jobs.models import MediaLink, Report
from dailies.providers.captions import parse_creator
from dailies.providers.creatify import parse_product_to_video, read_product_to_videos
from dailies.providers.lenient_json import MAX_DEPTH, MAX_DIGITS, repaired
from dailies.providers.sync import parse_generation, read_result

URL = "https://h.example/x.mp4"
CREATOR = b'{"event":"creator.success","operationId":"o","url":"https://h.example/x.mp4","script":%s}'
REPORT = Report(job_id="o", status="completed", provider_status="creator.success", media=(MediaLink("output", URL),))


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(rb'"hi \ud83d"', id="the first half of an emoji"),
        pytest.param(rb'"\ude00 hi"', id="the second half"),
        pytest.param(rb'"\ude00\ud83d"', id="both halves, in the wrong order"),
        pytest.param(b'"hi \xf0\x9f\x98"', id="UTF-8 cut in a character"),
        pytest.param(b'"caf\xe9"', id="Latin-1"),
        pytest.param(b'"a\nb\tc\x00"', id="unescaped control characters"),
        pytest.param(b"[" * 300 + b"]" * 300, id="deep lists"),
        pytest.param(b'{"a":' * 300 + b"1" + b"}" * 300, id="deep objects"),
        pytest.param(b"1" * 5000, id="an endless integer"),
        pytest.param(rb'{"\ud83d":1}', id="half an emoji in a name"),
        pytest.param(b"NaN", id="not a number"),
    ],
)
def test_a_broken_free_text_costs_neither_job_nor_link(script: bytes) -> None:
    assert parse_creator(CREATOR % script) == REPORT


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_read_over(encoding: str) -> None:
    assert parse_creator((CREATOR % b'"hi"').decode().encode(encoding)) == REPORT


@pytest.mark.parametrize("blanks", [" ", "\n", "\t \r\n"])
def test_blanks_around_what_is_needed_are_no_part_of_it(blanks: str) -> None:
    fields = {"event": "creator.success", "operationId": "o", "url": URL}
    around = {name: f"{blanks}{value}{blanks}" for name, value in fields.items()}
    assert parse_creator(json.dumps(around).encode()) == REPORT


def test_a_prompt_of_creatify_may_be_cut_in_an_emoji() -> None:
    body = rb'{"id":"j","status":"video_generated","video_prompt":"\ud83d","generated_video_url":"https://h.example/x.mp4"}'
    report = parse_product_to_video(body)
    assert (report.job_id, report.media) == ("j", (MediaLink("video", URL),))
    assert [listed.report for listed in read_product_to_videos(b"[%s]" % body)] == [report]


def test_a_row_of_a_batch_may_be_cut_in_an_emoji() -> None:
    row = rb'{"generationId":"g","status":"FAILED","error":"\ud83d"}'
    (report,) = read_result(iter([row]), "b")
    assert report.job_id == "g"
    assert report.error is not None
    assert report.error.message == "\ufffd"


def test_a_job_with_a_broken_id_is_not_reported() -> None:
    with pytest.raises(PayloadError, match="id"):
        parse_generation(rb'{"id":"o\ud83d","status":"COMPLETED"}')


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"a":1} x', b"\xff\xfe{", b"text"])
def test_what_is_no_json_stays_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        repaired(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_sound_json_keeps_its_value(value: object) -> None:
    assert json.loads(repaired(json.dumps(value).encode())) == value


def test_only_what_is_beyond_the_limits_becomes_null() -> None:
    inside = "[" * (MAX_DEPTH - 1) + "1" * MAX_DIGITS + "]" * (MAX_DEPTH - 1)
    assert json.loads(repaired(inside.encode())) == json.loads(inside)
    assert json.loads(repaired(b"[1%s]" % (b"1" * MAX_DIGITS))) == [None]

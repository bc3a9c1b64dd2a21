"""Rows that go to DynamoDB and back equal those of boto3's own serializer."""

from decimal import Decimal

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from dailies.aws.attribute_values import plain, typed

NUMBERS = st.integers(-(10**30), 10**30) | st.decimals(-(10**9), 10**9, places=3)
LEAVES = st.text(max_size=5) | st.booleans() | NUMBERS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
ROWS = st.dictionaries(st.text(min_size=1, max_size=4), VALUES, max_size=5)


@given(row=ROWS)
def test_they_are_written_as_boto3_writes_them(row: dict[str, object]) -> None:
    write = TypeSerializer().serialize
    assert typed(row) == {name: write(value) for name, value in row.items()}


@given(row=ROWS)
def test_they_are_read_as_boto3_reads_them(row: dict[str, object]) -> None:
    write, read = TypeSerializer().serialize, TypeDeserializer().deserialize
    stored = {name: write(value) for name, value in row.items()}
    assert plain(stored) == {name: read(value) for name, value in stored.items()}


def test_bytes_are_written_and_left_out_where_rows_are_read() -> None:
    assert typed({"payload": b"\x1f\x8b"}) == {"payload": {"B": b"\x1f\x8b"}}
    assert plain({"payload": {"B": b"\x1f\x8b"}, "n": {"N": "1"}}) == {"n": Decimal(1)}


@pytest.mark.parametrize("value", [1.5, {1}, object(), None])
def test_what_no_row_of_ours_has_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="a row cannot store a value of type"):
        typed({"x": value})

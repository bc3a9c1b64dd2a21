"""API Gateway's event becomes the delivery that was sent: its exact bytes, headers and token."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.aws import http_api
from dailies.errors import DeliveryTooLarge, VerificationError
from dailies.jobs.models import Delivery
from dailies.providers import sync
from dailies.providers.contract import ProofRules
from testkit.support.recorded_events import RECORDED_AT, event, secret

LIMIT = 1024


def delivery(limit: int = LIMIT, **fields: Any) -> Delivery:
    return http_api.delivery({"version": "2.0", **fields}, received_at=RECORDED_AT, limit=limit)


class TestBody:
    @given(body=st.binary(max_size=LIMIT))
    def test_base64_is_undone(self, body: bytes) -> None:
        """A body that is not text is in base64; the signature covers the original bytes."""
        assert delivery(body=base64.b64encode(body).decode(), isBase64Encoded=True).body == body

    @given(body=st.text(max_size=LIMIT // 4))
    def test_text_is_its_utf_8(self, body: str) -> None:
        assert delivery(body=body, isBase64Encoded=False).body == body.encode()

    @pytest.mark.parametrize("fields", [{}, {"body": None}, {"body": "", "isBase64Encoded": True}])
    def test_no_body_is_an_empty_one(self, fields: dict[str, Any]) -> None:
        assert delivery(**fields).body == b""

    @pytest.mark.parametrize("body", ["=", "abc", "a b=", "{}", "é", "\ud800", "YWJj\n"])
    def test_invalid_base64_cannot_be_verified(self, body: str) -> None:
        """API Gateway does not send it. If it did, the response is 401 for a stranger, not our 5xx."""
        with pytest.raises(VerificationError):
            delivery(body=body, isBase64Encoded=True)

    def test_text_that_has_no_bytes_cannot_be_verified(self) -> None:
        with pytest.raises(VerificationError):
            delivery(body='{"id":"\ud800"}', isBase64Encoded=False)


class TestSize:
    """The limit counts the bytes that were sent, and none below it is rejected."""

    @pytest.mark.parametrize("limit", range(1024, 1028))
    def test_the_limit_itself_passes_and_one_byte_more_does_not(self, limit: int) -> None:
        for size, fits in ((limit, True), (limit + 1, False)):
            sent = b"x" * size
            for fields in (
                {"body": sent.decode(), "isBase64Encoded": False},
                {"body": base64.b64encode(sent).decode(), "isBase64Encoded": True},
            ):
                if fits:
                    assert len(delivery(limit, **fields).body) == limit
                else:
                    with pytest.raises(DeliveryTooLarge):
                        delivery(limit, **fields)

    def test_letters_beyond_ascii_count_as_their_bytes(self) -> None:
        assert len(delivery(body="é" * 512, isBase64Encoded=False).body) == LIMIT
        with pytest.raises(DeliveryTooLarge):
            delivery(body="é" * 513, isBase64Encoded=False)


class TestHeaders:
    """Names have any case; API Gateway joins repeated headers with a comma."""

    RECORDED = event("sync_generation/completed")
    SIGNATURE = RECORDED["headers"]["sync-signature"]

    def verify(self, headers: dict[str, str]) -> str:
        sent = delivery(limit=2**20, **{**self.RECORDED, "headers": headers})
        return sync.verify(sent, {"current": secret("sync")}, ProofRules()).scheme

    @pytest.mark.parametrize("name", ["Sync-Signature", "sync-signature", "SYNC-SIGNATURE"])
    def test_a_headers_name_may_be_in_any_case(self, name: str) -> None:
        assert self.verify({name: self.SIGNATURE}) == "sync-signature t,v1"

    @pytest.mark.parametrize("second", [SIGNATURE, f"t=1,v1={'0' * 64}", SIGNATURE[:20], ""])
    def test_a_repeated_header_verifies_nothing(self, second: str) -> None:
        for joined in (f"{self.SIGNATURE}, t={second}", f"t={second}, {self.SIGNATURE}"):
            with pytest.raises(VerificationError):
                self.verify({"Sync-Signature": joined})

    @pytest.mark.parametrize("fields", [{}, {"headers": None}, {"pathParameters": None}, {"pathParameters": {}}])
    def test_none_of_them_is_no_header_and_no_token(self, fields: dict[str, Any]) -> None:
        sent = delivery(**fields)
        assert (sent.headers, sent.token) == ({}, "")

    def test_the_token_is_the_paths(self) -> None:
        assert delivery(pathParameters={"token": "t-0"}).token == "t-0"


def test_a_delivery_that_is_printed_shows_no_secret() -> None:
    sent = delivery(headers={"authorization": "Bearer s"}, pathParameters={"token": "t-0"}, body="whsec_s")
    assert repr(sent) == f"Delivery(received_at='{RECORDED_AT}')"

"""A delivery's bytes alone authenticate its sender; anything else raises VerificationError and no other exception.

The literal signatures were computed with `openssl dgst -sha256 -hmac`. Those made while a test runs come from the
simulated providers, which share no code with the bundle.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dailies import timestamps
from dailies.errors import StaleSignature, VerificationError
from dailies.jobs.models import Delivery, Proof
from dailies.providers import captions, creatify, sync
from dailies.providers.contract import ProofRules
from dailies.providers.signatures import MAX_SIGNATURES
from simulators.provider_calls.sync import sync_proofs
from testkit.support.recorded_events import WEBHOOKS

SECRET = "whsec_test_0123456789"
SECRETS = {"current": SECRET}
SIGNED_AT = 1705314600  # 2024-01-15T10:30:00Z

# Sync's own example of a batch's body.
BODY = (
    b'{"id":"batch_abc123","status":"COMPLETED","metrics":{"totalGenerations":5,"successCount":4,"failedCount":1,'
    b'"pendingCount":0},"outputUrl":"https://api.sync.so/v2/batches/batch_abc123/result","webhookUrl":'
    b'"https://your-webhook-url.com/batch-webhook","createdAt":"2024-01-15T10:30:00Z","options":{}}'
)
V1 = "46bc2b46479e130482b9f1468533f41d4b963257f394b810fd8fa51a4b9bbd9e"
V1_OF_MILLISECONDS = "6951dc6a290341e3ba32cb6e9e56d68f4358b4fffcb967f1208013c37682497a"
V1_OF_AN_EMPTY_BODY = "400b368b0e9204092e7c53affda7be1fad256c5c2d7ac20e377c421ccab3fcdf"
V1_WITH_NEXT_SECRET = "8a7e65f4090e85a5bb17646b95515109cccf997a8e5d04d0a9caa923ff9c67b7"
HEX = "06ec43427fabb34e81988f170517ac6c4f06b59c9189be8075bf59b16099d7d2"
BASE64 = "BuxDQn+rs06BmI8XBResbE8GtZyRib6Adb9ZsWCZ19I="
STAMPED = f"t={SIGNED_AT},v1={V1}"
OTHER = "0" * 64


def call(headers: Mapping[str, str], body: bytes = BODY, *, after: float = 0, token: str = "") -> Delivery:
    """A delivery, received `after` seconds after it was signed."""
    return Delivery(headers=headers, body=body, token=token, received_at=at(after))


def at(after: float) -> timestamps.Timestamp:
    return timestamps.from_datetime(datetime.fromtimestamp(SIGNED_AT, UTC) + timedelta(seconds=after))


def sync_proof(delivery: Delivery, secrets: Mapping[str, str] = SECRETS, **rules: bool | float) -> Proof:
    return sync.verify(delivery, secrets, ProofRules(**rules))  # type: ignore[arg-type]


class TestSyncSignature:
    """`Sync-Signature: t=<time>,v1=<hex>` over the time, a dot and the raw body."""

    @pytest.mark.parametrize(
        "header",
        [
            STAMPED,
            f"v1={V1},t={SIGNED_AT}",
            f" t={SIGNED_AT} , v1={V1} ",
            f"t={SIGNED_AT},v1={OTHER},v1={V1}",
            f"t={SIGNED_AT},v1={V1},v1={OTHER}",
            f"t={SIGNED_AT},v0={OTHER},v1={V1},something",
            f"t={SIGNED_AT},v1={V1.upper()}",
        ],
        ids=["as documented", "other order", "spaces", "second v1", "first v1", "unknown keys", "upper-case hex"],
    )
    def test_it_holds_in_any_order_and_among_other_signatures(self, header: str) -> None:
        assert sync_proof(call({"sync-signature": header})) == Proof("sync-signature t,v1", "current")

    def test_a_time_in_milliseconds_is_understood(self) -> None:
        header = f"t={SIGNED_AT}000,v1={V1_OF_MILLISECONDS}"
        assert sync_proof(call({"sync-signature": header})).secret
        with pytest.raises(StaleSignature):
            sync_proof(call({"sync-signature": header}, after=300.001))

    @pytest.mark.parametrize("after", [-300, -299.999999, 0, 299.999999, 300])
    def test_the_window_reaches_both_ways_up_to_its_edges(self, after: float) -> None:
        assert sync_proof(call({"sync-signature": STAMPED}, after=after)).secret

    @pytest.mark.parametrize("after", [-86_400 / 4, -300.000001, 300.000001, 86_400 / 4])
    def test_a_stale_timestamp_is_a_replay_even_beside_a_valid_bare_signature(self, after: float) -> None:
        with pytest.raises(StaleSignature):
            sync_proof(call({"sync-signature": STAMPED, "x-signature-primary": HEX}, after=after))

    def test_the_window_is_the_owners_to_choose(self) -> None:
        assert sync_proof(call({"sync-signature": STAMPED}, after=3000), tolerance=3000).secret
        with pytest.raises(StaleSignature):
            sync_proof(call({"sync-signature": STAMPED}, after=2), tolerance=1)

    def test_an_empty_body_is_signed_like_any_other(self) -> None:
        assert sync_proof(call({"sync-signature": f"t={SIGNED_AT},v1={V1_OF_AN_EMPTY_BODY}"}, b"")).secret

    def test_it_covers_the_raw_bytes_and_not_reserialized_json(self) -> None:
        v1 = "c84200ce85844ab1991c8c3d5197f1ba7692d7ebeba0e64755f4ec468286cdbf"  # of {"prompt":"café"} in UTF-8
        headers = {"sync-signature": f"t={SIGNED_AT},v1={v1}"}
        assert sync_proof(call(headers, '{"prompt":"café"}'.encode())).secret
        for same_json in (b'{"prompt":"caf\\u00e9"}', '{"prompt": "café"}'.encode()):
            with pytest.raises(VerificationError):
                sync_proof(call(headers, same_json))

    @pytest.mark.parametrize(
        "header",
        [
            "",
            ",",
            "=",
            V1,
            f"v1={V1}",
            f"t={SIGNED_AT}",
            f"t=,v1={V1}",
            f"t={SIGNED_AT},v1=",
            f"t={SIGNED_AT};v1={V1}",
            f"t=-{SIGNED_AT},v1={V1}",
            f"t={SIGNED_AT}.0,v1={V1}",
            f"t=+{SIGNED_AT},v1={V1}",
            f"t={'9' * 17},v1={V1}",
            f"t=١٧٠٥٣١٤٦٠٠,v1={V1}",
            f"t={SIGNED_AT},t={SIGNED_AT},v1={V1}",
            f"T={SIGNED_AT},V1={V1}",
            f"t={SIGNED_AT},v1={V1[:-1]}",
            f"t={SIGNED_AT},v1={V1}00",
            f"t={SIGNED_AT},v1={V1[:-1]}é",
            f"t={SIGNED_AT},v1={BASE64}",
            f"t={SIGNED_AT + 1},v1={V1}",
            f"t={SIGNED_AT},v2={V1}",
            f"t={SIGNED_AT}," + ",".join([f"v1={OTHER}"] * MAX_SIGNATURES + [f"v1={V1}"]),
            f"{STAMPED}, {STAMPED}",
            f"Bearer {SECRET}",
            SECRET,
            "\x00\ud800\uffff",
        ],
    )
    def test_a_malformed_header_verifies_nothing(self, header: str) -> None:
        with pytest.raises(VerificationError) as refusal:
            sync_proof(call({"sync-signature": header}))
        assert SECRET not in str(refusal.value)


class TestSignaturePrimary:
    """`X-Signature-Primary`, whose form Sync does not document."""

    @pytest.mark.parametrize(
        ("header", "scheme"),
        [(STAMPED, "t,v1"), (HEX, "hex"), (HEX.upper(), "hex"), (f"sha256={HEX}", "hex"), (BASE64, "base64")],
    )
    def test_each_form_is_accepted_and_reported(self, header: str, scheme: str) -> None:
        assert sync_proof(call({"x-signature-primary": header})) == Proof(f"x-signature-primary {scheme}", "current")

    def test_in_the_timed_form_it_has_the_same_window(self) -> None:
        with pytest.raises(StaleSignature):
            sync_proof(call({"x-signature-primary": STAMPED}, after=301))

    def test_without_a_time_it_can_be_switched_off(self) -> None:
        for header in (HEX, f"sha256={HEX}", BASE64):
            with pytest.raises(VerificationError):
                sync_proof(call({"x-signature-primary": header}), accept_bare_sync_signature=False)
        assert sync_proof(call({"x-signature-primary": STAMPED}), accept_bare_sync_signature=False).secret

    def test_it_holds_where_the_other_header_has_silently_changed(self) -> None:
        headers = {"sync-signature": f"v9={OTHER}", "x-signature-primary": HEX}
        assert sync_proof(call(headers)).scheme == "x-signature-primary hex"

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "sha256=",
            f"sha1={HEX}",
            f"SHA256={HEX}",
            f"sha256=sha256={HEX}",
            HEX[:-2],
            f"{HEX}00",
            f" {HEX}",
            f"{HEX}, {HEX}",
            BASE64.rstrip("="),
            f"{BASE64[:9]}\n{BASE64[9:]}",
            BASE64[:-4],
            f"{HEX[:-1]}é",
            f"sha256={BASE64}",
            f"Bearer {SECRET}",
            V1,
        ],
    )
    def test_anything_else_verifies_nothing(self, header: str) -> None:
        with pytest.raises(VerificationError):
            sync_proof(call({"x-signature-primary": header}))


class TestBearer:
    """`Authorization: Bearer <secret>`."""

    def proof(self, header: str) -> Proof:
        return captions.verify(call({"authorization": header}), SECRETS, ProofRules())

    @pytest.mark.parametrize("header", [f"Bearer {SECRET}", f"bearer {SECRET}", f"BEARER  {SECRET} "])
    def test_the_scheme_is_a_word_in_any_case(self, header: str) -> None:
        assert self.proof(header) == Proof("bearer", "current")

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            SECRET,
            f"Bearer{SECRET}",
            f"Basic {SECRET}",
            f"Bearer {SECRET.upper()}",
            f"Bearer {SECRET[:-1]}",
            f"Bearer {SECRET}é",
            f"Bearer\t{SECRET}",
            f"Bearer {SECRET}, Bearer {SECRET}",
            f"Bearer \ud800{SECRET}",
            STAMPED,
        ],
    )
    def test_anything_else_verifies_nothing(self, header: str) -> None:
        with pytest.raises(VerificationError) as refusal:
            self.proof(header)
        assert SECRET not in str(refusal.value)

    def test_the_header_must_be_there(self) -> None:
        with pytest.raises(VerificationError):
            captions.verify(call({}), SECRETS, ProofRules())


class TestPathToken:
    """The secret as the last segment of the path."""

    def test_the_token_verifies_it(self) -> None:
        assert creatify.verify(call({}, token=SECRET), SECRETS, ProofRules()) == Proof("path token", "current")

    @pytest.mark.parametrize("token", ["", SECRET[:-1], SECRET + "0", SECRET.upper(), f" {SECRET}", "é", "\ud800"])
    def test_anything_else_verifies_nothing(self, token: str) -> None:
        with pytest.raises(VerificationError):
            creatify.verify(call({"authorization": f"Bearer {SECRET}"}, token=token), SECRETS, ProofRules())


class TestVersionsOfASecret:
    """During a rotation the provider signs with one of two secrets; the result names the stage."""

    @pytest.mark.parametrize("version", ["current", "pending", "previous"])
    def test_any_of_them_verifies_and_is_named(self, version: str) -> None:
        secrets = dict.fromkeys(["current", "pending", "previous"], "another") | {version: SECRET}
        assert sync_proof(call({"sync-signature": STAMPED}), secrets).secret == version
        assert sync_proof(call({"x-signature-primary": HEX}), secrets).secret == version
        rules = ProofRules()
        assert captions.verify(call({"authorization": f"Bearer {SECRET}"}), secrets, rules).secret == version
        assert creatify.verify(call({}, token=SECRET), secrets, rules).secret == version

    def test_signatures_with_the_old_and_the_new_secret_may_come_together(self) -> None:
        both = call({"sync-signature": f"t={SIGNED_AT},v1={V1},v1={V1_WITH_NEXT_SECRET}"})
        for secret in (SECRET, "whsec_next_0123456789"):
            assert sync_proof(both, {"current": secret}).secret

    def test_without_a_usable_secret_nothing_verifies_not_even_with_an_empty_one(self) -> None:
        for proof in sync_proofs("", BODY, SIGNED_AT).values():
            delivery = call({**{name.lower(): value for name, value in proof.items()}, "authorization": "Bearer "})
            for webhook in WEBHOOKS.values():
                with pytest.raises(VerificationError):
                    webhook.verify(delivery, {}, ProofRules())


LETTERS = st.characters(exclude_categories=())  # lone surrogates too
FIELDS = st.lists(
    st.tuples(st.sampled_from(["t", "v1", "v0", "", "sha256"]), st.text(LETTERS) | st.just(V1)), max_size=9
)
HEADERS = st.text(LETTERS) | FIELDS.map(lambda fields: ",".join(f"{key}={value}" for key, value in fields))


class TestWhateverComes:
    @given(header=HEADERS, scheme=st.sampled_from(["", "Bearer ", "sha256="]), body=st.binary(), secret=st.text())
    def test_any_wrong_signature_raises_a_verification_error_and_no_other(
        self, header: str, scheme: str, body: bytes, secret: str
    ) -> None:
        assume(secret.strip() and secret not in header)
        names = ("sync-signature", "x-signature-primary", "authorization")
        delivery = call(dict.fromkeys(names, scheme + header), body, token=header)
        for webhook in WEBHOOKS.values():
            with pytest.raises(VerificationError):
                webhook.verify(delivery, {"current": secret, "previous": OTHER}, ProofRules())

    FORMS = st.sampled_from(sorted(sync_proofs(SECRET, BODY, SIGNED_AT)))
    KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=100)

    @given(form=FORMS, body=st.binary(min_size=1), secret=KEYS, data=st.data())
    def test_one_bit_changed_in_body_or_secret_never_verifies(
        self, form: str, body: bytes, secret: str, data: st.DataObject
    ) -> None:
        headers = {name.lower(): value for name, value in sync_proofs(secret, body, SIGNED_AT)[form].items()}
        assert sync_proof(call(headers, body), {"current": secret}).secret
        with pytest.raises(VerificationError):
            sync_proof(call(headers, data.draw(flipped(body))), {"current": secret})
        other = data.draw(flipped(secret.encode(), bits=7)).decode()
        with pytest.raises(VerificationError):
            sync_proof(call(headers, body), {"current": other})
        for verify, delivery in (
            (captions.verify, call({"authorization": f"Bearer {secret}"})),
            (creatify.verify, call({}, token=secret)),
        ):
            assert verify(delivery, {"current": secret}, ProofRules()).secret
            with pytest.raises(VerificationError):
                verify(delivery, {"current": other}, ProofRules())

    @given(body=st.binary(), data=st.data())
    def test_one_bit_changed_in_a_signature_never_verifies(self, body: bytes, data: st.DataObject) -> None:
        proofs = sync_proofs(SECRET, body, SIGNED_AT)
        true = bytes.fromhex(proofs["X-Signature-Primary, hex"]["X-Signature-Primary"])
        false = data.draw(flipped(true))
        stamp, _, v1 = proofs["Sync-Signature"]["Sync-Signature"].partition(",v1=")
        for header in (false.hex(), f"sha256={false.hex()}", base64.b64encode(false).decode()):
            with pytest.raises(VerificationError):
                sync_proof(call({"x-signature-primary": header}, body))
        with pytest.raises(VerificationError):
            sync_proof(call({"sync-signature": f"{stamp},v1={data.draw(flipped(bytes.fromhex(v1))).hex()}"}, body))

    @given(seconds=st.integers(0, 10**16 - 1))
    def test_another_time_in_the_header_never_verifies(self, seconds: int) -> None:
        assume(seconds != SIGNED_AT)
        with pytest.raises(VerificationError):
            sync_proof(call({"sync-signature": f"t={seconds},v1={V1}"}))


@st.composite
def flipped(draw: st.DrawFn, content: bytes, bits: int = 8) -> bytes:
    """The bytes with one bit inverted, among the lower `bits` of a byte."""
    at = draw(st.integers(0, len(content) - 1))
    return content[:at] + bytes([content[at] ^ 1 << draw(st.integers(0, bits - 1))]) + content[at + 1 :]

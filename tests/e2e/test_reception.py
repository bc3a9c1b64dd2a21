"""Reception: each event is recorded once despite duplicates and concurrency, rejected unless verified, and never
answered with a 5xx.
"""

import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from local.stack import Stack
from simulators.provider_calls import every_sample
from simulators.provider_calls.call import Call
from simulators.provider_calls.sample import Order
from simulators.provider_calls.sync import sync_batch, sync_generation
from testkit.fixtures.account_reader import Owner, Row, payload
from testkit.fixtures.provider_client import COME_AGAIN, SECRET_OF, WEBHOOKS, Answer, Headers, Providers
from testkit.support.attributes import EVENT, QUARANTINED

KIB, MIB = 1024, 1024 * 1024
MAX_INLINE = 300 * KIB  # bytes of a payload, compressed
SIGNED = tuple(webhook for webhook in WEBHOOKS if not every_sample()[webhook].in_path)  # signed in a header


def digest(webhook: str, body: bytes) -> str:
    """The event's id by the public contract, computed here."""
    return sha256(f"{webhook}\n".encode() + body).hexdigest()


def good(webhook: str, job_id: str, providers: Providers) -> Call:
    """A delivery for that webhook with a valid signature; with one header if there are several."""
    match webhook:
        case "sync/generation":
            return sync_generation("failed", job_id, providers.sync, proof="Sync-Signature")
        case "sync/batch":
            return sync_batch("failed", job_id, providers.sync, output_url="", proof="X-Signature-Primary, hex")
        case _:
            sample = every_sample()[webhook]
            return sample.call(Order(sample.failure, job_id, providers.secrets[SECRET_OF[webhook]]))


class TestOnce:
    @pytest.mark.parametrize("webhook", WEBHOOKS)
    def test_a_delivery_is_recorded_and_then_a_duplicate(
        self, webhook: str, providers: Providers, owner: Owner
    ) -> None:
        call = good(webhook, providers.job(f"once-{webhook.replace('/', '-')}"), providers)
        event_id = digest(webhook, call.body)
        first, second = providers.send(call), providers.send(call)
        assert (first.status, first.body) == (200, {"result": "recorded", "event_id": event_id})
        assert (second.status, second.body) == (200, {"result": "duplicate", "event_id": event_id})
        assert first.headers["content-type"] == "application/json"
        (row,) = owner.events(webhook.partition("/")[0], call.job_id)
        assert row["sk"] == f"event#{event_id}"

    def test_of_fifty_at_once_one_is_recorded_and_there_is_one_object(
        self, providers: Providers, owner: Owner, stack: Stack
    ) -> None:
        """Lambda runs ten of them at once and throttles the rest. Here each concurrent function is a process that takes
        a second to start. A throttled sender retries.
        """
        job_id = providers.job("fifty")
        url = providers.link(job_id, "generation.mp4")
        call = sync_generation("completed", job_id, providers.sync, output_url=url)
        refused: list[Answer] = []

        def insist(_: int) -> Answer:
            while (answer := providers.send_once(call)).status in COME_AGAIN:
                refused.append(answer)
                time.sleep(0.2)
            return answer

        function = stack.functions["SyncGeneration"]
        stack.aws.functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=10)
        try:
            with ThreadPoolExecutor(50) as callers:
                answers = list(callers.map(insist, range(50)))
        finally:
            stack.aws.functions.delete_function_concurrency(FunctionName=function)
        results = Counter(answer.result for answer in answers)
        # A put whose response is late takes effect, and its sender retries: then all are duplicates.
        late = any(answer.result == "not_stored" for answer in refused)
        assert results in ({"recorded": 1, "duplicate": 49}, {"duplicate": 50} if late else {})
        assert {answer.body["event_id"] for answer in answers} == {digest("sync/generation", call.body)}
        owner.resting("sync", job_id)
        assert len(owner.events("sync", job_id, "webhook")) == 1
        assert len(owner.keys(f"media/sync/{job_id}/output-")) == 1


class TestForged:
    """Unverified deliveries: 401 and no row."""

    def forged(self, providers: Providers) -> Iterator[tuple[str, Call, Headers]]:
        """Each kind of invalid signature, as (defect, delivery, headers)."""
        for webhook in SIGNED:
            call = good(webhook, providers.job(f"forged-{webhook.replace('/', '-')}"), providers)
            proof = next(name for name in call.headers if name != "Content-Type")
            plain = [("Content-Type", "application/json")]
            right = call.headers[proof]
            variants: dict[str, list[tuple[str, str | bytes]]] = {
                "missing": [],
                "empty": [(proof, "")],
                "blank": [(proof, " ")],
                "not ASCII, in Latin-1": [(proof, "é".encode("latin-1"))],
                "not ASCII, in UTF-8": [(proof, "é中".encode())],
                "right, then not ASCII": [(proof, right.encode() + "é".encode())],
                "doubled": [(proof, right), (proof, right)],
                "cut": [(proof, right[:-1])],
            }
            for other in SIGNED:
                if other.partition("/")[0] != webhook.partition("/")[0]:
                    variants[f"of {other}"] = [*good(other, "x", providers).headers.items()]
            for what, headers in variants.items():
                yield what, call, [*plain, *headers]
            yield "another secret", call, self.by(webhook, call, "another-secret", providers)
            others = {name: value for name, value in providers.secrets.items() if name != SECRET_OF[webhook]}
            for name, other in others.items():
                yield f"the secret {name}", call, self.by(webhook, call, other, providers)
            yield "an empty secret", call, self.by(webhook, call, "", providers)
            if not every_sample()[webhook].shows_secret:
                for place in (0, len(call.body) // 2, len(call.body) - 1):
                    changed = bytearray(call.body)
                    changed[place] ^= 1
                    yield f"byte {place} changed", replace(call, body=bytes(changed)), call.headers.items()
        for minutes in (-6, 6):  # five minutes are tolerated
            at = datetime.now(UTC) + timedelta(minutes=minutes)
            stale = sync_generation("failed", providers.job("stale"), providers.sync, proof="Sync-Signature", at=at)
            yield f"signed {minutes} minutes from now", stale, stale.headers.items()
        call = good("creatify/product_to_videos", providers.job("forged-creatify"), providers)
        bearer = ("Authorization", f"Bearer {providers.creatify}")
        for what, token in {
            "another token": "x" * 43,
            "cut": providers.creatify[:-1],
            "longer": providers.creatify + "x",
            "in lower case": providers.creatify.lower(),
            "not ASCII": "%C3%A9",
            "not UTF-8": "%FF%FE",
            "NUL": "%00",
            "another provider's": providers.captions,
        }.items():
            path = call.path.replace(providers.creatify, token)
            yield what, replace(call, path=path), [*call.headers.items(), bearer]

    def by(self, webhook: str, call: Call, secret: str, providers: Providers) -> Headers:
        """The headers that would sign the delivery if this were the secret."""
        return providers.proven(webhook, call.body, secret=secret).headers.items()

    def test_it_is_401_and_leaves_no_row(self, providers: Providers, owner: Owner) -> None:
        refused = list(self.forged(providers))
        assert len(refused) > 40
        for what, call, headers in refused:
            answer = providers.post(call.path, headers, call.body)
            assert (answer.status, answer.body) == (401, {"error": "unverified"}), f"{call.webhook}: {what}"
        digests = {digest(call.webhook, call.body) for _, call, _ in refused}
        jobs = {call.job_id for _, call, _ in refused}
        rows = owner.all_rows()
        assert rows
        assert [row for row in rows if row.get("event_id") in digests or row.get("job_id") in jobs] == []

    def test_a_forged_delivery_is_recorded_once_it_is_signed(self, providers: Providers) -> None:
        """The deliveries of the test above are rejected for their signatures alone."""
        for webhook in WEBHOOKS:
            call = good(webhook, providers.job(f"proven-{webhook.replace('/', '-')}"), providers)
            assert providers.send(call).result == "recorded"

    def test_the_names_of_headers_and_schemes_are_accepted_in_any_case(self, providers: Providers) -> None:
        for webhook in SIGNED:
            call = good(webhook, providers.job(f"case-{webhook.replace('/', '-')}"), providers)
            shouted = {name.upper(): value.replace("Bearer", "bEARER") for name, value in call.headers.items()}
            assert providers.post(call.path, shouted.items(), call.body).result == "recorded"


UNREADABLE = {
    "an open brace": b"{",
    "an array": b"[]",
    "null": b"null",
    "nothing": b"",
    "text": b'"COMPLETED"',
    "100 levels": b"[" * 100 + b"]" * 100,
    "50,000 levels": b"[" * 50_000 + b"]" * 50_000,
    "50,000 levels of objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a number of 10,000 digits": b"1" * 10_000,
    "no job": b"{}",
    "a job that is a number": b'{"id":1,"status":"COMPLETED","operationId":1,"event":"creator.success"}',
    "a job of 257 characters": json.dumps(dict.fromkeys(["id", "status", "operationId", "event"], "x" * 257)).encode(),
    "a job that is not printable": b'{"id":"\\u0000","status":"COMPLETED","operationId":"\\u0000","event":"e"}',
    "invalid UTF-8": b'{"id":"\xff","status":"COMPLETED","operationId":"\xff","event":"creator.success"}',
}


class TestUnreadable:
    """Authentic but unreadable deliveries: kept in quarantine."""

    def rows(self, webhook: str, owner: Owner) -> dict[str, Row]:
        provider = webhook.partition("/")[0]
        # Midnight may have passed meanwhile.
        days = {datetime.now(UTC).date() - timedelta(days=back) for back in (0, 1)}
        return {row["sk"]: row for day in days for row in owner.rows(f"quarantine#{provider}#{day}")}

    @pytest.mark.parametrize("webhook", WEBHOOKS)
    def test_it_is_quarantined_and_kept_as_it_came(self, webhook: str, providers: Providers, owner: Owner) -> None:
        for what, body in UNREADABLE.items():
            call = providers.proven(webhook, body)
            headers = {**call.headers, "Content-Type": "application/octet-stream"}  # so that it is sent as bytes
            answer = providers.post(call.path, headers.items(), body, stored_as="quarantined")
            event_id = digest(webhook, body)
            assert (answer.status, answer.body) == (200, {"result": "quarantined", "event_id": event_id}), what
        rows = self.rows(webhook, owner)
        for what, body in UNREADABLE.items():
            row = rows[f"event#{digest(webhook, body)}"]
            assert set(row) == QUARANTINED | {"payload"}, what
            assert payload(row) == body, what
            assert row["webhook"] == webhook.partition("/")[2]

    @pytest.mark.parametrize("webhook", WEBHOOKS)
    def test_what_is_odd_beside_what_is_needed_does_not_hinder(self, webhook: str, providers: Providers) -> None:
        needed = json.dumps(
            dict.fromkeys(["id", "operationId"], providers.job("odd-" + webhook.replace("/", "-")))
            | {"status": "FAILED", "event": "creator.failure"}
        ).encode()
        for odd in (b"[" * 100 + b"]" * 100, b"1" * 10_000, b'"\\ud800"', b"NaN", b'{"a":' * 300 + b"1" + b"}" * 300):
            body = needed.removesuffix(b"}") + b',"options":' + odd + b',"creditsSpent":' + odd + b"}"
            answer = providers.send(providers.proven(webhook, body))
            assert (answer.status, answer.result in {"recorded", "quarantined"}) == (200, True), odd[:20]


class TestLarge:
    def body(self, job_id: str, size: int) -> bytes:
        """A payload of this size that compresses to at least three quarters of it."""
        noise = random.Random(job_id).randbytes(size).hex()
        text = json.dumps({"event": "creator.failure", "operationId": job_id, "detail": ""})
        return text.replace('""', f'"{noise[: size - len(text)]}"').encode()

    def test_a_large_body_is_in_the_bucket_and_its_row_points_there(self, providers: Providers, owner: Owner) -> None:
        job_id = providers.job("large-body")
        body = self.body(job_id, MIB)  # the maximum
        assert len(body) == MIB
        assert len(gzip.compress(body)) > MAX_INLINE
        call = providers.proven("captions/creator", body)
        assert [providers.send(call).result for _ in range(2)] == ["recorded", "duplicate"]
        (row,) = owner.events("captions", job_id)
        assert set(row) == EVENT | {"payload_key", "proof", "error"}
        assert row["payload_key"] == f"deliveries/events/captions/{row['event_id']}.gz"
        kept, _ = owner.object(row["payload_key"])
        assert gzip.decompress(kept) == body
        assert len(row["error"]["message"]) <= 1000  # the payload has all of it
        assert owner.resting("captions", job_id)["status"] == "failed"

    @pytest.mark.parametrize("webhook", WEBHOOKS)
    def test_a_large_body_is_under_its_providers_prefix_for_events_or_quarantine(
        self, webhook: str, providers: Providers, owner: Owner
    ) -> None:
        job_id, provider = providers.job(f"large-{webhook.replace('/', '-')}"), webhook.partition("/")[0]
        status = "failed" if provider == "creatify" else "FAILED"
        words = {"id": job_id, "operationId": job_id, "status": status, "event": "creator.failure"}
        readable = json.dumps({**words, "options": random.Random(job_id).randbytes(MAX_INLINE).hex()}).encode()
        for body, result, folder in ((readable, "recorded", "events"), (readable[:-1], "quarantined", "quarantine")):
            assert providers.send(providers.proven(webhook, body), stored_as=result).result == result
            kept, _ = owner.object(f"deliveries/{folder}/{provider}/{digest(webhook, body)}.gz")
            assert gzip.decompress(kept) == body

    @pytest.mark.parametrize("webhook", WEBHOOKS)
    def test_a_body_over_the_limit_is_413_verified_or_not(self, webhook: str, providers: Providers) -> None:
        body = b" " * (MIB + 1)
        for secret in (None, "another-secret"):
            answer = providers.send(providers.proven(webhook, body, secret=secret))
            assert (answer.status, answer.body) == (413, {"error": "too_large"})

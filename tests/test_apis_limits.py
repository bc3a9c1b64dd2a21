"""What stands before the simulated APIs: rate limits, faults as a test wants them, a record of every call."""

import time
from collections.abc import Iterator

import pytest
import urllib3

from local.apis import Limit, Pace, ProviderApis, provider_apis
from local.apis.clock import Clock
from tests.api_calls import HTTP_CLIENT, call, captions, creatify, fetched, sync
from tests.webhook import webhook

START = 1_705_314_600.0  # 2024-01-15T10:30:00Z
SUBMISSION = {"model": "lipsync-2", "input": [{"type": "video", "url": "https://assets.sync.so/docs/example.mp4"}]}


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1, start=START) as running:
        yield running


class TestLimits:
    def test_captions_answers_five_calls_in_any_minute(self, apis: ProviderApis) -> None:
        def calls(number: int) -> list[int]:
            return [captions(apis, "/webhooks/list")[0] for _ in range(number)]

        assert calls(2) == [200, 200]
        apis.clock.forward(30)
        assert calls(4) == [200, 200, 200, 429]
        apis.clock.forward(29.9)
        assert calls(1) == [429]
        apis.clock.forward(0.1)
        assert calls(3) == [200, 200, 429]

    def test_sync_counts_submissions_and_all_else_apart(self, apis: ProviderApis) -> None:
        apis.sync.part.pace = None
        submitted = [sync(apis, "/v2/generate", SUBMISSION)[0] for _ in range(61)]
        assert submitted == [201] * 60 + [429]
        read = [sync(apis, "/v2/batch/none")[0] for _ in range(601)]
        assert read == [404] * 600 + [429]
        assert len(apis.sync.jobs) == 60

    def test_the_refusal_is_as_sync_documents_it(self, apis: ProviderApis) -> None:
        """https://sync.so/docs/api-reference/guides/rate-limits"""
        apis.sync.part.gate.limits = [Limit(0, lambda _request: True)]
        assert sync(apis, "/v2/generations") == (
            429,
            {
                "statusCode": 429,
                "message": "Rate limit exceeded. Please try again later.",
                "error": "Too Many Requests",
            },
        )

    def test_a_call_without_the_key_takes_no_room(self, apis: ProviderApis) -> None:
        for _ in range(6):
            assert call("POST", f"{apis.captions.base_url}/webhooks/list")[0] == 401
        assert captions(apis, "/webhooks/list")[0] == 200


class TestFaults:
    def test_the_next_calls_fail_in_the_providers_shape_and_say_when_to_come_again(self, apis: ProviderApis) -> None:
        apis.sync.fail(status=503, times=2, retry_after=1)
        url, key = f"{apis.sync.base_url}/v2/generations", {"x-api-key": apis.sync.api_key}
        got = [HTTP_CLIENT.request("GET", url, headers=key) for _ in range(3)]
        assert [(answer.status, answer.headers.get("Retry-After")) for answer in got] == [
            (503, "1"),
            (503, "1"),
            (200, None),
        ]
        assert got[0].json()["statusCode"] == 503

    def test_a_fault_may_be_for_one_path(self, apis: ProviderApis) -> None:
        apis.creatify.fail(500, path="p-1")
        assert [creatify(apis, path)[0] for path in ("product_to_videos/", "product_to_videos/p-1/")] == [200, 500]

    def test_a_connection_may_be_cut(self, apis: ProviderApis) -> None:
        apis.captions.fail(None)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            captions(apis, "/webhooks/list")
        assert captions(apis, "/webhooks/list")[0] == 200
        assert [request.status for request in apis.requests] == [None, 200]

    def test_an_answer_may_be_lost_of_what_took_effect(self, apis: ProviderApis) -> None:
        apis.sync.fail(504, took_effect=True)
        assert sync(apis, "/v2/generate", SUBMISSION)[0] == 504
        assert [job.status for job in apis.sync.jobs.values()] == ["PENDING"]

    def test_an_answer_may_be_slow(self, apis: ProviderApis) -> None:
        apis.sync.fail(200, seconds=0.2)
        began = time.monotonic()
        assert sync(apis, "/v2/generations") == (200, [])
        assert time.monotonic() - began >= 0.2


class TestRecord:
    def test_every_call_is_kept_with_its_key_and_its_answer_and_the_key_goes_nowhere_else(
        self, apis: ProviderApis
    ) -> None:
        apis.sync.job("g-1").completes()
        fetched(sync(apis, "/v2/generate/g-1?wait=true")[1]["outputUrl"])
        call("GET", f"{apis.sync.base_url}/v2/unknown")
        first, second = apis.requests
        assert (first.provider, first.method, first.path, first.query, first.at, first.status) == (
            *("sync", "GET", "/v2/generate/g-1"),
            *({"wait": "true"}, START, 200),
        )
        assert first.headers["x-api-key"] == apis.sync.api_key
        assert second.status == 401
        assert [request.header("x-api-key") for request in apis.host.requests] == [None]

    def test_a_body_is_kept(self, apis: ProviderApis) -> None:
        captions(apis, "/creator/poll", {"operationId": "o-1"})
        assert apis.requests[0].json() == {"operationId": "o-1"}

    def test_a_wrong_method_or_path_is_told_apart(self, apis: ProviderApis) -> None:
        assert sync(apis, "/v2/batch/b-1", {})[0] == 405
        assert sync(apis, "/v2/nothing")[0] == 404
        assert call("GET", f"{apis.sync.base_url}er/v2/generations")[0] == 404


class TestSeed:
    def test_the_same_seed_makes_the_same_ids_secrets_bodies_and_links(self) -> None:
        def run(seed: int) -> list[object]:
            with provider_apis(seed=seed, start=START) as apis, webhook() as receiver:
                for provider in (apis.sync, apis.creatify, apis.captions):
                    provider.part.pace = Pace(failing=0.5)
                registered = captions(
                    apis, "/webhooks/register", {"url": receiver.url, "enabledEvents": ["creator.success"]}
                )
                product = {"product_url": "https://example.com/p.jpg", "webhook_url": receiver.url}
                made = [
                    apis.sync.credentials,
                    apis.creatify.credentials,
                    apis.captions.credentials,
                    registered[1]["secret"],
                    *(sync(apis, "/v2/generate", SUBMISSION | {"webhookUrl": receiver.url}) for _ in range(5)),
                    *(creatify(apis, "product_to_videos/gen_image/", product) for _ in range(5)),
                    *(captions(apis, "/creator/submit", {"script": "Hello."}) for _ in range(4)),
                ]
                apis.clock.forward(60)
                text = repr([made, [(told.case, told.body) for told in apis.callbacks]])
                return [text.replace(apis.host.base_url, "").replace(receiver.url, "")]

        assert run(1) == run(1)
        assert run(1) != run(2)


class TestClock:
    def test_what_is_due_on_the_way_happens_in_order_and_at_its_own_time(self) -> None:
        clock, seen = Clock(1000), list[tuple[str, float]]()

        def note(name: str) -> None:
            seen.append((name, clock.now()))

        def note_and_go_on() -> None:
            note("first")
            clock.after(5, lambda: note("between"))

        clock.after(20, lambda: note("second"))
        clock.after(10, note_and_go_on)
        clock.after(31, lambda: note("too late"))
        clock.forward(30)
        assert seen == [("first", 1010), ("between", 1015), ("second", 1020)]
        assert clock.now() == 1030

    def test_without_a_start_it_goes_on_from_now_and_can_be_moved(self) -> None:
        clock = Clock()
        before = time.time()
        clock.forward(3600)
        assert 3600 <= clock.now() - before < 3660

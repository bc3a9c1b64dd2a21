"""What stands before the simulated APIs: rate limits, faults as a test wants them, a record of every call."""

from collections.abc import Iterator

import pytest
import urllib3

from local.apis import ProviderApis, provider_apis
from tests.api_calls import HTTP_CLIENT, call, captions, creatify, sync

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

"""The simulated providers' APIs answer as the providers document: with a key, in their shapes, with links that die."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from local.apis import ProviderApis, provider_apis

HTTP_CLIENT = urllib3.PoolManager(retries=False)
START = 1_705_314_600.0  # 2024-01-15T10:30:00Z


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1, start=START) as running:
        yield running


def call(method: str, url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """The status, and the body as JSON, or as text where it is none."""
    answer = HTTP_CLIENT.request(
        method, url, body=None if body is None else json.dumps(body), headers=headers, redirect=False
    )
    try:
        return answer.status, json.loads(answer.data)
    except ValueError:
        return answer.status, answer.data.decode()


def sync(apis: ProviderApis, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    return call(method, apis.sync.base_url + path, body, **{"x-api-key": apis.sync.api_key})


def creatify(apis: ProviderApis, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    keys = {"X-API-ID": apis.creatify.api_id, "X-API-KEY": apis.creatify.api_key}
    return call(method, apis.creatify.base_url + path, body, **keys)


def captions(apis: ProviderApis, path: str, body: Any = None) -> tuple[int, Any]:
    return call("POST", apis.captions.base_url + path, body, **{"x-api-key": apis.captions.api_key})


def status(url: str) -> int:
    return HTTP_CLIENT.request("GET", url, redirect=False).status


class TestLinks:
    def test_each_answer_has_a_link_signed_anew_of_the_same_path(self, apis: ProviderApis) -> None:
        apis.sync.job("g-1").completes()
        apis.creatify.job("p-1").completes()
        apis.captions.job("o-1").completes()
        asked: list[Callable[[], str]] = [
            lambda: sync(apis, "/v2/generate/g-1")[1]["outputUrl"],
            lambda: sync(apis, "/v2/generations/g-1/download")[1],
            lambda: creatify(apis, "product_to_videos/p-1/")[1]["generated_video_url"],
            lambda: captions(apis, "/creator/poll", {"operationId": "o-1"})[1]["url"],
        ]
        first = [ask() for ask in asked]
        apis.clock.forward(60)
        second = [ask() for ask in asked]
        assert [url.partition("?")[0] for url in first] == [url.partition("?")[0] for url in second]
        assert not {*first} & {*second}
        assert {status(url) for url in first + second} == {200}

    def test_a_link_dies_with_its_time_and_a_new_one_is_good(self, apis: ProviderApis) -> None:
        apis.sync.job("g-1").completes()
        url = sync(apis, "/v2/generate/g-1")[1]["outputUrl"]
        apis.clock.forward(3599)
        assert status(url) == 200
        apis.clock.forward(1)
        assert status(url) == 403
        assert status(sync(apis, "/v2/generations/g-1/download")[1]) == 200

    def test_links_are_killed_at_once_and_a_new_one_is_good(self, apis: ProviderApis) -> None:
        apis.captions.job("o-1").completes()
        apis.captions.job("o-2").completes()
        first, other = (captions(apis, "/creator/poll", {"operationId": name})[1]["url"] for name in ("o-1", "o-2"))
        apis.captions.links.die("o-1")
        second = captions(apis, "/creator/poll", {"operationId": "o-1"})[1]["url"]
        assert [status(url) for url in (first, second, other)] == [403, 200, 200]

    def test_media_that_are_lost_are_gone_by_every_link(self, apis: ProviderApis) -> None:
        apis.creatify.job("p-1").completes()
        first = creatify(apis, "product_to_videos/p-1/")[1]["generated_video_url"]
        apis.creatify.links.lose("p-1")
        second = creatify(apis, "product_to_videos/p-1/")[1]["generated_video_url"]
        assert (status(first), status(second)) == (404, 404)

    def test_a_renewed_link_may_have_another_path(self, apis: ProviderApis) -> None:
        apis.sync.links.fresh_paths = True
        apis.sync.job("g-1").completes()
        first, second = (sync(apis, "/v2/generations/g-1/download")[1] for _ in range(2))
        assert first.partition("?")[0] != second.partition("?")[0]
        assert (status(first), status(second)) == (200, 200)


class TestAuthentication:
    def test_each_provider_wants_its_own_key(self, apis: ProviderApis) -> None:
        for key in ({}, {"x-api-key": "wrong"}, {"x-api-key": apis.captions.api_key}):
            assert call("GET", apis.sync.base_url + "/v2/generations", **key) == (
                401,
                {"message": "Invalid API key", "error": "Unauthorized", "statusCode": 401},
            )
        right = {"X-API-ID": apis.creatify.api_id, "X-API-KEY": apis.creatify.api_key}
        for name in right:
            wrong = [right | {name: "wrong"}, {other: right[other] for other in right if other != name}]
            got = [call("GET", apis.creatify.base_url + "product_to_videos/", **keys) for keys in wrong]
            assert [status for status, _ in got] == [403, 401]
            assert [[*body] for _, body in got] == [["detail"]] * 2
        assert call("POST", apis.captions.base_url + "/creator/poll")[0] == 401
        assert call("POST", apis.captions.base_url + "/creator/poll", **{"x-api-key": apis.sync.api_key})[0] == 403

    def test_an_unknown_id_is_404(self, apis: ProviderApis) -> None:
        for path in ("/v2/generate/g-1", "/v2/generations/g-1/download", "/v2/batch/b-1"):
            assert sync(apis, path)[0] == 404
        assert creatify(apis, "product_to_videos/p-1/") == (404, {"detail": "Not found."})
        assert captions(apis, "/creator/poll", {"operationId": "o-1"}) == (404, {"detail": "Operation not found"})

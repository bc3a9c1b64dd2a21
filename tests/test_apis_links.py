"""The links that the simulated providers give out: signed anew each time, and dead when a test or the clock says so."""

from collections.abc import Callable, Iterator

import pytest

from local.apis import ProviderApis, provider_apis
from tests.api_calls import captions, creatify, fetched, sync

START = 1_705_314_600.0  # 2024-01-15T10:30:00Z


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1, start=START) as running:
        yield running


def test_each_answer_has_a_link_signed_anew_of_the_same_path(apis: ProviderApis) -> None:
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
    assert {fetched(url) for url in first + second} == {200}


def test_a_link_dies_with_its_time_and_a_new_one_is_good(apis: ProviderApis) -> None:
    apis.sync.job("g-1").completes()
    url = sync(apis, "/v2/generate/g-1")[1]["outputUrl"]
    apis.clock.forward(3599)
    assert fetched(url) == 200
    apis.clock.forward(1)
    assert fetched(url) == 403
    assert fetched(sync(apis, "/v2/generations/g-1/download")[1]) == 200


def test_links_are_killed_at_once_and_a_new_one_is_good(apis: ProviderApis) -> None:
    apis.captions.job("o-1").completes()
    apis.captions.job("o-2").completes()
    first, other = (captions(apis, "/creator/poll", {"operationId": name})[1]["url"] for name in ("o-1", "o-2"))
    apis.captions.links.die("o-1")
    second = captions(apis, "/creator/poll", {"operationId": "o-1"})[1]["url"]
    assert [fetched(url) for url in (first, second, other)] == [400, 200, 200]  # Google's way


def test_media_that_are_lost_are_gone_by_every_link(apis: ProviderApis) -> None:
    apis.creatify.job("p-1").completes()
    first = creatify(apis, "product_to_videos/p-1/")[1]["generated_video_url"]
    apis.creatify.links.lose("p-1")
    second = creatify(apis, "product_to_videos/p-1/")[1]["generated_video_url"]
    assert (fetched(first), fetched(second)) == (404, 404)

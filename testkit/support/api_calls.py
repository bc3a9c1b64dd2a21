"""Requests to the providers' simulated APIs, with the correct keys."""

import json
from typing import Any

import urllib3

from simulators.provider_apis import ProviderApis

HTTP_CLIENT = urllib3.PoolManager(retries=False)


def call(method: str, url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """The status, and the body as JSON, or as text if it is not JSON."""
    raw = None if body is None else json.dumps(body)
    answer = HTTP_CLIENT.request(method, url, body=raw, headers=headers, redirect=False)
    try:
        return answer.status, json.loads(answer.data)
    except ValueError:
        return answer.status, answer.data.decode()


def sync(apis: ProviderApis, path: str, body: Any = None) -> tuple[int, Any]:
    """GET; POST if there is a body."""
    return call(_method(body), apis.sync.base_url + path, body, **{"x-api-key": apis.sync.api_key})


def creatify(apis: ProviderApis, path: str, body: Any = None) -> tuple[int, Any]:
    """GET; POST if there is a body."""
    keys = {"X-API-ID": apis.creatify.api_id, "X-API-KEY": apis.creatify.api_key}
    return call(_method(body), apis.creatify.base_url + path, body, **keys)


def captions(apis: ProviderApis, path: str, body: Any = None) -> tuple[int, Any]:
    """POST."""
    return call("POST", apis.captions.base_url + path, body, **{"x-api-key": apis.captions.api_key})


def fetched(url: str) -> int:
    """The status of a link's response, without redirects."""
    return HTTP_CLIENT.request("GET", url, redirect=False).status


def _method(body: Any) -> str:
    return "GET" if body is None else "POST"

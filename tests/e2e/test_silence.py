"""After all end-to-end tests: no log, no bus event and no job row has anything secret.

It reads the whole run of each stack, so its mark puts it last there (tests/lanes.py). Alone, it reads what its own
deliveries did.
"""

import gzip
import json
import re

import pytest

from local.logs import lines
from local.stack import Stack
from simulators.provider_apis import ProviderApis
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sync import sync_generation
from testkit.fixtures.account_reader import Owner, Row
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.provider_client import NOT_SET, Providers
from testkit.support.template import ROOT, folder, functions
from tests.lanes import lane_of

pytestmark = pytest.mark.whole_run

# Invoked by none of the deliveries below, and not by the stack's own start.
OTHERS = ("Track", "Reconcile", "RotateCaptionsSecret", "RotateCreatifyToken", "FetchSyncSecret")
# Length of the piece of a body that is searched in logs; shorter pieces are too common.
BODY_WINDOW = 40


@pytest.fixture(scope="module", autouse=True)
def called(lane: str, stack: Stack, providers: Providers, listener: Listener) -> None:
    """For each provider a good delivery, then a failed medium and a forged delivery. The functions that none of these
    invoke have run too, with any result.
    """
    job, link = providers.job, providers.link
    calls = [
        sync_generation("completed", job("quiet-1"), providers.sync, output_url=link(job("quiet-1"), "generation.mp4")),
        creatify_product_to_videos(
            "image_generated", job("quiet-2"), providers.creatify, photo_url=link(job("quiet-2"), "product.png")
        ),
        captions_creator(
            "success", job("quiet-3"), providers.captions, url=link(job("quiet-3"), "operation.mp4", "html-page")
        ),
        sync_generation("failed", job("quiet-4"), "whsec_nobodys"),
    ]
    unread = providers.proven("captions/creator", b'{"event":"creator.success","url":"https://example.com/?unread=1"}')
    results = [answer.result for answer in providers.send_all(calls)]
    assert results == ["recorded", "recorded", "recorded", "unverified"]
    assert providers.send(unread, stored_as="quarantined").result == "quarantined"
    for name in OTHERS:
        event = next((ROOT / "events" / folder(name).name).iterdir()).read_bytes()
        stack.aws.functions.invoke(FunctionName=stack.functions[name], Payload=event)
    listener.hears(job("quiet-1"), "Job Settled")
    listener.hears(job("quiet-2"), "Job Settled")
    listener.hears(job("quiet-3"), "Job Needs Attention")


@pytest.fixture(scope="module")
def logs(stack: Stack) -> dict[str, str]:
    """All that was ever logged, by log group."""
    pages = stack.aws.logs.get_paginator("describe_log_groups").paginate()
    groups = {group["logGroupName"]: group["logGroupName"] for page in pages for group in page["logGroups"]}
    found: dict[str, list[str]] = {name: [] for name in groups}
    for line in lines(stack.aws, groups, 0):
        found[line.function].append(line.message)
    return {name: "\n".join(messages) for name, messages in found.items()}


@pytest.fixture(scope="module")
def secret(stack: Stack, stack_apis: ProviderApis, providers: Providers) -> set[str]:
    """Every secret value of this run: those the tests remember, the provider APIs' keys, and all that Secrets Manager
    still holds in any version, each value of a JSON object separately.
    """
    client = stack.aws.secretsmanager
    found = set(providers.ever_secret)
    for api in (stack_apis.sync, stack_apis.creatify, stack_apis.captions):
        found |= set(api.credentials.values())
    pages = client.get_paginator("list_secrets").paginate()
    ids = [entry["ARN"] for page in pages for entry in page["SecretList"]]
    for secret_id in ids:
        for version in client.describe_secret(SecretId=secret_id)["VersionIdsToStages"]:
            value = client.get_secret_value(SecretId=secret_id, VersionId=version)["SecretString"]
            found |= set(json.loads(value).values()) if value.startswith("{") else {value}
    assert len(ids) >= 6  # those of the template
    return {value for value in found - {NOT_SET} if len(value) > 8}  # an emptied one would be found everywhere


def found_in(text: str, confidential: set[str]) -> list[str]:
    """The values that a text contains."""
    return [value for value in confidential if value in text]


def test_no_test_comes_behind_these(request: pytest.FixtureRequest) -> None:
    """Its logs would not be searched."""
    of_the_lane = [item for item in request.session.items if lane_of(item.nodeid) == lane_of(request.node.nodeid)]
    files = [item.path for item in of_the_lane]
    assert set(files[files.index(request.path) :]) == {request.path}


def test_every_function_of_the_template_has_logged_what_it_did(
    logs: dict[str, str], stack: Stack, providers: Providers
) -> None:
    """Else the tests below would read nothing."""
    groups = stack.log_groups
    assert set(groups) == set(functions())
    assert [name for name, group in groups.items() if not logs.get(group)] == []
    for name in ("SyncGeneration", "CreatifyProductToVideo", "CaptionsCreator"):
        assert '"Deliveries"' in logs[groups[name]]
    assert providers.job("quiet-1") in logs[groups["SyncGeneration"]]
    assert '"Archives"' in logs[groups["Archive"]]
    assert "not video: an HTML page" in logs[groups["Archive"]]


def test_no_log_has_a_secret_a_signature_or_the_query_of_a_link(
    logs: dict[str, str], stack: Stack, providers: Providers, secret: set[str]
) -> None:
    assert len(logs) > len(stack.functions)  # the API's too
    assert len(secret) > 6
    assert providers.signed
    for name, text in logs.items():
        assert found_in(text, secret | providers.signed) == [], name
        assert re.findall(r"X-Amz-\w+|whsec_\w+|Bearer \S+|https?://\S+\?\S+", text) == [], name
        assert re.findall(r"\bA(?:KIA|SIA)[A-Z0-9]{16}\b", text) == [], name  # the functions' own keys


def test_no_log_has_a_body(logs: dict[str, str], providers: Providers) -> None:
    assert len(providers.bodies) >= 5
    windows = set()
    for body in providers.bodies:
        text = re.sub(rf"{providers.run}-[\w-]+", "", body.decode("utf-8", "replace"))  # a job's id may be logged
        middle = text[len(text) // 2 :][:BODY_WINDOW]
        if len(middle) == BODY_WINDOW and len(set(middle)) > 8:  # not those of one repeated character
            windows.add(middle)
            windows.add(json.dumps(middle)[1:-1])  # as it would be in a JSON line
    assert windows
    for name, text in logs.items():
        assert found_in(text, windows) == [], name


def test_no_bus_event_has_a_link_or_a_secret(listener: Listener, providers: Providers, secret: set[str]) -> None:
    listener.of(providers.job("quiet-1"))
    everything = json.dumps(listener.heard)
    assert "://" not in everything
    assert found_in(everything, secret | providers.signed) == []


def test_no_job_row_has_a_link_or_anything_secret(owner: Owner, providers: Providers, secret: set[str]) -> None:
    rows = [row for row in owner.all_rows() if row["sk"] == "job"]
    assert rows
    for row in rows:
        assert "://" not in str(row)
        assert found_in(str(row), secret | providers.signed) == []


def test_no_row_has_a_secret_not_even_in_its_payload(owner: Owner, secret: set[str]) -> None:
    def whole(row: Row) -> str:
        return str({**row, "payload": gzip.decompress(row["payload"])}) if "payload" in row else str(row)

    rows = owner.all_rows()
    assert any("payload" in row for row in rows)
    for row in rows:
        assert found_in(whole(row), secret) == []

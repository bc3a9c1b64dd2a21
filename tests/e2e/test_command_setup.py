"""The operator sets up a stack: jobs tracked and submitted, the token rotated, the doctor's findings."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import deploy
from local.stack import Stack
from simulators.provider_apis import LOST, ProviderApis
from testkit.fixtures.account_reader import Owner
from testkit.fixtures.cli import MediaSite, dailies
from testkit.fixtures.provider_client import NOT_SET, Providers
from testkit.support.wait import wait_for

CREATIFY = "creatify/product_to_videos"
# Settings with which one alarm goes off when another does.
LIKE_ANOTHER = (
    "Namespace",
    "MetricName",
    "Dimensions",
    "Statistic",
    "Period",
    "EvaluationPeriods",
    "Threshold",
    "ComparisonOperator",
)


@pytest.fixture
def keys(site: MediaSite, stack: Stack, stack_apis: ProviderApis, providers: Providers) -> Iterator[ProviderApis]:
    """The owner has set all API credentials by the command."""
    apis = (stack_apis.sync, stack_apis.creatify, stack_apis.captions)
    for api in apis:
        api.callbacks.are(LOST)
        providers.ever_secret.update(api.credentials.values())
        value = json.dumps(api.credentials)
        stack.aws.secretsmanager.put_secret_value(
            SecretId=f"{stack.stack_name}/{api.part.provider}/api", SecretString=value
        )
    yield stack_apis
    for api in apis:
        stack.aws.secretsmanager.put_secret_value(
            SecretId=f"{stack.stack_name}/{api.part.provider}/api", SecretString=NOT_SET
        )


def test_a_job_that_was_submitted_elsewhere_is_tracked(site: MediaSite, providers: Providers, owner: Owner) -> None:
    job_id = providers.job("tracked")
    assert f"captions/{job_id} is tracked" in dailies("track", "captions/creator", job_id).out
    assert owner.resting("captions", job_id, "waiting")["status"] == "pending"
    refused = dailies("track", "captions/creator", "x" * 257)
    assert (refused.code, "1 to 256 printable characters" in refused.err) == (1, True)
    assert dailies("track", "captions/nothing", job_id).code == 2


def test_a_job_is_submitted_with_the_stacks_webhook_in_it_and_tracked(
    keys: ProviderApis, owner: Owner, stack: Stack, tmp_path: Path
) -> None:
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"model": "lipsync-2", "input": [{"type": "video", "url": "https://x.example/v.mp4"}]}))
    submitted = dailies("submit", "sync/generate", str(body), "--json").json
    assert submitted["answer"]["webhookUrl"] == f"{stack.webhook_base_url}/webhooks/sync/generation"
    assert submitted["tracked"] is True
    owner.resting("sync", submitted["job_id"], "waiting")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("[]", "holds no JSON object"),
        ('{"product_url": ""}', "creatify refused the job with 400"),
    ],
)
def test_what_cannot_be_submitted_is_refused_in_one_line(
    keys: ProviderApis, tmp_path: Path, body: str, says: str
) -> None:
    file = tmp_path / "body.json"
    file.write_text(body)
    done = dailies("submit", "creatify/gen_image", str(file))
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert says in done.err


def test_a_new_token_is_shown_with_its_url_and_the_old_one_works_on(
    site: MediaSite, providers: Providers, stack: Stack
) -> None:
    before = providers.creatify
    url = dailies("secrets", "rotate", "--yes", "--json").json[CREATIFY]
    providers.use_secret("creatify/token", url.rpartition("/")[2])
    assert url.startswith(f"{stack.webhook_base_url}/webhooks/{CREATIFY}/")
    assert len(url) <= 200
    for token in (before, providers.creatify):
        assert dailies("trigger", CREATIFY, "--secret", token, "--json").json["status"] == 200
    assert providers.creatify not in dailies("secrets", "show-urls").out


def test_the_doctor_reports_problems_and_what_to_do(keys: ProviderApis) -> None:
    found = {one["about"]: one for one in json.loads(dailies("doctor", "--json").out)}
    assert found["clock"]["status"] == "ok"
    assert found["sync's API"]["status"] == found["creatify's API"]["status"] == "ok"
    keys.sync.api_key, true = "another by now", keys.sync.api_key
    try:
        findings: dict[str, Any] = {one["about"]: one for one in json.loads(dailies("doctor", "--json").out)}
    finally:
        keys.sync.api_key = true
    assert findings["sync's API"]["status"] == "error"
    assert findings["sync's API"]["next_step"] == "`dailies secrets set sync/api`"


def test_the_doctor_ends_with_one_where_something_is_wrong(site: MediaSite, stack: Stack, owner: Owner) -> None:
    owner.send("TrackFailureQueueUrl", json.dumps({"detail": {"for": "a test"}}))
    done = dailies("doctor")
    assert done.code == 1
    assert "dailies redrive track" in done.out
    owner.message("TrackFailureQueueUrl", lambda body: "a test" in body)


@pytest.mark.usefixtures("alarms")
def test_the_doctor_reports_only_this_stacks_alarms(site: MediaSite, stack: Stack, owner: Owner) -> None:
    """The names of another stack's alarms may begin like this one's."""
    own = deploy.resources(stack.aws)["TrackFailuresAlarm"]
    foreign = f"{stack.stack_name}-staging-{own.removeprefix(f'{stack.stack_name}-')}"
    both = [own, foreign]
    (alarm,) = stack.aws.cloudwatch.describe_alarms(AlarmNames=[own])["MetricAlarms"]
    alike: Any = {name: alarm[name] for name in LIKE_ANOTHER}  # type: ignore[literal-required]

    def in_alarm() -> set[str]:
        found = stack.aws.cloudwatch.describe_alarms(AlarmNames=both, StateValue="ALARM")["MetricAlarms"]
        return {one["AlarmName"] for one in found}

    stack.aws.cloudwatch.put_metric_alarm(AlarmName=foreign, AlarmDescription="Somebody else's.", **alike)
    owner.send("TrackFailureQueueUrl", json.dumps({"detail": {"for": "two alarms"}}))
    wait_for("both ring", in_alarm, lambda names: names == set(both))
    findings = json.loads(dailies("doctor", "--json").out)
    # While it is in ALARM, so that the evaluator leaves its state.
    stack.aws.cloudwatch.delete_alarms(AlarmNames=[foreign])
    owner.message("TrackFailureQueueUrl", lambda body: "two alarms" in body)
    assert len([one for one in findings if one["about"] == "TrackFailuresAlarm"]) == 1
    assert not [one for one in findings if "Somebody else's." in one["message"]]

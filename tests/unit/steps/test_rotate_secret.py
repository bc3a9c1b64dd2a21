"""A secret rotates by Secrets Manager's four steps, called here as it calls the functions. moto keeps the versions;
Captions' API is the simulated one.
"""

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from moto.secretsmanager.models import secretsmanager_backends

from dailies.aws.secrets import PLACEHOLDER, UPDATING_SECONDS, UPDATING_UNTIL, SigningSecret
from dailies.errors import ApiRefused, ApiUnavailable, RateLimited, RotationFailed
from dailies.providers.creatify import MAX_WEBHOOK_URL, TOKEN_LENGTH, webhook_url
from simulators.provider_apis import ProviderApis, provider_apis
from simulators.provider_apis.captions_webhooks import Registration
from testkit.fixtures.aws import SECRET, Cloud, Context

URL = "https://a1.execute-api.eu-central-1.amazonaws.com/webhooks/captions/creator"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class Rotation:
    """Secrets Manager, which calls a function: for the start, step by step, or for all steps."""

    def __init__(self, cloud: Cloud, function: str, **environment: str) -> None:
        self.aws = cloud.secretsmanager
        self._module = cloud.function(function, **environment)
        self._module.secret._sleep = lambda _seconds: None
        self.version = ""

    def begin(self) -> None:
        """Create a pending version without a value. moto's own rotation needs a container."""
        self.version = str(uuid4())
        moto_keeps = secretsmanager_backends["123456789012"]["us-east-1"].secrets[SECRET]
        begun = {"createdate": int(time.time()), "version_id": self.version, "version_stages": ["AWSPENDING"]}
        moto_keeps.versions[self.version] = begun

    def step(self, *steps: str) -> None:
        for step in steps:
            event = {"Step": step, "SecretId": SECRET, "ClientRequestToken": self.version}
            self._module.lambda_handler(event, Context())

    def whole(self) -> None:
        self.begin()
        self.step(*STEPS)

    @property
    def values(self) -> dict[str, str]:
        """The verifying values by stage, as a receiver reads them."""
        return dict(SigningSecret(lambda: self.aws, SECRET, grace=3600).usable(time.time()))

    @property
    def stages(self) -> list[list[str]]:
        return sorted(self.aws.describe_secret(SecretId=SECRET)["VersionIdsToStages"].values())

    @property
    def tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.aws.describe_secret(SecretId=SECRET).get("Tags", [])}


class TestCreatify:
    @pytest.fixture
    def rotation(self, cloud: Cloud) -> Rotation:
        cloud.set_secret("the-first-token")
        return Rotation(cloud, "rotate_creatify_token", WEBHOOK_URL="https://a1.example/webhooks/creatify/p")

    def test_a_new_token_becomes_the_current_one_and_the_old_one_the_previous(self, rotation: Rotation) -> None:
        rotation.whole()
        values = rotation.values
        assert values.pop("previous") == "the-first-token"
        ((stage, token),) = values.items()
        assert (stage, len(token), token.isalnum(), token.isascii()) == ("current", TOKEN_LENGTH, True, True)
        assert rotation.stages == [["AWSCURRENT"], ["AWSPREVIOUS"]]

    def test_each_step_may_be_run_again(self, rotation: Rotation) -> None:
        rotation.begin()
        seen = []
        for step in STEPS:
            rotation.step(step, step)
            seen.append(sorted({*rotation.values.values()} - {"the-first-token"}))
        assert seen == [seen[0]] * 4
        rotation.step(*STEPS)
        assert rotation.stages == [["AWSCURRENT"], ["AWSPREVIOUS"]]

    def test_no_two_tokens_are_alike(self, rotation: Rotation) -> None:
        rotation.whole()
        first = rotation.values["current"]
        rotation.whole()
        assert rotation.values["previous"] == first != rotation.values["current"]

    def test_a_version_whose_last_step_was_stopped_in_its_middle_is_pending_no_more(self, rotation: Rotation) -> None:
        """It would verify as pending when it is neither current nor previous: forever, leaked or not."""
        rotation.begin()
        rotation.step("createSecret")
        current = next(v for v, s in rotation.aws.describe_secret(SecretId=SECRET)["VersionIdsToStages"].items()
                       if "AWSCURRENT" in s)  # fmt: skip
        rotation.aws.update_secret_version_stage(
            SecretId=SECRET,
            VersionStage="AWSCURRENT",
            MoveToVersionId=rotation.version,
            RemoveFromVersionId=current,
        )
        rotation.step("finishSecret")
        assert rotation.stages == [["AWSCURRENT"], ["AWSPREVIOUS"]]

    def test_what_has_no_value_is_not_made_the_current_one(self, rotation: Rotation) -> None:
        rotation.begin()
        with pytest.raises(RotationFailed, match="no value"):
            rotation.step("finishSecret")
        assert rotation.values == {"current": "the-first-token"}

    def test_a_version_that_is_not_pending_is_refused(self, rotation: Rotation) -> None:
        rotation.version = "3ed9b1f7-6b2c-4f1a-9c1d-0a1b2c3d4e5f"
        for step in STEPS:
            with pytest.raises(RotationFailed, match="not pending"):
                rotation.step(step)

    def test_so_is_a_step_that_there_is_not(self, rotation: Rotation) -> None:
        rotation.begin()
        with pytest.raises(RotationFailed, match="no step"):
            rotation.step("begin")


class TestCreatifysUrl:
    def test_it_is_the_webhooks_with_the_token_at_its_end(self) -> None:
        base = "https://a1.example/webhooks/creatify/product_to_videos"
        assert webhook_url(base, "t0k3n") == webhook_url(base + "/", "t0k3n") == f"{base}/t0k3n"

    def test_a_token_that_creatify_would_reject_raises_an_error_without_it(self) -> None:
        base = "https://" + "a" * (MAX_WEBHOOK_URL - 8 - 1 - TOKEN_LENGTH)
        assert len(webhook_url(base, "t" * TOKEN_LENGTH)) == MAX_WEBHOOK_URL
        with pytest.raises(ValueError, match="201 characters, and Creatify takes 200") as refused:
            webhook_url(base + "a", "t" * TOKEN_LENGTH)
        assert "ttt" not in str(refused.value)


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1) as running:
        running.captions.part.gate.limits = []
        yield running


class TestCaptions:
    @pytest.fixture
    def one(self, apis: ProviderApis) -> Registration:
        return apis.captions.register(URL)

    @pytest.fixture
    def rotation(self, cloud: Cloud, apis: ProviderApis, one: Registration) -> Rotation:
        cloud.set_secret(one.secret)
        cloud.secretsmanager.create_secret(
            Name="dailies/captions/api", SecretString=json.dumps(apis.captions.credentials)
        )
        environment = {"CAPTIONS_API_URL": apis.captions.base_url, "WEBHOOK_URL": URL}
        return Rotation(cloud, "rotate_captions_secret", **environment)

    def test_captions_makes_the_new_one_and_the_old_one_is_the_previous(
        self, rotation: Rotation, one: Registration
    ) -> None:
        old = one.secret
        rotation.whole()
        assert rotation.values == {"current": one.secret, "previous": old}
        assert one.secret != old
        assert (rotation.stages, rotation.tags) == ([["AWSCURRENT"], ["AWSPREVIOUS"]], {})

    def test_between_the_steps_both_verify(self, rotation: Rotation, one: Registration) -> None:
        old = one.secret
        rotation.begin()
        for step in STEPS:
            rotation.step(step)
            assert {old, one.secret} <= {*rotation.values.values()}, step

    def test_each_step_may_be_run_again_and_one_new_secret_is_made(self, rotation: Rotation, one: Registration) -> None:
        rotation.begin()
        for step in STEPS:
            rotation.step(step, step)
        assert (one.updates, rotation.values["current"]) == (1, one.secret)

    def test_a_new_secret_whose_response_was_lost_is_read_from_the_list_by_the_retry(
        self, rotation: Rotation, one: Registration, apis: ProviderApis
    ) -> None:
        old = one.secret
        rotation.begin()
        rotation.step("createSecret")
        apis.captions.fail(400, path="/webhooks/update", took_effect=True)  # no retry in the same run helps
        with pytest.raises(ApiRefused):
            rotation.step("setSecret")
        assert rotation.values == {"current": old}
        assert float(rotation.tags[UPDATING_UNTIL]) == pytest.approx(time.time() + UPDATING_SECONDS, abs=60)
        rotation.step("setSecret", "testSecret", "finishSecret")
        assert (one.updates, rotation.values) == (1, {"current": one.secret, "previous": old})

    def test_a_secret_that_captions_no_longer_shows_is_not_made_the_current_one(
        self, rotation: Rotation, apis: ProviderApis, one: Registration
    ) -> None:
        rotation.begin()
        rotation.step("createSecret", "setSecret")
        apis.captions.webhooks.update(one, None, None)  # another registration's
        with pytest.raises(RotationFailed, match="not the one that the provider shows"):
            rotation.step("testSecret")

    def test_a_schedules_test_step_changes_nothing_and_calls_no_api(
        self, rotation: Rotation, apis: ProviderApis
    ) -> None:
        """Also before anything is registered. AWS does not say whether the version holds the current value or none."""
        apis.captions.webhooks.registered.clear()
        before = rotation.values
        rotation.begin()
        rotation.step("testSecret")
        rotation.aws.put_secret_value(
            SecretId=SECRET,
            ClientRequestToken=rotation.version,
            SecretString=before["current"],
            VersionStages=["AWSPENDING"],
        )
        rotation.step("testSecret")
        assert (rotation.values["current"], apis.requests) == (before["current"], [])

    def test_without_a_registration_there_is_nothing_to_rotate(self, rotation: Rotation, apis: ProviderApis) -> None:
        apis.captions.webhooks.registered.clear()
        rotation.begin()
        with pytest.raises(RotationFailed, match="not registered"):
            rotation.step("createSecret", "setSecret")
        assert rotation.tags == {}


class TestSyncIsFetched:
    @pytest.fixture
    def key(self, cloud: Cloud, apis: ProviderApis) -> dict[str, str]:
        cloud.set_secret("whsec_by_hand")
        cloud.secretsmanager.create_secret(Name="dailies/sync/api", SecretString=PLACEHOLDER)
        return {"SecretId": "dailies/sync/api", "SecretString": json.dumps(apis.sync.credentials)}

    def run(self, cloud: Cloud, apis: ProviderApis) -> list[str]:
        """One run in a new environment: the values that verify then."""
        cloud.function("fetch_sync_secret", SYNC_API_URL=apis.sync.base_url).lambda_handler({}, None)
        return list(SigningSecret(lambda: cloud.secretsmanager, SECRET, grace=3600).usable(time.time()).values())

    def test_it_becomes_the_current_one_and_the_previous_still_verifies(
        self, cloud: Cloud, apis: ProviderApis, key: dict[str, str]
    ) -> None:
        cloud.secretsmanager.put_secret_value(**key)
        assert self.run(cloud, apis) == [apis.sync.signing_secret, "whsec_by_hand"]
        first, apis.sync.signing_secret = apis.sync.signing_secret, "whsec_next"
        assert self.run(cloud, apis) == ["whsec_next", first]

    def test_the_same_again_is_one_call_and_no_version(
        self, cloud: Cloud, apis: ProviderApis, key: dict[str, str]
    ) -> None:
        cloud.secretsmanager.put_secret_value(**key)
        before = self.run(cloud, apis)
        for _ in range(3):
            assert self.run(cloud, apis) == before
        assert [request.path for request in apis.requests] == ["/v2/organizations/webhook/secret"] * 4

    def test_without_a_key_no_api_is_called_and_a_value_set_by_hand_stays(
        self, cloud: Cloud, apis: ProviderApis, key: dict[str, str]
    ) -> None:
        assert self.run(cloud, apis) == ["whsec_by_hand"]
        assert apis.requests == []

    @pytest.mark.parametrize("wrong", ["", "whsec_****************", " \n", None])
    def test_what_is_no_secret_is_not_stored(
        self, cloud: Cloud, apis: ProviderApis, key: dict[str, str], wrong: Any
    ) -> None:
        cloud.secretsmanager.put_secret_value(**key)
        apis.sync.signing_secret = wrong
        with pytest.raises(ApiUnavailable):
            self.run(cloud, apis)
        assert cloud.secretsmanager.get_secret_value(SecretId=SECRET)["SecretString"] == "whsec_by_hand"

    @pytest.mark.parametrize(
        ("status", "error"), [(429, RateLimited), (503, ApiUnavailable), (None, ApiUnavailable), (401, ApiRefused)]
    )
    def test_an_api_that_does_not_give_it_is_called_once_and_the_run_fails(
        self, cloud: Cloud, apis: ProviderApis, key: dict[str, str], status: int | None, error: type[Exception]
    ) -> None:
        """The alarm counts the error."""
        cloud.secretsmanager.put_secret_value(**key)
        apis.sync.fail(status, times=5)
        with pytest.raises(error) as failed:
            self.run(cloud, apis)
        assert apis.sync.api_key not in str(failed.value)
        assert len(apis.requests) == 1

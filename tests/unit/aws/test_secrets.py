"""The versions of a secret that verify at a time, and how often Secrets Manager is called for them.

The time is a parameter; moto keeps the versions, and dates them by the real clock.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import boto3
import pytest
from moto.secretsmanager.models import secretsmanager_backends

from cli.doctor import MAX_SKEW
from dailies.aws.secrets import (
    MAX_CLOCK_SKEW,
    MAX_REFRESH_SECONDS,
    MIN_LETTERS,
    PLACEHOLDER,
    REFRESH_SECONDS,
    REREAD_SECONDS,
    UPDATING_SECONDS,
    UPDATING_UNTIL,
    ApiSecret,
    SigningSecret,
)
from dailies.errors import AwsUnavailable
from testkit.fixtures.aws import ONE_TRY, SECRET, UNREACHABLE, Cloud

GRACE = 2 * 86_400.0  # seconds
# After the versions were created, however long this run takes to get here. Whole seconds, so that sums are exact.
NOW = float(int(time.time()) + 86_400)


class Store:
    """Secrets Manager as a SigningSecret sees it: calls are counted, and all fail while it is `down`."""

    def __init__(self, cloud: Cloud) -> None:
        self.aws = cloud.secretsmanager
        self.calls: list[str] = []
        self.down = False
        self.seconds_a_call = 0.0
        self._gone = boto3.client("secretsmanager", endpoint_url=UNREACHABLE, config=ONE_TRY)
        for client in (self.aws, self._gone):
            client.meta.events.register("before-call.secretsmanager", lambda model, **_: self.calls.append(model.name))

    def secret(self, *, grace: float = GRACE) -> SigningSecret:
        return SigningSecret(lambda: self._gone if self.down else self.aws, SECRET, grace=grace, elapsed=self.elapsed)

    def elapsed(self) -> float:
        """A clock that only calls advance."""
        return len(self.calls) * self.seconds_a_call

    def put(self, value: str, stage: str = "AWSCURRENT") -> str:
        """A new version at this stage."""
        return self.aws.put_secret_value(SecretId=SECRET, SecretString=value, VersionStages=[stage])["VersionId"]

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.down = True
        yield
        self.down = False


@pytest.fixture
def store(cloud: Cloud) -> Store:
    cloud.set_secret("whsec_first")
    return Store(cloud)


class TestVersions:
    def test_current_pending_and_previous_all_verify_the_current_one_first(self, store: Store) -> None:
        store.put("whsec_second")
        store.put("whsec_third", "AWSPENDING")
        usable = store.secret().usable(NOW)
        assert list(usable.items()) == [
            ("current", "whsec_second"),
            ("pending", "whsec_third"),
            ("previous", "whsec_first"),
        ]

    def test_the_previous_secret_verifies_until_its_grace_period_ends(self, store: Store) -> None:
        made = store.put("whsec_second")
        at = store.aws.get_secret_value(SecretId=SECRET, VersionId=made)["CreatedDate"].timestamp()
        secret = store.secret()
        assert secret.usable(at + GRACE - 0.001) == {"current": "whsec_second", "previous": "whsec_first"}
        assert secret.usable(at + GRACE) == {"current": "whsec_second"}

    def test_where_a_rotation_ended_later_the_grace_begins_then(self, store: Store) -> None:
        """A rotation creates its version first, as pending, and tests it before making it the current one."""
        ended = NOW + 10_000
        rotated = {"LastRotatedDate": datetime.fromtimestamp(ended, UTC)}
        store.aws.meta.events.register(
            "after-call.secretsmanager.DescribeSecret", lambda parsed, **_: parsed.update(rotated)
        )
        store.put("whsec_second")
        secret = store.secret()
        assert secret.usable(ended + GRACE - 1)["previous"] == "whsec_first"
        assert "previous" not in secret.usable(ended + GRACE)

    def test_without_a_grace_it_never_does(self, store: Store) -> None:
        store.put("whsec_second")
        assert store.secret(grace=0).usable(NOW) == {"current": "whsec_second"}

    def test_a_version_that_was_removed_no_longer_verifies(self, store: Store) -> None:
        pending = store.put("whsec_second", "AWSPENDING")
        secret, now = store.secret(), NOW
        assert "whsec_second" in secret.usable(now).values()
        store.aws.update_secret_version_stage(SecretId=SECRET, VersionStage="AWSPENDING", RemoveFromVersionId=pending)
        assert secret.usable(now + REFRESH_SECONDS) == {"current": "whsec_first"}

    @pytest.mark.parametrize("value", [PLACEHOLDER, "", " ", "\n\t "])
    def test_a_placeholder_and_an_empty_value_verify_nothing(self, store: Store, value: str) -> None:
        store.put(value or " ")
        store.put(value or " ", "AWSPENDING")
        assert store.secret(grace=0).usable(NOW) == {}

    @pytest.mark.parametrize("stage", ["AWSCURRENT", "AWSPENDING"])
    def test_a_value_that_can_be_guessed_verifies_nothing(self, store: Store, stage: str) -> None:
        """Also, its single letters are not redacted from records."""
        store.put("x" * (MIN_LETTERS - 1), stage)
        assert store.secret(grace=0).usable(NOW) == ({} if stage == "AWSCURRENT" else {"current": "whsec_first"})
        store.put("x" * MIN_LETTERS, stage)
        assert "x" * MIN_LETTERS in store.secret(grace=0).usable(NOW).values()

    def test_whitespace_around_a_value_was_pasted_along(self, store: Store) -> None:
        store.put(" whsec_pasted\n")
        assert store.secret().usable(NOW)["current"] == "whsec_pasted"


class TestBare:
    """A value's wrapping, if it was not set by `dailies secrets set`."""

    @pytest.mark.parametrize(
        "stored",
        [
            pytest.param('{"SYNC_WEBHOOK_SECRET":"whsec_0123456789"}', id="as the console's form stores it"),
            pytest.param('{"": " whsec_0123456789\\n"}', id="the form, without a name"),
            pytest.param('"whsec_0123456789"', id="quoted"),
            pytest.param("\n whsec_0123456789 \r\n", id="blanks"),
        ],
    )
    def test_it_is_removed(self, store: Store, stored: str) -> None:
        store.put(stored)
        assert store.secret().usable(NOW)["current"] == "whsec_0123456789"

    @pytest.mark.parametrize(
        "stored", ['{"a":"whsec_0123456789","b":"whsec_9876543210"}', '{"a":1}', "{}", "{whsec_01"]
    )
    def test_an_object_that_does_not_say_which_is_the_secret_verifies_nothing(self, store: Store, stored: str) -> None:
        store.put(stored)
        assert "current" not in store.secret().usable(NOW)


class TestHowOftenItIsRead:
    def test_what_was_read_is_kept_and_refreshed_within_a_minute(self, store: Store) -> None:
        secret, now = store.secret(), NOW
        for after in (0.0, 1, REFRESH_SECONDS - 1):
            assert secret.usable(now + after) == {"current": "whsec_first"}
        assert store.calls == ["DescribeSecret", "GetSecretValue"]
        store.put("whsec_second")
        assert REFRESH_SECONDS < 60
        assert secret.usable(now + REFRESH_SECONDS)["current"] == "whsec_second"

    def test_a_refresh_reads_only_versions_that_are_new(self, store: Store) -> None:
        secret, now = store.secret(), NOW
        secret.usable(now)
        secret.usable(now + REFRESH_SECONDS)
        assert store.calls == ["DescribeSecret", "GetSecretValue", "DescribeSecret"]

    def test_a_delivery_that_no_known_secret_verifies_finds_a_change_at_once(self, store: Store) -> None:
        secret, now = store.secret(), NOW
        secret.usable(now)
        store.put("whsec_second")
        assert secret.reread(now + REREAD_SECONDS) == {"current": "whsec_second", "previous": "whsec_first"}

    def test_forged_deliveries_cause_at_most_one_read_in_five_seconds(self, store: Store) -> None:
        secret, now = store.secret(), NOW
        secret.usable(now)
        assert [secret.reread(now + tenth / 10) for tenth in range(50)] == [None] * 50
        looks = [secret.reread(now + 5 + second / 10) for second in range(100)]
        assert sum(look is not None for look in looks) == 2
        assert store.calls.count("DescribeSecret") == 3


class TestOutage:
    """While Secrets Manager does not respond."""

    def test_known_secrets_still_verify(self, store: Store) -> None:
        secret, now = store.secret(), NOW
        secret.usable(now)
        with store.outage():
            for after in (REFRESH_SECONDS, 10 * REFRESH_SECONDS, 24 * 3600.0):
                assert secret.usable(now + after) == {"current": "whsec_first"}
        store.put("whsec_second")
        assert secret.usable(now + 48 * 3600)["current"] == "whsec_second"

    def test_without_any_known_secret_a_delivery_is_never_rejected_as_unverified(self, store: Store) -> None:
        """After 401 a provider does not retry; after 503 it does. At any time of the outage."""
        secret, now = store.secret(), NOW
        with store.outage():
            for after in (0, 0.1, 4.9, REREAD_SECONDS, REFRESH_SECONDS - 1, REFRESH_SECONDS):
                with pytest.raises(AwsUnavailable):
                    secret.usable(now + after)
        assert secret.usable(now + 2 * REFRESH_SECONDS) == {"current": "whsec_first"}

    def test_it_recovers_soon_after_the_outage(self, store: Store) -> None:
        secret, now = store.secret(), NOW
        with store.outage(), pytest.raises(AwsUnavailable):
            secret.usable(now)
        assert secret.usable(now + REREAD_SECONDS) == {"current": "whsec_first"}

    def test_a_reread_during_an_outage_raises_an_error(self, store: Store) -> None:
        secret, now = store.secret(), NOW
        secret.usable(now)
        with store.outage():
            for after in (0, 0.1, REREAD_SECONDS - 0.1):
                with pytest.raises(AwsUnavailable):
                    secret.reread(now + REREAD_SECONDS + after)
        assert secret.reread(now + 2 * REREAD_SECONDS) == {"current": "whsec_first"}

    def test_an_outage_costs_one_question_each_five_seconds(self, store: Store) -> None:
        secret, now = store.secret(), NOW
        with store.outage():
            for tenth in range(100):
                with pytest.raises(AwsUnavailable):
                    secret.usable(now + tenth / 10)
        assert store.calls == ["DescribeSecret"] * 2

    def test_a_secret_that_is_not_there_is_an_outage_too(self, cloud: Cloud) -> None:
        with pytest.raises(AwsUnavailable, match="ResourceNotFound"):
            Store(cloud).secret().usable(NOW)


class TestSlow:
    """Secrets Manager is slow: a receiver must still respond in time."""

    @pytest.fixture
    def slow(self, store: Store) -> Store:
        """Three versions, and calls that each take more than half of the time for all."""
        store.put("whsec_second")
        store.put("whsec_third", "AWSPENDING")
        store.calls.clear()
        store.seconds_a_call = MAX_REFRESH_SECONDS * 0.6
        return store

    def test_no_further_call_is_made_after_the_time_limit(self, slow: Store) -> None:
        with pytest.raises(AwsUnavailable, match="too slow"):
            slow.secret().usable(NOW)
        assert slow.calls == ["DescribeSecret", "GetSecretValue"]

    def test_what_was_read_is_not_read_again_so_that_it_ends(self, slow: Store) -> None:
        secret = slow.secret()
        for looks in range(2):
            with pytest.raises(AwsUnavailable, match="too slow"):
                secret.usable(NOW + looks * REREAD_SECONDS)
        assert len(secret.usable(NOW + 2 * REREAD_SECONDS)) == 3
        assert slow.calls.count("GetSecretValue") == 3

    def test_known_secrets_still_verify_and_other_deliveries_are_retried(self, store: Store) -> None:
        secret = store.secret()
        secret.usable(NOW)
        store.put("whsec_second")
        store.put("whsec_third", "AWSPENDING")
        store.seconds_a_call = MAX_REFRESH_SECONDS
        assert secret.usable(NOW + REFRESH_SECONDS) == {"current": "whsec_first"}
        with pytest.raises(AwsUnavailable):
            secret.reread(NOW + REFRESH_SECONDS)


class TestUpdating:
    """While a provider creates a new value, the secret has a tag."""

    def tag(self, store: Store, until: object) -> None:
        store.aws.tag_resource(SecretId=SECRET, Tags=[{"Key": UPDATING_UNTIL, "Value": str(until)}])

    def test_it_counts_until_its_time(self, store: Store) -> None:
        self.tag(store, NOW + 60)
        secret = store.secret()
        secret.usable(NOW)
        assert [secret.updating(NOW + after) for after in (0, 59.9, 60, 3600)] == [True, True, False, False]

    def test_it_verifies_nothing(self, store: Store) -> None:
        self.tag(store, NOW + 60)
        assert store.secret().usable(NOW) == {"current": "whsec_first"}

    def test_a_reread_finds_the_tag_and_its_removal(self, store: Store) -> None:
        secret = store.secret()
        secret.usable(NOW)
        self.tag(store, NOW + 60)
        assert not secret.updating(NOW)
        secret.reread(NOW + REREAD_SECONDS)
        assert secret.updating(NOW + REREAD_SECONDS)
        store.aws.untag_resource(SecretId=SECRET, TagKeys=[UPDATING_UNTIL])
        secret.reread(NOW + 2 * REREAD_SECONDS)
        assert not secret.updating(NOW + 2 * REREAD_SECONDS)

    @pytest.mark.parametrize("ahead", [1, MAX_SKEW, MAX_CLOCK_SKEW])
    def test_the_clock_of_its_writer_may_be_ahead_of_ours(self, store: Store, ahead: float) -> None:
        """By as much as `dailies doctor` allows, and more: if the tag were ignored, a 401 would lose a job."""
        self.tag(store, NOW + ahead + UPDATING_SECONDS)
        secret = store.secret()
        secret.usable(NOW)
        assert secret.updating(NOW)

    @pytest.mark.parametrize(
        "until",
        ["", "soon", "nan", "inf", "1e300", NOW + UPDATING_SECONDS + MAX_CLOCK_SKEW + 1, NOW - 1],
        ids=["", "soon", "nan", "inf", "1e300", "too late", "over"],
    )
    def test_what_no_rotation_would_write_counts_for_nothing(self, store: Store, until: object) -> None:
        self.tag(store, until)
        secret = store.secret()
        secret.usable(NOW)
        assert not secret.updating(NOW)

    def test_a_version_without_a_value_is_read_again_when_it_may_have_one(self, store: Store) -> None:
        """Secrets Manager stages the version before a rotation sets its value."""
        version = str(uuid4())
        keeps = secretsmanager_backends["123456789012"]["us-east-1"].secrets[SECRET]
        keeps.versions[version] = {"createdate": 1, "version_id": version, "version_stages": ["AWSPENDING"]}
        secret = store.secret()
        assert secret.usable(NOW) == {"current": "whsec_first"}
        store.aws.put_secret_value(
            SecretId=SECRET, ClientRequestToken=version, SecretString="whsec_next", VersionStages=["AWSPENDING"]
        )
        assert secret.reread(NOW + REREAD_SECONDS) == {"current": "whsec_first", "pending": "whsec_next"}


class TestApiCredentials:
    """A JSON object of strings."""

    def credentials(self, cloud: Cloud, text: str, *names: str) -> dict[str, str] | None:
        cloud.set_secret(text)
        return ApiSecret(lambda: cloud.secretsmanager, SECRET).credentials(NOW, *names)

    def test_they_are_what_the_owner_has_set(self, cloud: Cloud) -> None:
        text = '{"api_id":"i","api_key":" k ","note":5}'
        assert self.credentials(cloud, text, "api_id", "api_key") == {"api_id": "i", "api_key": "k"}

    @pytest.mark.parametrize(
        "text", [PLACEHOLDER, "{", "[]", "null", '"k"', '{"api_id":"i"}', '{"api_key":""}', '{"api_key":5}', "5"]
    )
    def test_where_they_are_not_whole_there_are_none(self, cloud: Cloud, text: str) -> None:
        assert self.credentials(cloud, text, "api_key") is None

    def test_an_added_one_counts_at_once_and_a_change_within_a_minute(self, cloud: Cloud) -> None:
        cloud.set_secret(PLACEHOLDER)
        api, now = ApiSecret(lambda: cloud.secretsmanager, SECRET), NOW
        assert api.credentials(now, "api_key") is None
        cloud.set_secret('{"api_key":"k"}')
        assert api.credentials(now + REREAD_SECONDS - 1, "api_key") is None
        added = now + REREAD_SECONDS
        assert api.credentials(added, "api_key") == {"api_key": "k"}
        cloud.set_secret('{"api_key":"l"}')
        assert api.credentials(added + REFRESH_SECONDS - 1, "api_key") == {"api_key": "k"}
        assert api.credentials(added + REFRESH_SECONDS, "api_key") == {"api_key": "l"}

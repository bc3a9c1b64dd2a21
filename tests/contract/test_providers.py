"""Rules that every provider keeps. Providers are discovered; an incomplete one fails here.

How to add one: CONTRIBUTING.md.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.errors import PayloadError, VerificationError
from dailies.jobs.models import Delivery, MediaKind, Report
from dailies.providers import every_provider
from dailies.providers.contract import ProofRules, Provider, Webhook
from simulators.provider_calls import every_sample
from simulators.provider_calls.sample import Order
from testkit.fixtures.aws import Cloud, Context
from testkit.support.recorded_events import WEBHOOKS, delivery, event, outcomes, secret
from testkit.support.template import ROOT, functions, resources, signing_secrets

PROVIDERS = every_provider()
RULES = ProofRules()
EXAMPLE_CREDENTIALS = {"api_key": "key-0123456789", "api_id": "id-0123456789"}

every_provider_here = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
every_webhook = pytest.mark.parametrize("webhook", WEBHOOKS.values(), ids=WEBHOOKS)


def recorded(webhook: Webhook) -> list[Delivery]:
    return [delivery(name) for name in outcomes(webhook)]


def schemes(webhook: Webhook) -> set[str]:
    """The schemes with which its recorded deliveries verify."""
    secrets = {"current": secret(webhook.provider)}
    return {webhook.verify(sent, secrets, RULES).scheme for sent in recorded(webhook)}


def of_other_providers(webhook: Webhook) -> list[Webhook]:
    return [other for other in WEBHOOKS.values() if other.provider != webhook.provider]


class TestNames:
    """Names predict paths."""

    @every_provider_here
    def test_a_provider_is_the_file_and_its_webhooks_are_its_own(self, provider: Provider) -> None:
        assert PROVIDERS[provider.name] is provider
        assert provider.webhooks
        assert {webhook.provider for webhook in provider.webhooks} == {provider.name}

    @every_provider_here
    def test_a_provider_has_a_page_for_its_users(self, provider: Provider) -> None:
        page = (ROOT / f"docs/providers/{provider.name}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {provider.name.capitalize()}\n")
        for name in (*provider.secrets, *(webhook.full_name for webhook in provider.webhooks)):
            assert name in page, name

    def test_no_two_webhooks_have_one_name(self) -> None:
        names = [webhook.full_name for provider in PROVIDERS.values() for webhook in provider.webhooks]
        assert len(set(names)) == len(names)

    @every_webhook
    def test_a_webhook_has_one_route_to_a_function_of_its_name(self, webhook: Webhook) -> None:
        """The folder's name is singular: one delivery is about one job."""
        path = f"/webhooks/{webhook.full_name}" + ("/{token}" if webhook.in_path else "")
        routed = [
            function
            for function in functions().values()
            for route in function.get("Events", {}).values()
            if route["Type"] == "HttpApi"
            and (route["Properties"]["Method"], route["Properties"]["Path"]) == ("POST", path)
        ]
        folder = webhook.full_name.replace("/", "_").removesuffix("s")
        assert [function["CodeUri"] for function in routed] == [f"functions/{folder}"]
        assert {name.partition("/")[0] for name in outcomes(webhook)} == {folder}

    @every_webhook
    def test_a_webhooks_secret_is_the_one_that_the_template_gives_to_its_function(self, webhook: Webhook) -> None:
        assert signing_secrets()[webhook.full_name] == webhook.secret_name
        assert webhook.secret_name in PROVIDERS[webhook.provider].secrets

    @every_provider_here
    def test_a_provider_has_a_secret_in_the_template_for_each_that_it_names(self, provider: Provider) -> None:
        made = [made["Name"]["Fn::Sub"] for made in resources("AWS::SecretsManager::Secret").values()]
        assert sorted(name for name in made if name.startswith(f"${{AWS::StackName}}/{provider.name}/")) == sorted(
            f"${{AWS::StackName}}/{name}" for name in provider.secrets
        )


class TestSamples:
    """simulators/provider_calls/ has a sample of each webhook, for `dailies trigger`, the demo and the fuzz targets."""

    def test_each_webhook_has_one(self) -> None:
        assert set(every_sample()) == set(WEBHOOKS)

    @every_webhook
    def test_each_case_is_parsed_as_its_sample_says(self, webhook: Webhook) -> None:
        sample = every_sample()[webhook.full_name]
        for word, case in sample.cases.items():
            links = sample.links(word, lambda file: f"https://media.example/{file}?signature=1")
            call = sample.call(Order(word, "j-1", sample.secret, links))
            report = webhook.parse(call.body)
            assert (report.job_id, report.status) == ("j-1", case.status)
            assert {medium.role: medium.url for medium in report.media} == links

    @every_webhook
    def test_it_has_a_failure_without_media_and_its_secret_where_the_webhook_looks(self, webhook: Webhook) -> None:
        sample = every_sample()[webhook.full_name]
        assert sample.failure
        assert sample.in_path == webhook.in_path
        assert sample.shows_secret or sample.proof_headers


class TestRecordings:
    """events/ has a delivery of each webhook; the tests below use it."""

    @every_webhook
    def test_one_that_completed_and_one_that_failed(self, webhook: Webhook) -> None:
        statuses = {webhook.parse(sent.body).status for sent in recorded(webhook)}
        assert {"completed", "failed"} <= statuses
        assert "unknown" not in statuses

    @every_webhook
    def test_their_media_have_roles_that_the_provider_lists(self, webhook: Webhook) -> None:
        found = {medium.role for sent in recorded(webhook) for medium in webhook.parse(sent.body).media}
        assert found
        assert found <= set(PROVIDERS[webhook.provider].roles)

    @every_webhook
    def test_the_function_records_them_under_the_webhooks_name_and_keeps_no_secret(
        self, webhook: Webhook, cloud: Cloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.set_secret(secret(webhook.provider))
        (folder,) = {name.partition("/")[0] for name in outcomes(webhook)}
        handler = cloud.function(folder).lambda_handler
        for name in outcomes(webhook):
            response = handler(event(name), Context())
            assert json.loads(response["body"])["result"] == "recorded"
        rows = cloud.typed_rows()
        assert {(row["provider"]["S"], row["webhook"]["S"]) for row in rows} == {(webhook.provider, webhook.name)}
        kept = [repr({name: value for name, value in row.items() if name != "payload"}).encode() for row in rows]
        kept += [gzip.decompress(row["payload"]["B"]) for row in rows]
        assert len(rows) == len(outcomes(webhook))
        assert not any(secret(webhook.provider).encode() in text for text in kept)
        assert secret(webhook.provider) not in "".join(capsys.readouterr())


class TestProof:
    @every_webhook
    def test_during_a_rotation_each_version_holds_and_after_it_the_removed_one_does_not(self, webhook: Webhook) -> None:
        true = secret(webhook.provider)
        for sent in recorded(webhook):
            for version in ("current", "pending", "previous"):
                secrets = {"current": "another-0", "pending": "another-1", "previous": "another-2", version: true}
                assert webhook.verify(sent, secrets, RULES).secret == version
            for secrets in ({}, {"current": "another-0"}, {"current": true[:-1]}, {"current": true + "0"}):
                with pytest.raises(VerificationError):
                    webhook.verify(sent, secrets, RULES)

    @every_webhook
    def test_the_signature_scheme_is_reported(self, webhook: Webhook) -> None:
        for sent in recorded(webhook):
            assert webhook.verify(sent, {"current": secret(webhook.provider)}, RULES).scheme

    @every_webhook
    def test_a_delivery_of_another_provider_never_verifies(self, webhook: Webhook) -> None:
        """It is verified with another secret, also if both providers use the same scheme."""
        for other in of_other_providers(webhook):
            for sent in recorded(other):
                with pytest.raises(VerificationError):
                    webhook.verify(sent, {"current": secret(webhook.provider)}, RULES)

    @every_webhook
    def test_a_delivery_in_another_scheme_does_not_verify_even_with_its_own_secret(self, webhook: Webhook) -> None:
        for other in of_other_providers(webhook):
            if schemes(other) & schemes(webhook):
                continue
            for sent in recorded(other):
                with pytest.raises(VerificationError):
                    webhook.verify(sent, {"current": secret(other.provider)}, RULES)

    @every_webhook
    def test_without_its_headers_and_its_token_nothing_verifies(self, webhook: Webhook) -> None:
        for sent in recorded(webhook):
            bare = replace(sent, headers={}, token="")
            with pytest.raises(VerificationError):
                webhook.verify(bare, {"current": secret(webhook.provider)}, RULES)

    TEXT = st.text(st.characters(exclude_categories=()))
    ODD: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([
        lambda value: value[: len(value) // 2] + "\x00",
        lambda value: f"{value}, {value}\x00",
        lambda value: value.swapcase() + "\x00",
    ]) | TEXT.map(lambda text: lambda _: text)  # fmt: skip

    @every_webhook
    @given(data=st.data())
    def test_malformed_headers_are_a_verification_error_and_nothing_else(
        self, webhook: Webhook, data: st.DataObject
    ) -> None:
        sent = data.draw(st.sampled_from(recorded(webhook)))
        odd = data.draw(st.lists(self.ODD, min_size=len(sent.headers), max_size=len(sent.headers)))
        headers = {name: spoil(value) for spoil, (name, value) in zip(odd, sent.headers.items(), strict=True)}
        spoilt = replace(sent, headers=headers, token=data.draw(self.TEXT))
        with pytest.raises(VerificationError):
            webhook.verify(spoilt, {"current": secret(webhook.provider)}, RULES)


class TestPayload:
    def without(self, webhook: Webhook, body: dict[str, Any], *names: str) -> Report | None:
        """The report of the body without these fields; None if it is not valid without them."""
        rest = {name: value for name, value in body.items() if name not in names}
        try:
            return webhook.parse(json.dumps(rest).encode())
        except PayloadError:
            return None

    @every_webhook
    def test_a_body_that_has_nothing_but_what_decides_is_read(self, webhook: Webhook) -> None:
        for sent in recorded(webhook):
            body = json.loads(sent.body)
            optional = [name for name in body if self.without(webhook, body, name)]
            assert len(body) - len(optional) <= 2, "a job's id and its status are all that may be asked"
            bare, whole = self.without(webhook, body, *optional), webhook.parse(sent.body)
            assert bare
            assert (bare.job_id, bare.status, bare.media) == (whole.job_id, whole.status, ())

    @every_webhook
    @pytest.mark.parametrize("value", [None, "", "  "])
    def test_null_and_blank_are_as_absent(self, webhook: Webhook, value: str | None) -> None:
        for sent in recorded(webhook):
            body = json.loads(sent.body)
            for name in body:
                if rest := self.without(webhook, body, name):
                    assert webhook.parse(json.dumps(body | {name: value}).encode()) == rest

    @every_webhook
    @pytest.mark.parametrize("value", [None, "", 7, [], {}, "a\x00b", "a\tb", "x" * 257])
    def test_what_decides_must_be_there_and_the_reason_names_it(self, webhook: Webhook, value: object) -> None:
        for sent in recorded(webhook):
            body = json.loads(sent.body)
            for name in (name for name in body if not self.without(webhook, body, name)):
                with pytest.raises(PayloadError, match=f"^{name}: "):
                    webhook.parse(json.dumps(body | {name: value}).encode())

    @every_webhook
    def test_a_word_that_is_new_is_kept(self, webhook: Webhook) -> None:
        for sent in recorded(webhook):
            word = webhook.parse(sent.body).provider_status
            assert sent.body.count(f'"{word}"'.encode()) == 1
            report = webhook.parse(sent.body.replace(f'"{word}"'.encode(), b'"never heard"'))
            assert (report.status, report.provider_status) == ("unknown", "never heard")

    @every_webhook
    def test_what_is_no_json_object_is_a_payload_error(self, webhook: Webhook) -> None:
        for body in (b"", b"{", b"[]", b"null", b"1", b'""', b"{}", b"\xff", b"\x00"):
            with pytest.raises(PayloadError):
                webhook.parse(body)


class TestMedia:
    @every_provider_here
    def test_every_role_has_kinds_that_formats_can_detect(self, provider: Provider) -> None:
        assert provider.roles
        for role, kinds in provider.roles.items():
            assert role.isidentifier()
            assert kinds
            assert kinds <= set(get_args(MediaKind.__value__))

    @every_provider_here
    def test_lists_of_jobs_are_of_roles_and_webhooks_that_there_are(self, provider: Provider) -> None:
        names = {webhook.name for webhook in provider.webhooks}
        for role, listing in provider.manifests.items():
            assert provider.roles[role] == {"jsonl"}
            assert listing.webhook in names
            assert list(listing.read(iter([b"", b"{", b"null", b"\xff"]), "b-1")) == []

    @every_provider_here
    def test_for_unauthenticated_links_the_archive_has_a_list_of_hosts(self, provider: Provider) -> None:
        setting = f"{provider.name.upper()}_MEDIA_HOSTS"
        assert (setting in functions()["Archive"]["Environment"]["Variables"]) == (not provider.links_are_proven)


class TestItsApi:
    """The requests for job status and for fresh links."""

    @every_provider_here
    def test_requests_stay_below_the_base_url_with_credentials_only_in_headers(self, provider: Provider) -> None:
        assert set(provider.link_refresh) <= set(provider.roles)
        assert set(provider.api_names) <= EXAMPLE_CREDENTIALS.keys()
        for base in ("https://api.example", "https://api.example/v9/"):
            for request in self.requests(provider, base, "a/b?c#ü"):
                assert request.url.startswith(base.rstrip("/") + "/")
                assert "b?c" not in request.url
                assert request.url.isascii()
                secrets = set(EXAMPLE_CREDENTIALS.values())
                assert secrets & set(request.headers.values())
                assert not any(value in request.url or value.encode() in request.body for value in secrets)
                assert not any(value in repr(request) for value in secrets)

    @every_provider_here
    def test_an_answer_that_cannot_be_read_is_a_payload_error(self, provider: Provider) -> None:
        polling = provider.polling.values()
        for get_job in (*provider.link_refresh.values(), *(each.get_job for each in polling)):
            for answer in (b"", b"\xff", b"{", b"[]", b"null", b"<html>"):
                with pytest.raises(PayloadError):
                    get_job.read(answer, "j-1")
        for list_jobs in (each.list_jobs for each in polling if each.list_jobs):
            for answer in (b"", b"\xff", b"{", b"null", b"<html>", b'{"results": {}}'):
                with pytest.raises(PayloadError):
                    list_jobs.read(answer)
            assert list_jobs.read(b'[{"no": "job"}, 1, null]') == []

    @every_provider_here
    def test_either_all_webhooks_jobs_can_be_polled_or_none(self, provider: Provider) -> None:
        assert list(provider.polling) in ([webhook.name for webhook in provider.webhooks], [])
        assert provider.api_limit.calls > 0
        assert {submission.webhook for submission in provider.submissions.values()} <= set(provider.polling)

    @every_provider_here
    @pytest.mark.parametrize("function", ["Archive", "Reconcile"])
    def test_the_functions_that_ask_know_it_if_there_is_one(self, provider: Provider, function: str) -> None:
        variables = functions()[function]["Environment"]["Variables"]
        for name in (f"{provider.name.upper()}_API_URL", f"{provider.name.upper()}_API_SECRET_ID"):
            assert (name in variables) == provider.has_api

    def requests(self, provider: Provider, base: str, job_id: str) -> Iterator[Any]:
        for get_job in provider.link_refresh.values():
            yield get_job.build(base, EXAMPLE_CREDENTIALS, job_id)
        for polling in provider.polling.values():
            yield polling.get_job.build(base, EXAMPLE_CREDENTIALS, job_id)
            if polling.list_jobs:
                yield polling.list_jobs.build(base, EXAMPLE_CREDENTIALS, ())
                yield polling.list_jobs.build(base, EXAMPLE_CREDENTIALS, [job_id])

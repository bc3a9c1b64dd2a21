"""`dailies submit` on a stack on AWS (moto's): the webhook that each provider's request names, and its URL."""

import json
from pathlib import Path

import pytest

from testkit.fixtures.archiver import Archive
from testkit.fixtures.cli import Done, dailies
from testkit.fixtures.deployed_stack import BASE, deploy

CAPTIONS = f"{BASE}/webhooks/captions/creator"  # the fixture has registered it


class Operator:
    """Submit by the command. The stack's outputs are the template's, and the given ones."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self.archive = archive
        self.captions = archive.apis.captions
        self._body = folder / "body.json"

    def deploys(self, **more_outputs: str) -> None:
        """A stack named `dailies` in the region of the test's account."""
        deploy(self.archive, {}, more_outputs)

    def submits(self, call: str, *options: str, **body: object) -> Done:
        self._body.write_text(json.dumps(body))
        return dailies("submit", call, str(self._body), *options, "--json", "--stack", "dailies")

    def webhook_of(self, done: Done) -> str | None:
        """The id of the webhook that Captions calls for this job."""
        return self.captions.job(done.json["job_id"]).webhook_id

    def asked(self) -> list[str]:
        """The requests that Captions received."""
        return [one.path for one in self.archive.apis.requests]


@pytest.fixture
def operator(archive_at_work: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.delenv("AWS_REGION", raising=False)
    archive_at_work.set_keys()
    return Operator(archive_at_work, tmp_path)


def test_captions_is_named_the_id_that_the_stack_has_registered(operator: Operator) -> None:
    ours = operator.captions.register("https://another.domain.of/the/stacks")
    operator.deploys(CaptionsWebhookId=ours.id)
    assert operator.webhook_of(operator.submits("captions/submit", script="Hello.")) == ours.id
    assert operator.asked() == ["/creator/submit"]


def test_where_somebody_registered_it_by_hand_the_one_with_the_stacks_url_is_named(operator: Operator) -> None:
    (ours,) = operator.captions.registrations
    operator.captions.register("https://somebody.elses/webhooks/captions/creator")
    operator.deploys()
    assert ours.url == CAPTIONS
    assert operator.webhook_of(operator.submits("captions/submit", script="Hello.")) == ours.id


def test_a_webhook_that_the_body_names_is_the_one(operator: Operator) -> None:
    another = operator.captions.register("https://another.stacks/webhooks/captions/creator")
    operator.deploys(CaptionsWebhookId="of-this-stack")
    done = operator.submits("captions/submit", script="Hello.", webhookId=another.id)
    assert operator.webhook_of(done) == another.id


def test_where_none_is_registered_nothing_is_submitted(operator: Operator) -> None:
    operator.captions.webhooks.registered.clear()
    operator.deploys()
    done = operator.submits("captions/submit", script="Hello.")
    assert done.code == 1
    assert "not registered at Captions. Register it with `dailies webhooks captions register`" in done.err
    assert "/creator/submit" not in operator.asked()


def test_the_others_are_given_the_stacks_url_over_one_in_the_body(operator: Operator) -> None:
    operator.deploys()
    parts = [{"type": "video", "url": "https://x.example/v.mp4"}]
    done = operator.submits("sync/generate", model="lipsync-2", input=parts, webhookUrl="https://x.example/hook")
    assert done.json["answer"]["webhookUrl"] == f"{BASE}/webhooks/sync/generation"


def test_the_region_is_that_of_the_aws_clis_variable_where_it_is_set(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.deploys()
    monkeypatch.setenv("AWS_REGION", "eu-central-1")  # the account's default is us-east-1, where the stack is
    assert "No stack dailies in eu-central-1" in operator.submits("captions/submit", script="Hello.").err
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert operator.submits("captions/submit", script="Hello.").code == 0


def test_a_call_that_continues_a_job_says_how_to_name_it(operator: Operator) -> None:
    operator.deploys()
    done = operator.submits("creatify/gen_video", video_prompt="turn")
    assert (done.code, "--source" in done.err) == (2, True)
    assert operator.asked() == []


def test_a_named_job_is_rejected_by_a_call_that_needs_none(operator: Operator) -> None:
    operator.deploys()
    done = operator.submits("sync/generate", "--source", "abc", model="lipsync-2")
    assert (done.code, "omit --source" in done.err) == (2, True)
    assert operator.asked() == []

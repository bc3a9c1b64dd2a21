"""A medium whose host fails, sends wrong data or redirects elsewhere: no object, and a job row with the reason.

One test for each kind of outcome; every fault is in tests/unit/transfer/test_failures.py and resilience/transfers. All
deliveries are sent at once before the first test; each test then waits for its own job.
"""

from dataclasses import dataclass

import pytest

from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from testkit.fixtures.account_reader import Owner, medium
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.provider_client import Providers
from testkit.support.wait import wait_for


@dataclass(frozen=True)
class Case:
    """A fault that the host has for the medium of that name, and the resulting state and reason."""

    fault: str
    state: str
    reason: str
    name: str = "operation.mp4"


# Failed: given up after four attempts (1, 2 and 4 s apart), or at once if no retry can help. Lost: the link is dead.
CASES = [
    Case("cut-with-length", "failed", "cut short: "),
    Case("cut-with-length", "failed", "cut short: ", "large.mp4"),
    Case("broken", "failed", "the host answered 500"),
    Case("html-page-as-mp4", "failed", "not video: an HTML page"),
    Case("redirect-to-metadata", "failed", "not https: http"),
    Case("forbidden", "lost", "the host answered 403"),
]
# Four of these attempts take a minute: the end of the first is enough.
SLOW = [Case("silent", "pending", "no whole head within 15 s")]
GOOD_IN_THE_END = ["redirect-to-good", "busy-once", "unavailable-twice"]


# The host's content before it recovers: one that no retry can help, and one that uses all attempts.
RECOVERING = {"page": b"<!DOCTYPE html><p>Come back later", "beginning": b"\0\0\0\x18ftypmp42"}


def job(providers: Providers, case: Case) -> str:
    return providers.job(f"{case.fault}-{case.name.partition('.')[0]}")


def recovering(providers: Providers, name: str) -> str:
    return f"/{providers.job(name)}/recovering.mp4"


@pytest.fixture(scope="module", autouse=True)
def called(providers: Providers, listener: Listener) -> None:
    """One delivery for each case."""
    faults = [*CASES, *SLOW, *(Case(fault, "archived", "") for fault in GOOD_IN_THE_END)]
    calls = [
        captions_creator("success", job_id, providers.captions, url=providers.link(job_id, case.name, case.fault))
        for case in faults
        for job_id in [job(providers, case)]
    ]
    to_metadata = providers.job("to-metadata")
    providers.host.redirect(f"/{to_metadata}", to="https://169.254.169.254/latest/meta-data/iam")
    calls.append(
        captions_creator("success", to_metadata, providers.captions, url=providers.host.url(f"/{to_metadata}"))
    )
    elsewhere = providers.job("elsewhere")
    calls.append(
        creatify_product_to_videos(
            "image_generated", elsewhere, providers.creatify, photo_url="https://media.example.com/p.png"
        )
    )
    for name, content in RECOVERING.items():
        path = recovering(providers, name)
        providers.host.add(path, content, "video/mp4")
        calls.append(captions_creator("success", providers.job(name), providers.captions, url=providers.host.url(path)))
    assert [answer.result for answer in providers.send_all(calls)] == ["recorded"] * len(calls)


def leaves_nothing(owner: Owner, provider: str, job_id: str) -> None:
    prefix = f"media/{provider}/{job_id}/"
    assert owner.keys(prefix) == []
    assert owner.open_uploads(prefix) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fault} {case.name}")
def test_it_leaves_no_object_and_the_job_row_says_why(
    case: Case, providers: Providers, owner: Owner, listener: Listener
) -> None:
    row = owner.resting("captions", job(providers, case), "attention")
    output = medium(row, "output")
    assert output["state"] == case.state
    assert output["reason"].startswith(case.reason)
    assert "key" not in output
    assert "archived_at" not in output
    assert output["source_host"] == "127.0.0.1"
    leaves_nothing(owner, "captions", row["job_id"])
    event = listener.hears(row["job_id"], "Job Needs Attention")
    assert event["detail"]["media"][0]["reason"] == output["reason"]


@pytest.mark.parametrize("case", SLOW, ids=lambda case: case.fault)
def test_a_host_that_never_ends_its_headers_is_left_and_the_row_says_so(
    case: Case, providers: Providers, owner: Owner
) -> None:
    job_id = job(providers, case)
    row = wait_for(
        "the first try's end",
        lambda: owner.job("captions", job_id),
        lambda row: row and medium(row, "output").get("reason"),
    )
    assert medium(row, "output")["reason"] == case.reason
    assert (medium(row, "output")["state"], row["stage"]) == (case.state, "archiving")  # three attempts are left
    leaves_nothing(owner, "captions", job_id)


def test_a_redirect_to_an_address_that_is_not_public_is_not_followed(providers: Providers, owner: Owner) -> None:
    row = owner.resting("captions", providers.job("to-metadata"), "attention")
    assert medium(row, "output")["reason"] == "169.254.169.254 has an address that is not public"
    leaves_nothing(owner, "captions", row["job_id"])


def test_an_unsigned_deliverys_link_to_a_foreign_host_is_not_followed(providers: Providers, owner: Owner) -> None:
    row = owner.resting("creatify", providers.job("elsewhere"), "attention")
    photo = medium(row, "photo")
    assert photo["state"] == "failed"
    assert photo["reason"] == "media.example.com is not among the hosts that this provider's media are fetched from"
    leaves_nothing(owner, "creatify", row["job_id"])


@pytest.mark.parametrize("fault", GOOD_IN_THE_END)
def test_what_comes_whole_in_the_end_is_kept(fault: str, providers: Providers, owner: Owner) -> None:
    job_id = providers.job(f"{fault}-operation")
    output = medium(owner.resting("captions", job_id), "output")
    content, _ = owner.object(output["key"], output["version_id"])
    assert content == providers.host.media["operation.mp4"].content
    assert "reason" not in output  # of earlier attempts


@pytest.mark.parametrize("name", RECOVERING)
def test_a_dead_letter_settles_its_job_when_sent_back_after_the_host_recovers(
    name: str, providers: Providers, owner: Owner, listener: Listener
) -> None:
    row = owner.resting("captions", providers.job(name), "attention")
    assert medium(row, "output")["state"] == "failed"
    message = owner.message("ArchiveDeadLetterQueueUrl", lambda body: row["job_id"] in body)
    assert message["MessageAttributes"]["reason"]["StringValue"] == medium(row, "output")["reason"]

    whole = providers.host.media["operation.mp4"].content
    providers.host.add(recovering(providers, name), whole, "video/mp4")
    owner.send("ArchiveQueueUrl", message["Body"])  # as SQS's own redrive does

    output = medium(owner.resting("captions", row["job_id"]), "output")
    assert owner.object(output["key"], output["version_id"])[0] == whole
    listener.hears(row["job_id"], "Job Settled")

"""The operator's repairs on the stack: deliveries parsed again, failed work redriven, jobs replayed, secrets set."""

import gzip
import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from cli import quarantine
from cli import stack as stacks
from cli.quarantine import Delivery
from dailies.jobs import rows
from dailies.jobs.object_keys import delivery_key
from local.stack import Stack
from testkit.fixtures.account_reader import Owner, Row, medium
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.cli import MediaSite, dailies
from testkit.fixtures.provider_client import Providers
from testkit.support.wait import wait_for

NOT_OF_THE_CALL = ("expires_at", "written_by")  # attributes that differ if a row is written later, by another function


def key(row: Row) -> dict[str, Any]:
    return {"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}}


def remove(stack: Stack, row: Row) -> None:
    stack.aws.dynamodb.delete_item(TableName=stack.outputs["TableName"], Key=key(row))


def settled(site: MediaSite, providers: Providers, owner: Owner, name: str) -> Row:
    """The row of a settled Captions job."""
    job_id = providers.job(name)
    assert dailies("trigger", "captions/creator", "--job", job_id).code == 0
    return owner.resting("captions", job_id)


# ---- Quarantine ------------------------------------------------------------------------------------------------------


LATELY = ("--since", "1d")  # a query for each provider and day


@pytest.mark.parametrize("is_large", [False, True], ids=["in its row", "in the bucket"])
def test_a_call_that_can_be_read_by_now_becomes_the_event_that_reception_makes(
    is_large: bool, site: MediaSite, providers: Providers, owner: Owner, stack: Stack
) -> None:
    """Turn the row of a received delivery into a quarantine row, as an older version would have written it."""
    job_id = providers.job(f"read-again-{is_large}")
    more = {"transcript": secrets.token_hex(400_000)} if is_large else {}
    body = json.dumps({"event": "creator.failure", "operationId": job_id, **more}).encode()
    providers.send(providers.proven("captions/creator", body))
    row = wait_for("it is recorded", lambda: owner.events("captions", job_id), bool)[0]
    kept = {"payload": row["payload"]} if not is_large else {}
    if is_large:
        kept = {"payload_key": delivery_key("captions", row["event_id"], quarantined=True)}
        owner.put_object(kept["payload_key"], gzip.compress(body, mtime=0))
    call = rows.quarantine_item(
        row["event_id"], "creator", provider="captions", received_at=row["received_at"],
        reason="operationId: missing", proof=row["proof"], **kept,
    )  # fmt: skip
    remove(stack, row)
    owner.put_row(call)

    shown = dailies("quarantine", "show", row["event_id"][:10], *LATELY)
    assert "operationId: missing" in shown.out
    assert json.loads(shown.out.splitlines()[-1])["operationId"] == job_id
    listed = dailies("quarantine", "list", "--provider", "captions", "--json").json
    assert row["event_id"] in {one["event_id"] for one in listed}
    refused = dailies("quarantine", "reparse", row["event_id"][:10], *LATELY)
    assert (refused.code, "Parse 1 delivery of the local stack again?" in refused.err) == (1, True)

    (done,) = dailies("quarantine", "reparse", row["event_id"][:10], *LATELY, "--yes", "--json").json
    assert done["job_id"] == job_id
    (again,) = owner.events("captions", job_id)
    assert {k: v for k, v in again.items() if k not in NOT_OF_THE_CALL} == {
        k: v for k, v in row.items() if k not in NOT_OF_THE_CALL
    }
    assert abs(again["expires_at"] - row["expires_at"]) < 600
    assert row["event_id"] not in {one["event_id"] for one in owner.rows(call["pk"])}
    if is_large:
        assert owner.keys(kept["payload_key"]) == []


def test_a_call_that_still_cannot_be_read_stays_and_the_command_ends_with_one(site: MediaSite) -> None:
    made = dailies("trigger", "sync/generation", "--case", "unreadable", "--json").json
    event = made["body"]["event_id"]
    done = dailies("quarantine", "reparse", event, *LATELY, "--yes")
    assert (done.code, "1 stayed: id: missing; status: missing" in done.out) == (1, True)
    assert event in {one["event_id"] for one in dailies("quarantine", "list", *LATELY, "--json").json}


def test_a_call_in_quarantine_is_read_again_safely_twice(
    site: MediaSite, providers: Providers, owner: Owner, stack: Stack
) -> None:
    """Killed between the event's put and the row's removal, or run twice at once: the second finds its own event."""
    job_id = providers.job("read-twice")
    assert dailies("trigger", "captions/creator", "--job", job_id, "--case", "failure").code == 0
    row = owner.events("captions", job_id)[0]
    call = Delivery(
        pk=f"quarantine#captions#{row['received_at'][:10]}", event_id=row["event_id"], provider="captions",
        webhook="creator", received_at=row["received_at"], reason="", proof=row["proof"],
    )  # fmt: skip
    owner.put_row({**row, "pk": call.pk})
    assert quarantine.reparse(stacks.local(), call).job_id == job_id
    assert owner.events("captions", job_id) == [row]


def test_a_call_that_no_version_can_read_is_released_by_hand(
    site: MediaSite, providers: Providers, owner: Owner
) -> None:
    """Its medium is archived while the link works; the body stays with the event."""
    job_id = providers.job("released-by-hand")
    url = providers.link(job_id, "operation.mp4")
    body = json.dumps({"shape": "unknown", "job": job_id, "video": url}).encode()
    event_id = providers.send(providers.proven("captions/creator", body), stored_as="quarantined").body["event_id"]
    command = ("quarantine", "release", event_id[:10], *LATELY, "--job", job_id)
    assert dailies(*command, "--link", "operation.mp4", "--yes").err.startswith("dailies: Not a job's id and link")
    assert "has no role 'photo'" in dailies(*command, "--link", url, "--role", "photo", "--yes").err
    released = dailies(*command, "--link", url, "--yes", "--json").json
    assert (released["job_id"], released["role"]) == (job_id, "output")
    row = owner.resting("captions", job_id)
    assert (row["status"], row["stage"], medium(row, "output")["state"]) == ("completed", "settled", "archived")
    (event,) = (one for one in owner.events("captions", job_id) if one["origin"] == "track")
    assert event["event_id"] == released["event_id"]
    again = dailies(*command, "--link", url, "--yes")
    assert (again.code, "No delivery has an id" in again.err) == (1, True)


# ---- Failed work -----------------------------------------------------------------------------------------------------


def test_a_medium_given_up_while_its_host_was_down_settles_when_it_is_redriven(
    site: MediaSite, providers: Providers, owner: Owner
) -> None:
    job_id = providers.job("host-down")
    site.down()
    try:
        assert dailies("trigger", "captions/creator", "--job", job_id).code == 0
        owner.resting("captions", job_id, "attention")
    finally:
        site.up()

    def waiting() -> Any:
        listed = dailies("queues", "archive", "--json").json
        return [(one["reason"], one["about"].split()[0]) for one in listed["archive"] if one["job_id"] == job_id]

    wait_for("the dead letter", waiting, lambda found: found == [("the host takes no connections", "output")])
    assert "the host takes no connections" in dailies("queues", "archive").out
    asked = dailies("redrive", "archive", "--job", job_id)
    assert (asked.code, "Process 1 message again on the local stack?" in asked.err) == (1, True)
    done = dailies("redrive", "archive", "--job", job_id, "--yes")
    assert (done.code, "1 message redriven." in done.out) == (0, True)
    assert medium(owner.resting("captions", job_id), "output")["state"] == "archived"
    nothing = dailies("redrive", "archive", "--job", job_id, "--yes")
    assert (nothing.code, "List all with `dailies queues`" in nothing.err) == (1, True)


def test_redrive_merges_a_record_from_advance_and_publishes_one_from_announce(
    site: MediaSite, providers: Providers, owner: Owner, stack: Stack, listener: Listener
) -> None:
    row = settled(site, providers, owner, "given-up")
    job_id = row["job_id"]
    listener.hears(job_id, "Job Settled")
    images = stack.aws.dynamodb.query(
        TableName=stack.outputs["TableName"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": row["pk"]}},
    )["Items"]
    of_events = [strings(image) for image in images if image["sk"] != {"S": "job"}]
    (of_job,) = [image for image in images if image["sk"] == {"S": "job"}]
    remove(stack, row)
    for image in of_events:
        owner.send("AdvanceFailureQueueUrl", json.dumps({"dynamodb": {"NewImage": image}}))
    (listed,) = [dailies("queues", "advance", "--json").json["advance"]]
    assert {one["about"] for one in listed if one["job_id"] == job_id} == {
        f"event {image['event_id']['S'][:12]}" for image in of_events
    }
    assert dailies("redrive", "advance", "--job", job_id, "--yes").code == 0
    again = owner.job("captions", job_id)
    assert {k: again[k] for k in ("stage", "media", "status")} == {k: row[k] for k in ("stage", "media", "status")}

    before = len(listener.of(job_id))
    owner.send("AnnounceFailureQueueUrl", json.dumps({"dynamodb": {"NewImage": of_job}}))
    assert dailies("redrive", "announce", "--job", f"captions/{job_id}", "--yes").code == 0
    wait_for("it is told", lambda: listener.of(job_id), lambda all_of_it: len(all_of_it) > before)


def test_what_fails_again_stays_in_its_queue_with_the_problem(site: MediaSite, owner: Owner) -> None:
    marker = secrets.token_hex(8)
    owner.send("AdvanceFailureQueueUrl", json.dumps({"dynamodb": {"NewImage": {"event_id": {"S": marker}}}}))
    place = {"DDBStreamBatchInfo": {"approximateArrivalOfFirstRecord": "2026-11-25T09:30:00Z"}, "marker": marker}
    owner.send("AdvanceFailureQueueUrl", json.dumps(place))
    done = dailies("redrive", "advance", "--yes")
    assert done.code == 1
    assert "This version cannot read the message (KeyError)" in done.out
    assert "Merge them with `dailies replay --since 2026-11-25T08:30:00Z --from-rows`" in done.out
    for _ in range(2):  # both still exist; removed, so that they fail no other test
        owner.message("AdvanceFailureQueueUrl", lambda body: marker in body)


def test_a_message_that_names_no_medium_is_not_sent_round_again(site: MediaSite, owner: Owner) -> None:
    job_id = f"no-medium-{secrets.token_hex(4)}"
    owner.send("ArchiveDeadLetterQueueUrl", json.dumps({"detail": {"provider": "sync", "job_id": job_id, "media": []}}))
    done = dailies("redrive", "archive", "--job", job_id, "--yes")
    assert (done.code, "1 stayed: This version cannot read the message (ValueError)" in done.out) == (1, True)
    owner.message("ArchiveDeadLetterQueueUrl", lambda body: job_id in body)


# ---- Restore ---------------------------------------------------------------------------------------------------------


def test_a_lost_job_is_restored_from_a_table_backup_and_published_with_the_same_ids(
    site: MediaSite, providers: Providers, owner: Owner, stack: Stack, listener: Listener
) -> None:
    """As in docs/recovery.md. Its event rows have expired, so only its own row has it."""
    row = settled(site, providers, owner, "restored")
    first = listener.hears(row["job_id"], "Job Settled")
    for event in owner.events("captions", row["job_id"]):
        remove(stack, event)
    restored = f"{stack.stack_name}-restored"
    stack.aws.dynamodb.restore_table_to_point_in_time(
        SourceTableName=stack.outputs["TableName"], TargetTableName=restored, UseLatestRestorableTime=True
    )
    remove(stack, row)
    done = dailies("restore", restored, "--yes", "--json").json
    stack.aws.dynamodb.delete_table(TableName=restored)
    assert done["put_back"] >= 1
    assert owner.job("captions", row["job_id"]) == row
    settlings = wait_for(
        "it is told again", lambda: listener.of(row["job_id"], "Job Settled"), lambda published: len(published) >= 2
    )
    assert {one["detail"]["id"] for one in settlings} == {first["detail"]["id"]}


# ---- Replay ----------------------------------------------------------------------------------------------------------


def test_a_lost_job_row_is_rebuilt_from_its_events_and_published_with_the_same_ids(
    site: MediaSite, providers: Providers, owner: Owner, stack: Stack, listener: Listener
) -> None:
    row = settled(site, providers, owner, "replayed")
    first = listener.hears(row["job_id"], "Job Settled")
    remove(stack, row)
    (done,) = dailies("replay", row["job_id"], "--json").json
    assert (done["events"], done["changed"]) == (2, True)
    assert owner.job("captions", row["job_id"]) == row
    settlings = wait_for(
        "it is told again",
        lambda: [one for one in listener.of(row["job_id"]) if one["detail-type"] == "Job Settled"],
        lambda published: len(published) >= 2,
    )
    assert {one["detail"]["id"] for one in settlings} == {first["detail"]["id"]}
    assert "row unchanged" in dailies("replay", f"captions/{row['job_id']}").out
    assert dailies("replay", "nobody-knows-it").code == 1


def test_jobs_from_before_the_index_are_found_in_the_rows_and_listed_by_a_replay(
    site: MediaSite, providers: Providers, owner: Owner
) -> None:
    row = settled(site, providers, owner, "unlisted")
    owner.put_row({name: value for name, value in row.items() if name != "listed"})
    asked = dailies("replay", "--from-rows", "--since", "1h", "--provider", "captions")
    assert (asked.code, "Confirm with --yes" in asked.err) == (1, True)
    assert dailies("replay", "--from-rows", "--since", "1h", "--provider", "captions", "--yes").code == 0
    assert owner.job("captions", row["job_id"])["listed"] == row["listed"]


def test_all_jobs_at_a_stage_are_replayed_after_a_question(site: MediaSite, providers: Providers, owner: Owner) -> None:
    settled(site, providers, owner, "of-a-stage")
    listed = ("--provider", "captions", "--stage", "settled")
    wait_for("it is listed", lambda: dailies("jobs", *listed, "--json").json["jobs"], bool)
    asked = dailies("replay", *listed, "--since", "10m")
    assert (asked.code, asked.err.startswith("dailies: Replay ")) == (1, True)
    done = dailies("replay", *listed, "--since", "10m", "--yes")
    assert (done.code, "replayed: 0 changed" in done.out) == (0, True)
    assert dailies("replay").code == 2


# ---- Secrets ---------------------------------------------------------------------------------------------------------


def test_secrets_are_listed_without_values_and_set_from_a_file(
    site: MediaSite, providers: Providers, stack: Stack, tmp_path: Path
) -> None:
    listed = dailies("secrets", "list")
    assert providers.captions not in listed.out
    states = {one["name"]: one["is_set"] for one in dailies("secrets", "list", "--json").json}
    assert (states["captions/signing"], states["captions/api"]) == (True, False)
    file = tmp_path / "secret.txt"
    file.write_text(f" {providers.captions}\n")  # its current value: the other tests need it
    done = dailies("secrets", "set", "captions/signing", "--file", str(file))
    assert (done.code, "is set to this value already" in done.out) == (0, True)
    assert providers.captions not in done.out + done.err


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("sync/api", "sk-123", 'sync/api needs JSON; nothing was changed. Give {"api_key": "..."}.'),
        ("creatify/api", '{"api_key": "k"}', 'Give {"api_id": "...", "api_key": "..."}.'),
        ("sync/signing", "secret", "begin with whsec_"),
        ("captions/signing", "two words", "has white space inside"),
        ("captions/signing", "not-set", "is the placeholder"),
    ],
)
def test_a_secret_that_cannot_be_right_is_refused(
    name: str, text: str, problem: str, site: MediaSite, tmp_path: Path
) -> None:
    file = tmp_path / "secret.txt"
    file.write_text(text)
    done = dailies("secrets", "set", name, "--file", str(file))
    assert (done.code, problem in done.err) == (1, True)


def test_the_urls_are_shown_and_the_token_only_on_request(site: MediaSite, providers: Providers) -> None:
    hidden = dailies("secrets", "show-urls", "--json").json
    assert hidden["captions/creator"].endswith("/webhooks/captions/creator")
    assert hidden["creatify/product_to_videos"].endswith("/webhooks/creatify/product_to_videos/<token>")
    revealed = dailies("secrets", "show-urls", "--reveal", "--json").json
    assert revealed["creatify/product_to_videos"].endswith(f"/{providers.creatify}")


def strings(image: Any) -> Any:
    """An image as in a stream record's JSON, but with bytes as base64, which nothing here reads."""
    return {name: value for name, value in image.items() if "B" not in value}


def test_what_fails_again_at_once_is_put_back_once(site: MediaSite, providers: Providers, owner: Owner) -> None:
    """A medium that is rejected for its content returns to the queue while the queue is being emptied."""
    job_id = providers.job("refused-again")
    providers.host.add(f"/{job_id}/page.mp4", b"<!doctype html><title>No</title>", "text/html")
    url = providers.host.url(f"/{job_id}/page.mp4")
    assert dailies("trigger", "captions/creator", "--job", job_id, "--media-url", url).code == 0
    owner.resting("captions", job_id, "attention")
    redriven = dailies("redrive", "archive", "--job", job_id, "--yes", "--json").json
    (again,) = [one for one in redriven if not one["stays"]]
    assert again["job_id"] == job_id


def test_a_submitted_job_that_could_not_be_tracked_is(site: MediaSite, providers: Providers, owner: Owner) -> None:
    job_id = providers.job("tracked-again")
    notice = {"detail": {"provider": "captions", "webhook": "creator", "job_id": job_id}}
    owner.send("TrackFailureQueueUrl", json.dumps({"requestPayload": notice}))
    dailies("redrive", "track", "--yes")
    owner.resting("captions", job_id, "waiting")

"""What the console's pages show and do."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from dailies import timestamps
from dailies.jobs.models import Event, MediaLink, Receipt
from testkit.fixtures.aws import TABLE
from testkit.fixtures.console import BY_LINK, BY_SCRIPT, Console, Fields, archived, query

OUTPUT = MediaLink("output", "https://h.example/one.mp4?Expires=4102444800")
JOB = "/job?provider=sync&id=g-1"
OF_SYNC = "/?provider=sync"  # the list: one provider takes a third of the reads
BEGAN = datetime.now(UTC) - timedelta(hours=1)


def at(seconds: float) -> str:
    """A time this number of seconds after the tests' first timestamp, some time ago."""
    return timestamps.from_datetime(BEGAN + timedelta(seconds=seconds))


def text_of(page: str) -> str:
    """A page's text without markup, in one line."""
    return " ".join(unescape(re.sub(r"<(script|title)\b.*?</\1>|<[^>]*>", " ", page, flags=re.S)).split())


def live_link(page: str) -> str:
    """The URL from which a page's live part refreshes."""
    (link,) = re.findall(r'id="live" hx-get="([^"]*)"', page)
    return unescape(link)


def found(console: Console, job_id: str = "g-1", **known: object) -> Event:
    """A generation with a medium has completed."""
    return console.hears(job_id, media=(OUTPUT,), **known)


def stored(console: Console, job_id: str = "g-1", **known: str) -> Receipt:
    """Its medium is in the bucket, or has this other receipt."""
    receipt = archived(OUTPUT, **known)
    console.hears(job_id, origin="archive", receipt=receipt, received_at=receipt.at)
    return receipt


class TestJobs:
    def test_those_with_the_latest_update_come_first(self, console: Console) -> None:
        for number in (1, 3, 2):
            console.hears(f"g-{number}", received_at=at(number))
        assert re.findall(r'class="id" href="[^"]*">(g-\d)<', console.get("/").text) == ["g-3", "g-2", "g-1"]

    def test_a_row_has_both_status_words_and_a_link_to_the_job(self, console: Console) -> None:
        console.hears(status="processing", provider_status="PROCESSING", received_at=at(0))
        page = console.get(OF_SYNC).text
        assert (
            "g-1 Sync · generation Status processing PROCESSING Stage waiting"
            " Last update an hour ago First seen an hour ago" in text_of(page)
        )
        assert 'href="/job?provider=sync&amp;id=g-1"' in page

    def test_a_job_is_shown_by_the_first_frame_of_its_video(self, console: Console) -> None:
        found(console)
        assert "<video" not in console.get(OF_SYNC).text
        stored(console)
        (source,) = re.findall(r'<video [^>]*src="([^"]*)#t=0.1" preload="metadata"', console.get(OF_SYNC).text)
        location = console.get(unescape(source)).headers["location"]
        assert location.startswith("https://dailies-bucket.s3.amazonaws.com/media/sync/g-1/output-")

    def test_filters_choose_and_stay_chosen(self, console: Console) -> None:
        console.hears("g-done", status="failed")
        console.hears("g-under-way", status="processing")
        page = console.get("/?stage=waiting&provider=sync&since=24h").text
        assert ("g-under-way" in page, "g-done" in page) == (True, False)
        assert '<option value="waiting" selected>' in page
        assert "No matching jobs." in console.get("/?provider=captions").text

    def test_a_filter_by_script_is_in_the_address_bar(self, console: Console) -> None:
        answer = console.get("/?provider=&status=&stage=waiting&since=", {**BY_SCRIPT, "hx-request": "true"})
        assert answer.headers["hx-replace-url"] == "/?stage=waiting"

    def test_a_page_has_fifty_jobs_and_a_link_to_the_next(self, console: Console) -> None:
        for number in range(52):
            console.hears(f"g-{number:02}", status="processing", received_at=at(number))
        page = console.get("/?stage=waiting").text
        (older,) = re.findall(r'<a href="([^"]*)" rel="next">', page)
        rest = console.get(unescape(older)).text
        names = [re.findall(r">(g-\d\d)<", one) for one in (page, rest)]
        assert [len(one) for one in names] == [50, 2]
        assert names[1] == ["g-01", "g-00"]


class TestLive:
    def test_the_same_again_is_no_content(self, console: Console) -> None:
        console.hears(received_at=at(0))
        again = live_link(console.get(OF_SYNC).text)
        assert (console.get(again, BY_SCRIPT).status_code, console.get(again, BY_SCRIPT).text) == (204, "")

    def test_updates_come_alone_marked_and_announced(self, console: Console) -> None:
        console.hears("g-old", received_at=at(0))
        again = live_link(console.get(OF_SYNC).text)
        console.hears("g-new", status="failed")
        answer = console.get(again, BY_SCRIPT).text
        assert "<html" not in answer
        assert re.findall(r'class="updated">.*?>(g-\w+)<', answer, re.S) == ["g-new"]
        (spoken,) = re.findall(r'<p id="changes" hx-swap-oob="innerHTML">(.*?)</p>', answer)
        assert spoken == "sync g-new: failed, settled"
        assert query(live_link(answer))["shown"] != query(again)["shown"]

    def test_a_filter_stays_while_it_updates_itself(self, console: Console) -> None:
        assert query(live_link(console.get("/?stage=waiting").text))["stage"] == "waiting"

    def test_a_jobs_own_page_shows_its_progress(self, console: Console) -> None:
        found(console, received_at=at(0))
        again = live_link(console.get(JOB).text)
        assert console.get(again, BY_SCRIPT).status_code == 204
        stored(console)
        assert "Archiving the output" in text_of(console.get(again, BY_SCRIPT).text)


class TestJob:
    def test_the_receipt_is_shown(self, console: Console) -> None:
        found(console, received_at=at(0))
        receipt = stored(console, at=at(12))
        said = text_of(console.get(JOB).text)
        for part in (
            "Size 24.1 kB (24,080 bytes)",
            "Duration 2 seconds",
            "Resolution 320 × 180",
            "From delivery to bucket 12 seconds",
            f"Checksum {receipt.checksum}",
            f"Key {receipt.key}",
            "Version v1",
            "Served by h.example",
        ):
            assert part in said

    def test_of_one_named_again_the_page_does_not_say_how_long_it_took(self, console: Console) -> None:
        found(console, received_at=at(600))  # as Creatify's photo is, in the delivery about the video
        stored(console, at=at(12))
        said = text_of(console.get(JOB).text)
        assert ("From delivery to bucket" in said, "Time left on the link" in said) == (False, False)

    def test_the_timeline_shows_events_their_verification_and_announcements(self, console: Console) -> None:
        proof = "sync-signature t,v1 (current)"
        found(console, received_at=at(0), proof=proof)
        stored(console, at=at(3))
        said = text_of(console.get(JOB).text)
        assert f"Delivery from Sync completed Provider’s status: COMPLETED Verified by {proof} Found output" in said
        assert "Queued for the archive output Announced Job Completed" in said
        assert re.search(r"\+3 seconds Archiving the output archived .* Announced Media Archived Job Settled", said)

    def test_no_link_of_a_provider_is_in_the_page(self, console: Console) -> None:
        found(console)
        assert "Expires=4102444800" not in console.get(JOB).text

    def test_a_payload_is_shown_on_request(self, console: Console) -> None:
        event = console.hears(payload=b'{"id":"g-1","note":"caf\xc3\xa9"}')
        link = f"/payload?provider=sync&id=g-1&event={event.event_id}"
        assert link in unescape(console.get(JOB).text)
        assert '{ "id": "g-1", "note": "café" }' in text_of(console.get(link).text)
        part = console.get(link, {**BY_SCRIPT, "hx-request": "true"}).text
        assert part.startswith("<pre")

    def test_the_reason_for_attention_is_shown(self, console: Console) -> None:
        console.hears("empty")
        assert "The job is completed, but without media." in console.get("/job?provider=sync&id=empty").text
        found(console)
        stored(console, state="lost", reason="the host answered 404", content_type="")
        said = text_of(console.get(JOB).text)
        assert "Not archived: output." in said
        assert "The host answered 404 The link has expired, and the provider has no new one." in said

    def test_a_medium_is_saved_under_its_name(self, console: Console) -> None:
        found(console)
        stored(console)
        (save,) = re.findall(r'<a href="([^"]*)">Save</a>', console.get(JOB).text)
        disposition = query(console.get(unescape(save)).headers["location"])["response-content-disposition"]
        assert re.fullmatch(r'attachment; filename="output-[0-9a-f]{8}\.mp4"', disposition)

    def test_one_that_is_not_there_is_not_found(self, console: Console) -> None:
        found(console)
        for path in (
            "/job?provider=sync&id=other",
            "/job",
            "/medium?provider=sync&id=g-1&role=other",
            "/payload?provider=sync&id=g-1&event=x",
        ):
            answer = console.get(path)
            assert (answer.status_code, "All jobs" in answer.text) == (404, True)

    def test_replay_merges_and_publishes_again(self, console: Console) -> None:
        found(console)
        console.cloud.told()
        answer = console.press(JOB, "/replay")
        assert answer.status_code == 303
        assert [name for name, _ in console.cloud.told()] == ["Job Completed"]
        assert len(console.cloud.queued()) == 1
        said = "Replayed: 1 recorded event merged again, the job did not change; 1 announcement published again."
        assert said in text_of(console.get(answer.headers["location"]).text)


class TestQueues:
    def body(self, job_id: str) -> str:
        """A message for the archive."""
        media = [{"role": "output", "media_id": OUTPUT.media_id}]
        detail = {"provider": "sync", "webhook": "generation", "job_id": job_id, "media": media}
        return json.dumps({"detail": detail})

    def at_work(self, console: Console) -> set[str]:
        """The jobs whose media are in the archive's queue."""
        answer = console.cloud.sqs.receive_message(QueueUrl=console.cloud.queue_url("found"), MaxNumberOfMessages=10)
        return {json.loads(message["Body"])["detail"]["job_id"] for message in answer.get("Messages", ())}

    def test_what_failed_and_why_is_shown_and_counted(self, console: Console) -> None:
        console.fails(self.body("g-1"), reason="the host answered 500")
        said = text_of(console.get("/queues").text)
        assert "Archive failed 1" in said
        assert f"g-1 Sync · output {OUTPUT.media_id} the host answered 500" in said
        assert "1 failed" in text_of(console.get("/queues/failed", BY_SCRIPT).text)

    def test_nothing_is_shown_at_the_tab_where_nothing_failed(self, console: Console) -> None:
        assert console.get("/queues/failed", BY_SCRIPT).text.strip() == ""

    def test_all_are_redriven_after_their_number_is_confirmed(self, console: Console) -> None:
        for job_id in ("g-1", "g-2"):
            console.fails(self.body(job_id))
        console.fails('{"detail": {"provider": "nobody", "job_id": "g-3"}}')
        assert "Process 3 messages of archive again?" in console.get("/queues").text
        answer = console.press("/queues", "/redrive")
        said = text_of(console.get(answer.headers["location"]).text)
        assert "2 redriven. 1 failed again and stay here." in said
        assert self.at_work(console) == {"g-1", "g-2"}

    def test_one_is_put_back_to_work_alone(self, console: Console) -> None:
        for job_id in ("g-1", "g-2"):
            console.fails(self.body(job_id))
        page = console.get("/queues").text
        (row,) = re.findall(r"<tr role=\"row\">(?:(?!</tr>).)*>g-2<.*?</tr>", page, re.S)
        (message,) = re.findall(r'name="message" value="([^"]*)"', row)
        console.press("/queues", "/redrive", message=message)
        assert self.at_work(console) == {"g-2"}

    def test_of_a_long_queue_a_part_is_shown_and_the_question_is_about_all_of_it(self, console: Console) -> None:
        console.fails(*(self.body(f"g-{number}") for number in range(101)))
        page = console.get("/queues").text
        assert "100 of about 101 messages are shown." in text_of(page)
        assert "Process about 101 messages of archive again?" in page
        answer = console.press("/queues", "/redrive")
        assert "101 redriven." in console.get(answer.headers["location"]).text

    def test_a_message_that_stays_as_a_duplicate_is_reported(self, console: Console) -> None:
        for _ in range(2):
            console.fails(self.body("g-1"))
        answer = console.press("/queues", "/redrive")
        said = text_of(console.get(answer.headers["location"]).text)
        assert "1 redriven. 1 for the same work stay here." in said

    def test_a_change_is_reported_without_reading_the_queues_again(self, console: Console) -> None:
        again = live_link(console.get("/queues").text)
        assert console.get(again, BY_SCRIPT).status_code == 204
        console.fails(self.body("g-1"))
        assert "The queues have changed" in console.get(again, BY_SCRIPT).text


class TestQuarantine:
    CALL = b'{"id":"g-9","status":"FAILED","error":"e"}'

    def test_calls_are_listed_with_the_reason_and_shown_as_they_came(self, console: Console) -> None:
        event_id = console.quarantines(self.CALL, reason="id: missing")
        page = console.get("/quarantine").text
        assert f"{event_id[:12]} Sync · generation id: missing Received now" in text_of(page)
        (link,) = re.findall(r'class="id" href="([^"]*)"', page)
        assert '{ "id": "g-9", "status": "FAILED", "error": "e" }' in text_of(console.get(unescape(link)).text)

    def test_one_that_can_be_read_now_becomes_a_job(self, console: Console) -> None:
        console.quarantines(self.CALL)
        (link,) = re.findall(r'class="id" href="([^"]*)"', console.get("/quarantine").text)
        answer = console.press(unescape(link), "/reparse")
        assert answer.headers["location"] == "/job?provider=sync&id=g-9"
        assert "Nothing in quarantine." in console.get("/quarantine").text

    def test_one_that_still_cannot_be_read_stays(self, console: Console) -> None:
        console.quarantines(b'{"unreadable":1}')
        (link,) = re.findall(r'class="id" href="([^"]*)"', console.get("/quarantine").text)
        answer = console.press(unescape(link), "/reparse")
        assert "1 still cannot be parsed." in console.get(answer.headers["location"]).text

    def test_an_object_that_no_row_has_is_not_found_by_its_key(self, console: Console) -> None:
        asked: list[str] = []
        console.stack.dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
        event_id = console.quarantines(self.CALL)
        asked.clear()
        for day in ("0001-01-01", "", "yesterday"):
            answer = console.get(f"/delivery?provider=sync&day={day}&event={event_id}")
            assert (answer.status_code, "no longer in quarantine" in answer.text) == (404, True)
        assert asked == ["GetItem"] * 3

    def test_all_are_read_again_at_once(self, console: Console) -> None:
        console.quarantines(self.CALL)
        console.quarantines(b'{"unreadable":1}')
        assert "Parse 2 deliveries again" in console.get("/quarantine").text
        answer = console.press("/quarantine", "/reparse")
        assert "1 parsed and recorded. 1 still cannot be parsed." in console.get(answer.headers["location"]).text


class TestFigures:
    def test_counts_and_percentiles_are_drawn_and_written(self, console: Console) -> None:
        found(console, received_at=at(0))
        stored(console, at=at(12))
        console.hears("g-2", status="processing", received_at=at(20))
        page = console.get("/figures").text
        said = text_of(page)
        assert "2 jobs updated in the last 24 hours: 1 completed, 1 waiting." in said
        assert "Of 1 medium, half within 12 seconds, 9 of 10 within 12 seconds, 99 of 100 within 12 seconds." in said
        assert page.count('<svg viewBox="0 0 360 190" role="img" aria-label="') == 3


def test_an_aws_error_is_reported_in_one_line_with_the_next_step(console: Console) -> None:
    console.cloud.dynamodb.delete_table(TableName="dailies-table")
    answer = console.get("/")
    assert answer.status_code == 502
    assert "AWS answered Query with ResourceNotFoundException" in answer.text
    assert "dailies doctor" in answer.text


def test_an_error_of_our_own_is_reported_as_well(console: Console) -> None:
    """Another process writes the job's row before each of our writes."""

    def is_overtaken(**_: object) -> None:
        refused: Any = {
            "Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}
        }
        raise console.stack.dynamodb.exceptions.ConditionalCheckFailedException(refused, "PutItem")

    found(console)
    (_, fields), *_ = Fields(console.get(JOB).text).forms
    row = {"pk": {"S": "job#sync#g-1"}, "sk": {"S": "job"}}
    console.cloud.dynamodb.delete_item(TableName=TABLE, Key=row)
    console.stack.dynamodb.meta.events.register("before-call.dynamodb.PutItem", is_overtaken)
    answer = console.client.post("/replay", data=fields, headers=BY_LINK)
    assert answer.status_code == 502
    assert "VersionConflict: sync g-1. Try again" in text_of(answer.text)


def test_there_is_no_other_page(console: Console) -> None:
    answer = console.get("/etc/passwd")
    assert (answer.status_code, "No such page" in answer.text) == (404, True)

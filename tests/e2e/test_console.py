"""The console in a real browser, with a working stack."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from local.stack import Stack
from simulators.provider_calls.sync import sync_generation
from testkit.fixtures.account_reader import Owner
from testkit.fixtures.browser import LOW_CONTRAST, PATIENCE, Window
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.provider_client import Providers
from testkit.support.wait import wait_for

HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
PAGES = ("/", "/figures", "/queues", "/quarantine")

expect.set_options(timeout=PATIENCE)


def row(page: Page, job_id: str) -> str:
    """The selector of a job's row in the list."""
    return f'tr:has(a.id:text-is("{job_id}"))'


def deliver(providers: Providers, owner: Owner, name: str) -> str:
    """A generation has completed, and its video is in the bucket: its id."""
    job_id = providers.job(f"console-{name}")
    link = providers.link(job_id, "generation.mp4")
    providers.send(sync_generation("completed", job_id, providers.sync, output_url=link))
    owner.resting("sync", job_id)
    return job_id


def of_every_outcome(providers: Providers, owner: Owner, name: str) -> None:
    """Jobs whose chart has a column for each outcome: its table has its full width."""
    stages = {
        "PROCESSING": "waiting",
        "FAILED": "settled",
        "CANCELED": "settled",
        "COMPLETED": "attention",  # without a medium
    }
    for status, stage in stages.items():
        job_id = providers.job(f"{name}-{status.lower()}")
        body = json.dumps({"id": job_id, "status": status}).encode()
        providers.send(providers.proven("sync/generation", body))
        owner.resting("sync", job_id, stage)


def test_a_job_shows_up_by_itself_and_its_video_is_played(window: Window, providers: Providers, owner: Owner) -> None:
    page = window.open()
    job_id = providers.job("console-watched")
    providers.send(sync_generation("processing", job_id, providers.sync))
    expect(page.locator(row(page, job_id))).to_contain_text("waiting")
    expect(page.locator("#changes")).to_contain_text(job_id)

    link = providers.link(job_id, "generation.mp4")
    providers.send(sync_generation("completed", job_id, providers.sync, output_url=link))
    expect(page.locator(row(page, job_id))).to_contain_text("settled")
    still = page.locator(f"{row(page, job_id)} video")
    still.scroll_into_view_if_needed()
    page.wait_for_function("(video) => video.readyState >= 2", arg=still.element_handle())  # a frame is loaded

    page.get_by_role("link", name=job_id).press("Enter")
    video = page.locator("video")
    video.evaluate("async (video) => { video.muted = true; video.loop = true; await video.play(); }")
    page.wait_for_function("(video) => video.currentTime > 0.5", arg=video.element_handle())
    # Updates arrive during playback: the page shows them, and the video keeps playing.
    video.evaluate("(video) => { video.theSame = true; }")
    steps = page.locator(".timeline .step")
    before = steps.count()
    providers.send(
        sync_generation("completed", job_id, providers.sync, output_url=providers.link(job_id, "segment.mp4"))
    )
    expect(steps).to_have_count(before + 2)
    assert video.first.evaluate("(video) => video.theSame === true && !video.paused")
    receipt = page.get_by_role("region", name="Media")
    expect(receipt).to_contain_text("crc64nvme:")
    assert window.complaints == []


def test_failed_work_is_shown_redriven_and_settles(window: Window, providers: Providers, owner: Owner) -> None:
    """The host serves an error page; then it recovers."""
    job_id = providers.job("console-broken")
    path = f"/{job_id}/generation.mp4"
    providers.host.add(path, b"<!doctype html><title>Sorry</title>", "text/html")
    link = providers.host.url(path)
    providers.send(sync_generation("completed", job_id, providers.sync, output_url=link))
    owner.resting("sync", job_id, "attention")
    page = window.open("/queues")
    expect(page.locator(row(page, job_id))).to_contain_text("not audio or video: an HTML page")
    expect(page.get_by_role("navigation", name="Pages").get_by_text("failed")).to_be_attached()

    good = providers.host.media["generation.mp4"]
    providers.host.add(path, good.content, good.content_type)
    page.locator(row(page, job_id)).get_by_role("button", name="Redrive").press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 redriven.")).to_be_focused()
    page.goto(f"{window.address}job?provider=sync&id={job_id}")
    expect(page.locator(".state")).to_contain_text("settled")
    expect(page.locator(".timeline")).to_contain_text("Not audio or video: an HTML page")
    assert window.complaints == []


def test_all_of_a_queue_is_put_back_after_a_question(window: Window, providers: Providers, owner: Owner) -> None:
    job_id = deliver(providers, owner, "asked")
    media = [{name: owner.job("sync", job_id)["media"][0][name] for name in ("role", "media_id")}]
    detail = {"provider": "sync", "webhook": "generation", "job_id": job_id, "media": media}
    owner.send("ArchiveDeadLetterQueueUrl", json.dumps({"detail": detail}))
    page = window.open("/queues")
    page.locator('button[command="show-modal"][commandfor="redrive-archive"]').press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("again?")
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    page.locator('button[command="show-modal"][commandfor="redrive-archive"]').click()
    dialog.get_by_role("button", name="Redrive", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="redriven")).to_be_visible()


def test_a_job_is_replayed(window: Window, providers: Providers, owner: Owner, listener: Listener) -> None:
    job_id = deliver(providers, owner, "replayed")
    page = window.open(f"/job?provider=sync&id={job_id}")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("status").filter(has_text="Replayed: 2 recorded events merged again")).to_be_focused()
    settled = wait_for("told again", lambda: listener.of(job_id, "Job Settled"), lambda published: len(published) == 2)
    assert len({event["detail"]["id"] for event in settled}) == 1


def test_what_a_provider_writes_is_text(window: Window, providers: Providers, owner: Owner) -> None:
    job_id = f"{providers.job('hostile')} {HOSTILE}"
    body = {"id": job_id, "status": HOSTILE, "error": HOSTILE, "error_code": HOSTILE}
    providers.send(providers.proven("sync/generation", json.dumps({**body, "status": "FAILED"}).encode()))
    providers.bodies.pop()  # most of it is the job's id, which may be logged
    owner.resting("sync", job_id)
    page = window.open()
    page.on("dialog", lambda dialog: window.complaints.append(dialog.message))
    page.get_by_role("link", name=job_id).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(job_id)
    expect(page.locator(".why.failed strong")).to_have_text(HOSTILE)
    page.get_by_text("Payload").first.click()
    expect(page.locator("pre.payload").first).to_contain_text(json.dumps(HOSTILE))
    assert page.locator("img[src=x]").count() == 0
    assert window.complaints == []


def test_by_keyboard_alone(window: Window, providers: Providers, owner: Owner) -> None:
    job_id = deliver(providers, owner, "keys")
    page = window.open()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    provider = page.get_by_label("Provider")
    expect(provider).to_be_focused()
    page.keyboard.press("ArrowDown")  # opens nothing, selects the next
    expect(page).to_have_url(re.compile(r"\?provider=captions$"))
    expect(page.get_by_role("link", name=job_id)).to_have_count(0)
    expect(provider).to_be_focused()  # the list changed, not the reader's place in it
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name=job_id)).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('table.jobs') !== null")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readable_on_a_telephone_in_light_and_dark(
    window: Window, providers: Providers, owner: Owner, scheme: str
) -> None:
    job_id = deliver(providers, owner, f"small-{scheme}")
    page = window.page
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    of_every_outcome(providers, owner, f"small-{scheme}")
    for path in (*PAGES, f"/job?provider=sync&id={job_id}"):
        window.open(path)
        page.locator(".chart details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, path
        assert page.evaluate(LOW_CONTRAST) == [], path
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 20, 23)"
    assert dark == (scheme == "dark")


def test_every_control_has_a_name_and_every_page_its_landmarks(window: Window, providers: Providers) -> None:
    job_id = providers.job("named")
    providers.send(sync_generation("failed", job_id, providers.sync))
    for path in PAGES:
        page = window.open(path)
        assert page.title().endswith("Dailies")
        assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1
        assert page.get_by_role("heading", level=1).count() == 1
        for role in ("button", "link", "combobox", "img", "table"):
            for element in page.get_by_role(role).all():
                assert re.search(r'"[^"]+"', element.aria_snapshot().partition("\n")[0]), (path, role)


def test_a_stopped_console_is_reported_by_the_page(window: Window) -> None:
    page = window.open()
    expect(page.locator("#pulse")).to_have_text("Live")
    window.stop_serving()
    expect(page.locator("#pulse")).to_have_text("Console stopped")


def test_a_page_whose_updates_are_rejected_says_so_and_why(
    window: Window, providers: Providers, owner: Owner, stack: Stack
) -> None:
    job = owner.job("sync", deliver(providers, owner, "gone"))
    page = window.open(f"/job?provider=sync&id={job['job_id']}")
    expect(page.locator("#error")).to_be_hidden()
    stack.aws.dynamodb.delete_item(
        TableName=stack.outputs["TableName"], Key={"pk": {"S": job["pk"]}, "sk": {"S": job["sk"]}}
    )
    expect(page.locator("#pulse")).to_have_text("Not up to date")
    expect(page.get_by_role("alert")).to_have_text("No such job.")
    expect(page.get_by_role("heading", level=1)).to_have_text(job["job_id"])
    owner.put_row(job)
    expect(page.locator("#pulse")).to_have_text("Live")
    expect(page.locator("#error")).to_be_hidden()

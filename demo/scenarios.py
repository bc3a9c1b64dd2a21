"""The demo's scenarios: each webhook called as its provider does, and the expected results.

A chapter has one provider's calls in order, and the resulting jobs. Ids begin with the run's own prefix, so the demo
can be played again on the same stack.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cli.sample_calls import SECRET_OF
from simulators.media_host.samples import SampleMedia
from simulators.media_host.server import MediaHost
from simulators.provider_calls import every_sample
from simulators.provider_calls.call import Call
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sample import Order
from simulators.provider_calls.sync import sync_batch, sync_batch_result, sync_batch_row, sync_generation

RECORDED, DUPLICATE, REFUSED = "200 recorded", "200 duplicate", "401 unverified"
SIX_DAYS = 543_058  # seconds: as in a real Captions link


@dataclass(frozen=True)
class Step:
    """A call, its description, and the expected response."""

    call: Call
    remark: str = ""
    answer: str = RECORDED


@dataclass(frozen=True)
class Outcome:
    """A job's expected end: its status, and its media by role. `told_by` is the call that brought their links; None for
    a job that must not exist."""

    provider: str
    job_id: str
    told_by: Call
    status: str | None
    media: Mapping[str, SampleMedia] = field(default_factory=dict)


type Chapter = tuple[list[Step], list[Outcome]]
type Play = Callable[[MediaHost, str, str], Chapter]
"""Makes a chapter from the media host, the webhook's secret and the beginning of the run's ids."""


type Secrets = Mapping[str, str]
"""What proves the calls, by the secret's name: `sync/signing`, `creatify/token`."""


def story(host: MediaHost, secrets: Secrets, run: str) -> Chapter:
    """A chapter per webhook: its own, or the usual one."""
    webhooks = [*OWN, *(webhook for webhook in every_sample() if webhook not in OWN)]
    chapters = [(OWN.get(webhook) or usual(webhook))(host, secrets[SECRET_OF[webhook]], run) for webhook in webhooks]
    return [step for steps, _ in chapters for step in steps], [job for _, jobs in chapters for job in jobs]


def generations(host: MediaHost, secret: str, run: str) -> Chapter:
    """Sync's links lead through its API: a redirect to a signed link."""
    forged, two, late, failed = (f"{run}-{name}" for name in ("forged", "two-media", "late-news", "failed"))
    output = _result(host, f"generations/{two}", "generation.mp4")
    forgery = sync_generation("completed", forged, "whsec_somebody_elses", output_url=output)
    both = sync_generation(
        "completed", two, secret, output_url=output, segment_output_url=host.url(f"/{two}/segment.mp4")
    )
    first = sync_generation(
        "completed",
        late,
        secret,
        output_url=_result(host, f"generations/{late}", "generation.mp4"),
        proof="Sync-Signature",
    )
    second = sync_generation("processing", late, secret, proof="X-Signature-Primary, timed")
    failure = sync_generation("failed", failed, secret, proof="X-Signature-Primary, sha256=")
    return [
        Step(forgery, "forged: signed with another secret", REFUSED),
        Step(both, "two media"),
        Step(both, "the same again", DUPLICATE),
        Step(first, "too early"),
        Step(second, "too late: the job is completed"),
        Step(failure),
    ], [
        Outcome("sync", forged, forgery, None),
        Outcome("sync", two, both, "completed", _media(host, output="generation.mp4", segment="segment.mp4")),
        Outcome("sync", late, first, "completed", _media(host, output="generation.mp4")),
        Outcome("sync", failed, failure, "failed"),
    ]


def batches(host: MediaHost, secret: str, run: str) -> Chapter:
    """A batch's link leads to a list. Each row is a generation with its own media."""
    batch, lost = f"{run}-batch", f"{run}-no-batch"
    one, two, failed = (f"{batch}-{number}" for number in (1, 2, 3))
    rows = [
        sync_batch_row("request-1", one, host.url(f"/{one}/batch-1.mp4")),
        sync_batch_row("request-2", two, host.url(f"/{two}/batch-2.mp4")),
        sync_batch_row("request-3", failed, None),
    ]
    result = SampleMedia("results.jsonl", "application/jsonl", sync_batch_result(rows))
    host.add(f"/{batch}/{result.name}", result.content, result.content_type)
    done = sync_batch("completed", batch, secret, output_url=_result(host, f"batches/{batch}", result.name))
    failure = sync_batch("failed", lost, secret, output_url="", proof="X-Signature-Primary, base64")
    return [
        Step(done, "with three generations"),
        Step(done, "the same again", DUPLICATE),
        Step(failure),
    ], [
        Outcome("sync", batch, done, "completed", {"result": result}),
        Outcome("sync", one, done, "completed", _media(host, output="batch-1.mp4")),
        Outcome("sync", two, done, "completed", _media(host, output="batch-2.mp4")),
        Outcome("sync", failed, done, "failed"),
        Outcome("sync", lost, failure, "failed"),
    ]


def product_to_videos(host: MediaHost, token: str, run: str) -> Chapter:
    """Creatify reports each stage of a job with a timestamp; its links are unsigned."""
    ordered, disordered, failed = (f"{run}-{name}" for name in ("in-order", "disorder", "failed"))
    told = {job_id: _product_to_video(host, job_id, token) for job_id in (ordered, disordered)}
    failure = creatify_product_to_videos("failed", failed, token)
    last = told[ordered]["video_generated"]
    forgery = creatify_product_to_videos("failed", f"{run}-forged", "x" * len(token))
    media = _media(host, photo="product.png", video="product.mp4")
    return [
        Step(forgery, "forged: another token", REFUSED),
        *(Step(call) for call in told[ordered].values()),
        Step(last, "the same again", DUPLICATE),
        Step(told[disordered]["video_generated"], "the last one first"),
        Step(told[disordered]["video_generating"], "older than the known status"),
        Step(told[disordered]["image_generated"], "older still"),
        Step(failure),
    ], [
        Outcome("creatify", f"{run}-forged", forgery, None),
        Outcome("creatify", ordered, last, "completed", media),
        Outcome("creatify", disordered, told[disordered]["video_generated"], "completed", media),
        Outcome("creatify", failed, failure, "failed"),
    ]


def operations(host: MediaHost, secret: str, run: str) -> Chapter:
    """Captions' links are signed for days; this video is large enough for a multipart upload."""
    forged, large, failed = (f"{run}-{name}" for name in ("forged", "large", "failed"))
    forgery = captions_creator("success", forged, "somebody-elses", url=host.url(f"/{forged}/operation.mp4"))
    success = captions_creator("success", large, secret, url=host.url(f"/{large}/large.mp4", lifetime=SIX_DAYS))
    failure = captions_creator("failure", failed, secret)
    return [
        Step(forgery, "forged: another bearer", REFUSED),
        Step(success, "a large video"),
        Step(success, "the same again", DUPLICATE),
        Step(failure),
    ], [
        Outcome("captions", forged, forgery, None),
        Outcome("captions", large, success, "completed", _media(host, output="large.mp4")),
        Outcome("captions", failed, failure, "failed"),
    ]


def usual(webhook: str) -> Play:
    """The chapter for a webhook without one of its own: a forged call, the usual one, a duplicate, and a failure."""
    sample = every_sample()[webhook]
    word, case = next(iter(sample.cases.items()))

    def play(host: MediaHost, secret: str, run: str) -> Chapter:
        name = f"{run}-{sample.folder.replace('_', '-')}"
        files = {role: sample.media[role].file for role in case.media}
        forgery = sample.call(Order(word, f"{name}-forged", "x" * len(secret)))
        links = sample.links(word, lambda file: host.url(f"/{name}/{file}"))
        done = sample.call(Order(word, name, secret, links))
        failure = sample.call(Order(sample.failure, f"{name}-failed", secret))
        provider = webhook.partition("/")[0]
        return [
            Step(forgery, "forged: another secret", REFUSED),
            Step(done),
            Step(done, "the same again", DUPLICATE),
            Step(failure),
        ], [
            Outcome(provider, forgery.job_id, forgery, None),
            Outcome(provider, name, done, case.status, _media(host, **files)),
            Outcome(provider, failure.job_id, failure, "failed"),
        ]

    return play


OWN: dict[str, Play] = {
    "sync/generation": generations,
    "sync/batch": batches,
    "creatify/product_to_videos": product_to_videos,
    "captions/creator": operations,
}
"""The chapters of webhooks that have more to show than the usual one."""


def _product_to_video(host: MediaHost, job_id: str, token: str) -> dict[str, Call]:
    """The four calls of a successful job, twenty seconds apart by Creatify's clock."""
    photo = {"photo_url": host.url(f"/{job_id}/product.png", lifetime=None)}
    video = {"video_url": host.url(f"/{job_id}/product.mp4", lifetime=None)}
    stages = {
        "image_generating": {},
        "image_generated": photo,
        "video_generating": photo,
        "video_generated": photo | video,
    }
    begun = datetime.now(UTC) - timedelta(seconds=60)
    return {
        stage: creatify_product_to_videos(stage, job_id, token, **urls, at=begun + timedelta(seconds=20 * number))
        for number, (stage, urls) in enumerate(stages.items())
    }


def _result(host: MediaHost, place: str, name: str) -> str:
    """A link like Sync's: its own API with a token, which answers 302 to a signed link."""
    path = f"/v2/{place}/result"
    host.redirect(path, to=host.url(f"/{place.partition('/')[2]}/{name}"))
    return host.url(path, lifetime=None) + "?token=00000000-0000-4000-8000-000000000000"


def _media(host: MediaHost, **names: str) -> dict[str, SampleMedia]:
    return {role: host.media[name] for role, name in names.items()}

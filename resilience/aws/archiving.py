"""The steps about media: archive a large one, and redrive one that fails first."""

import json
from typing import Any

from awscrt.checksums import crc64nvme

from cli.media import checksum
from dailies import timestamps
from resilience.aws import listener
from resilience.aws.steps import expect, until
from resilience.aws.trial import Trial
from simulators.media_host.samples import media, padded

LARGE = 30_000_000  # bytes: several parts
LINK_SECONDS = 3600
PAGE = b"<!doctype html><html><title>Sorry</title><p>This video is not ready yet.</p></html>\n"
ARCHIVED_SECONDS = 300.0  # a cold archive and 30 MB take ten seconds


def large_medium(trial: Trial) -> str:
    """A 30 MB medium, from a presigned link to an object in the test's own bucket."""
    listener.listen(trial)
    content = padded(media()["operation.mp4"].content, LARGE)
    job = trial.job("large")
    row = _archived(trial, job, _hosted(trial, "large.mp4", content, "video/mp4"))
    (medium,) = row["media"]
    expect(medium["bytes"] == LARGE, f"the receipt says {medium['bytes']} bytes, not {LARGE}")
    crc = checksum(crc64nvme(content))
    expect(medium["checksum"] == crc, f"the receipt says {medium['checksum']}, the bytes have {crc}")

    folder = trial.folder / "downloaded"
    folder.mkdir(exist_ok=True)
    (got,) = trial.told("media", f"captions/{job}", "--download", "--to", str(folder))
    expect((folder / got["file"]).read_bytes() == content, "what `dailies media --download` fetched has other bytes")
    stack = trial.stack
    head = stack.s3.head_object(Bucket=stack.bucket_name, Key=medium["key"], ChecksumMode="ENABLED")
    kept = f"crc64nvme:{head.get('ChecksumCRC64NVME', '')}"
    note = ", S3's own checksum is the same"
    if stack.is_local:
        note = " (S3's own not compared: the emulator keeps another kind for parts)"
    else:
        expect(kept == crc, f"S3 keeps {kept}, the bytes have {crc}")
    page = stack.s3.get_object(Bucket=stack.bucket_name, Key=f"media/captions/{job}/job.json")
    told: dict[str, Any] = json.loads(page["Body"].read())
    expect(told["stage"] == "settled", f"job.json says {told['stage']}")
    expect(told["media"][0]["key"] == medium["key"], "job.json names another key")
    _heard(trial, job, {"Media Archived", "Job Completed", "Job Settled"})
    return f"30 MB in {_seconds(row)}, {crc}{note}; job.json and three bus events are there"


def dead_letter(trial: Trial) -> str:
    """An error page instead of a video; then the video, and redrive."""
    listener.listen(trial)
    job = trial.job("dead-letter")
    url = _hosted(trial, "late.mp4", PAGE, "text/html")
    _call(trial, job, url)

    def waiting() -> list[dict[str, Any]]:
        return [one for one in trial.told("queues", "archive")["archive"] if one["job_id"] == job]

    (failed,) = until("the medium is given up", waiting, bool, seconds=ARCHIVED_SECONDS)
    alarm = trial.stack.resources("AWS::CloudWatch::Alarm")["ArchiveDeadLettersAlarm"]
    (described,) = trial.stack.cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    _heard(trial, job, {"Job Needs Attention"})
    _hosted(trial, "late.mp4", media()["operation.mp4"].content, "video/mp4")
    (back,) = trial.told("redrive", "archive", "--job", job, "--yes")
    expect(not back["stays"], f"it stays in the queue: {back['problem']}")
    row = _settled(trial, job)
    (medium,) = row["media"]
    crc = checksum(crc64nvme(media()["operation.mp4"].content))
    expect(medium["checksum"] == crc, f"the receipt says {medium['checksum']}, the bytes have {crc}")
    _heard(trial, job, {"Job Needs Attention", "Media Archived", "Job Settled"})
    expect(not waiting(), "the dead letter is still there")
    return f"given up: {failed['reason']}; the alarm then was {described['StateValue']}; redriven, archived, settled"


def _hosted(trial: Trial, name: str, content: bytes, kind: str) -> str:
    """Put an object into the test's own bucket; a link to it that works for an hour without credentials."""
    s3, key = trial.stack.s3, f"media/{trial.token}/{name}"
    s3.put_object(Bucket=trial.record.files, Key=key, Body=content, ContentType=kind)
    place = {"Bucket": trial.record.files, "Key": key}
    return s3.generate_presigned_url("get_object", Params=place, ExpiresIn=LINK_SECONDS)


def _call(trial: Trial, job: str, url: str) -> None:
    """A call from Captions with one medium."""
    told = trial.told("trigger", "captions/creator", "--job", job, "--media-url", url, "--yes")
    expect(told["body"]["result"] == "recorded", f"the call was answered {told['body']}")


def _archived(trial: Trial, job: str, url: str) -> dict[str, Any]:
    _call(trial, job, url)
    return _settled(trial, job)


def _settled(trial: Trial, job: str) -> dict[str, Any]:
    """The job, once all of its media are in the bucket."""
    look = lambda: trial.row("captions", job)  # noqa: E731
    return until(f"{job} settles", look, lambda row: row.get("stage") == "settled", seconds=ARCHIVED_SECONDS)


def _heard(trial: Trial, job: str, wanted: set[str]) -> None:
    """Raises Wrong if the bus does not publish these events of a job."""
    trial.events = until(
        f"the bus tells {', '.join(sorted(wanted))} of {job}",
        lambda: listener.heard(trial, trial.events),
        lambda events: wanted <= listener.detail_types(events, job),
    )


def _seconds(row: dict[str, Any]) -> str:
    """Seconds from the call to the receipt."""
    (medium,) = row["media"]
    return f"{timestamps.seconds(medium['archived_at']) - timestamps.seconds(row['first_seen_at']):.1f} s"

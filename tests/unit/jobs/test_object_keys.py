"""The keys of objects in the bucket: no job's name leads outside its prefix."""

import json
from urllib.parse import unquote

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.aws import bucket
from dailies.aws.bucket import Bucket
from dailies.jobs.object_keys import delivery_key, job_key, media_key, name_in_key
from testkit.fixtures.aws import BUCKET, Cloud

MAX_KEY = 1024  # bytes, S3's own limit
JOB_IDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=256)
ROOM = len(media_key("creatify", "", "segment", "0" * 8, "jsonl"))


class TestKeys:
    def test_they_are_the_contracts(self) -> None:
        assert media_key("sync", "g-1", "output", "0123abcd", "mp4") == "media/sync/g-1/output-0123abcd.mp4"
        assert job_key("sync", "g-1") == "media/sync/g-1/job.json"
        assert delivery_key("sync", "ab", quarantined=False) == "deliveries/events/sync/ab.gz"
        assert delivery_key("sync", "ab", quarantined=True) == "deliveries/quarantine/sync/ab.gz"

    @pytest.mark.parametrize(
        ("job_id", "name"),
        [("a/b", "a%2Fb"), ("..", "%2E%2E"), (".", "%2E"), ("a.b", "a.b"), ("../x", "..%2Fx"), ("é ?", "%C3%A9%20%3F")],
    )
    def test_a_jobs_id_is_one_segment(self, job_id: str, name: str) -> None:
        assert name_in_key(job_id) == name

    @given(job_id=JOB_IDS)
    def test_any_jobs_id_is_one_segment_that_s3_can_hold(self, job_id: str) -> None:
        name = name_in_key(job_id)
        assert name.isascii()
        assert "/" not in name
        assert name not in {"", ".", ".."}
        assert len(name) + ROOM <= MAX_KEY
        assert "~" in name or unquote(name) == job_id

    @given(first=JOB_IDS, second=JOB_IDS)
    def test_two_jobs_have_two_places(self, first: str, second: str) -> None:
        assert (name_in_key(first) == name_in_key(second)) == (first == second)

    def test_the_longest_ids_that_begin_alike_have_two_places(self) -> None:
        first, second = ("😀" * 255 + end for end in "ab")
        assert name_in_key(first) != name_in_key(second)


class TestObjects:
    @pytest.fixture
    def bucket(self, cloud: Cloud) -> Bucket:
        return Bucket(lambda: cloud.s3, BUCKET)

    def test_a_page_is_json_for_people_and_the_newest_is_read(self, bucket: Bucket, cloud: Cloud) -> None:
        for status in ("processing", "completed"):
            bucket.put_job("media/sync/g-1/job.json", {"status": status, "job_id": "é"})
        page = cloud.objects()["media/sync/g-1/job.json"].decode()
        assert json.loads(page) == {"status": "completed", "job_id": "é"}
        assert '\n  "job_id": "é"' in page

    def test_lines_are_of_the_requested_version(self, bucket: Bucket, cloud: Cloud) -> None:
        first = cloud.s3.put_object(Bucket=BUCKET, Key="k", Body=b'{"a":1}\n{"b":2}\n')["VersionId"]
        cloud.s3.put_object(Bucket=BUCKET, Key="k", Body=b"other")
        assert list(bucket.lines("k", first)) == [b'{"a":1}', b'{"b":2}']
        assert list(bucket.lines("k", "")) == [b"other"]

    def test_the_upload_endpoint_is_the_url_that_the_client_uses(self, cloud: Cloud) -> None:
        with pytest.raises(ValueError, match="has no credentials for uploads"):
            Bucket(lambda: cloud.s3, BUCKET).upload_endpoint("k")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-south-1"])
def test_bytes_go_to_the_buckets_own_host_in_its_region(region: str) -> None:
    """The global host redirects requests to a new bucket for a day, and does not serve newer regions at all."""
    session = boto3.Session(aws_access_key_id="key", aws_secret_access_key="secret", region_name=region)
    s3 = session.client("s3", config=bucket.UPLOAD_CLIENT)
    endpoint = Bucket(lambda: s3, "media-bucket", credentials=session.get_credentials()).upload_endpoint(
        "media/a b%2F.mp4"
    )
    suffix = "" if region == "us-east-1" else f".{region}"
    assert endpoint.url in {
        f"https://media-bucket.s3{suffix}.amazonaws.com/media/a%20b%252F.mp4",
        f"https://media-bucket.s3.{region}.amazonaws.com/media/a%20b%252F.mp4",
    }
    assert endpoint.region == region

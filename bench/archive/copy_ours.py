"""Dailies' own engine, as the archive function calls it: python copy_ours.py URL KEY [--in-function]

With --in-function it runs with everything that the archive function imports and creates.
"""

import os
import sys
from urllib.parse import urlsplit

import boto3

from dailies.aws import bucket
from dailies.aws.bucket import Bucket
from dailies.outbound.address_guard import FetchPolicy
from dailies.outbound.connection import Network
from dailies.transfer.transfer import TransferRequest, TransferResult, transfer

LONGEST = 900  # seconds: the function's timeout
LARGEST = 5 * 1024**3  # the template's default

url, key, *in_function = sys.argv[1:]
if in_function:
    # By its path from the repository's root, not as Lambda's `app`, so that mypy checks what is imported.
    from functions.archive.app import s3
else:
    s3 = boto3.client("s3", config=bucket.UPLOAD_CLIENT)
ca_file = os.environ["AWS_CA_BUNDLE"]
order = TransferRequest(
    url=url,
    policy=FetchPolicy(private=frozenset({urlsplit(url).hostname or ""})),
    kinds=frozenset({"video"}),
    key=lambda _: key,
    metadata={"provider": "bench"},
    max_bytes=LARGEST,
    seconds=LONGEST,
    network=Network(ca_file=ca_file),
)
credentials = boto3.Session().get_credentials()
target = Bucket(lambda: s3, os.environ["BUCKET_NAME"], credentials=credentials, ca_file=ca_file)
done = transfer(order, target)
if not isinstance(done, TransferResult):
    raise SystemExit(f"not finished: {done}")

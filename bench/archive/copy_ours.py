"""Dailies' own engine, as the archive function calls it: python copy_ours.py URL KEY [FOLDER]

With FOLDER, that of the archive function, it runs within all that this function imports and makes.
"""

import os
import sys
from urllib.parse import urlsplit

import boto3

from dailies import bucket
from dailies.addresses import Ways
from dailies.bucket import Bucket
from dailies.outbound import Network
from dailies.transfer import Order, Stored, transfer

LONGEST = 900  # seconds: the time limit of the function
LARGEST = 5 * 1024**3  # the template's default

url, key, *folder = sys.argv[1:]
if folder:
    sys.path[:0] = folder  # as Lambda does
    import app  # type: ignore[import-not-found]

    session, s3 = app.session, app.s3
else:
    session = boto3.Session()
    s3 = session.client("s3", config=bucket.PATIENT)
ca_file = os.environ["AWS_CA_BUNDLE"]
order = Order(
    url=url,
    ways=Ways(private=frozenset({urlsplit(url).hostname or ""})),
    kinds=frozenset({"video"}),
    key=lambda _: key,
    metadata={"provider": "bench"},
    most_bytes=LARGEST,
    seconds=LONGEST,
    network=Network(ca_file=ca_file),
)
target = Bucket(lambda: s3, os.environ["BUCKET_NAME"], credentials=session.get_credentials(), ca_file=ca_file)
done = transfer(order, target)
if not isinstance(done, Stored):
    raise SystemExit(f"not finished: {done}")

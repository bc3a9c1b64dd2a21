"""smart_open on both sides: python copy_smart_open.py URL KEY"""

import os
import shutil
import sys

import boto3
from smart_open import open as smart_open  # type: ignore[import-not-found]  # in the environment of the others

url, key = sys.argv[1:]
target = f"s3://{os.environ['BUCKET_NAME']}/{key}"
with (
    smart_open(url, "rb", compression="disable") as medium,
    smart_open(target, "wb", compression="disable", transport_params={"client": boto3.client("s3")}) as stored,
):
    shutil.copyfileobj(medium, stored)

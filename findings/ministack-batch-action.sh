#!/bin/sh
# With IAM on, ministack asks for sqs:SendMessageBatch, an action that IAM does not have: on AWS sqs:SendMessage allows a batch too.
. "$(dirname "$0")/environment.sh"
install 'ministack[full]==1.5.33' 'boto3==1.43.106' 'parliament==1.6.4' 'setuptools<82'
trap 'kill "$SERVER" 2>/dev/null || true; wait "$SERVER" 2>/dev/null || true; rm -rf "$FOLDER"' EXIT
env BIND_HOST=127.0.0.1 GATEWAY_PORT=14567 IOT_MTLS_ENABLED=0 AUTH=true HOME="$FOLDER" "$PYTHON" -m ministack >"$FOLDER/log" 2>&1 &
SERVER=$!

found=$("$PYTHON" - <<'PY'
import json
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from parliament import analyze_policy_string


def client(name, key="test", secret="test"):
    return boto3.client(
        name,
        endpoint_url="http://127.0.0.1:14567",
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )


def policy(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def answer(call, **asked):
    try:
        call(QueueUrl=url, **asked)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"


for _ in range(300):
    try:
        url = client("sqs").create_queue(QueueName="queue")["QueueUrl"]
        break
    except (BotoCoreError, ClientError):
        time.sleep(0.1)
iam = client("iam")
iam.create_user(UserName="sender")
iam.put_user_policy(UserName="sender", PolicyName="send", PolicyDocument=policy("sqs:SendMessage"))
key = iam.create_access_key(UserName="sender")["AccessKey"]
sender = client("sqs", key["AccessKeyId"], key["SecretAccessKey"])
one = answer(sender.send_message, MessageBody="x")
batch = answer(sender.send_message_batch, Entries=[{"Id": "1", "MessageBody": "x"}])
findings = {finding.issue for finding in analyze_policy_string(policy("sqs:SendMessageBatch")).findings}
print(one, batch, *findings)
PY
)
[ "$found" = "allowed AccessDenied UNKNOWN_ACTION" ] || changed "one message, a batch, and parliament on the action: $found"
seen "ministack 1.5.33: with sqs:SendMessage alone one message is allowed, a batch is AccessDenied; sqs:SendMessageBatch is UNKNOWN_ACTION"

#!/bin/sh
# parliament takes the colons in a DynamoDB stream's label for those of the ARN. AWS names a stream by the time when it
# was made: arn:aws:dynamodb:us-east-1:123456789012:table/Jobs/stream/2026-11-30T10:20:30.123.
. "$(dirname "$0")/environment.sh"
install 'parliament==1.6.4' 'setuptools<81'

issues() {
    "$PYTHON" -W ignore - "$1" <<'PY'
import json
import sys

from parliament import analyze_policy_string

policy = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetRecords", "Resource": sys.argv[1]}],
}
print(*sorted(found.issue for found in analyze_policy_string(json.dumps(policy)).findings))
PY
}

stream=arn:aws:dynamodb:us-east-1:123456789012:table/Jobs/stream
[ -z "$(issues "$stream/latest")" ] || changed "a label without colons has findings"
found=$(issues "$stream/2026-11-30T10:20:30.123")
[ "$found" = RESOURCE_MISMATCH ] || changed "the label that AWS gives has these findings: $found"
seen "parliament 1.6.4: RESOURCE_MISMATCH for .../stream/2026-11-30T10:20:30.123, nothing for .../stream/latest"

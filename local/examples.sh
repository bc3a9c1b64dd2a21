#!/bin/sh
# The examples as far as their own tools go without an AWS account: brings CDK, Terraform and a judge of workflows, each
# pinned, in environments of their own under .local (800 MB), and tries. Three minutes the first time, then one.
set -eu
cd "$(dirname "$0")/.."

local/tools.sh examples
local/tools.sh cdk examples/cdk/requirements.txt
exec .venv/bin/python -m local.examples "$@"

#!/bin/sh
# What knows AWS looks at the template: cdk-preflight and parliament in an environment of their own, and cfn-lint for
# regions with each kind of partition. The template is looked at as its defaults make it, and with all that can be set.
set -eu
cd "$(dirname "$0")/.."

local/tools.sh preflight
exec .venv/bin/python -m local.preflight "$@"

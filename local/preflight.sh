#!/bin/sh
# What knows AWS looks at the template: cdk-preflight and parliament in an environment of their own, and cfn-lint for
# regions with each kind of partition. The template is looked at as its defaults make it, and with all that can be set.
set -eu
cd "$(dirname "$0")/.."

FOLDER=.local/preflight
PINS=requirements/preflight.txt

wanted="$(pwd) $(cksum <"$PINS")"
if [ "$(cat "$FOLDER/set-up" 2>/dev/null || true)" != "$wanted" ]; then
    echo "preflight: installing its tools" >&2
    rm -rf "$FOLDER"
    .venv/bin/python -m venv --without-pip "$FOLDER"
    UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" .local/uv/bin/uv pip install --quiet --python "$FOLDER/bin/python" --require-hashes --requirement "$PINS"
    echo "$wanted" >"$FOLDER/set-up"
fi
exec .venv/bin/python -m local.preflight "$@"

#!/bin/sh
# tools.sh NAME [PINS]: makes the environment .local/NAME of the pinned tools in requirements/NAME.txt, or in PINS, once.
# Theirs are apart from .venv, as they pin what the bundle and the tests have in other versions.
set -eu
cd "$(dirname "$0")/.."

folder=.local/$1
pins=${2:-requirements/$1.txt}

wanted="$(pwd) $(cksum <"$pins")"
[ "$(cat "$folder/set-up" 2>/dev/null || true)" != "$wanted" ] || exit 0
echo "$1: installing its tools" >&2
rm -rf "$folder"
.venv/bin/python -m venv --without-pip "$folder"
UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" .local/uv/bin/uv pip install --quiet --python "$folder/bin/python" --require-hashes --requirement "$pins"
echo "$wanted" >"$folder/set-up"

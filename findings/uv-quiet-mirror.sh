#!/bin/sh
# uv, told to be quiet, does not say why it could not download an interpreter.
. "$(dirname "$0")/environment.sh"
install 'uv==0.13.9'

download() {
    UV_PYTHON_INSTALL_MIRROR=http://127.0.0.1:1 "$FOLDER/env/bin/uv" python install --install-dir "$FOLDER/pythons" --no-bin \
        "$@" 3.13 2>&1 && changed "a mirror where nobody answers has one"
    true
}

loud=$(download)
[ -n "$loud" ] || changed "it says nothing without --quiet either"
quiet=$(download --quiet)
[ -z "$quiet" ] || changed "quiet, it says: $quiet"
seen "uv 0.13.9: python install --quiet ends with an error and no word; without it: $(echo "$loud" | head -n 1)"

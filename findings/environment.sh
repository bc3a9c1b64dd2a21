# Read by the scripts here: a temporary folder with an environment, and a way to say what was seen.
set -eu
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
"${PYTHON:-python3.13}" -m venv "$FOLDER/env"
PYTHON=$FOLDER/env/bin/python

install() {
    "$PYTHON" -m pip install --quiet --disable-pip-version-check "$@"
}

# seen WORDS: prints it. changed WORDS: prints it, and ends.
seen() {
    echo "seen: $1"
}
changed() {
    echo "CHANGED: $1" >&2
    exit 1
}

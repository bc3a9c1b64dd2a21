#!/bin/sh
# Makes the two environments Dailies is developed in, once: .venv (run-time pins and development tools) and .local/sam
# (the SAM command; it and the emulator pin different botocores). Every `make` target calls this first. What it made is
# remembered in .venv/set-up, so a second run looks at one file and ends; a changed pin or a moved folder runs it again.
# Any Python 3 will do to begin with: its pip installs uv, and uv downloads a Python 3.13 where there is none.
set -eu
cd "$(dirname "$0")/.."

RUNTIME=layers/dailies/python/requirements.txt
UV=.local/uv/bin/uv
# The user's own settings stay (an index, a proxy), but for those that forbid to install into a folder of ours.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0
[ -z "${UV_DEFAULT_INDEX:-}" ] || export PIP_INDEX_URL="${PIP_INDEX_URL:-$UV_DEFAULT_INDEX}"
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"  # a proxy's own authority is in the machine's store, not in uv's
export UV_PYTHON_DOWNLOADS=manual                  # only where find_python asks for it

fail() {
    echo "setup: $1" >&2
    exit 1
}

# pip, of the Python and the wheel (or none) that find_pip has set.
run_pip() {
    PYTHONPATH=$wheel "$python" -m pip "$@"
}

# Any Python 3 that has pip, or the wheel of it that Python carries. Debian and Ubuntu have packages of their own for
# either; apt downloads the latter for whoever asks, without root.
find_pip() {
    try_pips && return
    rm -rf .local/pip
    mkdir -p .local/pip
    (cd .local/pip && apt-get download python3-pip-whl && dpkg-deb --extract python3-pip-whl_*.deb .) >/dev/null 2>&1 || true
    try_pips || fail "no Python 3 with pip here; install one (apt install python3-pip)"
}

try_pips() {
    for python in "${PYTHON:-}" python3 /usr/bin/python3; do
        carried=$("$python" -c 'import ensurepip; print(*ensurepip.__path__)' 2>/dev/null || true)
        for wheel in '' "$carried"/_bundled/pip-*.whl /usr/share/python-wheels/pip-*.whl \
            .local/pip/usr/share/python-wheels/pip-*.whl; do
            if run_pip --version >/dev/null 2>&1; then
                return
            fi
        done
    done
    return 1
}

bring_uv() {
    pinned=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/uv.txt)
    case "$("$UV" --version 2>/dev/null)" in "uv $pinned "*) return ;; esac
    echo "setup: installing uv" >&2
    rm -rf .local/uv
    find_pip
    run_pip install -qq --target .local/uv --require-hashes --requirement requirements/uv.txt ||
        fail "pip could not install uv, see above; the index is the one that pip's own configuration names"
}

# Whether it is an interpreter of the template's runtime that runs, with what small builds leave out.
is_usable() {
    "$1" -c 'import ctypes, ssl, sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_usable "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.13; set another, or unset it to have one looked for"
        echo "$PYTHON"
        return
    fi
    # A pyenv shim called python3.13 may exist and not run, so each is tried, not only looked for.
    for candidate in python3.13 python3 "$("$UV" python find --system 3.13 2>/dev/null || true)" \
        "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.13*/bin/python3.13 "$(pwd)"/.local/python/*/bin/python3.13; do
        if [ -n "$candidate" ] && is_usable "$candidate"; then
            # Not an active environment's, which uv passes over and which may go: the one that it was made from.
            "$candidate" -c 'import sys; print(sys._base_executable)'
            return
        fi
    done
    echo "setup: no Python 3.13 here: downloading one into .local/python" >&2
    # --quiet would hide why it fails.
    "$UV" python install --no-bin --install-dir .local/python 3.13 >&2 ||
        fail "no Python 3.13 could be downloaded; set UV_PYTHON_INSTALL_MIRROR to a mirror, or install one and set PYTHON=/path/to/python3.13"
    set -- "$(pwd)"/.local/python/*/bin/python3.13
    is_usable "$1" || fail "the Python 3.13 that was downloaded does not run here ($1); set PYTHON=/path/to/python3.13"
    echo "$1"
}

# install ENVIRONMENT REQUIREMENTS...: exactly the pinned files, every one checked against its hash.
# uv takes seconds where pip takes a minute, but does not read pip's own configuration (an index, a proxy): pip may
# still know the way where uv does not.
install() {
    environment=$1
    shift
    for file in "$@"; do
        set -- "$@" --requirement "$file"
        shift
    done
    "$UV" pip install --quiet --python "$environment/bin/python" --require-hashes "$@" && return
    echo "setup: uv could not, trying pip (it takes a minute)" >&2
    find_pip
    run_pip --python "$environment/bin/python" install -qq --require-hashes "$@" ||
        fail "installing failed, see above; the index is the one that uv's or pip's own configuration names"
}

wanted="$(pwd) $(cat local/setup.sh pyproject.toml requirements/*.txt "$RUNTIME" | cksum)"
made=$(cat .venv/set-up 2>/dev/null || true)
if [ "$made" = "$wanted" ] && [ -x .local/sam/bin/sam ] && .venv/bin/python -c '' 2>/dev/null; then
    exit
fi

bring_uv
# Commands in an environment name its folder: one that was moved, or whose interpreter is gone, is made anew. So is one
# without its mark: whatever interrupted the last run left it as it was then.
if [ "${made% * *}" != "$(pwd)" ] || [ ! -x .local/sam/bin/sam ] || ! is_usable .venv/bin/python; then
    python=$(find_python)
    echo "setup: making .venv with $("$python" -V) ($(command -v "$python"))" >&2
    "$UV" venv --quiet --clear --python "$python" .venv
    "$UV" venv --quiet --clear --python .venv/bin/python .local/sam
fi
rm -f .venv/set-up

echo "setup: installing the pinned packages" >&2
install .venv "$RUNTIME" requirements/dev.txt
install .local/sam requirements/sam.txt

# The operator's command: the package of pyproject.toml, editable, so that Python imports from this folder. It is built
# by the pinned hatchling that was just installed, and asks no index.
"$UV" pip install --quiet --offline --python .venv/bin/python --no-build-isolation --no-deps --editable . ||
    fail "the command could not be installed, see above"
echo "$wanted" >.venv/set-up

#!/bin/sh
# Makes the two environments Dailies is developed in, once: .venv (run-time pins and development tools) and .local/sam
# (the SAM command; it and the emulator pin different botocores). Every `make` target calls this first. What it made is
# remembered in .venv/set-up, so a second run looks at one file and ends; a changed pin or a moved folder runs it again.
set -eu
cd "$(dirname "$0")/.."

RUNTIME=layers/dailies/python/requirements.txt
export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"  # a proxy's own authority is in the machine's store, not in uv's

fail() {
    echo "setup: $1" >&2
    exit 1
}

# Whether it is an interpreter of the template's runtime that runs and can make an environment with pip in it.
is_usable() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_usable "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.13 with its venv module; set another, or unset it to have one looked for"
        echo "$PYTHON"
        return
    fi
    # A pyenv shim called python3.13 may exist and not run, so each is tried, not only looked for.
    for candidate in python3.13 python3 \
        "$(uv python find --system 3.13 2>/dev/null || true)" \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
        if [ -n "$candidate" ] && is_usable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.13 with its venv module; install one (apt install python3.13-venv, uv python install 3.13, pyenv install 3.13) or set PYTHON=/path/to/python3.13"
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
    .venv/bin/uv pip install --quiet --python "$environment/bin/python" --require-hashes "$@" && return
    echo "setup: uv could not, trying pip (it takes a minute)" >&2
    .venv/bin/python -m pip --python "$environment/bin/python" install -qq --require-hashes "$@" ||
        fail "installing failed, see above; the index is the one that uv's or pip's own configuration names"
}

wanted="$(pwd) $(cat local/setup.sh requirements/*.txt "$RUNTIME" | cksum)"
made=$(cat .venv/set-up 2>/dev/null || true)
if [ "$made" = "$wanted" ] && [ -x .local/sam/bin/sam ] && .venv/bin/python -c '' 2>/dev/null; then
    exit
fi

# Commands in an environment name its folder: one that was moved, or whose interpreter is gone, is made anew.
if ! is_usable .venv/bin/python || { [ -n "$made" ] && [ "${made% * *}" != "$(pwd)" ]; }; then
    python=$(find_python)
    echo "setup: making .venv with $("$python" -V) ($(command -v "$python"))" >&2
    rm -rf .venv .local/sam
    "$python" -m venv .venv
fi
rm -f .venv/set-up
[ -x .local/sam/bin/python ] || .venv/bin/python -m venv --without-pip .local/sam

echo "setup: installing the pinned packages" >&2
.venv/bin/python -m pip install -qq --require-hashes --requirement requirements/uv.txt ||
    fail "pip could not install uv, see above; the index is the one that pip's own configuration names"
install .venv "$RUNTIME" requirements/dev.txt
install .local/sam requirements/sam.txt

# The operator's command, and where it imports from: the roots that pyproject.toml gives to mypy and pytest. Python
# reads such a file by itself; nothing is packaged, and no code edits a path.
printf '%s\n' "$(pwd)" "$(pwd)/layers/dailies/python" >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dailies.pth"
# Its packages take most of a second to load, and Ctrl-C then is no mistake of anybody's: no traceback.
printf '#!%s\ntry:\n    from cli.main import main\n\n    main()\nexcept KeyboardInterrupt:\n    raise SystemExit(130) from None\n' \
    "$(pwd)/.venv/bin/python" >.venv/bin/dailies
chmod +x .venv/bin/dailies
echo "$wanted" >.venv/set-up

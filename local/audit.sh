#!/bin/sh
# The security checks that need tools of their own: checkov over the template as it is built, pip-audit over the pins.
# cfn-lint is a part of `make lint`. What is not asked, and why: .checkov.yaml.
# pip-audit reads PyPI's vulnerability data. Where an index in between does not pass them on, it cannot look, and this
# fails; --offline leaves it out and says so.
set -eu
cd "$(dirname "$0")/.."

FOLDER=.local/audit
local/tools.sh audit

status=0
.venv/bin/python -c 'from pathlib import Path; from local import deploy; deploy.build(Path(".local/audit").resolve())'
if "$FOLDER/bin/checkov" --config-file .checkov.yaml --framework cloudformation --file "$FOLDER/build/template.yaml" \
    --compact --quiet --skip-download; then
    echo "audit: checkov  clean, but for the exceptions in .checkov.yaml"
else
    echo "audit: checkov  failed" && status=1
fi

if [ "${1:-}" = --offline ]; then
    echo "audit: pip-audit  NOT LOOKED AT: --offline"
    exit $status
fi
for pins in layers/dailies/python/requirements.txt requirements/*.txt examples/cdk/requirements.txt; do
    if "$FOLDER/bin/pip-audit" --strict --progress-spinner off --disable-pip --require-hashes --requirement "$pins"; then
        echo "audit: pip-audit  $pins: no known vulnerability"
    else
        echo "audit: pip-audit  $pins: failed; where it found no data, an index in between does not pass them on" && status=1
    fi
done
exit $status

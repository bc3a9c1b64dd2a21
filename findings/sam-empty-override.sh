#!/bin/sh
# How SAM reads --parameter-overrides in which a parameter is emptied: dropped without a word, refused, or taken.
. "$(dirname "$0")/environment.sh"
install 'aws-sam-cli==1.170.0'

read_by_sam() {
    "$PYTHON" -W ignore - "$1" <<'PY'
import sys

from click import BadParameter
from samcli.cli.types import CfnParameterOverridesType

try:
    print(sorted(CfnParameterOverridesType().convert(sys.argv[1], None, None).items()))
except BadParameter:
    print("refused")
PY
}

expect() {
    found=$(read_by_sam "$1")
    [ "$found" = "$2" ] || changed "$1 is $found"
    seen "aws-sam-cli 1.170.0: --parameter-overrides '$1' is $2"
}

expect 'A= B=x' "[('B', 'x')]"
expect 'A=' 'refused'
expect 'A="" B=x' "[('A', ''), ('B', 'x')]"

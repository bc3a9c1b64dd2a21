#!/bin/sh
# What parliament says it needs is not all that it imports.
. "$(dirname "$0")/environment.sh"
install 'parliament==1.6.4'

said=$("$PYTHON" -W ignore -c 'import parliament' 2>&1) && changed "it can be imported"
case $said in
*"No module named 'pkg_resources'"*) ;;
*) changed "it fails for another reason: $said" ;;
esac
install 'setuptools<81'
"$PYTHON" -W ignore -c 'import parliament' || changed "an older setuptools does not mend it"
seen "parliament 1.6.4 alone: No module named 'pkg_resources'; with setuptools<81 it is imported"

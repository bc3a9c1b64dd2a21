#!/bin/sh
# aws-sam-translator's own reader of templates imports yaml, which the package does not ask for.
. "$(dirname "$0")/environment.sh"
install 'aws-sam-translator==1.115.0'

found=$("$PYTHON" -c 'from samtranslator.yaml_helper import yaml_parse' 2>&1 | tail -n 1)
[ "$found" = "ModuleNotFoundError: No module named 'yaml'" ] || changed "it says: $found"
seen "aws-sam-translator 1.115.0, installed with all that it asks for: $found"

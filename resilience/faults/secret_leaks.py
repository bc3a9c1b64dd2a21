"""The functions' output contains no secret, and no signature of a link."""

import re
from collections.abc import Iterable
from pathlib import Path

SIGNATURE = re.compile(r"(?i)[?&](?:x-amz-signature|x-goog-signature|signature|sig|token)=[^&\s\"'\\]{4}")
LEAST = 8  # letters: a shorter text could appear by chance


def said(log: Path, secrets: Iterable[str]) -> list[str]:
    """The lines with one of these secrets or a signature, each cut to the part that names its source."""
    wanted = [secret for secret in secrets if len(secret) >= LEAST]
    with log.open(errors="replace") as lines:
        return [line[:200] for line in lines if SIGNATURE.search(line) or any(secret in line for secret in wanted)]

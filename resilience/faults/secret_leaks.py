"""What the functions print holds no secret, and no signature of a link."""

import re
from collections.abc import Iterable
from pathlib import Path

SIGNATURE = re.compile(r"(?i)[?&](?:x-amz-signature|x-goog-signature|signature|sig|token)=[^&\s\"'\\]{4}")
LEAST = 8  # letters: what is shorter could stand in a line by chance


def said(log: Path, secrets: Iterable[str]) -> list[str]:
    """The lines that hold one of these secrets or a signature, each cut to what says where it came from."""
    wanted = [secret for secret in secrets if len(secret) >= LEAST]
    with log.open(errors="replace") as lines:
        return [line[:200] for line in lines if SIGNATURE.search(line) or any(secret in line for secret in wanted)]

"""The check finds a secret that a function prints, and accepts what is no secret."""

from pathlib import Path

from resilience.faults.secret_leaks import said

LINES = [
    '{"message": "delivery", "job_id": "case00001-job"}',
    "Traceback ... whsec_0123456789",
    '{"problem": "https://x.example/a.mp4?X-Amz-Signature=abcdef0123"}',
    '{"problem": "short"}',
]


def test_a_secret_or_a_signature_shows_and_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / "functions.log"
    log.write_text("\n".join(LINES) + "\n")
    assert [line.strip() for line in said(log, ["whsec_0123456789", "short"])] == LINES[1:3]

"""A smoke test's table, and the file that stores it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from resilience.aws.steps import Outcome

HEAD = "| step | expected | | seconds | dollars | what was seen |\n|---|---|---|--:|--:|---|"


def line(outcome: Outcome) -> str:
    """A row of the table, in Markdown."""
    seen = " ".join(outcome.seen.replace("|", "/").split())
    figures = f"{outcome.seconds:.0f} | {outcome.dollars:.4f}"
    return f"| {outcome.name} | {outcome.expected} | {outcome.word} | {figures} | {seen} |"


def table(outcomes: Sequence[Outcome]) -> str:
    """All steps in Markdown, and their sums."""
    counts = [f"{sum(one.word == word for one in outcomes)} {word}" for word in ("ok", "wrong", "left out")]
    sums = f"| | | | {sum(one.seconds for one in outcomes):.0f} | {sum(one.dollars for one in outcomes):.4f} |"
    return "\n".join([HEAD, *map(line, outcomes), f"{sums} {', '.join(counts)} |"])


def keep(outcomes: Sequence[Outcome], about: Mapping[str, Any], path: Path) -> None:
    """Write everything as JSON: where and when it ran (`about`), and the steps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**about, "steps": [asdict(one) for one in outcomes]}, indent=2) + "\n")


def is_wrong(outcomes: Sequence[Outcome]) -> bool:
    """Whether a step is wrong, or none ran."""
    return any(one.word == "wrong" for one in outcomes) or not any(one.word == "ok" for one in outcomes)

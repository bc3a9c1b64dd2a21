"""`python -m local.prose`: reject words and phrases that CONTRIBUTING's style sheet rejects. `make lint` runs it.

It reads the Markdown files that git knows, without code and link targets, and the docstrings of the modules below
FOLDERS. docs/cli.md holds the command's help, so the help is checked too. Prints `path:line: "phrase": say ...` for
each finding. Exits with 1 if there is any. Add to PHRASES what you correct twice, and to FOLDERS what is clean.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
# The docstrings in these folders are checked too.
FOLDERS: Sequence[str] = (
    "bench",
    "cli",
    "demo",
    "functions",
    "layers/dailies/python/dailies/aws",
    "layers/dailies/python/dailies/jobs",
    "layers/dailies/python/dailies/provider_api",
    "layers/dailies/python/dailies/outbound",
    "layers/dailies/python/dailies/providers",
    "layers/dailies/python/dailies/steps",
    "local",
    "resilience",
    "simulators",
    "testkit",
    "tests",
)

# What is rejected, as a regular expression without regard to case, and what to say instead.
PHRASES: dict[str, str] = {
    r"\bof (?:[A-Z]\w+|(?:a|the) provider)'s?(?= *(?:[.,;:)|]|(?:and|or|is|are|that|at|in|into)\b|$))": (
        "Sync's secret, not a secret of Sync's"
    ),
    r"\bgoes without (?:it|them)\b": "does not need it",
    r"\b(?:is|are|was|were|be|been|being) told\b": "receives, is published, is reported",
    r"\b(?:tells|told|telling|tell) (?:of|us|it|no|nothing|that|how|which|what|each|anyone|everyone|your|the)\b": (
        "reports, publishes, returns"
    ),
    r"\b(?:is|are|was|were|be|been) heard\b|\bheard of\b|\bhears?\b": "receives, knows",
    r"\bnobody (?:tells|told|proves|takes|asks|calls|heard)\b": "a passive, or the missing thing as the subject",
    r"\bwho (?:proves|is proven|asks|may|says|calls|holds|knows|reads)\b": "the sender, the reader, the caller",
    r"\b(?:unproven|proven|proves|proof of) (?:call|calls|delivery|deliveries|sender|it is)\b": "verified, authentic",
    r"\bwhoever\b": "a user, a reader, anyone who",
    r"\bby (?:itself|themselves)\b": "automatically, alone",
    r"\bfor (?:so|as) many\b|\bso many (?:seconds|hours|days|tries)\b": "a number with its unit",
    r"\bstands? (?:in|above|beside|below|behind|between|still|there|as|written|under|at|by)\b": "is, follows, precedes",
    r"\b(?:as|how) it (?:stands|stood)\b|\bhow (?:all|they) stand\b": "the state",
    r"\bgoes on (?:with|from|by itself)\b|\bgone on with\b|\bgo on with\b": "continues, resumes",
    r"\b(?:nor|neither) (?:does|do|is|are|has|have)\b": "also does not",
    r"\b(?:calls you|rings?|rang)\b": "raises an alarm, goes off",
    r"\b(?:is|are) looked (?:after|at|for)\b|\blook(?:s|ed|ing)? after\b": "polled, checked",
    r"\bbears? no\b": "has no",
    r"\bis asked (?:about|for|of)\b|\bare asked (?:about|for)\b|\basked anew\b": "polled, requested",
    r"\bbrought? right\b|\bput(?:s|ting)? (?:it )?right\b|\bmend(?:s|ed|ing)?\b": "fix, repair",
    r"\banew\b": "again",
    r"\bnews\b": "update",
    r"\bin vain\b": "fails, without a result",
    r"\b(?:tries|try) of (?:the|a|each)\b|\bis tried anew\b|\bno try\b|\ball its tries\b": "attempt",
    r"\bthe one(?:,|;) .{1,40}\bthe other\b|\bthe former\b|\bthe latter's\b": "the two nouns",
    r"\bwhat (?:came|comes) (?:in|of it|by it)\b|\bwhat became of\b": "incoming deliveries, the result",
    r"\bwhere (?:it has one|there is one|there are none|he may|that is set|nobody)\b": "if",
    r"\b(?:is|are) believed\b": "is trusted",
    r"\bonly when you say so\b|\bsay so\b": "on demand",
    r"\b(?:MOST|LEAST|LONGEST|SHORTEST)_[A-Z]\w*": "MAX_, MIN_",
    r"\bless than is\b|\bthan is (?:usual|wanted)\b": "the number",
    r"\bfor good and all\b|\bever again\b|\bfor ever\b": "forever, without limit",
    r"\bonce for (?:all|each)\b|\btwice is once\b": "idempotent",
    r"\b(?:hither|thither|thereof|therein|whereof|hereby|hence|thus|lest)\b": "a modern word",
    r"\bthe page tells\b|\bas (?:Rich|Typer|SAM) has it\b|\bas \S+ has it\b": "as documented in",
    r"\b(?:None|True|False|empty) where\b": "if",
    r"\bas (?:it|they) (?:came|come)\b|\bat hand\b": "unchanged, or the noun",
    r"\bof so many\b": "the number with its unit",
    r"\bof one:": "One of:",
    r"\b(?:he|she|his|her) (?:may|can|is|has|wants)\b": "they, the reader",
}
REJECTED = re.compile("|".join(f"(?P<p{number}>{phrase})" for number, phrase in enumerate(PHRASES)), re.IGNORECASE)
ADVICE = list(PHRASES.values())

FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(
    r"`[^`\n]*`|\]\([^)\n]*\)|\"[A-Z][^\"\n]*\""
)  # a quotation, such as a saved query's name, is not ours


class Finding(NamedTuple):
    """A rejected phrase: where it is, and what to say instead."""

    path: str
    line: int
    phrase: str
    advice: str

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: "{self.phrase}": say {self.advice}'


def prose_of(markdown: str) -> str:
    """The text without code and link targets; every line keeps its number."""
    unfenced = FENCE.sub(lambda block: "\n" * block[0].count("\n"), markdown)
    return CODE.sub("`", unfenced)


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """The public docstrings of a module, each with its first line's number."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text and not getattr(node, "name", "").startswith("_"):
                yield node.body[0].lineno, text


def findings(path: str, text: str, first: int = 1) -> Iterator[Finding]:
    """Each rejected phrase in a text that starts at this line. A phrase may span lines."""
    flat = text.replace("\n", " ")  # same length, so offsets stay valid
    for match in REJECTED.finditer(flat):
        number = int((match.lastgroup or "p0").removeprefix("p"))
        line = first + text.count("\n", 0, match.start())
        yield Finding(path, line, " ".join(match[0].split()), ADVICE[number])


def everywhere(root: Path = ROOT) -> Iterator[Finding]:
    """All findings in the files below a folder that git knows."""
    listed = subprocess.run(["git", "ls-files", "*.md", *(f"{name}/*.py" for name in FOLDERS)], cwd=root, check=True,
                            capture_output=True, text=True).stdout.split()  # fmt: skip
    for name in listed:
        text = (root / name).read_text(encoding="utf-8")
        if name.endswith(".md"):
            yield from findings(name, prose_of(text))
        else:
            for first, docstring in docstrings(text):
                yield from findings(name, docstring, first)


def main() -> None:
    """Print all findings in this repository, or in the one given."""
    found = list(everywhere(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
    for finding in found:
        print(finding)
    sys.exit(f"prose: {len(found)} phrases that CONTRIBUTING.md rejects" if found else 0)


if __name__ == "__main__":
    main()

"""The parts of the proof: their modules, and their options for a full and a quick run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.stack import ROOT
from resilience import figures

QUICK_FOLDERS = ROOT / ".local/proof-quick"  # of the stacks
ONE_TRANSFER = ("--only", "(cut-once)")
ONE_CALL = ("--scenarios", "^operation$", "--only", "CaptionsCreator: dynamodb PutItem")


@dataclass(frozen=True)
class Part:
    """A part's module, and its options: for the full proof, and for a quick one."""

    module: str
    whole: Sequence[str] = ()
    quick: Sequence[str] = ()

    def options(self, *, quick: bool) -> Sequence[str]:
        """Its options; a quick run has its own figures file."""
        return (*self.quick, "--figures", str(figures.QUICK)) if quick else self.whole


# By the names of their figures. The lines run one after the other, the parts of a line in parallel: the first takes the
# CPU that it needs, the others the rest. The matrix waits often enough for parts that need no speed.
PARTS: Sequence[Mapping[str, Part]] = (
    {
        "faults": Part("resilience.faults", quick=(*ONE_CALL, "--folder", str(QUICK_FOLDERS / "faults"))),
        "memory": Part("resilience.soak", quick=("--deliveries", "500")),
        "roles": Part("resilience.roles", quick=("--only", "AnnounceRole", "--folder", str(QUICK_FOLDERS / "roles"))),
        "states": Part("resilience.states", ("--machines", "60"), ("--machines", "5", "--steps", "20")),
        "short fuzz": Part("resilience.fuzz", ("--runs", "0", "--seconds", "3"), ("--runs", "0", "--seconds", "1")),
    },
    {"transfers": Part("resilience.transfers", quick=ONE_TRANSFER)},  # alone: its timeouts are two and three seconds
    {"opinions": Part("resilience.compatibility", quick=("--quick",))},
    {
        "load": Part(
            "resilience.load",
            quick=("--deliveries", "60", "--warm-up", "20", "--callers", "2", "--folder", str(QUICK_FOLDERS / "load")),
        ),
    },
)

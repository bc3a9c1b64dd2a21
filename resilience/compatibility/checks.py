"""A check of AWS's documented behaviour, through our own code, on several servers."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Check[Subject]:
    """`run` raises AssertionError if a server differs from AWS. `differs` has the servers with a known difference and
    their behaviour. A `long` check takes seconds."""

    title: str
    run: Callable[[Subject], None]
    differs: Mapping[str, str] = field(default_factory=dict)
    long: bool = False


@dataclass
class Tally:
    """The results: `same` as AWS, `different` as known; `lost` are all others, a line each."""

    same: int = 0
    different: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return self.same + self.different + len(self.lost)


def try_all[Subject](checks: Sequence[Check[Subject]], server: str, subject: Subject, tally: Tally) -> None:
    """Run all checks, and print the differences from AWS."""
    for check in checks:
        known = check.differs.get(server)
        try:
            check.run(subject)
        except Exception as error:  # noqa: BLE001  whatever it is, it is found
            if known and isinstance(error, AssertionError | ClientError):
                tally.different += 1
                print(f"  {server} differs: {check.title}: {known}")
                continue
            tally.lost.append(f"{server}: {check.title}: {traceback.format_exception_only(error)[0].strip()}")
            traceback.print_exception(error)
        else:
            if known:
                tally.lost.append(f"{server}: {check.title}: it does now, so it is no difference any more")
            else:
                tally.same += 1

"""A check: what AWS does, by its documentation, tried through our own code on one server after the other."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Check[Subject]:
    """`run` ends with an AssertionError where a server is not like AWS. `differs` has the servers of which that is
    known, each with what it does instead. A `long` one takes seconds."""

    title: str
    run: Callable[[Subject], None]
    differs: Mapping[str, str] = field(default_factory=dict)
    long: bool = False


@dataclass
class Tally:
    """What came of the checks: `same` as on AWS, `different` as is known; `lost` is anything else, in a line each."""

    same: int = 0
    different: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return self.same + self.different + len(self.lost)


def try_all[Subject](checks: Sequence[Check[Subject]], server: str, subject: Subject, tally: Tally) -> None:
    """Try each, and print what is not as on AWS."""
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

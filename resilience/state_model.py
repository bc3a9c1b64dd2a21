"""The expected state of a job, written from the design and without the layer's code: the simplest program for it.

A job is reported (`Reported`), its media are attempted (`Attempted`), it is checked (`Checked`). Its state follows
from all of that, in any order.
"""

from dataclasses import dataclass, field

STEPS = ["unknown", "pending", "processing", "canceled", "failed", "completed"]
FINISHED = STEPS[3:]


@dataclass(frozen=True)
class Reported:
    """A report by the provider: `clock` is its own timestamp, empty if it has none. `links` are roles with the paths of
    links. `is_update`: whether it counts as an update of the job."""

    at: str
    status: str
    clock: str = ""
    links: tuple[tuple[str, str], ...] = ()
    credits: int | None = None
    is_update: bool = True


@dataclass(frozen=True)
class Attempted:
    """An attempt of the archive: a medium and its result."""

    at: str
    medium: tuple[str, str]
    state: str


@dataclass(frozen=True)
class Checked:
    """A check by reconcile: whether the provider contradicts itself (None: not polled), or the job is overdue."""

    at: str
    contradiction: str | None = None
    silent: bool = False


@dataclass
class JobModel:
    """The job that the facts make."""

    told: list[Reported] = field(default_factory=list)
    tried: list[Attempted] = field(default_factory=list)
    checked: list[Checked] = field(default_factory=list)

    @property
    def status(self) -> str:
        """The newest known status by the provider's clock, else the latest step."""
        known = [(told.clock, STEPS.index(told.status)) for told in self.told if told.status != "unknown"]
        return STEPS[max(known)[1]] if known else "unknown"

    @property
    def media(self) -> dict[tuple[str, str], str]:
        """Archived media stay archived. Otherwise the latest attempt since the last update that named the medium
        counts; without an attempt it waits."""
        found = {
            link: max(t.at if t.is_update else "" for t in self.told if link in t.links)
            for told in self.told
            for link in told.links
        }
        found |= {tried.medium: found.get(tried.medium, "") for tried in self.tried}
        states = {}
        for medium, at in found.items():
            tries = [tried for tried in self.tried if tried.medium == medium]
            latest = max((t for t in tries if t.at >= at), key=lambda t: t.at, default=None)
            archived = any(tried.state == "archived" for tried in tries)
            states[medium] = "archived" if archived else latest.state if latest else "pending"
        return states

    @property
    def stage(self) -> str:
        """The work that is left, and for whom."""
        updated_at = max([t.at for t in self.told if t.is_update] + [t.at for t in self.tried], default="")
        silent = max([c.at for c in self.checked if c.silent], default="")
        answers = [c for c in self.checked if c.contradiction is not None]
        if answers and max(answers, key=lambda c: c.at).contradiction:
            return "attention"
        if self.status not in FINISHED:
            return "attention" if silent > updated_at else "waiting"
        if "pending" in self.media.values():
            return "archiving"
        archived = {role for (role, _), state in self.media.items() if state == "archived"}
        missing = {role for role, _ in self.media} - archived
        return "attention" if missing or (self.status == "completed" and not self.media) else "settled"

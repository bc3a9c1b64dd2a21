"""A provider's media links: signed for a limited time, signed again at each request, expired on demand.

A medium is named by a file of the media host (`generation.mp4`), by a path there (`/fault/cut-chunked/generation.mp4`),
or by a whole URL, which is used unchanged: for example a hostile one.
"""

from collections import Counter, defaultdict
from urllib.parse import quote

from simulators.media_host.links import HOUR, Dialect
from simulators.media_host.server import MediaHost


class Links:
    """The links of one provider. `lifetime` is in seconds, None for unsigned links. With `fresh_paths`, a medium has
    another path each time its link is signed."""

    def __init__(self, host: MediaHost, provider: str, dialect: Dialect) -> None:
        self.host = host
        self.lifetime: int | None = HOUR
        self.fresh_paths = False
        self._provider = provider
        self._dialect = dialect
        self._signed: Counter[str] = Counter()
        self._paths: defaultdict[str, set[str]] = defaultdict(set)
        self._lost: set[str] = set()

    def url(self, job_id: str, medium: str) -> str:
        """A link to a job's medium, signed now; empty if there is no medium."""
        if not medium or medium.startswith(("http://", "https://")):
            return medium
        folder, _, name = medium.rpartition("/")
        path = f"{folder}/{self._provider}/{quote(job_id, safe='')}/{name}"
        if self.fresh_paths:
            self._signed[path] += 1
            path = f"{folder}/{self._provider}/{quote(job_id, safe='')}/{self._signed[path]}/{name}"
        self._paths[job_id].add(path)
        if job_id in self._lost:
            self.host.remove(path)
        return self.host.url(path, lifetime=self.lifetime, dialect=self._dialect)

    def die(self, job_id: str) -> None:
        """Expire the signed links made for a job so far (403, Google's 400). New ones work.

        Unsigned links do not expire.
        """
        for path in self._paths[job_id]:
            self.host.revoke(path)

    def lose(self, job_id: str) -> None:
        """Remove the job's media: 404 for old and new links."""
        self._lost.add(job_id)
        for path in self._paths[job_id]:
            self.host.remove(path)

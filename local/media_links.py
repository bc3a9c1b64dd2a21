"""Links to the media host of the local stack, made without starting it. `local/media_site.py` serves them."""

import time
from dataclasses import dataclass
from pathlib import Path

from local.stack import StackError
from simulators.media_host.links import signed_url

NAME = "media-host"
KEY = b"links to simulated media"  # not a secret: every user of this machine may have these links


@dataclass(frozen=True)
class MediaLinks:
    """Makes links; `base_url` has no trailing slash."""

    base_url: str

    def url(self, path: str) -> str:
        """A link to a path such as `/job-1/generation.mp4`, valid for an hour."""
        return signed_url(self.base_url, path, key=KEY, issued=time.time())


def links(folder: Path) -> MediaLinks:
    """Links to the media host of the stack in `folder`, running or not. Raises StackError if it was never started."""
    port = remembered_port(folder)
    if port is None:
        raise StackError("the local stack has no media host; start it with `make media-up`")
    return MediaLinks(f"http://127.0.0.1:{port}")


def remembered_port(folder: Path) -> int | None:
    """The port that the media host was last started on; None if it never was."""
    try:
        return int(_port_file(folder).read_text())
    except (OSError, ValueError):
        return None


def remember_port(folder: Path, port: int) -> None:
    """Keep the port, so that links stay valid when the media host is started again."""
    _port_file(folder).write_text(f"{port}\n")


def _port_file(folder: Path) -> Path:
    return folder / f"{NAME}.port"

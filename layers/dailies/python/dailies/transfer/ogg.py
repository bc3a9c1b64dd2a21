"""Ogg: whether its pages are complete. A recorder that was killed leaves no last page, so none is asked for.

https://www.rfc-editor.org/rfc/rfc3533
"""

from dailies.transfer.walk import End, Malformed, Read, Skip, Steps


def ogg() -> Steps:
    """Pages: a header, a table of segment sizes, the segments."""
    while (head := (yield Read(27)))[:4] == b"OggS":
        sizes = yield Read(head[26])
        yield Skip(sum(sizes))
        yield End()
    raise Malformed("a page of the Ogg has no mark")

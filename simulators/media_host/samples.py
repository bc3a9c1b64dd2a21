"""Small real media that the simulated providers serve: made once, kept in a folder, each one different.

The MP4s are H.264 (libx264) and the PNG is a PNG, encoded in this process by PyAV, whose wheels contain FFmpeg's
libraries. So no installed program is needed, and every player opens them. A wave of colour moves through each picture.
Colour and length differ between media, so that a checksum shows bytes stored under the wrong job.

`large.mp4` is the same kind of clip with noise, which does not compress: over 20 MiB of real video, for multipart
uploads. `padded` makes a clip of any length, with a box that players skip.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import cos, pi
from pathlib import Path

import av

FOLDER = Path(__file__).parents[2] / ".local" / "media"
FRAMES_PER_SECOND = 25
VERSION = "1"  # part of the folder's name: a changed recipe makes new media


@dataclass(frozen=True)
class SampleMedia:
    """A served file: its name, type and bytes."""

    name: str
    content_type: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Recipe:
    """The look of a medium: pixels, seconds, the shift of its colours (0 to 1), and whether it is all noise."""

    width: int
    height: int
    seconds: float
    hue: float
    noise: bool = False


RECIPES = {
    "generation.mp4": Recipe(320, 180, 2.0, hue=0.0),
    "segment.mp4": Recipe(320, 180, 1.0, hue=0.1),
    "batch-1.mp4": Recipe(320, 180, 1.2, hue=0.2),
    "batch-2.mp4": Recipe(320, 180, 1.4, hue=0.3),
    "product.mp4": Recipe(180, 320, 2.0, hue=0.5),
    "product.png": Recipe(180, 320, 0.0, hue=0.5),
    "operation.mp4": Recipe(180, 320, 1.6, hue=0.7),
    "large.mp4": Recipe(640, 360, 3.0, hue=0.9, noise=True),
}
CONTENT_TYPES = {".mp4": "video/mp4", ".png": "image/png"}


def media(folder: Path = FOLDER) -> dict[str, SampleMedia]:
    """All media by name. Makes those that `folder` lacks (about a second, 27 MB)."""
    home = folder / f"v{VERSION}"
    home.mkdir(parents=True, exist_ok=True)
    return {name: _medium(home / name, recipe) for name, recipe in RECIPES.items()}


def padded(clip: bytes, size: int) -> bytes:
    """An MP4 made `size` bytes long by a `free` box at its end, which adds at least 16 bytes to the clip."""
    padding = size - len(clip)
    if padding < 16:  # the box's header, in the form for sizes above 4 GiB
        raise ValueError(f"a clip of {len(clip)} bytes cannot be padded to {size}")
    return clip + (1).to_bytes(4) + b"free" + padding.to_bytes(8) + bytes(padding - 16)


def _medium(path: Path, recipe: Recipe) -> SampleMedia:
    if not path.exists():
        unfinished = path.with_name(f"unfinished-{random.getrandbits(32):08x}-{path.name}")
        _make(unfinished, recipe)
        unfinished.replace(path)  # atomic, even if another process writes it at the same time
    return SampleMedia(path.name, CONTENT_TYPES[path.suffix], path.read_bytes())


def _make(path: Path, recipe: Recipe) -> None:
    if path.suffix == ".png":
        _make_picture(path, recipe)
    else:
        _make_clip(path, recipe)


def _make_clip(path: Path, recipe: Recipe) -> None:
    # The index comes first, as providers serve it: a player starts before the download ends.
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        stream.width, stream.height, stream.pix_fmt = recipe.width, recipe.height, "yuv420p"
        # A fixed quantizer, so that a clip's size follows from its picture; 4 keeps most of the noise. One thread, so
        # that every machine makes the same clip.
        stream.options = {"preset": "ultrafast", "qp": "4" if recipe.noise else "23", "threads": "1"}
        for number, picture in enumerate(_pictures(recipe, round(recipe.seconds * FRAMES_PER_SECOND))):
            picture.pts, picture.time_base = number, Fraction(1, FRAMES_PER_SECOND)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _make_picture(path: Path, recipe: Recipe) -> None:
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = recipe.width, recipe.height, "rgb24"
    encoder.time_base = Fraction(1, FRAMES_PER_SECOND)
    (picture,) = _pictures(recipe, 1)
    packets = encoder.encode(picture.reformat(format="rgb24")) + encoder.encode(None)
    path.write_bytes(b"".join(bytes(packet) for packet in packets))


def _pictures(recipe: Recipe, count: int) -> Iterator[av.VideoFrame]:
    """`count` pictures in YUV 4:2:0: a moving wave (or noise) as brightness, two slowly changing colours."""
    noise = random.Random(recipe.hue)  # noqa: S311  seeded: the same medium each time it is made
    for number in range(count):
        picture = av.VideoFrame(recipe.width, recipe.height, "yuv420p")
        angle = 2 * pi * (recipe.hue + number / 100)
        brightness, *colours = picture.planes
        for plane, level in zip(colours, (cos(angle), cos(angle + pi / 2)), strict=True):
            plane.update(bytes([round(128 + 90 * level)]) * plane.buffer_size)
        if recipe.noise:
            brightness.update(noise.randbytes(brightness.buffer_size))
        else:
            wave = bytes(round(128 + 80 * cos(2 * pi * (x / 80 - number / 25))) for x in range(brightness.line_size))
            brightness.update(wave * brightness.height)
        yield picture

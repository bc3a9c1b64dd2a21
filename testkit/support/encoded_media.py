"""Small media of real encoders: FFmpeg's, by PyAV. Each is made once in a process, in some milliseconds."""

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any

import av

WIDTH, HEIGHT, RATE = 96, 64, 25
SECONDS = 1.2  # of a clip's pictures


class _Pipe:
    """A file that cannot go back, as a program's standard output."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, piece: bytes) -> int:
        self.written += piece
        return len(piece)


@cache
def clip(
    form: str, codec: str, *, sound: str = "", piped: bool = False, options: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """Pictures in a container, with sound if its codec is given. `piped`: written without going back."""
    file: Any = _Pipe() if piped else BytesIO()
    with av.open(file, "w", format=form, options=dict(options)) as container:
        video: Any = container.add_stream(codec, rate=RATE, options={"threads": "1"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio: Any = container.add_stream(sound, rate=48_000, layout="mono") if sound else None
        _encode(container, video, _greys(round(SECONDS * RATE)))
        if audio:
            _encode(container, audio, _silence(audio, 60))
    return bytes(file.written) if piped else file.getvalue()


@cache
def sound(
    form: str, codec: str, *, rate: int = 44_100, piped: bool = False, options: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """A second and more of silence in a container."""
    file: Any = _Pipe() if piped else BytesIO()
    with av.open(file, "w", format=form, options=dict(options)) as container:
        audio: Any = container.add_stream(codec, rate=rate, layout="mono")
        _encode(container, audio, _silence(audio, 60))
    return bytes(file.written) if piped else file.getvalue()


@cache
def picture(form: str, codec: str, pixels: str, frames: int = 1) -> bytes:
    """A picture, or several of an animation."""
    file = BytesIO()
    with av.open(file, "w", format=form, options={"update": "1"} if form == "image2" else {}) as container:
        video: Any = container.add_stream(codec, rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, pixels
        _encode(container, video, (frame.reformat(format=pixels) for frame in _greys(frames)))
    return file.getvalue()


def _encode(container: Any, stream: Any, frames: Iterator[Any]) -> None:
    for frame in (*frames, None):
        container.mux(stream.encode(frame))


def _greys(count: int) -> Iterator[av.VideoFrame]:
    for number in range(count):
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([100 + number]) * plane.buffer_size)
        frame.pts = number
        yield frame


def _silence(stream: Any, count: int) -> Iterator[av.AudioFrame]:
    size = stream.codec_context.frame_size or 1024
    for number in range(count):
        frame = av.AudioFrame(stream.codec_context.format.name, "mono", size)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = stream.codec_context.sample_rate, size * number
        yield frame

"""The media host's faults by the names used in its links, single and in pairs."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from simulators.media_host import answers
from simulators.media_host.answers import FOR_EVER, Exchange, Piece, Pieces, page, redirect, refusal
from simulators.media_host.odd_answers import ODD

ALWAYS: dict[str, Iterable[Piece]] = {
    "silent": (FOR_EVER,),
    "hang-up": (),
    "html-page": page("text/html; charset=utf-8").closing,
    "html-page-as-mp4": page("video/mp4").closing,
    "redirect-to-metadata": redirect(
        "http://169.254.169.254/latest/meta-data/"
    ).closing,  # where a machine gets its credentials
    "forbidden": refusal(403, "AccessDenied").closing,
    "expired": refusal(400, "ExpiredToken").closing,  # Google's for expired links; S3's for expired sessions
    "missing": refusal(404, "NoSuchKey").closing,
    "gone": refusal(410, "Gone").closing,
    "busy": refusal(429, "TooManyRequests").but(Retry_After="1").closing,
    "busy-two-minutes": refusal(429, "TooManyRequests").but(Retry_After="120").closing,
    "busy-a-week": refusal(429, "TooManyRequests").but(Retry_After="604800").closing,
    "broken": refusal(500, "InternalError").closing,
}
BY_EXCHANGE: dict[str, Callable[[Exchange], Pieces]] = {
    fault.__name__.replace("_", "-"): fault
    for fault in (
        *(answers.chunked, answers.no_length, answers.end_unannounced, answers.range_ignored, answers.gzip_unasked),
        *(answers.partial_unasked, answers.slow, answers.cut_with_length, answers.cut_at_part, answers.cut_once),
        *(answers.cut_chunked, answers.cut_without_length, answers.cut_with_weak_etag, answers.reset_at_half),
        *(answers.stall_at_half, answers.length_too_long, answers.length_too_short, answers.length_huge),
        *(answers.empty, answers.body_drip, answers.body_flood, answers.headers_drip, answers.headers_flood),
        *(answers.wrong_content_range, answers.whole_as_range, answers.range_not_satisfiable, answers.changing),
        answers.end_unavailable,
        *(answers.redirect_to_itself, answers.redirect_to_good, answers.unavailable_twice, answers.busy_once),
        answers.back_in_two_minutes,
    )
}


def _fault(name: str) -> Callable[[Exchange], Pieces]:
    return BY_EXCHANGE[name] if name in BY_EXCHANGE else lambda _: iter(ALWAYS[name])


def plain(name: str) -> Callable[[Exchange], Pieces]:
    """The fault with this name, for a host without range support."""

    def answer(exchange: Exchange) -> Pieces:
        headers = tuple(header for header in exchange.request.headers if header[0] != "range")
        return _fault(name)(replace(exchange, request=replace(exchange.request, headers=headers)))

    return answer


def then(first: str, later: str) -> Callable[[Exchange], Pieces]:
    """One fault at the first request, another one from the second on."""

    def answer(exchange: Exchange) -> Pieces:
        if exchange.attempt == 1:
            return _fault(first)(exchange)
        return _fault(later)(replace(exchange, attempt=exchange.attempt - 1))

    return answer


# The effect of a fault depends on when it happens: without range support, in later ranges, beside a stream.
COMBINED: dict[str, Callable[[Exchange], Pieces]] = {
    **{
        f"plain-{name}": plain(name)
        for name in (
            *("chunked", "no-length", "cut-with-length", "cut-at-part", "cut-chunked", "cut-without-length"),
            *("end-unannounced", "reset-at-half", "length-too-long", "length-too-short", "length-huge"),
        )
    },
    **{
        f"cut-then-{name}": then("cut-at-part", name)
        for name in (
            *("cut-with-length", "body-drip", "gzip-unasked", "html-page", "redirect-to-itself"),
            *("wrong-content-range", "whole-as-range", "range-ignored", "range-not-satisfiable", "changing"),
            *("busy-once", "busy-two-minutes", "unavailable-twice", "forbidden"),
        )
    },
    **{
        f"slow-then-{name}": then("slow", name)
        for name in ("busy", "forbidden", "wrong-content-range", "end-unavailable")
    },
}
FAULTS = frozenset(ALWAYS | BY_EXCHANGE | COMBINED | ODD)
"""The names of all faults, as they stand in a URL."""


def bad(fault: str, exchange: Exchange) -> Pieces:
    """The response of a host with this fault."""
    return (COMBINED.get(fault) or ODD.get(fault) or _fault(fault))(exchange)

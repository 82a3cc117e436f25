"""The requests of a load as bars over time, made of characters: a kind of time, a character."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flasync.toolkit.verifying.run import Load, Phase, Ping, Request


class Span(enum.Enum):
    """What a part of a bar means; those of `Phase` are told by the server."""

    QUEUED = "queued"
    """Also where only some are let in at a time, as by a pool of connections."""
    LOOP = "loop"
    THREAD = "thread"
    AWAITING = "awaiting"
    SENDING = "sending"
    OUTSIDE = "outside"
    """On its way, or the server has not begun with it."""
    UNSEEN = "unseen"
    """At a server that tells nothing."""


# Less is the server answering, not waiting.
_NOTICEABLE_MS = 10.0

_PHASES = {phase: Span(phase.value) for phase in Phase}


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind of time is drawn, so that it can be told without colours."""

    character: str
    ascii: str
    style: str
    meaning: str


LOOKS = {
    Span.OUTSIDE: Look("·", ".", "dim", "on its way, or the server has not begun with it"),
    Span.QUEUED: Look(
        "░", ":", "yellow", "waits for its turn: for a worker thread, a connection, a lock"
    ),
    Span.LOOP: Look("█", "#", "red", "on the event loop, which serves nobody else meanwhile"),
    Span.THREAD: Look("▓", "%", "blue", "in a worker thread, working or blocked"),
    Span.AWAITING: Look("─", "-", "green", "awaiting: paused, others are served"),
    Span.SENDING: Look("▪", ">", "cyan", "sending the response"),
    Span.UNSEEN: Look("═", "=", "blue", "at the server, which tells no more"),
}


def split_request(request: Request) -> list[tuple[Span, float, float]]:
    """Return what a request is at from its start to its end: (what, from, to), in milliseconds."""
    if not request.marks:
        sent_ms = request.sent_ms if request.sent_ms is not None else request.end_ms
        return _drop_empty(
            [(Span.OUTSIDE, request.start_ms, sent_ms), (Span.UNSEEN, sent_ms, request.end_ms)]
        )
    spans = []
    now = request.start_ms
    for mark in sorted(request.marks, key=lambda mark: mark.start_ms):
        if mark.start_ms > now:
            spans.append((Span.OUTSIDE, now, mark.start_ms))
        span = Span.QUEUED if mark.limit else _PHASES[mark.phase]
        spans.append((span, max(mark.start_ms, now), mark.end_ms))
        now = max(now, mark.end_ms)
    spans.append((Span.OUTSIDE, now, request.end_ms))
    return _drop_empty(spans)


def _drop_empty(spans: list[tuple[Span, float, float]]) -> list[tuple[Span, float, float]]:
    return [span for span in spans if span[2] > span[1]]


def draw_request(request: Request, wall_ms: float, columns: int) -> list[Span | None]:
    """Return what a request is at, mostly, in each column; None: it has not begun, or has ended.

    Args:
        request: It gets one column at least.
        wall_ms: What all the columns stand for.
        columns: How many there are.
    """
    row = _fill(split_request(request), wall_ms, columns)
    if not any(row):
        row[_find_column(request.start_ms, wall_ms, columns)] = Span.OUTSIDE
    return row


def draw_pings(pings: Iterable[Ping], wall_ms: float, columns: int) -> list[bool]:
    """Return of each column whether the bystander waited there, noticeably and for all of it."""
    least_ms = max(wall_ms / columns, _NOTICEABLE_MS)
    long = [ping for ping in pings if ping.end_ms - ping.start_ms >= least_ms]
    row = _fill([(Span.OUTSIDE, ping.start_ms, ping.end_ms) for ping in long], wall_ms, columns)
    return [cell is not None for cell in row]


def choose_rows(requests: Sequence[Request], most: int) -> list[tuple[int, Request]]:
    """Return requests with their numbers, in the order in which they ended.

    Of more than `most`, which is 2 at least, those that are left are evenly spread, the first and
    the last among them.
    """
    rows = list(enumerate(sorted(requests, key=lambda request: request.end_ms), 1))
    if len(rows) <= most:
        return rows
    step = (len(rows) - 1) / (most - 1)
    return [rows[round(index * step)] for index in range(most)]


def list_used(loads: Iterable[Load]) -> list[Span]:
    """Return the kinds of time that occur, in the order of the legend."""
    used = {
        span for load in loads for request in load.requests for span, *_ in split_request(request)
    }
    return [span for span in LOOKS if span in used]


def _fill(
    spans: Iterable[tuple[Span, float, float]], wall_ms: float, columns: int
) -> list[Span | None]:
    """Return what takes the most time of each column."""
    width_ms = wall_ms / columns
    shares: list[dict[Span, float]] = [defaultdict(float) for _ in range(columns)]
    for span, start_ms, end_ms in spans:
        first = _find_column(start_ms, wall_ms, columns)
        last = _find_column(end_ms, wall_ms, columns)
        for column in range(first, last + 1):
            begun = max(start_ms, column * width_ms)
            share = min(end_ms, (column + 1) * width_ms) - begun
            if share > 0:
                shares[column][span] += share
    return [max(share, key=lambda span: share[span]) if share else None for share in shares]


def _find_column(ms: float, wall_ms: float, columns: int) -> int:
    return max(0, min(int(ms / wall_ms * columns), columns - 1)) if wall_ms > 0 else 0

"""The waterfall of a load as shapes: one path for each phase, however many requests there are.

The horizontal unit is a thousandth of the chart's time span; a drawing is stretched to the width
that the page has for it. The vertical unit is a pixel.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flasync.toolkit.verifying.run import Hold, Load, Mark, Measured, Phase, Ping, Request

# Requests that the waterfalls of a route show: one alone, and each of several. With more rows than
# that they were not seen at once.
_ROW_LIMIT = 80
_ROW_LIMIT_OF_SEVERAL = 50

# Pings that one waterfall shows; a pixel has no room for more than one.
_PING_LIMIT = 600

WIDTH = 1000
_LANE_TOP = 5
_LANE_HEIGHT = 9
ROWS_TOP = 24
_BOTTOM = 6

# The height of a row, by how many the waterfalls of a route have together at most.
_ROW_HEIGHTS = ((20, 18), (44, 15), (_ROW_LIMIT, 9))
_LOWEST_ROW = 7

# Room for the last answer's end to be seen.
_MARGIN = 1.015

# What the client knows: a request's own time line, below the server's phases.
CONNECTING, UNSEEN, RECEIVING, FAILED = "connecting", "unseen", "receiving", "failed"

# A wait for something that lets in only some at a time: a pool, a lock.
TURN = "turn"

PING, PING_LATE, PING_FAILED = "ping", "ping-late", "ping-failed"

# A ping that took so many milliseconds is drawn as late. People notice about twice as much.
LATE_MS = 50

# In the order of a legend. A drawing begins with what the client saw, which the others cover.
_ON_SERVER = (*(phase.value for phase in Phase), TURN)
_AT_CLIENT = (UNSEEN, CONNECTING, RECEIVING, FAILED)
_PINGS = (PING, PING_LATE, PING_FAILED)
KINDS = (*_ON_SERVER, *_AT_CLIENT, *_PINGS)


@dataclass(frozen=True, slots=True)
class Row:
    """A request of a waterfall."""

    number: int
    """The how-manieth that was sent, from 1."""
    request: Request
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A waterfall."""

    stack: str
    rows: tuple[Row, ...]
    """Ordered by when they were answered."""
    left_out: int
    """How many requests are not among the rows."""
    pings: tuple[Ping, ...]
    row_height: int
    shapes: dict[str, str]
    """The path of each kind of shape, as `d` of SVG."""

    @property
    def height(self) -> int:
        """The drawing's height in pixels."""
        return ROWS_TOP + len(self.rows) * self.row_height + _BOTTOM


def build_charts(measured: tuple[Measured, ...]) -> tuple[float, list[Chart]]:
    """Return the milliseconds that the charts of a route span, and the chart of each stack."""
    span_ms = max(map(_find_end, (each.load for each in measured)), default=0.0) * _MARGIN or 1.0
    limit = _ROW_LIMIT if len(measured) == 1 else _ROW_LIMIT_OF_SEVERAL
    total = sum(min(len(each.load.requests), limit) for each in measured)
    height = next((height for most, height in _ROW_HEIGHTS if total <= most), _LOWEST_ROW)
    return span_ms, [_build_chart(each, span_ms, limit, height) for each in measured]


def thin_out(requests: tuple[Request, ...], limit: int) -> list[int]:
    """Return the indices of the requests to show, in the order in which they were answered.

    Evenly spread, and with the first and the last that was answered, the first that was sent and
    the slowest.
    """
    order = sorted(range(len(requests)), key=lambda index: requests[index].end_ms)
    if len(order) <= limit:
        return order
    slowest = max(order, key=lambda index: requests[index].duration_ms)
    first = min(order, key=lambda index: requests[index].start_ms)
    spread = limit - 2
    kept = {order[step * (len(order) - 1) // (spread - 1)] for step in range(spread)}
    kept |= {slowest, first}
    return [index for index in order if index in kept]


def thin_out_pings(pings: tuple[Ping, ...], limit: int = _PING_LIMIT) -> tuple[Ping, ...]:
    """Return the pings to show: all, or the longest of each of so many groups of neighbours."""
    if len(pings) <= limit:
        return pings
    bounds = [step * len(pings) // limit for step in range(limit + 1)]
    groups = [pings[start:end] for start, end in itertools.pairwise(bounds)]
    return tuple(max(group, key=lambda ping: ping.end_ms - ping.start_ms) for group in groups)


def merge_marks(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """Return marks with those joined that follow each other and say the same."""
    merged: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: mark.start_ms):
        last = merged[-1] if merged else None
        if last is not None and _says_same(last, mark) and mark.start_ms <= last.end_ms + 0.01:
            cpu_ms = last.cpu_ms + mark.cpu_ms
            merged[-1] = replace(last, end_ms=max(last.end_ms, mark.end_ms), cpu_ms=cpu_ms)
        else:
            merged.append(mark)
    return tuple(merged)


def list_ticks(span_ms: float) -> list[float]:
    """Return the round times, in milliseconds, that an axis names: about six of them."""
    rough = span_ms / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [number * step for number in range(int(span_ms / step) + 1)]


def _find_end(load: Load) -> float:
    ends = (*(request.end_ms for request in load.requests), *(ping.end_ms for ping in load.pings))
    return max(ends, default=0.0)


def _says_same(one: Mark, other: Mark) -> bool:
    return (one.phase, one.place, one.call, one.limit) == (
        other.phase,
        other.place,
        other.call,
        other.limit,
    )


def _build_chart(measured: Measured, span_ms: float, limit: int, height: int) -> Chart:
    load = measured.load
    rows = tuple(
        Row(index + 1, load.requests[index], merge_marks(load.requests[index].marks))
        for index in thin_out(load.requests, limit)
    )
    pings = thin_out_pings(load.pings)
    canvas = _Canvas(span_ms)
    canvas.draw_pings(pings)
    for number, row in enumerate(rows):
        canvas.draw_row(row, ROWS_TOP + number * height, height)
    left_out = len(load.requests) - len(rows)
    return Chart(measured.stack, rows, left_out, pings, height, canvas.join())


class _Canvas:
    """Collects rectangles by kind."""

    def __init__(self, span_ms: float) -> None:
        self._scale = WIDTH / span_ms
        self._parts: defaultdict[str, list[str]] = defaultdict(list)

    def draw_pings(self, pings: tuple[Ping, ...]) -> None:
        for ping in pings:
            is_late = ping.end_ms - ping.start_ms >= LATE_MS
            kind = PING_FAILED if ping.failed else PING_LATE if is_late else PING
            self._add(kind, ping.start_ms, ping.end_ms, _LANE_TOP, _LANE_HEIGHT)

    def draw_row(self, row: Row, top: float, height: int) -> None:
        """Draw the client's times as a thin line, and the server's phases over it."""
        line = max(2.0, round(height / 5))
        middle = top + (height - line) / 2
        for kind, start_ms, end_ms in list_client_parts(row.request):
            thick = kind == UNSEEN and not row.marks
            where = (top + 1, height - 2) if thick else (middle, line)
            self._add(kind, start_ms, end_ms, *where)
        for mark in row.marks:
            self._add(get_kind(mark), mark.start_ms, mark.end_ms, top + 1, height - 2)

    def join(self) -> dict[str, str]:
        """Return the paths, in the order in which they are to be drawn."""
        kinds = (*_AT_CLIENT, *_ON_SERVER, *_PINGS)
        return {kind: "".join(self._parts[kind]) for kind in kinds if kind in self._parts}

    def _add(self, kind: str, start_ms: float, end_ms: float, top: float, height: float) -> None:
        left, width = start_ms * self._scale, max(0.0, end_ms - start_ms) * self._scale
        self._parts[kind].append(f"M{left:.3f} {top:g}h{width:.3f}v{height:g}h{-width:.3f}z")


def get_kind(mark: Mark | Hold) -> str:
    """Return the kind of shape that a mark is drawn as."""
    return TURN if mark.limit and mark.phase is not Phase.LOOP else mark.phase.value


def list_client_parts(request: Request) -> Iterator[tuple[str, float, float]]:
    """Yield each part of a request as the client saw it: its kind, start and end."""
    at = request.start_ms
    if request.failure is not None:
        yield FAILED, at, request.end_ms
        return
    sent_ms = request.sent_ms if request.sent_ms is not None else request.connected_ms
    if sent_ms is not None and sent_ms > at:
        yield CONNECTING, at, sent_ms
        at = sent_ms
    first_ms = request.first_byte_ms if request.first_byte_ms is not None else request.end_ms
    yield UNSEEN, at, first_ms
    if request.end_ms > first_ms:
        yield RECEIVING, first_ms, request.end_ms


def sum_phases(row: Row) -> dict[Phase, float]:
    """Return the milliseconds of a request in each phase of the server."""
    sums = dict.fromkeys(Phase, 0.0)
    for mark in row.marks:
        sums[mark.phase] += mark.end_ms - mark.start_ms
    return sums

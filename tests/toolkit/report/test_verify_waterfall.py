"""The bars of the waterfall."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasync.toolkit.report.verify_waterfall import (
    LOOKS,
    Span,
    choose_rows,
    draw_pings,
    draw_request,
    list_used,
    split_request,
)
from flasync.toolkit.verifying.run import Mark, Phase, Ping, Request, Run
from toolkit.verifying.sample_runs import COMPARED, RUNS, SERIAL


def ask(start_ms: float, end_ms: float, *marks: Mark) -> Request:
    """A request that was sent at once."""
    return Request(start_ms, None, start_ms, end_ms, end_ms, 200, marks=marks)


def draw(request: Request, wall_ms: float = 100, columns: int = 10) -> str:
    """The characters of a bar."""
    row = draw_request(request, wall_ms, columns)
    return "".join(LOOKS[cell].ascii if cell else " " for cell in row)


@pytest.mark.parametrize(
    ("request_", "bar"),
    [
        (ask(0, 100), "=========="),
        (ask(0, 50), "=====     "),
        (ask(50, 100), "     ====="),
        (ask(99.9, 100), "         ="),
        (ask(0, 0), ".         "),
        (ask(0, 100, Mark(Phase.LOOP, 0, 20), Mark(Phase.AWAITING, 20, 100)), "##--------"),
        (ask(0, 100, Mark(Phase.QUEUED, 30, 60), Mark(Phase.THREAD, 60, 100)), "...:::%%%%"),
        (ask(0, 100, Mark(Phase.LOOP, 0, 90), Mark(Phase.SENDING, 90, 100)), "#########>"),
        (ask(0, 100, Mark(Phase.LOOP, 0, 4), Mark(Phase.AWAITING, 4, 100)), "----------"),
    ],
)
def test_bar_shows_what_a_request_is_at(request_: Request, bar: str) -> None:
    """Each column is what the request was at for most of it."""
    assert draw(request_) == bar


@given(
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.lists(st.tuples(st.sampled_from(Phase), st.floats(0, 2e6), st.floats(0, 1e6)), max_size=5),
    st.floats(1e-6, 1e7),
    st.integers(1, 300),
)
def test_bar_keeps_its_width(
    start_ms: float,
    length_ms: float,
    marks: list[tuple[Phase, float, float]],
    wall_ms: float,
    columns: int,
) -> None:
    """Every bar has exactly the columns that it was given, and is never empty."""
    made = [Mark(phase, begun, begun + took) for phase, begun, took in marks]
    row = draw_request(ask(start_ms, start_ms + length_ms, *made), wall_ms, columns)
    assert len(row) == columns
    assert any(row)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_spans_are_the_whole_request(run: Run) -> None:
    """The parts of a request follow one another from its start to its end."""
    for route in run.routes:
        for measured in route.measured:
            for request in measured.load.requests:
                spans = split_request(request)
                edges = [request.start_ms, *(end for _, _, end in spans)]
                assert [start for _, start, _ in spans] == edges[:-1]
                assert edges[-1] == request.end_ms


@pytest.mark.parametrize("count", [1, 2, 25, 26, 1000])
def test_many_requests_are_thinned_out(count: int) -> None:
    """Of many requests a few are drawn, the first and the last among them, none twice."""
    requests = [ask(0, number) for number in range(count, 0, -1)]
    kept = [number for number, _ in choose_rows(requests, 25)]
    assert len(kept) == min(count, 25)
    assert (kept[0], kept[-1]) == (1, count)
    assert sorted(set(kept)) == kept


def test_slow_pings_are_seen() -> None:
    """The bystander's row shows where it waited, and nothing of its quick answers."""
    pings = [Ping(0, 1), Ping(20, 49), Ping(99, 100)]
    assert draw_pings(pings, 100, 10) == [column in (2, 3, 4) for column in range(10)]


def test_legend_has_what_occurs() -> None:
    """Only what is drawn is explained."""
    (route,) = SERIAL.routes
    used = list_used(measured.load for measured in route.measured)
    assert used == [Span.OUTSIDE, Span.LOOP, Span.SENDING]
    stock = COMPARED.routes[0].measured[0].load
    assert list_used([stock]) == [Span.OUTSIDE, Span.UNSEEN]


def test_looks_differ() -> None:
    """Every kind of time has a character of its own, in both sets."""
    assert len({look.character for look in LOOKS.values()}) == len(LOOKS) == len(Span)
    assert len({look.ascii for look in LOOKS.values()}) == len(LOOKS)
    assert all(look.ascii.isascii() for look in LOOKS.values())


def test_failed_request_is_drawn() -> None:
    """A request that was never sent is one that never came to the server."""
    refused = replace(ask(10, 30), sent_ms=None, status=None)
    assert split_request(refused) == [(Span.OUTSIDE, 10, 30)]

"""What a waterfall shows of a load, and where."""

import itertools
from dataclasses import replace

from flasync.toolkit.report.verify_chart import (
    LATE_MS,
    PING_FAILED,
    PING_LATE,
    TURN,
    build_charts,
    get_kind,
    list_client_parts,
    list_ticks,
    merge_marks,
    thin_out,
    thin_out_pings,
)
from flasync.toolkit.verifying.run import Mark, Phase, Ping, Request
from toolkit.verifying.sample_runs import COMPARED, MANY, SERIAL


def build_request(start_ms: float, end_ms: float, failure: str | None = None) -> Request:
    """A request on a new connection."""
    return Request(start_ms, start_ms, start_ms, end_ms, end_ms, 200, failure)


def test_all_are_kept_in_the_order_of_answers() -> None:
    """Up to the limit nothing is left out."""
    requests = tuple(build_request(0, end) for end in (3, 1, 2))
    assert thin_out(requests, 3) == [1, 2, 0]


def test_thinned_out_evenly() -> None:
    """The first and the last answered, the first sent and the slowest stay; gaps are alike."""
    requests = [build_request(10, 100 + number) for number in range(1000)]
    requests[500] = build_request(1, 600)
    requests[777] = build_request(9, 877)
    requests[778] = build_request(-300, 878)
    kept = thin_out(tuple(requests), 50)
    assert len(kept) <= 50
    assert {0, 778, 999} <= set(kept)
    gaps = [after - before for before, after in itertools.pairwise(kept)]
    assert max(gaps) <= 22


def test_few_pings_stand_for_many() -> None:
    """Of each group of neighbours the longest ping is drawn."""
    pings = tuple(Ping(number, number + (90 if number == 55 else 1)) for number in range(1000))
    kept = thin_out_pings(pings, 100)
    assert len(kept) == 100
    assert pings[55] in kept


def test_marks_that_say_the_same_are_one() -> None:
    """Marks are joined when nothing lies between them and nothing differs."""
    one = Mark(Phase.LOOP, 0, 1, "a.py:1", "f", cpu_ms=1)
    same = Mark(Phase.LOOP, 1, 2, "a.py:1", "f", cpu_ms=2)
    later = Mark(Phase.LOOP, 3, 4, "a.py:1", "f")
    other = Mark(Phase.LOOP, 4, 5, "a.py:2", "f")
    joined = replace(one, end_ms=2, cpu_ms=3)
    assert merge_marks((same, one, later, other)) == (joined, later, other)


def test_waiting_for_a_turn_is_a_kind_of_its_own() -> None:
    """Waiting for what others have is told apart, unless it holds the loop."""
    assert get_kind(Mark(Phase.AWAITING, 0, 1, limit="pool")) == TURN
    assert get_kind(Mark(Phase.AWAITING, 0, 1)) == "awaiting"
    assert get_kind(Mark(Phase.THREAD, 0, 1, limit="lock")) == TURN
    assert get_kind(Mark(Phase.LOOP, 0, 1, limit="lock")) == "loop"


def test_parts_of_a_request_follow_each_other() -> None:
    """What the client saw covers a request without a gap, also where times are missing."""
    full = Request(1.0, 2.0, 3.0, 8.0, 9.0, 200)
    assert list(list_client_parts(full)) == [
        ("connecting", 1.0, 3.0),
        ("unseen", 3.0, 8.0),
        ("receiving", 8.0, 9.0),
    ]
    bare = Request(1.0, None, None, None, 9.0, 200)
    assert list(list_client_parts(bare)) == [("unseen", 1.0, 9.0)]
    assert list(list_client_parts(build_request(1, 9, "refused"))) == [("failed", 1, 9)]


def test_ticks_are_round() -> None:
    """An axis names three to seven round times, from the start."""
    assert list_ticks(760) == [0, 200, 400, 600]
    assert list_ticks(4.2) == [0, 1, 2, 3, 4]
    for span_ms in (0.03, 0.9, 17, 333, 1000, 5001, 123_456):
        ticks = list_ticks(span_ms)
        assert 3 <= len(ticks) <= 7
        assert ticks[-1] <= span_ms


def test_stacks_share_a_scale() -> None:
    """The charts of a route span the same time, and each ends where its own load does."""
    span_ms, (before, after) = build_charts(COMPARED.routes[0].measured)
    assert span_ms > before.rows[-1].request.end_ms > after.rows[-1].request.end_ms
    assert "loop" in after.shapes
    assert "loop" not in before.shapes


def test_several_waterfalls_share_a_screen() -> None:
    """Of many requests, two stacks show fewer each than one alone does, in lower rows."""
    measured = MANY.routes[0].measured
    _, (alone,) = build_charts(measured)
    _, both = build_charts(measured * 2)
    assert all(len(chart.rows) < len(alone.rows) for chart in both)
    assert all(chart.row_height <= alone.row_height for chart in both)


def test_what_is_left_out_is_counted() -> None:
    """Shown and left out are all."""
    _, (chart,) = build_charts(MANY.routes[0].measured)
    assert len(chart.rows) + chart.left_out == 200
    assert chart.left_out > 0


def test_late_and_failed_pings_stand_out() -> None:
    """A ping that waited for the loop is a shape of another kind."""
    measured = SERIAL.routes[0].measured[0]
    pings = (Ping(0, 1), Ping(1, 1 + LATE_MS), Ping(60, 61, failed=True))
    _, (chart,) = build_charts((replace(measured, load=replace(measured.load, pings=pings)),))
    assert [chart.shapes[kind].count("M") for kind in ("ping", PING_LATE, PING_FAILED)] == [1, 1, 1]

"""One load against servers that know what was asked when."""

import pytest

from flasync.toolkit.verifying.loads import (
    LoadOrder,
    Measurement,
    choose_measurement,
    run_load,
)
from flasync.toolkit.verifying.run import Load, Phase, Request
from flasync.toolkit.verifying.sending import Question
from flasync.toolkit.verifying.stacks import Stack
from toolkit.verifying.raw_servers import OK, Gate, open_answering, open_server


def build_order(url: str, count: int = 2, timeout_s: float = 60.0) -> LoadOrder:
    """A load of GETs, with no bystander."""
    return LoadOrder(Question("GET", url), count, timeout_s, None)


def build_measurement(wall_ms: float, status: int | None = 200) -> Measurement:
    """A load of one request."""
    request = Request(0.0, None, 0.0, 1.0, wall_ms, status)
    return Measurement(Load((request,), (request,), (), (), None, wall_ms), None, ())


@pytest.mark.parametrize(("status", "chosen"), [(200, 1), (500, 2), (None, 2)])
def test_the_load_that_counts(status: int | None, chosen: int) -> None:
    """Of several loads that of the median time counts, and before it one that has failed."""
    loads = [build_measurement(30.0), build_measurement(20.0), build_measurement(10.0, status)]
    assert choose_measurement(loads) is loads[chosen]


def test_baseline_before_the_load() -> None:
    """After a warm-up that is not kept, three requests go one by one, and then all at once."""
    gate = Gate(free=4, count=12)
    told: list[int] = []
    with open_server(gate.serve) as url:
        measurement = run_load(Stack("gate", url), build_order(url, 12), told.append)
    events = [event for event in gate.events if event != "connected"]
    assert events == ["asked", "answered"] * 4 + ["asked"] * 12 + ["answered"] * 12
    assert [request.status for request in measurement.load.baseline] == [200] * 3
    assert [answer.body for answer in measurement.answers] == [b"ok"] * 3
    assert len(measurement.load.requests) == 12
    assert told == list(range(1, 13))
    assert (measurement.lane, measurement.load.cpu_ms, measurement.load.pings) == (None, None, ())


def test_marks_by_the_header() -> None:
    """Without a witness's evidence, the header tells the phases, in their order."""
    timing = b"HTTP/1.1 200 OK\r\nServer-Timing: queued;dur=2.0, thread;dur=3.5, db;dur=1\r\n"
    with open_answering(OK.replace(b"HTTP/1.1 200 OK\r\n", timing)) as (url, _):
        load = run_load(Stack("raw", url), build_order(url)).load
    for request in (*load.baseline, *load.requests):
        assert [mark.phase for mark in request.marks] == [Phase.QUEUED, Phase.THREAD]
        queued, thread = request.marks
        assert (queued.end_ms, thread.end_ms) == (thread.start_ms, request.first_byte_ms)


def test_a_stream_without_an_end() -> None:
    """Where a request alone takes its whole time to fail, no other is made to."""
    gate = Gate(free=0, count=2)
    with open_server(gate.serve) as url:
        order = build_order(url, 20, timeout_s=1.2)
        measurement = run_load(Stack("gate", url), order)
    assert gate.events == ["connected", "asked"]
    assert measurement.has_failed
    (request,) = measurement.load.requests
    assert request.failure == "no answer within 1.2 s"


def test_quick_failures() -> None:
    """Requests that fail at once are sent all the same: some may succeed."""
    with open_answering(b"") as (url, requests):
        measurement = run_load(Stack("raw", url), build_order(url, 5))
    assert len(measurement.load.requests) == 5
    assert len(requests) == len(measurement.load.baseline) + 5
    assert measurement.has_failed

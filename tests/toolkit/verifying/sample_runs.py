"""Runs of `flasync verify` as it would have seen them, made by hand: one for each outcome."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from flasync.toolkit.verifying.run import (
    Hold,
    Judgement,
    Load,
    Mark,
    Measured,
    Outcome,
    Phase,
    Ping,
    Request,
    Route,
    Run,
    Sameness,
)

# What sending and taking a request costs on the way, in milliseconds.
_WIRE_MS = 0.4

FLASYNC = "flasync on uvicorn"
STOCK = "Flask on gunicorn, 4 threads"


def _request(marks: Iterable[Mark], start_ms: float = 0.0, **fields: object) -> Request:
    """A request answered as soon as its last mark ends."""
    marks = tuple(marks)
    end_ms = max(mark.end_ms for mark in marks) + _WIRE_MS
    body = b"done"
    made = Request(
        start_ms=start_ms,
        connected_ms=start_ms + _WIRE_MS / 4,
        sent_ms=start_ms + _WIRE_MS / 2,
        first_byte_ms=end_ms - _WIRE_MS / 4,
        end_ms=end_ms,
        status=200,
        body_bytes=len(body),
        digest=hashlib.sha256(body).hexdigest(),
        marks=marks,
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # whatever a test wants otherwise


def _waiting(start_ms: float, wait_ms: float, place: str, call: str) -> list[Mark]:
    """A view on the loop that awaits once."""
    first = start_ms + 1.2
    woken = first + wait_ms
    return [
        Mark(Phase.LOOP, start_ms, first, place),
        Mark(Phase.AWAITING, first, woken, place, call),
        Mark(Phase.LOOP, woken, woken + 0.8, place),
        Mark(Phase.SENDING, woken + 0.8, woken + 1.0),
    ]


def _holding(start_ms: float, held_ms: float, place: str, call: str) -> list[Mark]:
    """A view on the loop that blocks it."""
    begun, end = start_ms + 0.6, start_ms + 0.6 + held_ms
    return [
        Mark(Phase.LOOP, start_ms, begun),
        Mark(Phase.LOOP, begun, end, place, call),
        Mark(Phase.SENDING, end, end + 0.2),
    ]


def _threaded(come_ms: float, start_ms: float, wait_ms: float, place: str, call: str) -> list[Mark]:
    """A sync view, whose request may have waited for a thread."""
    queued = [Mark(Phase.QUEUED, come_ms, start_ms)] if start_ms > come_ms else []
    end = start_ms + wait_ms
    return [
        *queued,
        Mark(Phase.THREAD, start_ms, end, place, call),
        Mark(Phase.SENDING, end, end + 0.3),
    ]


def _ping_every(step_ms: float, until_ms: float, took_ms: float) -> tuple[Ping, ...]:
    """Pings one after another."""
    starts = [number * step_ms for number in range(max(1, int(until_ms / step_ms)))]
    return tuple(Ping(start, start + took_ms) for start in starts)


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))]


def _measured(
    requests: list[Request],
    alone: Request,
    outcome: Outcome,
    sentence: str,
    *,
    stack: str = FLASYNC,
    holds: tuple[Hold, ...] = (),
    pings: tuple[Ping, ...] | None = None,
    cpu_ms: float | None = 30.0,
    cause: str = "",
) -> Measured:
    """A load whose figures are computed as the model defines them."""
    wall_ms = max(request.end_ms for request in requests)
    pings = pings if pings is not None else _ping_every(25, wall_ms, 1.6)
    calm = _ping_every(20, 100, 1.1)
    durations = [request.duration_ms for request in requests]
    judgement = Judgement(
        outcome=outcome,
        sentence=sentence,
        overlap=len(requests) * alone.duration_ms / wall_ms,
        p50_ms=_percentile(durations, 0.5),
        p99_ms=_percentile(durations, 0.99),
        bystander_ms=max(ping.end_ms - ping.start_ms for ping in pings) - 1.1,
        cause=cause,
    )
    load = Load((alone,) * 3, tuple(requests), calm, pings, cpu_ms, wall_ms)
    return Measured(stack, load, holds, judgement)


def _run(*routes: Route, requests: int = 20, app: str = "shop", **fields: object) -> Run:
    made = Run(
        app=app,
        command=f"flasync verify --app {app} {' '.join(route.path for route in routes)}",
        requests=requests,
        routes=routes,
        python="3.13.1",
        cores=2,
        client_ms=0.7,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def _build_overlapping(requests: int = 20, stack: str = FLASYNC) -> Measured:
    place, call = "shop/weather.py:12", "asyncio.sleep"
    sent = [
        _request(_waiting(1 + number * 2.4, 200, place, call), number * 0.2)
        for number in range(requests)
    ]
    total = 200.0 * requests
    return _measured(
        sent,
        _request(_waiting(0.4, 200, place, call)),
        Outcome.OVERLAPS,
        f"The requests overlap: {requests} at once took {max(r.end_ms for r in sent):.0f} ms,"
        " one alone takes 203 ms.",
        stack=stack,
        holds=(Hold(Phase.AWAITING, place, call, total, 200.0, requests),),
    )


def _build_serial(requests: int = 20, stack: str = FLASYNC) -> Measured:
    place, call = "shop/api.py:41", "requests.get"
    held = 60.0
    sent = [
        _request(_holding(1 + number * (held + 1), held, place, call), number * 0.2)
        for number in range(requests)
    ]
    wall_ms = requests * (held + 1)
    return _measured(
        sent,
        _request(_holding(0.4, held, place, call)),
        Outcome.SERIAL,
        f"The requests do not overlap: {call} at {place} held the loop {held:.0f} ms for each of"
        " them. Await an async client there, or wrap it in `await flasync.run_sync(…)`.",
        stack=stack,
        holds=(Hold(Phase.LOOP, place, call, held * requests, held, requests, 2.0),),
        pings=(Ping(2, 2 + wall_ms * 0.8), Ping(wall_ms * 0.85, wall_ms)),
        cause="loop",
    )


def _build_pooled() -> Measured:
    place, pool, query = "shop/orders.py:73", "AsyncAdaptedQueue.get", "asyncpg.fetch"
    sent = []
    for number in range(20):
        come, turn = 1 + number * 0.5, number // 5
        granted = max(come + 1, turn * 84.0)
        marks = [Mark(Phase.LOOP, come, come + 0.9, place)]
        if granted > come + 0.9:
            marks.append(Mark(Phase.AWAITING, come + 0.9, granted, place, pool, 0.0, "pool"))
        marks += _waiting(granted, 80, place, query)
        sent.append(_request(marks, number * 0.2))
    return _measured(
        sent,
        _request(_waiting(0.4, 80, place, query)),
        Outcome.LIMITED,
        "The requests overlap, limited by 5 database connections: the others waited for one at"
        f" {place} ({pool}). Give SQLAlchemy a larger pool_size.",
        holds=(
            Hold(Phase.AWAITING, place, pool, 1890.0, 251.0, 15, 0.0, "pool"),
            Hold(Phase.AWAITING, place, query, 1600.0, 80.0, 20),
        ),
        cause="pool",
    )


def _build_threaded(threads: int = 8, stack: str = FLASYNC) -> Measured:
    place, call = "shop/catalogue.py:30", "time.sleep"
    sent = []
    for number in range(20):
        come = 1 + number * 0.6
        marks = _threaded(come, max(come, 1 + (number // threads) * 152.0), 150, place, call)
        sent.append(_request(marks, number * 0.2))
    return _measured(
        sent,
        _request(_threaded(0.4, 0.4, 150, place, call)),
        Outcome.LIMITED,
        f"The requests overlap, limited by {threads} worker threads: the others waited"
        " for one. Raise WORKER_THREADS, or make the view async.",
        stack=stack,
        holds=(
            Hold(Phase.THREAD, place, call, 3000.0, 150.0, 20),
            Hold(Phase.QUEUED, "", "", 2350.0, 304.0, 12),
        ),
        cause="threads",
    )


def _build_failing(stack: str = FLASYNC) -> Measured:
    place = "shop/cart.py:9"
    sent = [
        _request([Mark(Phase.LOOP, 1.0 + number, 2.0 + number, place)], number * 0.2, status=500)
        for number in range(17)
    ]
    refused = Request(3.4, None, None, None, 4.0, None, "ConnectionRefusedError: port 5000")
    return _measured(
        [*sent, refused, refused, replace(refused, failure="no answer within 60 s", end_ms=60.0)],
        sent[0],
        Outcome.FAILED,
        "No verdict: 17 of 20 requests were answered 500, and 3 were not answered.",
        stack=stack,
    )


def _build_fast() -> Measured:
    sent = [
        _request([Mark(Phase.LOOP, 1 + number * 1.1, 1.9 + number * 1.1)], number * 0.2)
        for number in range(20)
    ]
    return _measured(
        sent,
        _request([Mark(Phase.LOOP, 0.3, 1.2)]),
        Outcome.UNDECIDED,
        "Not enough data: one request takes 1.6 ms, and sending 20 of them takes longer than that.",
    )


def _build_computing() -> Measured:
    place, call = "shop/report.py:88", "hashlib.pbkdf2_hmac"
    sent = [
        _request(_holding(1 + number * 91, 90, place, call), number * 0.2) for number in range(20)
    ]
    return _measured(
        sent,
        _request(_holding(0.4, 90, place, call)),
        Outcome.CPU_BOUND,
        f"Nothing to gain: {call} at {place} computes, and uses 97 % of a processor meanwhile.",
        holds=(Hold(Phase.LOOP, place, call, 1800.0, 90.0, 20, 1790.0),),
        pings=(Ping(2, 1815.0),),
        cpu_ms=1790.0,
        cause="cpu",
    )


def _strip_marks(measured: Measured) -> Measured:
    """The same, seen from outside alone."""
    load = measured.load
    bare = tuple(replace(request, marks=()) for request in load.requests)
    alone = tuple(replace(request, marks=()) for request in load.baseline)
    return replace(measured, holds=(), load=replace(load, requests=bare, baseline=alone))


def _build_unlike() -> Measured:
    """Another answer, from another stack."""
    measured = _strip_marks(_build_overlapping(stack=STOCK))
    digest = hashlib.sha256(b"other").hexdigest()
    other = tuple(replace(request, digest=digest) for request in measured.load.requests)
    return replace(measured, load=replace(measured.load, requests=other))


_HOSTILE = "<script>alert(1)</script>&\"'[bold]\x1b[31m\u202e{{7*7}}"

OVERLAPPING = _run(Route("GET", "/weather", "loop", (_build_overlapping(),)))
SERIAL = _run(Route("GET", "/prices", "loop", (_build_serial(),)))
POOLED = _run(Route("GET", "/orders", "loop", (_build_pooled(),)))
THREADED = _run(Route("GET", "/catalogue", "thread", (_build_threaded(),)))
FAILING = _run(Route("GET", "/cart", "loop", (_build_failing(),)))
FAST = _run(Route("GET", "/health", "loop", (_build_fast(),)))
COMPUTING = _run(Route("POST", "/report", "loop", (_build_computing(),)))
MANY = _run(Route("GET", "/weather", "loop", (_build_overlapping(200),)), requests=200)
FROM_OUTSIDE = _run(
    Route(
        "GET", "/weather", None, (_strip_marks(_build_overlapping(stack="https://shop.example")),)
    ),
    app="https://shop.example",
)
COMPARED = _run(
    Route(
        "GET",
        "/prices",
        "loop",
        (_strip_marks(_build_threaded(4, STOCK)), _build_overlapping()),
        Sameness(),
    ),
    Route(
        "GET",
        "/weather",
        "loop",
        (_build_unlike(), _build_overlapping()),
        Sameness(headers="X-Worker: there once, missing now", body="differs in every request"),
    ),
    Route(
        "GET",
        "/cart",
        "loop",
        (_strip_marks(_build_failing(STOCK)), _build_failing()),
        Sameness(status="200, 500"),
    ),
)
SEVERAL = _run(
    *(run.routes[0] for run in (SERIAL, OVERLAPPING, POOLED, THREADED, FAILING, FAST, COMPUTING))
)
HOSTILE = _run(
    Route(
        "GET",
        f"/{_HOSTILE}",
        "loop",
        (
            replace(
                _measured(
                    [_request(_holding(1, 40, f"{_HOSTILE}.py:1", _HOSTILE))] * 3,
                    _request(_holding(1, 40, f"{_HOSTILE}.py:1", _HOSTILE)),
                    Outcome.SERIAL,
                    f"The requests do not overlap: {_HOSTILE} held the loop.",
                    holds=(Hold(Phase.LOOP, f"{_HOSTILE}.py:1", _HOSTILE, 120.0, 40.0, 3),),
                ),
                stack=_HOSTILE,
            ),
        ),
    ),
    requests=3,
    app=_HOSTILE,
)

RUNS = {
    "overlapping": OVERLAPPING,
    "serial": SERIAL,
    "pooled": POOLED,
    "threaded": THREADED,
    "failing": FAILING,
    "fast": FAST,
    "computing": COMPUTING,
    "many": MANY,
    "from outside": FROM_OUTSIDE,
    "compared": COMPARED,
    "several": SEVERAL,
    "hostile": HOSTILE,
}

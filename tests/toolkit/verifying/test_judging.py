"""`verifying.judging`: the verdict, its cause, and the sentence that says them."""

from dataclasses import replace

import pytest
from tests.toolkit.verifying.loads import build_load, build_request

from flasync.toolkit.verifying.holds import find_holds
from flasync.toolkit.verifying.judging import format_ms, judge
from flasync.toolkit.verifying.run import Judgement, Load, Mark, Outcome, Phase

CLIENT_MS = 1.0
COUNT = 20


def decide(load: Load, min_overlap: float | None = None) -> Judgement:
    """The judgement of a load."""
    return judge(load, find_holds(load), client_ms=CLIENT_MS, min_overlap=min_overlap)


def build_together(alone_ms: float, end_ms: float, *marks: Mark, **rest: float) -> Load:
    """All at once, each with the same marks."""
    return build_load(alone_ms, *[build_request(0, end_ms, *marks)] * COUNT, **rest)  # type: ignore[arg-type]


def build_in_turn(alone_ms: float, phase: Phase, mark: dict[str, object]) -> Load:
    """One after the other; each waits for those before it, as `phase` and `mark` say."""
    return build_load(
        alone_ms,
        *[
            build_request(0, (turn + 1) * alone_ms, Mark(phase, 0, turn * alone_ms, **mark))  # type: ignore[arg-type]
            for turn in range(COUNT)
        ],
    )


def test_overlapping() -> None:
    """N at once that take as long as one overlap N times."""
    judgement = decide(build_together(200, 210))
    assert judgement.outcome is Outcome.OVERLAPS
    assert judgement.overlap == pytest.approx(20 * 200 / 210)
    assert "20 at once took 210 ms, one alone takes 200 ms" in judgement.sentence


def test_the_loop_is_held() -> None:
    """A blocking call is named with its place and how long it held the loop."""
    requests = [
        build_request(
            0, (turn + 1) * 200, Mark(Phase.LOOP, turn * 200, (turn + 1) * 200, "api.py:41", "get")
        )
        for turn in range(COUNT)
    ]
    judgement = decide(build_load(200, *requests))
    assert (judgement.outcome, judgement.cause) == (Outcome.SERIAL, "loop")
    assert "`get` at api.py:41 held the event loop 200 ms" in judgement.sentence


def test_a_server_elsewhere() -> None:
    """Where neither the place nor the processor time is known, the loop was held all the same."""
    requests = [
        build_request(0, (turn + 1) * 60, Mark(Phase.LOOP, turn * 60, (turn + 1) * 60))
        for turn in range(COUNT)
    ]
    judgement = decide(build_load(60, *requests, cpu_ms=None))
    assert (judgement.outcome, judgement.cause) == (Outcome.SERIAL, "loop")
    assert "The code held the event loop 60 ms" in judgement.sentence


def test_a_pause_that_lasts_longer_for_many() -> None:
    """No service can limit a pause: the machine has too much to do."""
    mark = Mark(Phase.AWAITING, 0, 3400, "app.py:3", "asyncio.sleep")
    judgement = decide(build_together(150, 3500, mark))
    assert judgement.outcome is Outcome.UNDECIDED
    assert "this machine has too much to do" in judgement.sentence


def test_computing() -> None:
    """A processor that is busy all the time has nothing to gain, and the place is named."""
    mark = Mark(Phase.LOOP, 0, 100, "api.py:7", "pbkdf2_hmac", cpu_ms=99)
    judgement = decide(build_together(100, 2000, mark, cpu_ms=1960))
    assert (judgement.outcome, judgement.cause) == (Outcome.CPU_BOUND, "cpu")
    assert "98%" in judgement.sentence
    assert "`pbkdf2_hmac` at api.py:7" in judgement.sentence


@pytest.mark.parametrize("limit", ["lock", "semaphore", "pool"])
def test_limits(limit: str) -> None:
    """What lets in only some is named, with how many it lets in."""
    load = build_in_turn(100, Phase.AWAITING, {"place": "api.py:9", "limit": limit})
    judgement = decide(load)
    assert (judgement.outcome, judgement.cause) == (Outcome.SERIAL, limit)
    assert "Limited to 1 by" in judgement.sentence
    assert "at api.py:9" in judgement.sentence


def test_too_few_threads() -> None:
    """Requests that queue for a thread are limited by their number."""
    load = build_in_turn(100, Phase.QUEUED, {})
    judgement = decide(load)
    assert judgement.cause == "threads"
    assert "WORKER_THREADS" in judgement.sentence


def test_a_service_that_serves_in_turn() -> None:
    """Waits at the same time that last the longer the more there are: the other side is slow."""
    load = build_in_turn(100, Phase.AWAITING, {"place": "api.py:9", "call": "client.get"})
    judgement = decide(load)
    assert judgement.cause == "service"
    assert "`client.get` at api.py:9" in judgement.sentence


def test_half_a_core_is_no_cause() -> None:
    """A server that works for many requests is not what limits them, if it could do more."""
    assert decide(build_together(100, 500, cpu_ms=275)).outcome is Outcome.LIMITED
    assert decide(build_together(100, 500, cpu_ms=450)).outcome is Outcome.CPU_BOUND


def test_overlapping_in_part() -> None:
    """Some at a time is neither: how many is said, and that it was not enough."""
    judgement = decide(build_together(100, 500))
    assert judgement.outcome is Outcome.LIMITED
    assert "4.0 ran at a time, 8.3 were wanted" in judgement.sentence  # 20 x 100 / (100 + 20) / 2
    assert decide(build_together(100, 500), min_overlap=3).outcome is Outcome.OVERLAPS


def test_too_fast_without_marks() -> None:
    """A route that is faster than the sending cannot be judged from outside."""
    judgement = decide(build_together(0.5, 20))
    assert judgement.outcome is Outcome.UNDECIDED
    assert "Not enough data" in judgement.sentence


def test_too_fast_from_outside() -> None:
    """The server's marks show that fast requests wait at the same time."""
    judgement = decide(build_together(0.5, 20, Mark(Phase.AWAITING, 1, 2, "app.py:3")))
    assert judgement.outcome is Outcome.OVERLAPS
    assert "up to 20 of 20 waited at the same time" in judgement.sentence


def test_fast_and_blocking() -> None:
    """Fast requests that hold the loop while they wait are found by the marks too."""
    requests = [
        build_request(0, turn + 1.0, Mark(Phase.LOOP, turn, turn + 0.9, "api.py:3", "execute"))
        for turn in range(COUNT)
    ]
    judgement = decide(build_load(0.95, *requests))
    assert (judgement.outcome, judgement.cause) == (Outcome.SERIAL, "loop")


def test_many_requests_on_few_threads() -> None:
    """What the machine allows counts: nobody expects half of a thousand at a time."""
    load = build_load(100, *[build_request(0, 2000)] * 1000)
    assert decide(load).outcome is Outcome.OVERLAPS
    load = build_load(100, *[build_request(0, 10_000)] * 1000)
    assert decide(load).outcome is Outcome.LIMITED


def test_a_disturbed_baseline() -> None:
    """The shortest request alone counts: what the machine did else made the others longer."""
    load = build_load(100, *[build_request(0, 110)] * COUNT)
    load = replace(load, baseline=(*load.baseline, build_request(0, 900), build_request(0, 800)))
    assert decide(load).overlap == pytest.approx(20 * 100 / 110)


def test_failures_are_no_verdict() -> None:
    """Errors and missing answers are counted, each kind by itself."""
    load = build_load(
        10,
        build_request(0, 10, status=500),
        build_request(0, 10, status=None, failure="refused"),
        build_request(0, 10),
    )
    judgement = decide(load)
    assert judgement.outcome is Outcome.FAILED
    assert judgement.sentence == (
        "No verdict: 1 of 4 requests: answered 500; 1 of 4 requests: refused."
    )


def test_the_bystander() -> None:
    """What the load added to the bystander's slowest answer counts, not what it always takes."""
    load = build_load(10, build_request(0, 10), pings=(1.0, 31.0))
    assert decide(load).bystander_ms == 30
    assert decide(build_load(10, build_request(0, 10))).bystander_ms == 0


def test_percentiles() -> None:
    """The 99th of a hundred requests is the last but one."""
    load = build_load(10, *[build_request(0, number) for number in range(1, 101)])
    judgement = decide(load)
    assert (judgement.p50_ms, judgement.p99_ms) == (50.5, 99)


@pytest.mark.parametrize(
    ("duration_ms", "text"), [(3.24, "3.2 ms"), (212.4, "212 ms"), (4063, "4.06 s")]
)
def test_durations(duration_ms: float, text: str) -> None:
    """Durations are written with the digits that matter."""
    assert format_ms(duration_ms) == text

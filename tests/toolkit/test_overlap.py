"""The verdict on a measurement, from made-up samples."""

import pytest

from flasync.toolkit.measuring import Measurement, Sample
from flasync.toolkit.overlap import Outcome, compute_factor, format_ms, judge


def build_measurement(
    baseline_ms: float, ends_ms: list[float], status: int | None = 200
) -> Measurement:
    """A baseline of one request, and requests that all begin at once."""
    failure = None if status else "ReadTimeout"
    return Measurement(
        (Sample(0, baseline_ms, 200),),
        tuple(Sample(0, end_ms, status, failure) for end_ms in ends_ms),
    )


def test_factor_of_serial_requests_is_one() -> None:
    """Requests served one by one have the factor 1, although each seems to overlap the others."""
    serial = build_measurement(100, [100.0 * number for number in range(1, 21)])
    assert compute_factor(serial) == pytest.approx(1)


def test_factor_of_parallel_requests_is_their_number() -> None:
    """Requests that all take as long as one have their number as the factor."""
    assert compute_factor(build_measurement(100, [100.0] * 20)) == pytest.approx(20)


def test_baseline_is_the_median() -> None:
    """One slow baseline request does not spoil the verdict."""
    samples = tuple(Sample(0, duration, 200) for duration in (10.0, 500.0, 12.0))
    assert Measurement(samples, samples).baseline_ms == pytest.approx(12)


@pytest.mark.parametrize(
    ("baseline_ms", "wall_ms", "outcome"),
    [
        (200, 220, Outcome.OVERLAPPED),
        (200, 400, Outcome.OVERLAPPED),  # Exactly half of them at a time.
        (200, 410, Outcome.SERIAL),
        (200, 4000, Outcome.SERIAL),
        (10, 210, Outcome.UNDECIDED),  # Serial, or the cost of sending? Cannot be told.
        (10, 15, Outcome.OVERLAPPED),  # However fast: nothing but overlap gives this.
        (1, 40, Outcome.UNDECIDED),
    ],
)
def test_outcome_of_20_requests(baseline_ms: float, wall_ms: float, outcome: Outcome) -> None:
    """The outcome is by the factor, unless a fast route could not have reached it anyway."""
    assert judge(build_measurement(baseline_ms, [wall_ms] * 20)).outcome is outcome


@pytest.mark.parametrize(
    ("min_overlap", "outcome"), [(2.0, Outcome.OVERLAPPED), (6.0, Outcome.SERIAL)]
)
def test_threshold_by_hand(min_overlap: float, outcome: Outcome) -> None:
    """`min_overlap` takes the place of half of the requests."""
    assert judge(build_measurement(100, [400.0] * 20), min_overlap).outcome is outcome


def test_low_threshold_decides_on_faster_routes() -> None:
    """A route too fast for the usual threshold can be found serial with a lower one."""
    serial = build_measurement(10, [200.0] * 20)
    assert judge(serial).outcome is Outcome.UNDECIDED
    assert judge(serial, min_overlap=2).outcome is Outcome.SERIAL


@pytest.mark.parametrize(("baseline_ms", "end"), [(203, ", or --requests 81."), (3, "1.00 s.")])
def test_undecided_names_what_can_be_decided(baseline_ms: float, end: str) -> None:
    """Without a verdict, the sentence says how many requests or which route would give one."""
    judgement = judge(build_measurement(baseline_ms, [7000.0] * 400))
    assert judgement.outcome is Outcome.UNDECIDED
    assert judgement.sentence.endswith(end)
    assert judge(build_measurement(203, [203 * 81.0] * 81)).outcome is Outcome.SERIAL


@pytest.mark.parametrize("status", [404, 500, None])
def test_failures_come_before_any_verdict(status: int | None) -> None:
    """Failed requests give no verdict, however well they overlap."""
    judgement = judge(build_measurement(200, [200.0] * 20, status))
    assert judgement.outcome is Outcome.FAILED
    assert f"20 of 21 requests: {f'answered {status}' if status else 'ReadTimeout'}" in (
        judgement.sentence
    )


def test_redirects_are_answers() -> None:
    """A redirect is an answer of the route and no failure."""
    assert judge(build_measurement(200, [200.0] * 20, 302)).outcome is Outcome.OVERLAPPED


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [(0.25, "0.2 ms"), (9.94, "9.9 ms"), (203.4, "203 ms"), (1000, "1.00 s"), (4056, "4.06 s")],
)
def test_durations_are_short(duration_ms: float, text: str) -> None:
    """Durations have two or three digits and their unit."""
    assert format_ms(duration_ms) == text

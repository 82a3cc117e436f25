"""Judging from a measurement whether the requests of a route overlap."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass

from flasync.toolkit.measuring import Measurement, Sample

# Milliseconds that the client and the server need for a request besides the view, as measured with
# 100 requests at once to an empty view on a slow machine (1.5 to 2.5 ms, most of it the client).
# A route that is not clearly slower than this times the number of requests cannot be judged.
OVERHEAD_MS = 2.5

# What share of the requests must run at a time, unless told otherwise. Requests that wait for each
# other give 1 of N; a connection pool or thread pool that is too small gives a few of N. From one
# half on, neither is what limits the route.
DEFAULT_MIN_SHARE = 0.5

# Below this factor, what overlaps is only the client's sending and the server's answering.
_SERIAL_FACTOR = 1.5

_FIRST_ERROR_STATUS = 400


class Outcome(enum.Enum):
    """What a measurement has shown."""

    OVERLAPPED = "overlapped"
    SERIAL = "did not overlap"
    UNDECIDED = "not enough data"
    FAILED = "requests failed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome with its evidence."""

    outcome: Outcome
    factor: float
    """How many requests ran at a time: sum of the undisturbed durations / wall time."""
    min_overlap: float
    sentence: str


def compute_factor(measurement: Measurement) -> float:
    """Return the overlap factor: 1.0 for one after another, N for N at a time.

    The durations are those of the baseline. Those of the requests sent at once contain the time
    that each waited for the others, and would give (N+1)/2 for requests served one by one.
    """
    return len(measurement.samples) * measurement.baseline_ms / measurement.wall_ms


def judge(measurement: Measurement, min_overlap: float | None = None) -> Judgement:
    """Return what the measurement shows.

    Args:
        measurement: At least one baseline and one sample.
        min_overlap: The factor from which the requests count as overlapping, 1 to N; None: half
            of the requests.
    """
    count = len(measurement.samples)
    factor = compute_factor(measurement)
    if min_overlap is None:
        min_overlap = count * DEFAULT_MIN_SHARE
    if failures := describe_failures((*measurement.baseline, *measurement.samples)):
        outcome, sentence = Outcome.FAILED, f"No verdict: {failures}."
    elif factor >= min_overlap:
        outcome, sentence = Outcome.OVERLAPPED, _say_overlapped(measurement)
    elif compute_best_factor(measurement) < min_overlap:
        outcome, sentence = Outcome.UNDECIDED, _say_undecided(measurement)
    else:
        outcome, sentence = Outcome.SERIAL, _say_serial(measurement, factor, min_overlap)
    return Judgement(outcome, factor, min_overlap, sentence)


def compute_best_factor(measurement: Measurement) -> float:
    """Return the factor that requests would reach that wait for nothing but the machine."""
    count = len(measurement.samples)
    baseline_ms = measurement.baseline_ms
    return count * baseline_ms / (baseline_ms + count * OVERHEAD_MS)


def describe_failures(samples: tuple[Sample, ...]) -> str:
    """Return what went wrong, such as "3 of 23 requests answered 500", or "" if nothing did."""
    problems = Counter(
        sample.failure or f"answered {sample.status}"
        for sample in samples
        if sample.status is None or sample.status >= _FIRST_ERROR_STATUS
    )
    parts = [f"{count} of {len(samples)} requests: {what}" for what, count in problems.items()]
    return "; ".join(parts)


def _say_overlapped(measurement: Measurement) -> str:
    return (
        f"The requests overlap: {len(measurement.samples)} at once took"
        f" {format_ms(measurement.wall_ms)}, one alone takes {format_ms(measurement.baseline_ms)}."
    )


def _say_serial(measurement: Measurement, factor: float, min_overlap: float) -> str:
    if factor < _SERIAL_FACTOR:
        what = "do not overlap"
        reason = "The view holds the event loop, or a lock, while it works or waits."
    else:
        what = "overlap only in part"
        reason = "A pool of connections or threads (WORKER_THREADS) is smaller than that."
    return (
        f"The requests {what}: {len(measurement.samples)} at once took"
        f" {format_ms(measurement.wall_ms)}, one alone takes {format_ms(measurement.baseline_ms)};"
        f" {factor:.1f} ran at a time, {min_overlap:.1f} were wanted. {reason}"
    )


def _say_undecided(measurement: Measurement) -> str:
    count, baseline_ms = len(measurement.samples), measurement.baseline_ms
    fewer = int(baseline_ms / OVERHEAD_MS)
    return (
        f"Not enough data: one request takes only {format_ms(baseline_ms)}, and sending {count} of"
        " them takes about as long or longer. Verify a route that waits for at least"
        f" {format_ms(count * OVERHEAD_MS)}" + (f", or --requests {fewer}." if fewer > 1 else ".")
    )


def format_ms(duration_ms: float) -> str:
    """Return a duration for people: "3.2 ms", "212 ms", "4.06 s"."""
    if duration_ms >= 1000:  # noqa: PLR2004 (a second)
        return f"{duration_ms / 1000:.2f} s"
    return f"{duration_ms:.0f} ms" if duration_ms >= 10 else f"{duration_ms:.1f} ms"  # noqa: PLR2004

"""The verdict on a load: whether its requests overlap, what holds them up, what to do next."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass

from flasync.toolkit.verifying.holds import count_let_in, count_most_waiting
from flasync.toolkit.verifying.run import Hold, Judgement, Load, Outcome, Phase, Request

# What share of the requests that could run at a time must do so, unless told otherwise. Requests
# that wait for each other give 1, a pool that is too small gives a few: from one half on, neither
# limits.
DEFAULT_MIN_SHARE = 0.5

# As many must be able to run at a time, or nothing can be told from outside.
_LEAST_BEST = 3.0

# Below this factor, what overlaps is only the client's sending and the server's answering.
_SERIAL_FACTOR = 1.5

# A stretch of which at least this share was spent on the processor computes; another one waits.
# Calls that wait were seen to spend 1 to 5 % of their time there, and loops that compute 20 % and
# more, on a machine with five times as much to do as it can.
_COMPUTING_SHARE = 0.1

# A process that keeps one core busy for this share of the time does little else, as Python computes
# in one thread at a time. The work of its server is in it too.
_SATURATED_SHARE = 0.8

# Threads that compute for at least this share of the time take turns at the interpreter.
_BUSY_SHARE = 0.3

# What holds the requests up fills at least this share of the time.
_MAIN_SHARE = 0.5

# Calls that wait for the time alone, however many do: only the machine can make them longer.
_TIMERS = {"asyncio.sleep", "time.sleep"}

_FIRST_ERROR_STATUS = 400

_LIMIT_WORDS = {
    "pool": ("database or client connections", "Raise the size of the pool"),
    "semaphore": ("what the semaphore lets in", "Raise its value, if what it protects allows that"),
    "lock": ("a lock that one request holds at a time", "Hold it for less, or not across a wait"),
    "threads": ("worker threads", "Raise app.config['WORKER_THREADS'], or make the view async"),
}


def judge(
    load: Load,
    holds: tuple[Hold, ...] = (),
    *,
    client_ms: float,
    min_overlap: float | None = None,
) -> Judgement:
    """Return what a load has shown.

    Args:
        load: At least one baseline request and one sent at once.
        holds: What `find_holds` says of it.
        client_ms: What a request costs the client and the server besides the view.
        min_overlap: The factor from which the requests count as overlapping, 1 to N; None: half
            of what the machine allows.
    """
    case = _Case(load, holds, client_ms, min_overlap)
    outcome, sentence, cause = case.decide()
    durations = sorted(request.duration_ms for request in load.requests)
    return Judgement(
        outcome,
        sentence,
        overlap=case.overlap,
        p50_ms=statistics.median(durations),
        p99_ms=durations[math.ceil(0.99 * len(durations)) - 1],
        bystander_ms=measure_bystander(load),
        cause=cause,
    )


def measure_bystander(load: Load) -> float:
    """Return by how many milliseconds the load delayed the bystander at most; 0 if unknown."""
    if not load.pings:
        return 0.0
    calm_ms = statistics.median(ping.end_ms - ping.start_ms for ping in load.calm or load.pings)
    return max(0.0, max(ping.end_ms - ping.start_ms for ping in load.pings) - calm_ms)


def compute_overlap(load: Load) -> float:
    """Return the overlap factor: 1.0 for one after another, N for N at a time.

    The durations are those of the baseline. Those of the requests sent at once contain the time
    that each waited for the others, and would give (N+1)/2 for requests served one by one.
    """
    return len(load.requests) * measure_alone(load) / load.wall_ms


def measure_alone(load: Load) -> float:
    """Return the shortest duration of a request that has the server to itself.

    What else the machine does makes some of them longer, and none of them shorter.
    """
    return min(request.duration_ms for request in load.baseline)


def describe_failures(requests: tuple[Request, ...]) -> str:
    """Return what went wrong, such as "3 of 23 requests: answered 500", or "" if nothing did."""
    problems = Counter(
        request.failure or f"answered {request.status}"
        for request in requests
        if request.status is None or request.status >= _FIRST_ERROR_STATUS
    )
    parts = [f"{count} of {len(requests)} requests: {what}" for what, count in problems.items()]
    return "; ".join(parts)


def format_ms(duration_ms: float) -> str:
    """Return a duration for people: "3.2 ms", "212 ms", "4.06 s"."""
    if duration_ms >= 1000:  # noqa: PLR2004 (a second)
        return f"{duration_ms / 1000:.2f} s"
    return f"{duration_ms:.0f} ms" if duration_ms >= 10 else f"{duration_ms:.1f} ms"  # noqa: PLR2004


Verdict = tuple[Outcome, str, str]


@dataclass(frozen=True)
class _Case:
    """A load with what is asked of it."""

    load: Load
    holds: tuple[Hold, ...]
    client_ms: float
    min_overlap: float | None

    @property
    def overlap(self) -> float:
        return compute_overlap(self.load)

    @property
    def count(self) -> int:
        return len(self.load.requests)

    @property
    def alone_ms(self) -> float:
        return measure_alone(self.load)

    @property
    def wanted(self) -> float:
        return self.best * DEFAULT_MIN_SHARE if self.min_overlap is None else self.min_overlap

    @property
    def best(self) -> float:
        """The factor that requests would reach that wait for nothing but the machine."""
        return self.count * self.alone_ms / (self.alone_ms + self.count * self.client_ms)

    def decide(self) -> Verdict:
        """Return the outcome, its sentence and its cause."""
        failures = describe_failures((*self.load.baseline, *self.load.requests))
        if failures:
            return Outcome.FAILED, f"No verdict: {failures}.", ""
        if self._is_too_fast():
            return self._decide_inside()
        if self.overlap >= self.wanted:
            return Outcome.OVERLAPS, self._say_overlaps(), ""
        return self._decide_limited()

    def _is_too_fast(self) -> bool:
        """Whether even requests that wait for nothing but the machine would not overlap enough."""
        least = min(_LEAST_BEST, self.count / 2) if self.min_overlap is None else self.min_overlap
        return self.best < least

    def _decide_inside(self) -> Verdict:
        """Judge by the server's marks a route that is too fast to be timed from outside."""
        blocking = self._find_blocking()
        if blocking is not None:
            return Outcome.SERIAL, self._say_held(blocking), "loop"
        most = count_most_waiting(self.load)
        if most > 1:
            return Outcome.OVERLAPS, self._say_overlaps_inside(most), ""
        return Outcome.UNDECIDED, self._say_undecided(), ""

    def _decide_limited(self) -> Verdict:
        limit = self._find_limit()
        if limit is not None:
            kind = limit.limit or "threads"
            return self._rate(), self._say_limit(kind, limit), kind
        blocking = self._find_blocking()
        if blocking is not None:
            return Outcome.SERIAL, self._say_held(blocking), "loop"
        if self._computes():
            return Outcome.CPU_BOUND, self._say_computes(), "cpu"
        waits = (hold for hold in self.holds if hold.phase in (Phase.AWAITING, Phase.THREAD))
        longest = next(waits, None)
        if longest is None:
            return self._rate(), self._say_unknown(), ""
        if longest.call in _TIMERS:
            return Outcome.UNDECIDED, self._say_overloaded(longest), ""
        return self._rate(), self._say_service(longest), "service"

    def _rate(self) -> Outcome:
        return Outcome.SERIAL if self.overlap < _SERIAL_FACTOR else Outcome.LIMITED

    def _find_limit(self) -> Hold | None:
        """Return what lets only some in and accounts for the time that the requests lost."""
        lost_ms = sum(request.duration_ms - self.alone_ms for request in self.load.requests)
        for hold in self.holds:
            is_limit = hold.limit in _LIMIT_WORDS or hold.phase is Phase.QUEUED
            if is_limit and hold.total_ms >= _MAIN_SHARE * lost_ms:
                return hold
        return None

    def _find_blocking(self) -> Hold | None:
        """Return the longest of the calls that hold the loop and wait, if they fill the time.

        What was too short to be seen at a place waited for the processor and nothing else. A server
        elsewhere tells neither places nor how much of it was computing.
        """
        is_elsewhere = self.load.cpu_ms is None
        held = [
            hold for hold in self.holds if hold.phase is Phase.LOOP and (hold.place or is_elsewhere)
        ]
        waiting = [hold for hold in held if hold.cpu_ms < _COMPUTING_SHARE * hold.total_ms]
        if sum(hold.total_ms for hold in waiting) < _MAIN_SHARE * self.load.wall_ms:
            return None
        return waiting[0]

    def _computes(self) -> bool:
        """Whether computing, on the loop or in threads that take turns, fills the time."""
        on_loop_ms = sum(hold.total_ms for hold in self.holds if hold.phase is Phase.LOOP)
        in_threads_ms = sum(hold.cpu_ms for hold in self.holds if hold.phase is Phase.THREAD)
        wall_ms = self.load.wall_ms
        return (
            (self.load.cpu_ms or 0.0) >= _SATURATED_SHARE * wall_ms
            or on_loop_ms >= _MAIN_SHARE * wall_ms
            or in_threads_ms >= _BUSY_SHARE * wall_ms
        )

    def _say_count(self) -> str:
        is_serial = self._rate() is Outcome.SERIAL
        verb = "do not overlap" if is_serial else "overlap only in part"
        return (
            f"The requests {verb}: {self.count} at once took {format_ms(self.load.wall_ms)}, one"
            f" alone takes {format_ms(self.alone_ms)}; {self.overlap:.1f} ran at a time,"
            f" {self.wanted:.1f} were wanted."
        )

    def _say_overlaps(self) -> str:
        sentence = (
            f"The requests overlap: {self.count} at once took {format_ms(self.load.wall_ms)}, one"
            f" alone takes {format_ms(self.alone_ms)}."
        )
        waited = next((hold for hold in self.holds if hold.limit), None)
        if waited is None or self.overlap > self.count * 0.8 or waited.limit not in _LIMIT_WORDS:
            return sentence
        what, _ = _LIMIT_WORDS[waited.limit]
        return f"{sentence} They are limited by {what}{_place(waited)}: {self.overlap:.0f} at once."

    def _say_overlaps_inside(self, most: int) -> str:
        return (
            f"The requests overlap: one alone takes only {format_ms(self.alone_ms)}, too fast to"
            f" be timed from outside; inside, up to {most} of {self.count} waited at the same time,"
            " and the event loop was free meanwhile."
        )

    def _say_held(self, hold: Hold) -> str:
        what = _call(hold)
        return (
            f"{self._say_count()} {what[0].upper()}{what[1:]}{_place(hold)} held the event loop"
            f" {format_ms(hold.longest_ms)}. Await an async call there, or wrap it in"
            " `await flasync.run_sync(…)`."
        )

    def _say_limit(self, kind: str, hold: Hold) -> str:
        what, remedy = _LIMIT_WORDS[kind]
        at_a_time = count_let_in(self.load, hold) or max(1, round(self.overlap))
        return f"{self._say_count()} Limited to {at_a_time} by {what}{_place(hold)}. {remedy}."

    def _say_service(self, hold: Hold) -> str:
        return (
            f"{self._say_count()} All wait in {_call(hold)}{_place(hold)}, at the same time: what"
            " they wait for serves only so many at once. Look at that service and its limits."
        )

    def _say_unknown(self) -> str:
        why = "A pool of connections or threads (WORKER_THREADS) is smaller than that."
        if self._rate() is Outcome.SERIAL:
            why = "The view holds the event loop, or a lock, while it works or waits."
        return f"{self._say_count()} {why}"

    def _say_overloaded(self, hold: Hold) -> str:
        return (
            f"Not enough data: {self.count} requests at once took {format_ms(self.load.wall_ms)},"
            f" although each only pauses, in {_call(hold)}{_place(hold)}: this machine has too much"
            " to do. Send fewer (--requests), or wait until it is idle."
        )

    def _say_computes(self) -> str:
        share = min(1.0, (self.load.cpu_ms or self.load.wall_ms) / self.load.wall_ms)
        busiest = max(self.holds, key=lambda hold: hold.cpu_ms, default=None)
        where = ""
        if busiest is not None and busiest.cpu_ms and busiest.place:
            where = f", most of it in {_call(busiest)}{_place(busiest)}"
        return (
            f"Nothing to gain from waiting together: the server computes {share:.0%} of the"
            f" time{where}. Compute less or elsewhere; in a thread it at least holds up nobody."
        )

    def _say_undecided(self) -> str:
        return (
            f"Not enough data: one request takes only {format_ms(self.alone_ms)}, and sending"
            f" {self.count} of them takes about as long or longer. Verify a route that waits for at"
            f" least {format_ms(self.count * self.client_ms)}, or slow down what it waits for."
        )


def _call(hold: Hold) -> str:
    return f"`{hold.call}`" if hold.call else "the code"


def _place(hold: Hold) -> str:
    return f" at {hold.place}" if hold.place else ""

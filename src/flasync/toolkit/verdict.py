"""What to do with a route, in one word and one sentence, and which routes come first.

What is measured outweighs what is read: with observed times, the share of waiting decides whether
anything is to gain at all. Without them, the calls on the way decide, by what they wait for.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flasync.toolkit.finding import Hit, Place, RouteReport, ScanReport, Severity, Verdict
from flasync.toolkit.knowledge import Kind, Way
from flasync.toolkit.surface import Route

# What an observed wait is of that no finding of the source explains.
_UNKNOWN_KIND = ""
# How long such waits usually are, compared with one another, the longest first: another machine
# that nobody here controls, another program, somebody else's turn, the own database, a name server,
# somebody at a terminal (a mistake, and a rare one), the own disk.
_WEIGHTS: dict[str, int] = {
    Kind.NETWORK: 7,
    Kind.SUBPROCESS: 6,
    Kind.SLEEP: 5,
    Kind.LOCK: 5,
    Kind.DATABASE: 4,
    Kind.DNS: 3,
    _UNKNOWN_KIND: 3,
    Kind.CONSOLE: 2,
    Kind.DISK: 1,
    Kind.CPU: 0,
}
_WAITS_FOR: dict[str, str] = {
    Kind.NETWORK: "the network",
    Kind.SUBPROCESS: "other programs",
    Kind.SLEEP: "a pause to end",
    Kind.LOCK: "other threads or processes",
    Kind.DATABASE: "the database",
    Kind.DNS: "a name server",
    Kind.CONSOLE: "somebody at the terminal",
    _UNKNOWN_KIND: "what only the run has shown",
}
# Below this share of its time, a route that stops waiting is hardly faster: at most a fifth more
# requests for the same thread.
_LEAST_WAITING_SHARE = 0.2
# Milliseconds of work from which a request is one that computes. Tests wait for stand-ins and for
# databases in memory, so that a short request which hardly waited there says nothing of real ones.
_LONG_WORK_MS = 50.0
# From this share of the calls on its way on, what is not known may well be what waits.
_MANY_UNRESOLVED_SHARE = 0.2

# What is to be done first: a route that can gain, then what must be looked at.
_ORDER = {
    Verdict.FIXABLE: 0,
    Verdict.OFFLOAD: 1,
    Verdict.UNKNOWN: 2,
    Verdict.READY: 3,
    Verdict.LEAVE: 4,
}


@dataclass(frozen=True, slots=True)
class Times:
    """What an observed run saw of one route.

    Attributes:
        requests: How many requests for it were observed, at least one.
        mean_ms: Their mean duration.
        waiting_share: The share of it, 0 to 1, in which they waited.
    """

    requests: int
    mean_ms: float
    waiting_share: float

    @property
    def hardly_waits(self) -> bool:
        """Whether no more was waited than what is not worth a change."""
        return self.waiting_share < _LEAST_WAITING_SHARE

    @property
    def computes_long(self) -> bool:
        """Whether a request works for so long that waiting elsewhere would hardly add to it."""
        return self.mean_ms * (1 - self.waiting_share) >= _LONG_WORK_MS


@dataclass(frozen=True, slots=True)
class _Waits:
    """The blocking calls on the way of one route, sorted by what they mean for its verdict."""

    freed: tuple[Hit, ...]
    """Waits with an async twin, the heaviest first."""
    stuck: tuple[Hit, ...]
    """Waits without one, the heaviest first."""
    significant: tuple[Hit, ...]
    """Both of these: the waits that a change would be worth, the heaviest first."""
    computing: tuple[Hit, ...]
    disk: tuple[Hit, ...]

    @property
    def is_stuck(self) -> bool:
        """Whether no change is worth it: nothing can be awaited, or little of what was observed."""
        return not self.freed or _sum_observed(self.stuck) > _sum_observed(self.freed)


def judge_route(
    route: Route | RouteReport,
    hits: Sequence[Hit],
    unresolved: Sequence[tuple[Place, str]],
    *,
    is_async: bool,
    calls: int = 0,
    times: Times | None = None,
    strangers: Sequence[str] = (),
) -> tuple[Verdict, str]:
    """Return what to do with a route, and one sentence that says why.

    Args:
        route: The route.
        hits: What it reaches. Findings that are not about blocking calls do not count.
        unresolved: Calls on its way whose target is not known.
        is_async: Whether its requests run on the event loop already.
        calls: How many calls are on its way in all, those that are not resolved included.
        times: What was observed of it, if anything.
        strangers: Packages that it calls and of which nothing is known.
    """
    waits = _sort_hits(hits)
    if _is_static(route):
        return Verdict.LEAVE, "Flask itself sends files here, in a thread: there is nothing to do."
    if times is not None and not is_async and times.hardly_waits and times.computes_long:
        return Verdict.LEAVE, (
            f"It waits for {times.waiting_share:.0%} of its {times.mean_ms:.0f} ms and works for"
            " the rest: async would gain next to nothing."
        )
    if waits.significant:
        verdict, reason = _judge_waits(waits, is_async)
        return verdict, f"{reason}{_say_seen(times)}"
    if times is not None and not is_async and not times.hardly_waits:
        return Verdict.UNKNOWN, (
            f"It waits for {times.waiting_share:.0%} of its {times.mean_ms:.0f} ms, and what it"
            f" waits for was not found in the source{_count(unresolved)}."
        )
    if times is None:
        reason = _say_unknown(waits, unresolved, calls, strangers)
        if reason:
            return Verdict.UNKNOWN, reason
    return _judge_without_waits(waits, is_async, unresolved)


def _say_unknown(
    waits: _Waits, unresolved: Sequence[tuple[Place, str]], calls: int, strangers: Sequence[str]
) -> str:
    """Return why nobody can say that a route does not wait; "" when one can."""
    if len(unresolved) > _MANY_UNRESOLVED_SHARE * max(calls, len(unresolved)):
        return (
            f"{len(unresolved)} of the calls on its way could not be followed; what is known does"
            " not wait. Run `flasync scan --observe -- pytest` to see what it does."
        )
    if strangers and not waits.computing:
        return (
            f"Nothing that waits was found on its way, but it calls {', '.join(strangers[:3])}, of"
            " which flasync knows nothing."
        )
    return ""


def _say_seen(times: Times | None) -> str:
    """Return what a run showed that waited less than the source says."""
    if times is None or not times.hardly_waits:
        return ""
    return (
        f" The observed run waited for {times.waiting_share:.0%} of {times.mean_ms:.0f} ms: tests"
        " with stand-ins do; observe real traffic to know."
    )


def judge_observed(report: ScanReport) -> ScanReport:
    """Return a report with new verdicts, in their order, for the routes that a run has seen."""
    routes = [
        _judge_again(route) if route.mean_ms is not None else route for route in report.routes
    ]
    return dataclasses.replace(report, routes=tuple(sorted(routes, key=rank_route)))


def _judge_again(route: RouteReport) -> RouteReport:
    times = Times(route.requests, route.mean_ms or 0.0, route.waiting_share or 0.0)
    verdict, reason = judge_route(
        route, route.hits, route.unresolved, is_async=route.is_async, times=times
    )
    return dataclasses.replace(route, verdict=verdict, reason=reason)


def rank_route(report: RouteReport) -> tuple[object, ...]:
    """Return a sort key that puts the routes with the most to gain first.

    Routes that hold up others come first. Then the verdict decides, then the time that was seen
    to be waited; without it, how many waits of each kind the view has, the heaviest kind first.
    """
    waits = _sort_hits(report.hits).significant
    holds_up = any(hit.finding.severity is Severity.ERROR for hit in report.hits)
    waited_ms = report.requests * (report.mean_ms or 0.0) * (report.waiting_share or 0.0)
    counts = Counter((hit.entry == "view", hit.finding.kind) for hit in waits)
    return (
        not holds_up,
        _ORDER[report.verdict],
        -waited_ms,
        *(-counts[is_own, kind] for is_own in (True, False) for kind in _WEIGHTS),
        report.rule,
        report.methods,
    )


def _is_static(route: Route | RouteReport) -> bool:
    """Return whether a route is the one that Flask makes for a folder of static files."""
    name = route.endpoint.rpartition(".")[2]
    return name == "static" and route.rule.endswith("/<path:filename>")


def _judge_waits(waits: _Waits, is_async: bool) -> tuple[Verdict, str]:
    said = _describe_waits(waits.significant)
    if is_async:
        said += ", and every async request waits with it"
    if waits.is_stuck:
        cure = (
            "call it with `await flasync.run_sync(...)`"
            if is_async
            else "keep the view sync, in its thread"
        )
        subject = waits.stuck[0].finding.subject
        return Verdict.OFFLOAD, f"{said}; no async twin of `{subject}` is known: {cure}."
    if waits.stuck:
        others = ", ".join(dict.fromkeys(f"`{hit.finding.subject}`" for hit in waits.stuck[:2]))
        share = "some" if waits.significant[0] in waits.stuck else "most"
        return Verdict.FIXABLE, (
            f"{said}; {share} of it can be awaited instead, and {others} called with `run_sync`."
        )
    ways = {hit.finding.way for hit in waits.freed}
    if ways == {Way.BRIDGE.value}:
        return Verdict.FIXABLE, f"{said}; an async driver or client frees it without a rewrite."
    return Verdict.FIXABLE, f"{said}; it can be awaited instead."


def _describe_waits(hits: Sequence[Hit]) -> str:
    """Return what the view and its hooks wait for, and in how many calls."""
    own = _list_targets([hit for hit in hits if hit.entry == "view"])
    hooks = _list_targets([hit for hit in hits if hit.entry != "view"])
    if own and hooks:
        return f"It waits for {own}, and before or after the view for {hooks}"
    return f"It waits for {own}" if own else f"Not the view, but its hooks wait for {hooks}"


def _list_targets(hits: Sequence[Hit]) -> str:
    found: dict[str, list[str]] = {}
    for hit in hits:
        found.setdefault(_WAITS_FOR[hit.finding.kind], []).append(hit.finding.subject)
    parts = [
        f"{target} (`{calls[0]}`)" if len(calls) == 1 else f"{target} ({len(calls)} calls)"
        for target, calls in found.items()
    ]
    return " and ".join(", ".join(parts).rsplit(", ", 1))


def _judge_without_waits(
    waits: _Waits, is_async: bool, unresolved: Sequence[tuple[Place, str]]
) -> tuple[Verdict, str]:
    if waits.computing:
        subject = waits.computing[0].finding.subject
        if is_async:
            return Verdict.OFFLOAD, (
                f"It computes in `{subject}`, and every async request waits meanwhile: call it with"
                " `await flasync.run_sync(...)`, or make the view sync."
            )
        return Verdict.LEAVE, f"It computes (`{subject}`) and does not wait: async gains nothing."
    if unresolved:
        return Verdict.UNKNOWN, f"Nothing that waits was found on its way{_count(unresolved)}."
    if is_async:
        return Verdict.READY, "It runs on the event loop and nothing on its way blocks."
    if waits.disk:
        return Verdict.LEAVE, (
            "It reads or writes local files and waits for nothing else: a thread does that as well."
        )
    return Verdict.READY, (
        "Nothing on its way waits: it may stay as it is, or run on the event loop as it is"
        " (`@flasync.on_loop`), where it answers even while all threads are busy."
    )


def _count(unresolved: Sequence[tuple[Place, str]]) -> str:
    if not unresolved:
        return ""
    calls = "one call" if len(unresolved) == 1 else f"{len(unresolved)} calls"
    return f" ({calls} could not be followed)"


def _sort_hits(hits: Sequence[Hit]) -> _Waits:
    freed: list[Hit] = []
    stuck: list[Hit] = []
    significant: list[Hit] = []
    computing: list[Hit] = []
    disk: list[Hit] = []
    blocking = (hit for hit in hits if hit.finding.code.startswith("FSY1"))
    for hit in sorted(blocking, key=_weigh, reverse=True):
        finding = hit.finding
        if finding.kind == Kind.CPU:
            computing.append(hit)
        elif finding.kind == Kind.DISK:
            disk.append(hit)
        elif finding.way in {Way.REWRITE, Way.BRIDGE}:
            freed.append(hit)
            significant.append(hit)
        elif finding.way != Way.LEAVE:
            stuck.append(hit)
            significant.append(hit)
    return _Waits(*map(tuple, (freed, stuck, significant, computing, disk)))


def _weigh(hit: Hit) -> tuple[float, bool, int, bool]:
    """Return how much a wait counts: by the time that was observed, else by where and what it is.

    What a hook waits for is the same for many routes, so that of the view itself counts more. Of
    two alike, the one that can be freed does: it is what there is to gain.
    """
    finding = hit.finding
    is_own = hit.entry == "view"
    can_be_freed = finding.way in {Way.REWRITE, Way.BRIDGE}
    return _sum_observed([hit]), is_own, _WEIGHTS[finding.kind], can_be_freed


def _sum_observed(hits: Sequence[Hit]) -> float:
    """Return for how long requests were seen to wait in calls, in milliseconds."""
    seen = (hit.finding.observed for hit in hits)
    return sum(observed.waited_ms for observed in seen if observed is not None)

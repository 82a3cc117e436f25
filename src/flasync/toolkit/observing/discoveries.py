"""Findings that only the observed run makes: FSY199."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flasync.toolkit.finding import (
    Evidence,
    Finding,
    Hit,
    Observed,
    Place,
    RouteReport,
    Severity,
    Step,
)
from flasync.toolkit.knowledge import Kind
from flasync.toolkit.observing.observation import Frame, ObservedPlace, add_kinds
from flasync.toolkit.observing.source_match import SourceMatch
from flasync.toolkit.rules.blocking_observed import BlockingObserved

# Milliseconds a request that make a finding. Less waiting would not be noticed by the other
# requests of an event loop; for computing it is what flasync reports as a stall by itself.
MIN_WAITED_MS = 2.0
MIN_CPU_MS = 50.0

_WAITING = {
    Kind.SLEEP: "paused",
    Kind.NETWORK: "waited for the network",
    Kind.DATABASE: "waited for the database",
    Kind.DISK: "waited for the disk",
    Kind.SUBPROCESS: "waited for another program",
    Kind.LOCK: "waited for a lock or another thread",
    Kind.DNS: "waited for a name to be looked up",
    Kind.CONSOLE: "waited for the console",
    Kind.CPU: "computed",
}
_WAIT_ADVICE = (
    "Look for an async twin of what is called there and await it,"
    " or keep it in a thread: `await flasync.run_sync(...)`."
)
_CPU_ADVICE = (
    "Async gains nothing here: leave the route in a thread, make the work smaller,"
    " or give it to a job queue."
)


def add_up(places: Iterable[ObservedPlace], *, computes: bool) -> Observed:
    """Return what was seen at places of one call, with the requests that computed or waited."""
    places = list(places)
    return Observed(
        sum(place.computes if computes else place.waits for place in places),
        sum(place.waited_ms for place in places),
        sum(place.cpu_ms for place in places),
    )


@dataclass(slots=True)
class _Discovery:
    frame: Frame
    places: list[ObservedPlace] = field(default_factory=list)
    chains: dict[str, tuple[Frame, ...]] = field(default_factory=dict)
    """By route id, the first chain to it."""
    finding: Finding | None = None


class Discoveries:
    """The calls of the project that waited or computed without a finding."""

    def __init__(self, match: SourceMatch) -> None:
        self._match = match
        self._known: dict[Place, _Discovery] = {}

    def add(self, route: RouteReport | None, place: ObservedPlace) -> None:
        """Take note of a place; one outside of the project's code has nobody to tell it to."""
        chain = self._match.list_own(place)
        if chain:
            where = self._match.locate(chain[-1])
            discovery = self._known.setdefault(where, _Discovery(chain[-1]))
            discovery.places.append(place)
            if route is not None:
                discovery.chains.setdefault(route.id, tuple(chain))

    def build(self) -> list[Finding]:
        """Return the findings, of those places where the time is worth telling."""
        for place, discovery in self._known.items():
            discovery.finding = self._build(place, discovery)
        return [one.finding for one in self._known.values() if one.finding is not None]

    def list_hits(self, route: RouteReport) -> Iterator[Hit]:
        """Yield the new findings as a route reaches them."""
        for discovery in self._known.values():
            chain = discovery.chains.get(route.id)
            if chain is not None and discovery.finding is not None:
                steps = tuple(
                    Step(_name(frame), self._match.locate(frame), self._match.quote(frame))
                    for frame in chain
                )
                yield Hit(discovery.finding, steps, _find_entry(route, steps))

    def _build(self, place: Place, discovery: _Discovery) -> Finding | None:
        waited = add_up(discovery.places, computes=False)
        computed = add_up(discovery.places, computes=True)
        if waited.count and waited.waited_ms / waited.count >= MIN_WAITED_MS:
            kind, observed, each_ms = self._find_kind(discovery), waited, waited.waited_ms
        elif computed.count and computed.cpu_ms / computed.count >= MIN_CPU_MS:
            kind, observed, each_ms = Kind.CPU.value, computed, computed.cpu_ms
        else:
            return None
        name = self._match.quote(discovery.frame)
        requests = "1 request" if observed.count == 1 else f"{observed.count} requests"
        spent = _WAITING.get(Kind(kind), "waited") if kind else "waited"
        return Finding(
            code=BlockingObserved.code,
            rule=BlockingObserved.name,
            severity=Severity.NOTE if kind == Kind.CPU else Severity.WARNING,
            place=place,
            message=(
                f"`{name}` {spent} for {each_ms / observed.count:.0f} ms a request, in {requests}:"
                " its thread served nobody else meanwhile,"
                " and in an async view every other request would have waited with it"
            ),
            advice=_CPU_ADVICE if kind == Kind.CPU else _WAIT_ADVICE,
            subject=_name_called(discovery, name),
            function=_name(discovery.frame),
            kind=kind,
            routes=tuple(discovery.chains),
            evidence=Evidence.OBSERVED,
            observed=observed,
        )

    def _find_kind(self, discovery: _Discovery) -> str:
        """Return what was waited for: what is known of the call, else what the kernel said."""
        for name in self._list_names(discovery):
            known = self._match.find_kind(name)
            if known:
                return known
        kinds = add_kinds(discovery.places)
        return max(kinds, key=kinds.__getitem__, default="")

    def _list_names(self, discovery: _Discovery) -> Iterator[str]:
        for site in self._match.find_sites(discovery.frame):
            yield from site.names
        for place in discovery.places:
            for frame in (place.called, place.innermost):
                if frame is not None:
                    yield _name(frame)


def _name(frame: Frame) -> str:
    return f"{frame.module}.{frame.function.replace('.<locals>', '')}"


def _name_called(discovery: _Discovery, written: str) -> str:
    """Return the library's function that most of the time went to; else the call as written."""
    times: defaultdict[str, float] = defaultdict(float)
    for place in discovery.places:
        if place.called is not None:
            times[_name(place.called)] += place.waited_ms + place.cpu_ms
    return max(times, key=times.__getitem__, default=written)


def _find_entry(route: RouteReport, steps: tuple[Step, ...]) -> str:
    known = {hit.chain[0].function: hit.entry for hit in route.hits if hit.chain}
    return known.get(steps[0].function, "view" if steps[0].function == route.view else "request")

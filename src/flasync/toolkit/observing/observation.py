"""What an observed run saw: the files of its processes, read and added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Frame:
    """One call under way.

    Attributes:
        file: Absolute and resolved.
        function: The qualified name of the function, without its module.
        module: The name of the module.
        line: Of what is called there, from 1; `end_line` that of its end.
        column: Where that begins, in bytes of UTF-8 from 0; None when unknown, as in a template.
        end_line: See `line`.
        end_column: See `column`.
    """

    file: str
    function: str
    module: str
    line: int
    end_line: int
    column: int | None = None
    end_column: int | None = None


@dataclass(frozen=True, slots=True)
class ObservedPlace:
    """What the requests of one route spent at one place.

    Attributes:
        chain: The frames of the project's own code, outermost first; may be empty.
        called: The function of a library that the last of them called, if it did.
        innermost: The innermost frame of all.
        waits: How many requests were seen waiting there.
        computes: How many were seen computing there.
        waited_ms: Off the CPU, in all of them.
        cpu_ms: On the CPU, in all of them.
        kinds: What share of `waited_ms` was for what: "network", "sleep"…; "" for unknown.
    """

    chain: tuple[Frame, ...]
    called: Frame | None
    innermost: Frame
    waits: int = 0
    computes: int = 0
    waited_ms: float = 0.0
    cpu_ms: float = 0.0
    kinds: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class ObservedRoute:
    """The requests for one URL rule with one method.

    Attributes:
        app: The import name of the Flask app.
        method: The HTTP method.
        rule: The URL rule; "" for all URLs that no rule matched.
        endpoint: Flask's name of it.
        requests: How many have ended.
        wall_ms: How long they took, together.
        cpu_ms: On the CPU.
        contended_ms: Off the CPU, but ready to run: others had the interpreter or the CPU.
        places: Where the time was spent.
    """

    app: str
    method: str
    rule: str
    endpoint: str
    requests: int = 0
    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    contended_ms: float = 0.0
    places: tuple[ObservedPlace, ...] = ()

    @property
    def waited_ms(self) -> float:
        """How long they waited, together."""
        return sum(place.waited_ms for place in self.places)


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen in all processes of a run.

    Attributes:
        routes: One for each app, method and rule.
        reached: By file, the lines of interest that requests came to; None: not known.
        processes: How many processes served requests.
        notes: Sentences that the reader of the report must see.
    """

    routes: tuple[ObservedRoute, ...]
    reached: Mapping[str, frozenset[int]] | None
    processes: int
    notes: tuple[str, ...] = ()

    @property
    def requests(self) -> int:
        """How many requests were seen, in all."""
        return sum(route.requests for route in self.routes)


def parse_observation(processes: Iterable[Mapping[str, Any]]) -> Observation:
    """Return the sum of what the processes of a run have written (`recording.ledger`)."""
    seen = [process for process in processes if process["routes"]]
    routes: dict[tuple[str, ...], ObservedRoute] = {}
    for data in (route for process in seen for route in process["routes"]):
        key = data["app"], data["method"], data["rule"], data["endpoint"]
        routes[key] = _add_route(routes.get(key, ObservedRoute(*key)), data)
    notes = []
    if not all(process["states"] for process in seen):
        notes.append(
            "This system does not tell what a thread waits for: waiting times contain the time in"
            " which threads waited for the interpreter or for a CPU."
        )
    reached = _unite_lines([process["reached"] for process in seen])
    if reached is None:
        notes.append(
            "Which findings the run never came to is not known: to see that without slowing the"
            " requests down takes Python 3.12 or later."
        )
    return Observation(tuple(routes.values()), reached, len(seen), tuple(notes))


def _add_route(route: ObservedRoute, data: Mapping[str, Any]) -> ObservedRoute:
    places = {_get_key(place): place for place in route.places}
    for item in data["places"]:
        place = _parse_place(item)
        key = _get_key(place)
        places[key] = _add_place(places[key], place) if key in places else place
    return ObservedRoute(
        route.app,
        route.method,
        route.rule,
        route.endpoint,
        route.requests + data["requests"],
        route.wall_ms + data["wall_s"] * 1000,
        route.cpu_ms + data["cpu_s"] * 1000,
        route.contended_ms + data["contended_s"] * 1000,
        tuple(places.values()),
    )


def _get_key(place: ObservedPlace) -> tuple[object, ...]:
    return place.chain, place.called, place.innermost


def _parse_place(data: Mapping[str, Any]) -> ObservedPlace:
    return ObservedPlace(
        tuple(Frame(**frame) for frame in data["chain"]),
        Frame(**data["called"]) if data["called"] else None,
        Frame(**data["innermost"]),
        data["waits"],
        data["computes"],
        data["waited_s"] * 1000,
        data["cpu_s"] * 1000,
        {kind: waited_s * 1000 for kind, waited_s in data["kinds"].items()},
    )


def _add_place(one: ObservedPlace, other: ObservedPlace) -> ObservedPlace:
    return ObservedPlace(
        one.chain,
        one.called,
        one.innermost,
        one.waits + other.waits,
        one.computes + other.computes,
        one.waited_ms + other.waited_ms,
        one.cpu_ms + other.cpu_ms,
        add_kinds((one, other)),
    )


def add_kinds(places: Iterable[ObservedPlace]) -> dict[str, float]:
    """Return the milliseconds of each kind at all the places."""
    total: Counter[str] = Counter()
    for place in places:
        for kind, waited_ms in (place.kinds or {}).items():
            total[kind] += waited_ms  # type: ignore[assignment]  # counters count floats as well
    return dict(total)


def _unite_lines(
    parts: list[Mapping[str, list[int]] | None],
) -> dict[str, frozenset[int]] | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    files = {file for part in known for file in part}
    return {
        file: frozenset(line for part in known for line in part.get(file, ())) for file in files
    }

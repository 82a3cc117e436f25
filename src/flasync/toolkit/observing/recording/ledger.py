"""The sums of all requests of a process, and the file that they are written to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flasync.toolkit.observing.recording.in_flight import Record, Target
    from flasync.toolkit.observing.recording.reach import Reach
    from flasync.toolkit.observing.recording.stacks import Key, Stacks


class _PlaceSum:
    def __init__(self) -> None:
        self.waits = self.computes = 0
        self.waited_s = self.cpu_s = 0.0
        self.kinds: dict[str, float] = {}


class _RouteSum:
    def __init__(self) -> None:
        self.requests = 0
        self.wall_s = self.cpu_s = self.contended_s = 0.0
        self.places: dict[Key, _PlaceSum] = {}


class Ledger:
    """Adds up records. Runs in: the sampler thread, or the main thread once that has stopped."""

    def __init__(self) -> None:
        self._routes: dict[Target, _RouteSum] = {}
        self._reached = 0
        self.is_dirty = False

    def absorb(self, record: Record) -> None:
        """Move what a record holds into the sums; it may be filled again afterwards."""
        route = self._routes.setdefault(record.target, _RouteSum())
        route.requests += record.has_ended and not record.is_counted
        record.is_counted = record.is_counted or record.has_ended
        for name in ("wall_s", "cpu_s", "contended_s"):
            setattr(route, name, getattr(route, name) + getattr(record, name))
            setattr(record, name, 0.0)
        for key, spent in record.sums.items():
            place = route.places.setdefault(key, _PlaceSum())
            place.waited_s += spent.waited_s
            place.cpu_s += spent.cpu_s
            place.waits += bool(spent.waited_s) and record.is_first(key, "wait")
            place.computes += bool(spent.cpu_s) and record.is_first(key, "compute")
            for kind, waited_s in spent.kinds.items():
                place.kinds[kind] = place.kinds.get(kind, 0.0) + waited_s
        record.sums = {}
        self.is_dirty = True

    def write(self, folder: str, stacks: Stacks, reach: Reach, *, are_known: bool) -> None:
        """Write the sums to the folder, in place of what this process wrote before."""
        self.is_dirty = False
        contents = {
            "pid": os.getpid(),
            "states": are_known,
            "reached": reach.list_reached(),
            "routes": [
                self._describe(target, route, stacks) for target, route in self._routes.items()
            ],
        }
        path = os.path.join(folder, f"{os.getpid()}.json")
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            json.dump(contents, file)
        os.replace(f"{path}.part", path)

    def forget(self) -> None:
        """Begin anew: after a fork, what was added up is the parent's."""
        self._routes.clear()
        self.is_dirty = False

    @staticmethod
    def _describe(target: Target, route: _RouteSum, stacks: Stacks) -> dict[str, Any]:
        def describe(points: Iterable[Any]) -> list[dict[str, Any]]:
            return [stacks.describe(point) for point in points]

        return {
            **target._asdict(),
            "requests": route.requests,
            "wall_s": route.wall_s,
            "cpu_s": route.cpu_s,
            "contended_s": route.contended_s,
            "places": [
                {
                    "chain": describe(key.chain),
                    "called": stacks.describe(key.called) if key.called else None,
                    "innermost": stacks.describe(key.innermost),
                    **vars(place),
                }
                for key, place in route.places.items()
            ],
        }

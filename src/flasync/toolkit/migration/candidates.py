"""Which routes can move onto the loop, with which calls replaced, and why the others stay."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flasync.toolkit.finding import Place, RouteReport, Verdict
from flasync.toolkit.graph import FunctionNode, list_functions
from flasync.toolkit.migration.common_stages import APP_STAGE, CommonStages
from flasync.toolkit.migration.computing_loops import find_computing_loop
from flasync.toolkit.migration.freeing import Freed, Freeing
from flasync.toolkit.migration.loop_hazards import find_loop_hazard
from flasync.toolkit.migration.plan import CallChange, FunctionChange, Left, Span
from flasync.toolkit.migration.references import References
from flasync.toolkit.migration.thread_bound import find_thread_bound
from flasync.toolkit.migration.views import View, choose_colour, find_view
from flasync.toolkit.migration.waiting_sites import (
    WaitingSite,
    list_waiting_sites,
    locate_function,
)
from flasync.toolkit.rules import Program

_COMPUTING = "If it is short, move it by its name: flasync migrate --route."
_OBSERVE = "Run `flasync scan --observe -- pytest` to see what it does."
# What belongs to no single route, and yet may run in a request for any.
_ERROR_HANDLERS = "error handler"
# In one sentence about a route.
_CALLS_NAMED = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A route that can move.

    Attributes:
        report: What the scan says of it.
        view: Its view.
        colour: How the view gets onto the loop; None when it is there.
        calls: The calls that are replaced for it.
        needs: The ids of the stages that free the rest, in their order.
        walked: The spans of the functions that it runs.
    """

    report: RouteReport
    view: View
    colour: FunctionChange | None
    calls: tuple[CallChange, ...]
    needs: tuple[str, ...]
    walked: frozenset[Span]


class Candidates:
    """Looks at each route of a program.

    Args:
        program: The app.
        freeing: How the calls that wait are freed.
        common: The stages that routes build upon.
        references: Who mentions which function.
        chosen: The ids of routes that are moved even if only their thread changes.
        plain: Functions that must not become async.
    """

    def __init__(
        self,
        program: Program,
        freeing: Freeing,
        common: CommonStages,
        references: References,
        *,
        chosen: Collection[str],
        plain: Collection[Span],
    ) -> None:
        self._program = program
        self._freeing = freeing
        self._common = common
        self._references = references
        self._chosen = chosen
        self._plain = plain
        self._routes = {route.id: route for route in program.surface.routes}

    def consider(self, report: RouteReport) -> Candidate | Left | None:
        """Return how a route can move, or why it stays; None when there is nothing left to do."""
        route = self._routes[report.id]
        entries = self._program.entries.get(route.id, [])
        handlers = [entry for entry in self._program.others if entry[0] == _ERROR_HANDLERS]
        roots = [function for _, function in (*entries, *handlers)]
        sites = [
            site for site in list_waiting_sites(entries) if not (site.is_freed and report.is_async)
        ]
        freed = self._freeing.free(sites, roots)
        if report.is_async and not sites:
            return None
        view = find_view(self._program, route)
        if isinstance(view, str):
            return self._ask_scan(_Look(report, entries, freed)) or Left(
                report.id, view, report.place
            )
        left = self._find_reason_to_stay(_Look(report, entries, freed))
        if left is not None:
            return left
        colour = None
        if not report.is_async:
            colour = choose_colour(view, route, self._references, self._plain)
        freed += [
            (site, answer)
            for site, answer in self._freeing.free(list_waiting_sites(handlers), roots)
            if not answer.obstacle
        ]
        calls = {change.span: change for _, answer in freed for change in answer.changes}
        if colour is None and not calls:
            return None
        needs = dict.fromkeys(answer.stage for _, answer in freed if answer.stage)
        if self._common.has_app_stage:
            needs = {APP_STAGE: None, **needs}
        return Candidate(
            report,
            view,
            colour,
            tuple(sorted(calls.values(), key=lambda change: change.span)),
            tuple(needs),
            frozenset(filter(None, map(locate_function, list_functions(roots)))),
        )

    def _find_reason_to_stay(self, look: _Look) -> Left | None:
        """Return the first answer to what is asked, the cheap and telling questions first."""
        questions = (
            self._ask_scan,
            self._ask_app,
            self._ask_gain,
            self._ask_obstacle,
            self._ask_thread,
            self._ask_loop,
            self._ask_computing,
            self._ask_twin,
        )
        answers = (ask(look) for ask in questions)
        return next((left for left in answers if left is not None), None)

    def _ask_scan(self, look: _Look) -> Left | None:
        """Is it known what the route does?"""
        if look.report.verdict is not Verdict.UNKNOWN or look.report.is_async:
            return None
        if any(answer == Freed() for _, answer in look.gaining):
            return None  # what is async already the scan does not count
        return look.leave(look.report.reason, look.report.place, _OBSERVE)

    def _ask_app(self, look: _Look) -> Left | None:
        """Can the app have async views?"""
        if look.report.is_async or not self._common.app_obstacle:
            return None
        return look.leave(self._common.app_obstacle, None, self._common.app_advice)

    def _ask_gain(self, look: _Look) -> Left | None:
        """Does it wait for anything?"""
        if look.gaining or look.report.is_async or look.report.id in self._chosen:
            return None
        return look.leave(look.report.reason, look.report.place)

    def _ask_obstacle(self, look: _Look) -> Left | None:
        """Can each of its calls be freed?"""
        found = next(((site, answer) for site, answer in look.freed if answer.obstacle), None)
        if found is None:
            return None
        site, answer = found
        return look.leave(answer.obstacle, site.site.place, answer.advice)

    def _ask_thread(self, look: _Look) -> Left | None:
        """Does something that it uses belong to its thread?"""
        bound = find_thread_bound(self._program, look.entries)
        return look.leave(bound.reason, bound.place) if bound is not None else None

    def _ask_loop(self, look: _Look) -> Left | None:
        """Would something that it does harm the loop?"""
        hazard = find_loop_hazard(self._program, look.entries)
        return look.leave(hazard.reason, hazard.place) if hazard is not None else None

    def _ask_computing(self, look: _Look) -> Left | None:
        """Does it compute for so long that others would wait for it?"""
        if look.report.id in self._chosen:
            return None
        computing = find_computing_loop(look.entries)
        if computing is None:
            return None
        return look.leave(computing.reason, computing.place, _COMPUTING)

    def _ask_twin(self, look: _Look) -> Left | None:
        """Would anything but a thread wait for it?"""
        if look.report.is_async or look.report.id in self._chosen or not look.gaining:
            return None
        if not all(answer.is_in_thread and not answer.has_twin for _, answer in look.gaining):
            return None
        handed = [(site, answer.declined) for site, answer in look.gaining if answer.changes]
        if not handed:
            sites = [site for site, _ in look.gaining]
            why = f"{_name_calls(sites)}, in a function whose calls belong together"
            return look.leave(f"it waits in {why}: a thread does that", sites[0].site.place)
        # What a person could mend is told first.
        told = next((declined for _, declined in handed if declined), "")
        sites = [site for site, declined in handed if declined == told]
        if told:
            why = f"{_name_calls(sites)}, and a thread does that: {told}"
        else:
            why = f"{_name_calls(sites)}, of which no async twin is known: a thread does that"
        return look.leave(f"it waits in {why}", sites[0].site.place)


def _name_calls(sites: list[WaitingSite]) -> str:
    return ", ".join(dict.fromkeys(f"`{site.name}`" for site in sites[:_CALLS_NAMED]))


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a route when it is asked why it should stay.

    Attributes:
        report: What the scan says of it.
        entries: Its entry functions in the graph: (kind, function).
        freed: How each place at which it waits is freed.
    """

    report: RouteReport
    entries: list[tuple[str, FunctionNode]]
    freed: list[tuple[WaitingSite, Freed]]

    @property
    def gaining(self) -> list[tuple[WaitingSite, Freed]]:
        """Those at which it is better off without a thread."""
        return [(site, answer) for site, answer in self.freed if site.gains]

    def leave(self, reason: str, place: Place | None, advice: str = "") -> Left:
        """Return that the route stays."""
        return Left(self.report.id, reason, place, advice)

"""What to do after a scan, with the commands to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from flasync.toolkit.finding import RouteReport, Verdict
from flasync.toolkit.report.outline import Outline, Section


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do.

    Attributes:
        what: A sentence.
        commands: What to type for it, line by line.
    """

    what: str
    commands: tuple[str, ...] = ()


def list_next_steps(outline: Outline, import_path: str | None) -> Iterator[NextStep]:
    """Yield what to do next, in order.

    Args:
        outline: What was found.
        import_path: As the user named the app; None when it was found without a name.
    """
    app = _build_app_option(import_path)
    yield from _list_live_steps(outline, app)
    yield NextStep(
        "Serve the app, as it is, on an event loop, and see that all of it still works:",
        (f"flasync serve{app}",),
    )
    yield from _list_mending_steps(outline, app)
    if outline.report.findings:
        yield NextStep(
            "Keep new findings out: write down today's, and let CI fail on others:",
            (f"flasync scan{app} --write-baseline", f"flasync scan{app} --check"),
        )


def list_route_steps(outline: Outline, import_path: str | None) -> Iterator[NextStep]:
    """Yield what to do next for the routes that the user has chosen."""
    app = _build_app_option(import_path)
    yield from _list_explaining_steps(outline)
    route = outline.best_route
    only = f" --route {shlex.quote(route.id)}" if route is not None else ""
    yield from _list_migrating_steps(outline, f"{app}{only}")
    yield from _list_proving_steps(outline, app)
    yield NextStep("See all routes:", (f"flasync scan{app}",))


def _build_app_option(import_path: str | None) -> str:
    return f" --app {shlex.quote(import_path)}" if import_path else ""


def _list_live_steps(outline: Outline, app: str) -> Iterator[NextStep]:
    if outline.report.mode == "static":
        yield NextStep(
            "Scan where the app can be imported; that finds more, and needs fewer guesses:",
            (f"flasync scan{app}",),
        )
    elif outline.best_route is not None and not outline.is_observed:
        yield NextStep(
            "Measure which routes wait, and how long. Run your tests under observation:",
            (f"flasync scan{app} --observe -- pytest",),
        )


def _list_mending_steps(outline: Outline, app: str) -> Iterator[NextStep]:
    yield from _list_explaining_steps(outline)
    route = outline.best_route
    if route is not None:
        yield NextStep(
            "Begin with one route. This shows everything that it waits for:",
            (f"flasync scan{app} --route {shlex.quote(route.id)}",),
        )
    yield from _list_migrating_steps(outline, app)
    yield from _list_proving_steps(outline, app)


def _list_explaining_steps(outline: Outline) -> Iterator[NextStep]:
    groups = outline.sections.get(Section.BLOCKING) or outline.sections.get(Section.UNSAFE)
    if groups:
        code = groups[0].head.code
        yield NextStep(
            f"Read what {code} means and how it is mended:", (f"flasync explain {code}",)
        )


def _list_migrating_steps(outline: Outline, options: str) -> Iterator[NextStep]:
    is_live = outline.report.mode != "static"  # it imports the app
    if is_live and any(route.verdict is Verdict.FIXABLE for route in outline.report.routes):
        yield NextStep(
            "See what can be changed for you, and what not and why; this only shows the changes:",
            (f"flasync migrate{options}",),
        )


def _list_proving_steps(outline: Outline, app: str) -> Iterator[NextStep]:
    route = outline.best_route
    if route is not None and "GET" in route.methods:
        yield NextStep(
            "When what it waits for is changed, prove that its requests overlap:",
            (f"flasync verify{app} {shlex.quote(_fill_rule(route))}",),
        )


def _fill_rule(route: RouteReport) -> str:
    """Return a rule as a path, with the names of its variables in capitals to be replaced."""
    return re.sub(r"<(?:[^<>]*:)?([^<>:]+)>", lambda match: match[1].upper(), route.rule)

"""What to do after a verification, with the commands to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from flasync.toolkit.report.next_steps import NextStep
from flasync.toolkit.verifying.judging import format_ms
from flasync.toolkit.verifying.run import Outcome, Route, Run

# Twice as slow as seen is a regression; less may be another machine.
_P99_MARGIN = 2.0
# Routes that a command names.
_PATHS_NAMED = 3
# From here on a bystander is told to have waited, in milliseconds.
_MIN_BYSTANDER_MS = 50.0

_IN_TROUBLE = (Outcome.SERIAL, Outcome.LIMITED, Outcome.CPU_BOUND)


def list_verify_steps(run: Run, import_path: str | None) -> Iterator[NextStep]:
    """Yield what to do next, in order.

    Args:
        run: What was seen and concluded.
        import_path: As the user named the app; None when it was found without a name, or when a
            server that already ran was asked.
    """
    app = f" --app {shlex.quote(import_path)}" if import_path else ""
    is_elsewhere = run.app.startswith(("http://", "https://"))
    troubled = [route for route in run.routes if _outcome(route) in _IN_TROUBLE]
    if troubled:
        route = max(troubled, key=lambda route: route.measured[-1].judgement.p99_ms)
        yield from _list_trouble_steps(route, app)
        return
    undecided = [route for route in run.routes if _outcome(route) is Outcome.UNDECIDED]
    if undecided and len(undecided) == len(run.routes):
        yield NextStep(
            "Ask for a route that waits for something, such as a database or another service:",
            (f"flasync scan{app}",),
        )
        return
    overlapping = [route for route in run.routes if _outcome(route) is Outcome.OVERLAPS]
    if overlapping:
        if not is_elsewhere and all(len(route.measured) == 1 for route in run.routes):
            yield _build_comparing_step(overlapping, app)
        server = f" --url {shlex.quote(run.app)}" if is_elsewhere else app
        yield _build_keeping_step(run, overlapping, server)


def _list_trouble_steps(route: Route, app: str) -> Iterator[NextStep]:
    path = shlex.quote(route.path)
    yield NextStep(
        "See one request step by step: where it runs, where it waits, what others do meanwhile:",
        (f"flasync trace{app} {route.method} {path}",),
    )
    if _outcome(route) is not Outcome.CPU_BOUND:
        yield NextStep(
            "See every call on the way of the route that blocks, and what replaces it:",
            (f"flasync scan{app} --route {path}", f"flasync migrate{app} --route {path}"),
        )


def _build_comparing_step(routes: list[Route], app: str) -> NextStep:
    return NextStep(
        "Compare it with stock Flask, and keep the page:",
        (f"flasync verify{app} {_join_paths(routes)} --compare --html verify.html",),
    )


def _build_keeping_step(run: Run, routes: list[Route], server: str) -> NextStep:
    judgements = [route.measured[-1].judgement for route in routes]
    overlap = max(2, int(min(judgement.overlap for judgement in judgements) / 2))
    p99_ms = _P99_MARGIN * max(judgement.p99_ms for judgement in judgements)
    seen_ms = max(judgement.bystander_ms for judgement in judgements)
    bystander_ms = max(_MIN_BYSTANDER_MS, 2 * seen_ms)
    return NextStep(
        "Let CI fail when that is lost:",
        (
            f"flasync verify{server} {_join_paths(routes)} --requests {run.requests}"
            f" --min-overlap {overlap} --max-p99 {_round(p99_ms)}"
            f" --max-bystander {_round(bystander_ms)}",
        ),
    )


def _join_paths(routes: list[Route]) -> str:
    return " ".join(shlex.quote(route.path) for route in routes[:_PATHS_NAMED])


def _round(ms: float) -> str:
    return format_ms(float(f"{ms:.2g}")).replace(" ", "")


def _outcome(route: Route) -> Outcome:
    return route.measured[-1].judgement.outcome

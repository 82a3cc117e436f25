"""The report: tables of ratios in Markdown, absolute figures as context, targets and verdicts."""

import math
import os
import statistics
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.inprocess import TimeResults
from benchmarks.load import CONNECTIONS, Load, LoadResults
from benchmarks.routes import JSON, ROUTES
from benchmarks.stacks import (
    FLASK,
    IN_PROCESS,
    LOOP,
    QUART,
    SERVER_CHOICE,
    STACKS,
    THREAD,
    THREADS,
    Stack,
)
from benchmarks.waiting import Burst, WaitingResults, ideal_s

BEGIN = "<!-- scripts/bench writes from here -->"
END = "<!-- to here -->"

LOOP_TARGET = 1.0
"""Loop lane in process, times stock Flask's WSGI pipeline."""
QUART_TARGET = 1.5
"""Loop lane's requests a second, times Quart's, on the same server."""
THREAD_TARGET_US = 40.0
"""Thread lane in process, above stock Flask."""
WAITING_TARGET = 9_000
"""Waiting requests at once without an error."""


Figure = Callable[[LoadResults, str, str], list[float | None]]
"""One kind of figure of a stack (by name) on a route (by name), round by round."""


@dataclass
class Report:
    """What was measured; a part that was left out is None.

    Attributes:
        machine: Description of the machine.
        versions: Versions of everything.
        times: In-process figures.
        load: Requests a second of all stacks.
        servers: Requests a second of the loop lane on all servers.
        waiting: Bursts of waiting requests.
    """

    machine: str
    versions: str
    times: TimeResults | None = None
    load: LoadResults | None = None
    servers: LoadResults | None = None
    waiting: WaitingResults | None = None

    def failures(self) -> dict[str, str]:
        """What kept a stack from being measured, by stack name."""
        parts = (self.times, self.load, self.servers, self.waiting)
        return {name: text for p in parts if p for name, text in p.failures.items()}

    def render(self, command: str) -> str:
        """The whole report in Markdown."""
        load_average = os.getloadavg()[2]
        sections = [
            f"Made by `{command}`. Machine: {self.machine}; load average of the last 15 minutes "
            f"{load_average:.1f}. Versions: {self.versions}.",
            render_targets(self),
        ]
        if self.times:
            sections.append(render_times(self.times))
        if self.load:
            sections.append(render_load(self.load))
        if self.waiting:
            sections.append(render_waiting(self.waiting))
        if self.servers:
            sections.append(render_servers(self.servers))
        if self.failures():
            lines = [f"- `{name}`: {text}" for name, text in self.failures().items()]
            sections.append("\n".join(["### What failed", "", *lines]))
        return "\n\n".join(sections)


def write_between_markers(page: Path, text: str) -> None:
    """Puts `text` between the markers of a page and leaves the prose around it alone.

    Raises:
        ValueError: The page lacks the markers.
    """
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} lacks the lines {BEGIN!r} and {END!r}; add them and run again")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def render_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def spread(figures: Sequence[float], digits: int = 2) -> str:
    """Median, then lowest and highest: `1.52 (1.40–1.61)`; a dash when there is none."""
    if not figures:
        return "–"
    median, low, high = statistics.median(figures), min(figures), max(figures)
    if len(figures) == 1:
        return f"{median:.{digits}f}"
    return f"{median:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def ratios(figures: Sequence[float | None], base: Sequence[float | None]) -> list[float]:
    """Round by round `figures / base`, where both were measured."""
    return [f / b for f, b in zip(figures, base, strict=True) if f and b]


def differences(figures: Sequence[float | None], base: Sequence[float | None]) -> list[float]:
    """Round by round `figures - base`, where both were measured."""
    return [f - b for f, b in zip(figures, base, strict=True) if f and b]


def rates(results: LoadResults, stack: str, route: str) -> list[float | None]:
    """Requests a second, round by round."""
    return [load.requests_per_s if load else None for load in results.runs[stack][route]]


def cpu_times(results: LoadResults, stack: str, route: str) -> list[float | None]:
    """Microseconds of the server's processor a request, round by round."""
    return [load.cpu_us if load else None for load in results.runs[stack][route]]


def measured(stacks: Sequence[Stack], names: Collection[str]) -> list[Stack]:
    """The stacks that were asked for, in the order of the tables."""
    return [stack for stack in stacks if stack.name in names]


def render_times(results: TimeResults) -> str:
    """In-process figures against stock Flask."""
    times = results.times
    lines = ["### In process, no server"]
    head = ["", *(route.name for route in ROUTES)]
    if FLASK.name in times:
        base = times[FLASK.name]
        rows = [
            [
                stack.title,
                *(spread(ratios(times[stack.name][r.name], base[r.name])) for r in ROUTES),
            ]
            for stack in measured(IN_PROCESS, times)
        ]
        lines += [
            "Time a request, as a multiple of stock Flask's WSGI pipeline (less is better): "
            "median of the ratios of the rounds, with lowest and highest.",
            render_table(head, rows),
        ]
    rows = [
        [s.title, *(middle([us for us in times[s.name][r.name] if us], 1) for r in ROUTES)]
        for s in measured(IN_PROCESS, times)
    ]
    lines += ["For context, microseconds a request (median):", render_table(head, rows)]
    return "\n\n".join(lines)


def render_load(results: LoadResults) -> str:
    """Requests a second against stock Flask and against Quart."""
    lines = [f"### Requests a second, {CONNECTIONS} connections, one core for the server"]
    stacks = measured(STACKS, results.runs)
    for base in (FLASK, QUART):
        if base.name in results.runs:
            lines.append(
                f"As a multiple of {base.title} (more is better): median of the ratios of the "
                "rounds, with lowest and highest."
            )
            lines.append(render_ratios(results, stacks, base))
    if FLASK.name in results.runs:
        lines.append(
            f"The server's processor time a request, as a multiple of {FLASK.title} (less is "
            "better). Requests a second also depend on how well the two cores work together; "
            "XX"
        )
        lines.append(render_ratios(results, stacks, FLASK, cpu_times))
    lines.append(
        f"For context, {JSON.name} in absolute figures (medians), and the errors of all routes:"
    )
    lines.append(render_absolute(results, stacks))
    return "\n\n".join(lines)


def render_ratios(
    results: LoadResults, stacks: Sequence[Stack], base: Stack, figure: Figure = rates
) -> str:
    """A row for each stack, a column for each route: `figure` against that of `base`."""
    rows = []
    for stack in stacks:
        cells = [
            spread(ratios(figure(results, stack.name, r.name), figure(results, base.name, r.name)))
            for r in ROUTES
        ]
        rows.append([stack.title, *cells])
    return render_table(["", *(route.name for route in ROUTES)], rows)


def render_absolute(results: LoadResults, stacks: Sequence[Stack]) -> str:
    """Requests a second and latencies of one route, errors of all."""
    rows = []
    for stack in stacks:
        loads = [load for load in results.runs[stack.name][JSON.name] if load]
        rows.append(
            [
                stack.title,
                middle([load.requests_per_s for load in loads], 0),
                middle([load.cpu_us for load in loads], 0),
                middle([load.p50_ms for load in loads], 1),
                middle([load.p99_ms for load in loads], 1),
                count_errors(results, stack),
            ]
        )
    return render_table(
        ["", "req/s", "server µs a request", "p50 ms", "p99 ms", "errors of requests"], rows
    )


def middle(figures: Sequence[float], digits: int) -> str:
    """The median with thousands separators; a dash when there is none."""
    return f"{statistics.median(figures):,.{digits}f}" if figures else "–"


def count_errors(results: LoadResults, stack: Stack) -> str:
    """Errors of all answers, or that the stack failed."""
    loads = [load for runs in results.runs[stack.name].values() for load in runs]
    done: list[Load] = [load for load in loads if load]
    text = f"{sum(load.errors for load in done):,} of {sum(load.requests for load in done):,}"
    failed = len(loads) - len(done)
    return f"{text}; **{failed} of {len(loads)} runs failed**" if failed else text


def render_servers(results: LoadResults) -> str:
    """The loop lane on every server, against uvicorn."""
    lines = ["### The loop lane on different servers"]
    stacks = measured(SERVER_CHOICE, results.runs)
    base = SERVER_CHOICE[0]
    if base.name in results.runs:
        lines.append(
            "Requests a second as a multiple of uvicorn's (more is better): median of the ratios "
            "of the rounds, with lowest and highest."
        )
        lines.append(render_ratios(results, stacks, base))
    lines.append(f"For context, {JSON.name} in absolute figures (medians):")
    lines.append(render_absolute(results, stacks))
    return "\n\n".join(lines)


def render_waiting(results: WaitingResults) -> str:
    """A table for each size of burst."""
    sizes = sorted({size for bursts in results.bursts.values() for size in bursts})
    lines = [
        "### Requests that each await one second, all sent at once",
        f"Threaded stacks have {THREADS} threads; where they would need more than a minute they "
        "are not run.",
    ]
    for size in sizes:
        rows = [waiting_row(stack, size, results) for stack in measured(STACKS, results.bursts)]
        head = ["", "wall s", "× Quart's", "p99 s", "errors", "server µs a request", "KB a request"]
        lines += [f"**{size:,} at once**", render_table(head, rows)]
    return "\n\n".join(lines)


def waiting_row(stack: Stack, size: int, results: WaitingResults) -> list[str]:
    """One stack's figures for one size: medians of the rounds; errors are added up."""
    bursts = results.bursts[stack.name][size]
    if not bursts:
        why = (
            "failed"
            if stack.name in results.failures
            else f"≥ {ideal_s(stack, size):,.0f}, not run"
        )
        return [stack.title, why, *["–"] * 5]
    walls: list[float | None] = [burst.wall_s for burst in bursts]
    quart = results.bursts.get(QUART.name, {}).get(size, [])
    quart_walls: list[float | None] = [burst.wall_s for burst in quart]
    pairs = min(len(walls), len(quart_walls))
    return [
        stack.title,
        spread([burst.wall_s for burst in bursts]),
        spread(ratios(walls[:pairs], quart_walls[:pairs])),
        spread([burst.p99_s for burst in bursts if not math.isnan(burst.p99_s)]),
        describe_errors(bursts),
        middle([burst.cpu_us for burst in bursts], 0),
        middle([burst.memory_bytes / burst.size / 1000 for burst in bursts], 1),
    ]


def describe_errors(bursts: Sequence[Burst]) -> str:
    """`0 of 27,000`, and what kinds there were."""
    kinds: dict[str, int] = {}
    for burst in bursts:
        for kind, number in burst.errors.items():
            kinds[kind] = kinds.get(kind, 0) + number
    text = f"{sum(kinds.values()):,} of {sum(burst.size for burst in bursts):,}"
    return f"{text} ({', '.join(f'{kind}: {n}' for kind, n in kinds.items())})" if kinds else text


def render_targets(report: Report) -> str:
    """Each first target with what was reached, as far as it was measured."""
    rows = []
    times = report.times.times if report.times else {}
    if {LOOP.name, FLASK.name} <= times.keys():
        loop, flask = times[LOOP.name], times[FLASK.name]
        reached = [ratios(loop[r.name], flask[r.name]) for r in ROUTES]
        rows.append(
            target_row(
                f"loop lane in process ≤ {LOOP_TARGET} × stock Flask under WSGI",
                [middle(figures, 2) for figures in reached],
                [bool(f) and statistics.median(f) <= LOOP_TARGET for f in reached],
            )
        )
    if {THREAD.name, FLASK.name} <= times.keys():
        thread, flask = times[THREAD.name], times[FLASK.name]
        above_us = [differences(thread[r.name], flask[r.name]) for r in ROUTES]
        rows.append(
            target_row(
                f"thread lane in process ≤ stock Flask + {THREAD_TARGET_US:.0f} µs",
                [f"+{middle(figures, 0)} µs" for figures in above_us],
                [bool(f) and statistics.median(f) <= THREAD_TARGET_US for f in above_us],
            )
        )
    if report.load and {LOOP.name, QUART.name} <= report.load.runs.keys():
        runs = report.load
        reached = [
            ratios(rates(runs, LOOP.name, r.name), rates(runs, QUART.name, r.name)) for r in ROUTES
        ]
        rows.append(
            target_row(
                f"loop lane ≥ {QUART_TARGET} × Quart's requests a second",
                [middle(figures, 2) for figures in reached],
                [bool(f) and statistics.median(f) >= QUART_TARGET for f in reached],
            )
        )
    bursts = waiting_bursts(report.waiting)
    if bursts:
        rows.append(
            [
                f"{WAITING_TARGET:,} waiting requests with no error",
                describe_errors(bursts),
                "no" if any(burst.errors for burst in bursts) else "**yes**",
            ]
        )
    routes = ", ".join(route.name for route in ROUTES)
    return "\n\n".join(
        [
            "### Targets",
            f"Where there are five figures, they are those of {routes}.",
            render_table(["target", "measured", "reached"], rows),
        ]
    )


def target_row(target: str, figures: Sequence[str], reached: Sequence[bool]) -> list[str]:
    """`yes`, `no`, or on how many of the routes."""
    verdict = f"on {sum(reached)} of {len(reached)} routes"
    if all(reached):
        verdict = "**yes**"
    elif not any(reached):
        verdict = "no"
    return [target, ", ".join(figures), verdict]


def waiting_bursts(results: WaitingResults | None) -> list[Burst]:
    """The loop lane's bursts of the target's size."""
    return results.bursts.get(LOOP.name, {}).get(WAITING_TARGET, []) if results else []

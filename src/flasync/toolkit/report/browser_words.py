"""What `flasync verify --browser` has seen, in words."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

from flasync.toolkit.report.wording import count
from flasync.toolkit.verifying.judging import format_ms
from flasync.toolkit.verifying.run import BrowserTimes, Measured, Route

HOW = (
    "The same was done by headless Chromium, from up to ten windows, as each opens no more than six"
    " connections to a host; more fetches than that wait inside the browser. In one more window a"
    " button was pressed all the time, whose handler asks the bystander. Input latency is the time"
    " from a press until the answer has been drawn."
)


def list_browser_lines(route: Route) -> Iterator[str]:
    """Yield a line for each stack of a route that a browser was sent to, for a terminal."""
    for measured in route.measured:
        if measured.browser is not None:
            yield (
                f"{measured.stack}: fetches {describe_fetches(measured)}; input latency"
                f" {describe_inputs(measured)} ({explain_inputs(measured)})"
            )


def describe_fetches(measured: Measured) -> str:
    """Return how long half of the fetches took, and nearly all."""
    times = measured.browser
    return _describe(times.fetches_ms, "p99", 0.99) if times else "not measured"


def explain_fetches(measured: Measured) -> str:
    """Return where the fetches came from, and what of their time is not the server's."""
    times = measured.browser
    if times is None:
        return ""
    parts = [
        f"{count(len(times.fetches_ms), 'fetch', 'fetches')} from"
        f" {count(times.windows, 'window')}, done after {format_ms(times.wall_ms)}",
        f"{format_ms(statistics.median(times.held_back_ms or [0.0]))} of it inside the browser",
    ]
    if times.server_ms:
        parts.append(f"the server says {format_ms(statistics.median(times.server_ms))}")
    if times.failed:
        parts.append(f"{times.failed} failed")
    return "; ".join(parts)


def describe_inputs(measured: Measured) -> str:
    """Return how long half of the presses took to be seen, and the slowest."""
    times = measured.browser
    return _describe(times.inputs_ms, "worst", 1.0) if times else "not measured"


def explain_inputs(measured: Measured) -> str:
    """Return what to compare that with."""
    times = measured.browser
    return _explain_inputs(times) if times else ""


def _explain_inputs(times: BrowserTimes) -> str:
    presses = count(len(times.inputs_ms), "press", "presses")
    return f"{presses}; {format_ms(times.calm_input_ms)} while nothing else is asked"


def _describe(durations_ms: tuple[float, ...], name: str, share: float) -> str:
    if not durations_ms:
        return "not measured"
    ordered = sorted(durations_ms)
    high = ordered[math.ceil(share * len(ordered)) - 1]
    return f"{format_ms(statistics.median(ordered))} median, {format_ms(high)} {name}"

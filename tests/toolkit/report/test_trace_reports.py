"""A trace on a terminal and as a page."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from flasync.toolkit.report.trace_html import build_trace_html
from flasync.toolkit.report.trace_text import print_trace
from flasync.toolkit.tracing.trace import (
    Action,
    Kind,
    Step,
    Strand,
    Trace,
    TraceFinding,
    Variable,
)

TRACE = Trace(
    app="shop",
    method="GET",
    path="/?q=<b>",
    lane="loop",
    status=200,
    body_bytes=5,
    duration_ms=120.0,
    waited_ms=100.0,
    beside=1,
    python="3.13.0",
    strands=(
        Strand(0, "request", None, 0.0, 120.0),
        Strand(1, "price, Task-6", 0, 10.0, 90.0),
        Strand(2, "mail, Task-7", 1, 20.0, None),
    ),
    steps=(
        Step(1, 0.0, Action.RECEIVED, "received GET /?q=<b>"),
        Step(2, 1.0, Action.HOOK, "before_request `load`", place="shop.py:9", duration_ms=0.01),
        Step(
            3,
            5.0,
            Action.PAUSED,
            "paused at `await asyncio.sleep(0.1)`",
            place="shop.py:14",
            state="CORO_SUSPENDED",
            result="waits for a timer",
            duration_ms=100.0,
            variables=(Variable("n", "2", "1"), Variable("<i>", "'<script>'"), Variable("x", "")),
            repeats=3,
        ),
        Step(
            4, 20.0, Action.HELD, "`time.sleep(1)` holds the loop",
            strand=1, duration_ms=60.0, state="CORO_RUNNING", warning="It holds the loop",
        ),
        Step(5, 90.0, Action.TASK_ENDED, "task `price` completed", strand=1, duration_ms=80.0),
        Step(6, 110.0, Action.SENT, "response sent", result="200, text/html, 5 bytes"),
    ),
    findings=(TraceFinding(Kind.HELD, "`time.sleep(1)` held the loop", "shop.py:20", 4),),
)  # fmt: skip


def write(trace: Trace, width: int = 100, encoding: str = "utf-8") -> str:
    """What is printed on a terminal of some width."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    print_trace(trace, Console(file=file, width=width, highlight=False, markup=False))
    file.flush()
    return raw.getvalue().decode(encoding)


def test_the_table() -> None:
    """The steps are a table of Step, Time, Action, State and Result, then what is wrong."""
    text = write(TRACE, 200)
    lines = text.splitlines()
    assert lines[0] == (
        "GET /?q=<b> ran on the event loop and was answered with 200, 5 bytes, in 120 ms."
    )
    assert lines[1].startswith("It ran for 20 ms and was paused for 100 ms.")
    assert lines[3].split() == ["Step", "Time", "Action", "State", "Result"]
    words = " ".join(text.split())
    assert "n = 2 (was 1)" in words
    assert "x is gone" in words
    assert "and 3 times more" in words
    assert "task price completed (Task-6)" in words
    assert "1 task was not done when the trace ended: mail, Task-7." in words
    assert "CORO_CREATED made, none of its code has run" in words
    assert words.endswith("Step 4: time.sleep(1) held the loop.")


@pytest.mark.parametrize("width", [40, 89, 90, 200])
def test_it_fits_the_terminal(width: int) -> None:
    """No line is wider than the terminal, and nothing is lost in a narrow one."""
    text = write(TRACE, width)
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    for part in ("CORO_SUSPENDED", "shop.py:14", "waits for a timer", "n = 2", "Step 4:"):
        assert part in words


def test_it_fits_the_encoding() -> None:
    """What an encoding lacks is written otherwise."""
    steps = (replace(TRACE.steps[0], result="a…b", text="received“"),)
    assert "a...b" in write(replace(TRACE, steps=steps), encoding="ascii")


def test_no_response() -> None:
    """A request without a response is said to have none."""
    text = write(replace(TRACE, status=None, lane="thread"))
    assert text.startswith("GET /?q=<b> ran in a worker thread and got no response in 120 ms.")


def test_the_page() -> None:
    """Every step, strand, variable and finding is on the page, with its parts of the timeline."""
    page = build_trace_html(TRACE)
    for number in range(1, 7):
        assert f'id="s{number}"' in page
    assert page.count('class="part running"') == len(TRACE.strands)
    assert re.search(r'class="part paused" href="#s3"[^>]*left: 4\.167%; width: 83\.333%', page)
    assert 'class="part held" href="#s4"' in page
    assert '<a href="#s4">Step 4</a>: <code>time.sleep(1)</code> held the loop.' in page
    assert "n = 2 (was 1)" in page


def test_the_page_is_safe_and_alone() -> None:
    """What the app has named is text, and nothing is loaded from anywhere."""
    page = build_trace_html(TRACE)
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)


def test_a_trace_of_nothing() -> None:
    """A request that never came to the app is a page and a text all the same."""
    empty = replace(TRACE, status=None, steps=(), strands=(), findings=(), duration_ms=0.0)
    assert "got no response" in build_trace_html(empty)
    assert "got no response" in write(empty)

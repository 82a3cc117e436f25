"""Tracing apps that are written for a test."""

import linecache
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import flask
import pytest

from flasync.toolkit.tracing.memory_client import Message
from flasync.toolkit.tracing.trace import Action, Step, Trace
from flasync.toolkit.tracing.tracing import Order, trace_request

HEAD = """\
import asyncio
import time
import flask
import flasync
app = flask.Flask("traced")
"""

Tracer = Callable[..., Trace]


def build_app(folder: Path, code: str) -> flask.Flask:
    """The app of some code that follows `HEAD`, in a file of its own."""
    file = folder / "shop.py"
    file.write_text(HEAD + dedent(code))
    linecache.clearcache()  # the file may have been another app's
    names: dict[str, Any] = {"__name__": "shop"}
    exec(compile(file.read_text(), str(file), "exec"), names)
    app: flask.Flask = names["app"]
    return app


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tracer:
    """Trace one request to the app of some code."""
    monkeypatch.chdir(tmp_path)  # where Flask looks for an app that is no module

    def run(code: str, target: str = "/", method: str = "GET", **order: Any) -> Trace:
        # A busy machine holds the loop as well.
        settings = {"max_hold_ms": 60_000.0, "timeout_s": 60.0, "root": tmp_path, **order}
        headers = settings.pop("headers", ())
        body = settings.pop("body", b"")
        message = Message(method, target, headers, body)
        return trace_request(build_app(tmp_path, code), Order(message, **settings))

    return run


def list_actions(trace: Trace, strand: int = 0) -> list[Action]:
    """What happens in a strand, in order."""
    return [step.action for step in trace.steps if step.strand == strand]


def find_step(trace: Trace, action: Action, number: int = 0) -> Step:
    """A step of a kind."""
    return [step for step in trace.steps if step.action is action][number]


def find_line(code: str, part: str) -> str:
    """The place of the line with some text."""
    lines = (HEAD + dedent(code)).splitlines()
    return f"shop.py:{next(n for n, line in enumerate(lines, 1) if part in line)}"

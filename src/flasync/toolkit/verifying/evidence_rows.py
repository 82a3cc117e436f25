"""The lines of the evidence file, one JSON object each, as the served process writes them.

    {"kind": "app", "pid": …, "worker_threads": 40,
     "routes": [{"method": "GET", "path": "/", "endpoint": "index", "lane": "loop"}, …]}
    {"kind": "request", "id": "…", "lane": "loop",
     "marks": [["loop", start, end, place, call, cpu_ms, limit], …]}

Times are milliseconds of `time.perf_counter`, one clock for all processes of a machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from flask import Flask
from werkzeug.routing import Rule

from flasync.lanes import find_course
from flasync.settings import read_settings
from flasync.toolkit.verifying.bystander import ENDPOINT
from flasync.toolkit.verifying.run import Mark

# Names the file, in the environment of the served process.
VARIABLE = "FLASYNC_EVIDENCE"

# The header of a request whose life is to be written; its value is the `id` of the line.
IDENTITY_HEADER = "X-Flasync-Request"


def build_app_row(app: Flask) -> str:
    """Return the line about an app: its process, its threads, its GET routes without arguments."""
    routes = [
        {
            "method": "GET",
            "path": rule.rule,
            "endpoint": rule.endpoint,
            "lane": find_course(app.view_functions[rule.endpoint], "GET").lane.value,
        }
        for rule in app.url_map.iter_rules()
        if _is_plain(rule) and rule.endpoint in app.view_functions
    ]
    threads = read_settings(app.config).worker_threads
    return _dump({"kind": "app", "pid": os.getpid(), "worker_threads": threads, "routes": routes})


def build_request_row(identity: str, lane: str, marks: Iterable[Mark]) -> str:
    """Return the line about a request that is over."""
    rows = [
        [
            mark.phase.value,
            round(mark.start_ms, 3),
            round(mark.end_ms, 3),
            mark.place,
            mark.call,
            round(mark.cpu_ms, 3),
            mark.limit,
        ]
        for mark in marks
    ]
    return _dump({"kind": "request", "id": identity, "lane": lane, "marks": rows})


def _is_plain(rule: Rule) -> bool:
    """Whether a rule can be asked for as it stands, and is one of the app's own views."""
    is_static = rule.endpoint.rpartition(".")[2] == "static"
    is_asked = "GET" in (rule.methods or ()) and not rule.build_only and not rule.websocket
    return is_asked and not rule.arguments and not is_static and rule.endpoint != ENDPOINT


def _dump(row: dict[str, object]) -> str:
    return json.dumps(row, separators=(",", ":")) + "\n"

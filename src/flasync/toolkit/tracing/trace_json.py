"""A trace as JSON, and back."""

from __future__ import annotations

import json
from typing import Any

from flasync.toolkit.finding import to_json
from flasync.toolkit.tracing.trace import (
    Action,
    Kind,
    Step,
    Strand,
    Trace,
    TraceFinding,
    Variable,
)

# Raised when a key changes its meaning or goes away; new keys do not count.
VERSION = 1


def build_trace_json(trace: Trace) -> str:
    """Return an object with a `version` and the attributes of `Trace`."""
    return json.dumps({"version": VERSION, **to_json(trace)}, indent=2)


def parse_trace_json(text: str) -> Trace:
    """Return the trace that `build_trace_json` has written."""
    data: dict[str, Any] = json.loads(text)
    del data["version"]
    return Trace(
        **{
            **data,
            "strands": tuple(Strand(**item) for item in data["strands"]),
            "steps": tuple(map(_parse_step, data["steps"])),
            "findings": tuple(
                TraceFinding(**{**item, "kind": Kind(item["kind"])}) for item in data["findings"]
            ),
        }
    )


def _parse_step(data: dict[str, Any]) -> Step:
    variables = tuple(Variable(**item) for item in data["variables"])
    return Step(**{**data, "action": Action(data["action"]), "variables": variables})

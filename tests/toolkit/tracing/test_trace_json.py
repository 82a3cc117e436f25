"""A trace as JSON."""

import json

from flasync.toolkit.tracing.trace_json import build_trace_json, parse_trace_json
from toolkit.tracing.conftest import Tracer


def test_there_and_back(trace: Tracer) -> None:
    """What is read is what was written, with steps, variables, strands and findings."""
    seen = trace(
        """
        async def part():
            await asyncio.sleep(0)

        @app.route("/")
        async def home():
            n = 1
            part()
            await asyncio.gather(part(), part())
            return "x"
        """
    )
    text = build_trace_json(seen)
    assert parse_trace_json(text) == seen
    assert seen.findings
    assert any(step.variables for step in seen.steps)
    data = json.loads(text)
    assert data["version"] == 1
    assert data["steps"][0]["action"] == "received"

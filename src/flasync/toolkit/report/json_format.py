"""The report as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flasync.toolkit.finding import RouteReport, ScanReport, to_json
from flasync.toolkit.report.outline import identify_place

# Raised when a key changes its meaning or goes away; new keys do not count.
VERSION = 1


def build_json(report: ScanReport) -> str:
    """Return the report as an object with a `version` and the attributes of `ScanReport`.

    The `finding` of a hit is the index of that finding in `findings`, as many routes reach it.
    """
    data = to_json(replace(report, routes=()))
    indexes = {identify_place(finding): index for index, finding in enumerate(report.findings)}
    data["routes"] = [_build_route(route, indexes) for route in report.routes]
    # In one line: indentation takes a slower encoder, and half of the output.
    return json.dumps({"version": VERSION, **data})


def _build_route(route: RouteReport, indexes: Mapping[tuple[object, ...], int]) -> Any:
    data = to_json(replace(route, hits=()))
    data["hits"] = [
        {
            "finding": indexes[identify_place(hit.finding)],
            "chain": to_json(hit.chain),
            "entry": hit.entry,
        }
        for hit in route.hits
    ]
    return data

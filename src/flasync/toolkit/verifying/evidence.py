"""Reading the evidence that a served process writes; see `evidence_rows`."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasync.toolkit.verifying.run import Mark, Phase

# Seconds between two looks at the file.
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class AppRoute:
    """A GET route without arguments."""

    method: str
    path: str
    endpoint: str
    lane: str
    """Either "loop" or "thread"."""


@dataclass(frozen=True, slots=True)
class AppEvidence:
    """What a process serves."""

    pid: int
    worker_threads: int
    routes: tuple[AppRoute, ...]


@dataclass(frozen=True, slots=True)
class RequestEvidence:
    """What a request was at; times are milliseconds of `time.perf_counter`."""

    lane: str
    marks: tuple[Mark, ...]


class Evidence:
    """What is in an evidence file so far.

    Args:
        path: The file; it need not be there yet.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._offset = 0
        self._apps: list[AppEvidence] = []
        self._requests: dict[str, RequestEvidence] = {}

    def read_app(self, deadline: float) -> AppEvidence | None:
        """Return what is served, as the first process tells it, as soon as it does.

        Args:
            deadline: On the clock of `time.monotonic`; None is returned then.
        """
        while True:
            self._read()
            if self._apps:
                return self._apps[0]
            if time.monotonic() > deadline:
                return None
            time.sleep(_POLL_S)

    def collect(self, identities: Collection[str], timeout_s: float) -> dict[str, RequestEvidence]:
        """Return the requests by their identities, as soon as all are there, and forget them.

        Those that are not there in time are left out.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self._read()
            if all(identity in self._requests for identity in identities):
                break
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_S)
        return {
            identity: self._requests.pop(identity)
            for identity in identities
            if identity in self._requests
        }

    def _read(self) -> None:
        """Take in the lines that are complete and new."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        lines, _, _ = text.rpartition(b"\n")
        self._offset += len(lines) + 1 if lines else 0
        for line in lines.splitlines():
            self._take(json.loads(line))

    def _take(self, row: dict[str, Any]) -> None:
        if row["kind"] == "app":
            routes = tuple(AppRoute(**route) for route in row["routes"])
            self._apps.append(AppEvidence(row["pid"], row["worker_threads"], routes))
        else:
            marks = tuple(Mark(Phase(phase), *rest) for phase, *rest in row["marks"])
            self._requests[row["id"]] = RequestEvidence(row["lane"], marks)

"""Which of the lines of interest a request has come to."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flasync.toolkit.observing.recording.in_flight import Record

# Tools of `sys.monitoring` that no kind of tool has a claim on.
_TOOLS = (4, 3)


class Reach:
    """Takes note of the lines that run in requests.

    Python 3.12 tells of single lines of single functions, at no cost for the rest. Python 3.11
    has only the trace function, which is called for every function: with it, the requests of
    examples/bookshop took 2.5 times as much CPU time, so there it is left unknown.

    Args:
        lines: The lines to look for, by the absolute and resolved name of their file.
        current: Set while a request runs.
    """

    def __init__(
        self, lines: Mapping[str, Sequence[int]], current: ContextVar[Record | None]
    ) -> None:
        self._wanted = {file: frozenset(numbers) for file, numbers in lines.items()}
        self._current = current
        self._files: dict[str, str | None] = {}
        self._lines: dict[CodeType, frozenset[int]] = {}
        self._reached: dict[str, set[int]] = {file: set() for file in lines}
        self._monitoring: Any = getattr(sys, "monitoring", None)
        self._tool: int | None = None

    def start(self) -> None:
        """Begin, once for the process; functions that run already are not seen."""
        monitoring = self._monitoring
        if monitoring is None:
            return
        self._tool = next((tool for tool in _TOOLS if monitoring.get_tool(tool) is None), None)
        if self._tool is not None:
            monitoring.use_tool_id(self._tool, "flasync")
            monitoring.register_callback(self._tool, monitoring.events.PY_START, self._on_start)
            monitoring.register_callback(self._tool, monitoring.events.LINE, self._on_line)
            monitoring.set_events(self._tool, monitoring.events.PY_START)

    def list_reached(self) -> dict[str, list[int]] | None:
        """Return the lines that requests came to, by file; None: that is not known."""
        if self._tool is None:
            return None
        return {file: sorted(lines) for file, lines in self._reached.items()}

    def _on_start(self, code: CodeType, _: int) -> Any:
        if self._find_lines(code):
            events = self._monitoring.events.LINE
            self._monitoring.set_local_events(self._tool, code, events)
        return self._monitoring.DISABLE

    def _on_line(self, code: CodeType, line: int) -> Any:
        if line in self._find_lines(code):
            if self._current.get() is None:
                return None  # a later run may be in a request
            self._note(code, line)
        return self._monitoring.DISABLE

    def _note(self, code: CodeType, line: int) -> None:
        file = self._files[code.co_filename]
        if file is not None:
            self._reached[file].add(line)

    def _find_lines(self, code: CodeType) -> frozenset[int]:
        """Return the lines of interest in a function."""
        lines = self._lines.get(code)
        if lines is None:
            file = self._find_file(code.co_filename)
            wanted = self._wanted[file] if file is not None else frozenset()
            lines = wanted & {line for _, _, line in code.co_lines() if line is not None}
            self._lines[code] = lines
        return lines

    def _find_file(self, name: str) -> str | None:
        if name not in self._files:
            real = os.path.realpath(name)
            self._files[name] = real if real in self._wanted else None
        return self._files[name]

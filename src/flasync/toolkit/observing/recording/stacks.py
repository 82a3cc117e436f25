"""Reading the frames of a thread: which request it is in, and by which of the project's calls."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable
from itertools import islice
from pathlib import PurePath
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from flasync.toolkit.observing.recording.in_flight import Visit

# A place in code: the identity of the code object, which is kept alive, and the instruction. Code
# objects themselves are slow as keys: they are compared by all they contain.
Point = tuple[int, int]

_HERE = os.path.join(os.path.dirname(__file__), "")
# Frames of the project that are kept of a chain, the innermost ones.
_MOST_FRAMES = 32


class Key(NamedTuple):
    """Where in a request a thread is.

    Attributes:
        chain: The project's own frames, outermost first; may be empty.
        called: The frame that the last of them called, if it is a library's.
        innermost: The innermost frame of all.
    """

    chain: tuple[Point, ...]
    called: Point | None
    innermost: Point


class Stacks:
    """Reads stacks and describes them.

    Args:
        root: The project's folder, absolute and resolved.
        packages: Folders elsewhere that are the project's as well.
    """

    def __init__(self, root: str, packages: Iterable[str]) -> None:
        self._own = tuple(f"{folder.rstrip('/')}/" for folder in (root, *packages))
        self._libraries = tuple(
            f"{path}/"
            for name in ("stdlib", "platstdlib", "purelib", "platlib")
            if (path := sysconfig.get_path(name)) not in {root, *packages}
        )
        self._anchors: frozenset[int] = frozenset()
        self._codes: dict[int, CodeType] = {}
        self._are_own: dict[int, bool] = {}
        self._recorder: set[int] = set()  # functions of ours, called while lines are noted
        self._modules: dict[int, str] = {}
        self._templates: dict[int, Any] = {}

    def set_anchors(self, codes: Iterable[CodeType]) -> None:
        """Take note of the functions whose frames have a `visit`."""
        self._anchors = frozenset(map(id, codes))

    def read(self, frame: FrameType | None) -> tuple[Visit, Key] | None:
        """Return which visit a thread is in, and where; None: no request's."""
        chain: list[Point] = []
        called: Point | None = None
        before: Point | None = None
        innermost: Point | None = None
        while frame is not None:
            code = frame.f_code
            number = id(code)
            if number in self._anchors:
                visit = frame.f_locals.get("visit")
                if visit is None or innermost is None:
                    return None
                return visit, Key(tuple(reversed(chain[:_MOST_FRAMES])), called, innermost)
            point = number, frame.f_lasti
            is_own = self._are_own.get(number)
            if is_own is None:
                is_own = self._learn(frame)
            frame = frame.f_back
            if number in self._recorder:
                continue
            if is_own:
                if not chain:
                    called = before
                chain.append(point)
            before = point
            if innermost is None:
                innermost = point
        return None

    def describe(self, point: Point) -> dict[str, Any]:
        """Return a point as the output has it."""
        number, instruction = point
        code = self._codes[number]
        positions = next(islice(code.co_positions(), instruction // 2, None), (None,) * 4)
        line, end_line, column, end_column = positions
        template = self._templates.get(number)
        if template is not None and line is not None:
            line = end_line = template.get_corresponding_lineno(line)
            column = end_column = None
        return {
            "file": _resolve(code.co_filename),
            "function": code.co_qualname,
            "module": self._modules[number],
            "line": line or code.co_firstlineno,
            "end_line": end_line or line or code.co_firstlineno,
            "column": column,
            "end_column": end_column,
        }

    def _learn(self, frame: FrameType) -> bool:
        code = frame.f_code
        number = id(code)
        self._codes[number] = code
        self._modules[number] = str(frame.f_globals.get("__name__", ""))
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            self._templates[number] = template
        if code.co_filename.startswith(_HERE):
            self._recorder.add(number)
        self._are_own[number] = is_own = self._is_own(code.co_filename)
        return is_own

    def _is_own(self, filename: str) -> bool:
        filename = _resolve(filename)
        if not filename.startswith(self._own) or filename.startswith(self._libraries):
            return False
        folder = next(folder for folder in self._own if filename.startswith(folder))
        parts = PurePath(filename[len(folder) :]).parts
        return not any(part == "site-packages" or part[0] == "." for part in parts)


def _resolve(filename: str) -> str:
    """Return the real name of a file; "<string>" and its like are no files."""
    return filename if filename.startswith("<") else os.path.realpath(filename)

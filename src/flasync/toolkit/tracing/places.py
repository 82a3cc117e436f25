"""Where code stands: the project's own frames, their lines, and the expression under way."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path, PurePath
from types import CodeType, FrameType
from typing import Any

import flasync
from flasync import run_sync

_FLASYNC = os.path.join(os.path.realpath(os.path.dirname(flasync.__file__)), "")
_TRACING = os.path.join(os.path.realpath(os.path.dirname(__file__)), "")
_LIBRARIES = tuple(
    os.path.join(os.path.realpath(path), "")
    for path in {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    if path
)
# Characters of an expression, which may go over many lines.
_LONGEST = 90


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in code, as a step shows it.

    Attributes:
        place: As "shop/api.py:41".
        source: The line, without its indentation.
        expression: What is under way there, such as "await asyncio.sleep(1)".
        function: The qualified name of the function.
    """

    place: str
    source: str
    expression: str
    function: str


class Places:
    """Tells the project's own code from that of others.

    Args:
        root: The project's folder, to which the names of files are relative.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.path.join(os.path.realpath(root), "")
        self._are_own: dict[str, bool] = {}

    def is_own(self, filename: str) -> bool:
        """Whether a file is the project's."""
        known = self._are_own.get(filename)
        if known is None:
            known = self._are_own[filename] = self._find_out(filename)
        return known

    def _find_out(self, filename: str) -> bool:
        if filename.startswith("<"):
            return False
        path = _resolve(filename)
        if not path.startswith(self._root) or path.startswith((_FLASYNC, *_LIBRARIES)):
            return False
        parts = PurePath(path[len(self._root) :]).parts
        return not any(part == "site-packages" or part[0] == "." for part in parts)

    def name(self, filename: str, line: int) -> str:
        """Return a place as people read it: relative to the project, or below site-packages."""
        path = _resolve(filename)
        if path.startswith(self._root):
            path = path[len(self._root) :]
        for folder in _LIBRARIES:
            path = path.removeprefix(folder)
        return f"{PurePath(path.rpartition('/site-packages/')[2]).as_posix()}:{line}"

    def locate(self, frame: FrameType, instruction: int | None = None) -> Spot:
        """Return where a frame is.

        Args:
            frame: The frame; it may have ended.
            instruction: The instruction, where the frame has left it (in a traceback).
        """
        code = frame.f_code
        position = _find_position(code, frame.f_lasti if instruction is None else instruction)
        line = position[0] or frame.f_lineno or code.co_firstlineno
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            line = template.get_corresponding_lineno(line)
        source = linecache.getline(code.co_filename, line).strip()
        expression = source if template is not None else _cut(code.co_filename, position)
        place = self.name(code.co_filename, line)
        return Spot(place, source, shorten_code(expression or source), code.co_qualname)

    def locate_function(self, function: Any) -> str:
        """Return where a function is defined; "" for what is no Python function."""
        code = getattr(inspect.unwrap(function), "__code__", None)
        return self.locate_definition(code) if isinstance(code, CodeType) else ""

    def locate_definition(self, code: CodeType) -> str:
        """Return the place of a function's `def`, below its decorators."""
        line = code.co_firstlineno
        for number, text in enumerate(linecache.getlines(code.co_filename)[line - 1 :], line):
            if text.lstrip().startswith(("def ", "async def ")):
                return self.name(code.co_filename, number)
            if not text.lstrip().startswith(("@", "#", ")", " ")) and number > line:
                break
        return self.name(code.co_filename, line)

    def choose(self, frames: Iterable[FrameType]) -> tuple[list[FrameType], list[FrameType]]:
        """Split the frames of something that waits, innermost first.

        Returns:
            The project's own, innermost first, and those that the innermost of these has called,
            outermost first. A hook of an extension counts as own when nothing else does.
        """
        known: list[FrameType] = []
        for frame in frames:
            filename = _resolve(frame.f_code.co_filename)
            if filename.startswith(_TRACING) and known:
                break  # a registered function begins here
            if not filename.startswith(_FLASYNC) or frame.f_code is run_sync.__code__:
                known.append(frame)
        own = [frame for frame in known if self.is_own(frame.f_code.co_filename)]
        if not own:
            own = [frame for frame in known if not _is_plumbing(frame)][-1:]
        inside = known[: known.index(own[0])] if own else []
        return own, inside[::-1]


@cache
def _resolve(filename: str) -> str:
    """Return the real name of a file; to find it out takes a look at every folder above."""
    return filename if filename.startswith("<") else os.path.realpath(filename)


def _is_plumbing(frame: FrameType) -> bool:
    """Whether a frame is of Python or Flask, which hooks and views are called by."""
    name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    filename = _resolve(frame.f_code.co_filename)
    return name in {"asyncio", "flasync", "flask", "werkzeug", "jinja2"} or (
        filename.startswith(_LIBRARIES) and "/site-packages/" not in filename
    )


def name_call(frame: FrameType) -> str:
    """Return what is called by a frame's function, as it is written: "asyncio.sleep"."""
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return f"{package}.{frame.f_code.co_qualname.replace('.<locals>', '')}"


def shorten_code(text: str) -> str:
    """Return code in one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def find_call(filename: str, line: int, name: str) -> str:
    """Return the call of a function in a line of a file, as it is written; "" if there is none."""
    text = "".join(linecache.getlines(filename))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.lineno == line]
    last = name.rpartition(".")[2]
    fitting = [node for node in calls if ast.unparse(node.func).rpartition(".")[2] == last]
    node = next(iter(fitting or calls), None)
    return shorten_code(ast.get_source_segment(text, node) or "") if node is not None else ""


_Position = tuple[int | None, int | None, int | None, int | None]


def _find_position(code: CodeType, instruction: int) -> _Position:
    """Return first and last line, first and last column, of an instruction's expression."""
    positions: Callable[[], Iterable[_Position]] = code.co_positions
    return next(islice(positions(), max(instruction, 0) // 2, None), (None,) * 4)


def _cut(filename: str, position: Sequence[int | None]) -> str:
    """Return the text of a position; columns count bytes of UTF-8."""
    first, last, start, end = position
    if first is None or last is None or start is None or end is None:
        return ""
    if linecache.getline(filename, first).lstrip().startswith(("async with ", "async for ")):
        return linecache.getline(filename, first).strip()  # its body is part of the expression
    lines = [linecache.getline(filename, number).encode() for number in range(first, last + 1)]
    if not all(lines):
        return ""
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return b"".join(lines).decode(errors="replace")

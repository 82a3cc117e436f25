"""The project's own source files: which they are, their trees, and the functions in them."""

from __future__ import annotations

import ast
import io
import os
import re
import sysconfig
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import CodeType

from flasync.toolkit.finding import Place
from flasync.toolkit.suppression import matches_glob
from flasync.toolkit.syntax import walk_nodes, walk_statements

FunctionTree = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# What ends a line for Python. `str.splitlines` knows more, such as a form feed, and after one of
# those its lines are not those of the syntax tree.
_LINE_END = re.compile(r"\r\n|\r|\n")
# Folders below a project that hold no code of its own.
_SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv"}
)
_LIBRARY_FOLDERS = tuple(
    os.path.join(os.path.realpath(path), "")
    for path in {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    if path
)


@dataclass(slots=True)
class Problem:
    """Why a file could not be read."""

    place: Place
    message: str


class SourceFile:
    """One file of the project and its syntax tree.

    Args:
        path: Where it is.
        name: How reports call it: relative to the root, with forward slashes.
        text: Its contents.

    Attributes:
        spots: Where calls stand and how they are written, by the `id` of their nodes; filled by
            whoever walks through the file.

    Raises:
        SyntaxError: It is no Python, or too deeply nested for the compiler.
    """

    def __init__(self, path: Path, name: str, text: str) -> None:
        self.path = path
        self.name = name
        self.text = text
        self.spots: dict[int, tuple[Place, str]] = {}
        try:
            self.tree = ast.parse(text, filename=str(path))
        except (RecursionError, MemoryError) as error:
            raise SyntaxError(f"too deeply nested to be read ({type(error).__name__})") from error
        except ValueError as error:  # null bytes, before Python 3.12
            raise SyntaxError(str(error)) from error

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends."""
        text = self.text
        lines = _LINE_END.split(text) if "\r" in text else text.split("\n")
        return lines if lines[-1] else lines[:-1]

    @cached_property
    def functions(self) -> dict[int, list[ast.FunctionDef | ast.AsyncFunctionDef]]:
        """The functions that begin at each line; a decorator is part of its function."""
        found: dict[int, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        for node in walk_statements(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.decorator_list[0] if node.decorator_list else node
                found.setdefault(first.lineno, []).append(node)
        return found

    @cached_property
    def lambdas(self) -> dict[int, list[ast.Lambda]]:
        """The lambdas that begin at each line."""
        found: dict[int, list[ast.Lambda]] = {}
        for node in walk_nodes(self.tree):
            if isinstance(node, ast.Lambda):
                found.setdefault(node.lineno, []).append(node)
        return found

    def find_function(self, code: CodeType) -> FunctionTree | None:
        """Return the tree of the function that a code object was compiled from, if it is here."""
        line = code.co_firstlineno
        if code.co_name == "<lambda>":
            return _choose_lambda(self.lambdas.get(line, []), code)
        named = (node for node in self.functions.get(line, []) if node.name == code.co_name)
        return next(named, None)

    def locate(self, node: ast.AST) -> Place:
        """Return the place of a node."""
        line = getattr(node, "lineno", 1)
        # `col_offset` counts bytes of UTF-8.
        offset = getattr(node, "col_offset", 0)
        if offset and line <= len(self.lines) and not self.lines[line - 1].isascii():
            offset = len(self.lines[line - 1].encode()[:offset].decode(errors="replace"))
        return Place(self.name, line, offset + 1)


def _choose_lambda(lambdas: list[ast.Lambda], code: CodeType) -> ast.Lambda | None:
    """Of the lambdas that begin at one line, return the one that the code's positions lie in."""
    if len(lambdas) <= 1:
        return lambdas[0] if lambdas else None
    positions = [position for position in code.co_positions() if position[2] is not None]
    for line, _, column, _ in reversed(positions):
        for node in lambdas:
            start = (node.body.lineno, node.body.col_offset)
            end = (node.body.end_lineno or 0, node.body.end_col_offset or 0)
            if start <= (line or 0, column or 0) < end:
                return node
    return None


@dataclass
class Sources:
    """The files of one project, each read once.

    Attributes:
        root: The project's folder.
        packages: Folders elsewhere that are the project's code too: the app's own package, when
            it is installed and not in `root`.
        exclude: Globs of files that are not read.
        problems: Files that could not be read.
    """

    root: Path
    packages: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    _files: dict[str, SourceFile | None] = field(default_factory=dict)
    _own: dict[str, bool] = field(default_factory=dict)

    def is_own(self, filename: str) -> bool:
        """Return whether a file, as a code object names it, is the project's own code."""
        known = self._own.get(filename)
        if known is None:
            known = self._own[filename] = self._check_own(filename)
        return known

    def get(self, filename: str | Path) -> SourceFile | None:
        """Return a file of the project, or None when it is not its own or cannot be read."""
        key = str(filename)
        if key not in self._files:
            self._files[key] = self._read(Path(key)) if self.is_own(key) else None
        return self._files[key]

    def list_files(self) -> list[SourceFile]:
        """Return every Python file of the project that can be read, in the order of their names."""
        paths = [path for folder in (self.root, *self.packages) for path in _walk(folder)]
        files = (self.get(path) for path in dict.fromkeys(paths))
        return sorted((file for file in files if file is not None), key=lambda file: file.name)

    def find_module(self, name: str) -> Path | None:
        """Return the file of a module of the project by its dotted name, imported or not."""
        for folder in (self.root, self.root / "src", *(path.parent for path in self.packages)):
            base = folder.joinpath(*name.split("."))
            for path in (base.with_suffix(".py"), base / "__init__.py"):
                if path.is_file():
                    return path
        return None

    def name_module(self, path: Path) -> str:
        """Return the dotted name by which the project imports a file of its own."""
        bases = (self.root / "src", self.root, *(folder.parent for folder in self.packages))
        base = next(folder for folder in bases if path.is_relative_to(folder))
        parts = path.relative_to(base).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)

    def read_line(self, place: Place) -> str:
        """Return the source line of a place; "" when it is in none of the files that were read."""
        file = self._files.get(str(self.root / place.file)) or self._files.get(place.file)
        if file is None or place.line > len(file.lines):
            return ""
        return file.lines[place.line - 1]

    def count_files(self) -> int:
        """Return how many files were read."""
        return sum(file is not None for file in self._files.values())

    def count_lines(self) -> int:
        """Return how many lines they have."""
        return sum(len(file.lines) for file in self._files.values() if file is not None)

    def name(self, path: Path) -> str:
        """Return how reports call a file."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()

    def _check_own(self, filename: str) -> bool:
        if filename.startswith("<") or "\0" in filename:
            return False
        real = os.path.realpath(filename)
        if any(Path(real).is_relative_to(folder) for folder in self.packages):
            return True
        if not real.startswith(os.path.join(str(self.root), "")):
            return False
        if real.startswith(_LIBRARY_FOLDERS):
            return False
        relative = Path(real).relative_to(self.root)
        if any(matches_glob(relative.as_posix(), pattern) for pattern in self.exclude):
            return False
        return not any(part in _SKIPPED_FOLDERS or part[0] == "." for part in relative.parts[:-1])

    def _read(self, path: Path) -> SourceFile | None:
        name = self.name(Path(os.path.realpath(path)))
        try:
            data = path.read_bytes()
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            return SourceFile(path, name, data.decode(encoding))
        except SyntaxError as error:
            self._note(name, error.lineno, f"not valid Python: {error.msg}")
        except (UnicodeError, LookupError) as error:
            self._note(name, 1, f"not readable as text: {error}")
        except OSError as error:
            self._note(name, 1, f"not readable: {error.strerror or error}")
        return None

    def _note(self, name: str, line: int | None, message: str) -> None:
        self.problems.append(Problem(Place(name, line or 1), message))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the Python files below a folder, or the file itself."""
    if folder.is_file():
        yield folder
        return
    for current, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED_FOLDERS
            and name[0] != "."
            and not os.path.exists(os.path.join(current, name, "pyvenv.cfg"))
        )
        yield from (Path(current, name) for name in sorted(files) if name.endswith(".py"))

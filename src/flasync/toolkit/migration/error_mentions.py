"""Where a file names the errors of a library, and what its code mentions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import libcst as cst

from flasync.toolkit.migration.function_words import INNOCENT_LIBRARIES
from flasync.toolkit.migration.parsed_file import ParsedFile

Attempt = cst.Try | cst.TryStar


@dataclass(frozen=True, slots=True, eq=False)
class ErrorClause:
    """An `except` clause that names errors of a library.

    Attributes:
        file: The file that it is in.
        attempt: The statement that it is part of.
        handler: The clause.
        errors: What it names: the expression and the name below the library.
    """

    file: ParsedFile
    attempt: Attempt
    handler: cst.ExceptHandler | cst.ExceptStarHandler
    errors: tuple[tuple[cst.BaseExpression, str], ...]


@dataclass(slots=True)
class FileMentions:
    """What one file says of one library.

    Attributes:
        clauses: The clauses that name its errors.
        strays: Other expressions that name its errors, or the library as a whole.
        raised: Expressions in `raise` that name its errors.
        callers: The names of the functions with calls of the library.
    """

    clauses: list[ErrorClause] = field(default_factory=list)
    strays: list[cst.CSTNode] = field(default_factory=list)
    raised: list[cst.CSTNode] = field(default_factory=list)
    callers: set[str] = field(default_factory=set)


_known: WeakKeyDictionary[ParsedFile, dict[str, FileMentions]] = WeakKeyDictionary()


def read_mentions(file: ParsedFile, library: str, errors: Collection[str]) -> FileMentions:
    """Return what a file says of a library; it is read once.

    Args:
        file: The file.
        library: The import name of the library.
        errors: The names of its error classes.
    """
    known = _known.setdefault(file, {})
    if library not in known:
        finder = _Finder(file, library, errors)
        file.module.visit(finder)
        known[library] = finder.mentions
    return known[library]


def name_dotted(file: ParsedFile, node: cst.CSTNode) -> frozenset[str]:
    """Return what a dotted name may mean by a file's imports; nothing for what is no such name."""
    below = node
    while isinstance(below, cst.Attribute):
        below = below.value
    return file.name_qualified(node) if isinstance(below, cst.Name) else frozenset()


class _Finder(cst.CSTVisitor):
    """Gathers the mentions of a file."""

    def __init__(self, file: ParsedFile, library: str, errors: Collection[str]) -> None:
        self.mentions = FileMentions()
        self._file = file
        self._library = library
        self._errors = errors
        self._clauses: dict[cst.CSTNode, list[tuple[cst.BaseExpression, str]]] = {}

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        module = cst.Module([]).code_for_node(node.module) if node.module is not None else ""
        if isinstance(node.names, cst.ImportStar) and module.split(".")[0] == self._library:
            self.mentions.strays.append(node)
        return False

    def visit_Annotation(self, node: cst.Annotation) -> bool:
        return False

    def visit_Call(self, node: cst.Call) -> None:
        name = self._name(node.func)
        if name is not None and name.rpartition(".")[2] not in self._errors:
            above = self._file.get_parent(node)
            while above is not None:
                if isinstance(above, cst.FunctionDef | cst.ClassDef):
                    self.mentions.callers.add(above.name.value)
                above = self._file.get_parent(above)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        if self._take(node):
            node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self._take(node)

    def leave_Module(self, original_node: cst.Module) -> None:
        for handler, errors in self._clauses.items():
            assert isinstance(handler, cst.ExceptHandler | cst.ExceptStarHandler)  # noqa: S101
            attempt = self._file.get_parent(handler)
            assert isinstance(attempt, Attempt)  # noqa: S101
            self.mentions.clauses.append(ErrorClause(self._file, attempt, handler, tuple(errors)))

    def _name(self, node: cst.CSTNode) -> str | None:
        """Return what an expression names, if it is the library or something in it."""
        for name in name_dotted(self._file, node):
            if name.split(".")[0] == self._library:
                return name
        return None

    def _take(self, node: cst.Attribute | cst.Name) -> bool:
        """Sort a mention of the library's errors; return whether to look below it."""
        name = self._name(node)
        if name is None:
            return True
        last = name.rpartition(".")[2]
        if last in self._errors:
            self._sort(node, last)
        elif name in (self._library, f"{self._library}.exceptions"):
            self.mentions.strays.append(node)
        return False

    def _sort(self, node: cst.BaseExpression, name: str) -> None:
        parent = self._file.get_parent(node)
        if isinstance(parent, cst.Element):
            parent = self._file.get_parent(parent)
            if isinstance(parent, cst.Tuple):
                parent = self._file.get_parent(parent)
        if isinstance(parent, cst.ExceptHandler | cst.ExceptStarHandler):
            self._clauses.setdefault(parent, []).append((node, name))
            return
        above: cst.CSTNode | None = node
        while above is not None and not isinstance(above, cst.BaseStatement | cst.Raise):
            above = self._file.get_parent(above)
        if isinstance(above, cst.Raise):
            self.mentions.raised.append(node)
        else:
            self.mentions.strays.append(node)


class _WordFinder(cst.CSTVisitor):
    """Finds the names that code mentions, but for those of libraries."""

    def __init__(self, file: ParsedFile, library: str) -> None:
        self._file = file
        self._libraries = INNOCENT_LIBRARIES | {library}
        self.found: set[str] = set()

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        names = name_dotted(self._file, node)
        return all(name.partition(".")[0] not in self._libraries for name in names)

    def visit_Name(self, node: cst.Name) -> None:
        self.found.add(node.value)


def list_words(file: ParsedFile, node: cst.CSTNode, library: str) -> set[str]:
    """Return the names that code mentions, but for those of a library and of innocent ones."""
    finder = _WordFinder(file, library)
    node.visit(finder)
    return finder.found

"""Which names the functions of a project mention: enough to tell what cannot lead to what."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from weakref import WeakKeyDictionary

from flasync.toolkit.migration.parsed_file import ParsedFile

INNOCENT_LIBRARIES = sys.stdlib_module_names | {"flask", "werkzeug"}
"""Packages that call nothing of a project, and raise no error of an HTTP library."""

# Calls that give a function which calls their argument.
_WRAPPERS = frozenset({"partial", "partialmethod", "staticmethod", "classmethod", "wraps"})


class FunctionWords:
    """The functions and classes of a project by all their names, and what their bodies mention.

    What a function is assigned to, or imported as, is another name of it.

    Args:
        files: The files of the project, each read once however often it is asked for.
    """

    def __init__(self, files: Iterable[ParsedFile]) -> None:
        self._files = files

    def find_reached(self, words: Collection[str]) -> set[str]:
        """Return the names of what code with some words may lead to."""
        reached = self._words.keys() & words
        queue = list(reached)
        while queue:
            new = (self._words[queue.pop()] & self._words.keys()) - reached
            reached |= new
            queue += new
        return reached

    @cached_property
    def _words(self) -> dict[str, set[str]]:
        merged: dict[str, set[str]] = {}
        for file in self._files:
            for name, words in _read_file(file).items():
                merged.setdefault(name, set()).update(words)
        return merged


_known: WeakKeyDictionary[ParsedFile, dict[str, set[str]]] = WeakKeyDictionary()


def _read_file(file: ParsedFile) -> dict[str, set[str]]:
    """Return what is mentioned, by the names of a file's functions, classes and aliases."""
    words = _known.get(file)
    if words is None:
        words = _known[file] = {}
        tree = ast.parse(file.text)
        innocent = set(_list_innocent(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                words.setdefault(node.name, set()).update(_list_words(node, innocent))
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.asname:
                        words.setdefault(alias.asname, set()).add(alias.name)
        for name, value in _list_bindings(tree):
            words.setdefault(name, set()).update(_list_words(value, innocent))
    return words


def _list_bindings(node: ast.AST, *, is_local: bool = False) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that functions may be assigned to, each with what is assigned.

    Within a function, what a call gives is taken to be a value.
    """
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Assign(targets=targets, value=value):
                yield from _name_targets(targets, value, is_local)
            case (
                ast.AnnAssign(target=target, value=ast.expr() as value)
                | ast.NamedExpr(target=target, value=value)
            ):
                yield from _name_targets([target], value, is_local)
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _list_bindings(child, is_local=is_local or is_function)


def _name_targets(
    targets: Iterable[ast.expr], value: ast.expr, is_local: bool
) -> Iterator[tuple[str, ast.expr]]:
    if is_local and any(map(_gives_value, ast.walk(value))):
        return
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                yield node.id, value
            elif isinstance(node, ast.Attribute):
                yield node.attr, value


def _gives_value(node: ast.AST) -> bool:
    """Return whether a node is a call, but for `partial(…)`, which gives a function."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    return name not in _WRAPPERS


def _list_innocent(tree: ast.Module) -> Iterator[str]:
    """Yield the names under which a file has imported packages that lead nowhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.partition(".")[0]
                if package in INNOCENT_LIBRARIES:
                    yield alias.asname or package


def _list_words(node: ast.AST, innocent: set[str]) -> Iterator[str]:
    """Yield the names that code mentions; `json.loads` is none where `json` is innocent."""
    queue = [node]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in innocent:
                continue
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        queue += ast.iter_child_nodes(node)

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


class FunctionWords:
    """The functions and classes of a project by their names, and what their bodies mention.

    Args:
        files: The files of the project, each read once however often it is asked for.
    """

    def __init__(self, files: Iterable[ParsedFile]) -> None:
        self._files = files

    def find_reached(self, words: Collection[str]) -> set[str]:
        """Return the functions and classes that code with some words may lead to."""
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
    """Return what is mentioned, by the names of a file's functions and classes."""
    words = _known.get(file)
    if words is None:
        words = _known[file] = {}
        tree = ast.parse(file.text)
        innocent = set(_list_innocent(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                words.setdefault(node.name, set()).update(_list_words(node, innocent))
    return words


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

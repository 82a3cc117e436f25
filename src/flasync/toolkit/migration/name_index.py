"""The nodes of a file by the names that they have, read once for each file."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import libcst as cst
from libcst import matchers as m

from flasync.toolkit.migration.parsed_file import ParsedFile


class NameIndex:
    """The nodes of one file by name.

    Attributes:
        names: Each name, whatever it is there.
        texts: Each string, by its value.
        functions: Each function, and whether it is a method; a class by its `__init__`.

    Args:
        file: The file.
    """

    def __init__(self, file: ParsedFile) -> None:
        self.names: dict[str, list[cst.CSTNode]] = defaultdict(list)
        self.texts: dict[str, list[cst.CSTNode]] = defaultdict(list)
        self.functions: dict[str, list[tuple[cst.FunctionDef, bool]]] = defaultdict(list)
        for node in m.findall(file.module, m.Name() | m.SimpleString() | m.FunctionDef()):
            match node:
                case cst.Name(value=name):
                    self.names[name].append(node)
                case cst.SimpleString():
                    self.texts[str(node.evaluated_value)].append(node)
                case cst.FunctionDef():
                    self._add_function(file, node)

    def _add_function(self, file: ParsedFile, node: cst.FunctionDef) -> None:
        above = find_owner(file, node)
        is_method = isinstance(above, cst.ClassDef)
        if isinstance(above, cst.ClassDef) and node.name.value == "__init__":
            self.functions[above.name.value].append((node, True))
        else:
            self.functions[node.name.value].append((node, is_method))


@cache  # as many as the project has files, and freed with the process
def index_names(file: ParsedFile) -> NameIndex:
    """Return the nodes of a file by name."""
    return NameIndex(file)


def find_owner(file: ParsedFile, function: cst.FunctionDef) -> cst.CSTNode | None:
    """Return what has a function in its body: a class, another function, the module."""
    body = file.get_parent(function)
    return file.get_parent(body) if body is not None else None


def is_method(file: ParsedFile, function: cst.FunctionDef) -> bool:
    """Return whether a function stands in the body of a class."""
    return isinstance(find_owner(file, function), cst.ClassDef)

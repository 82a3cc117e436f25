"""The imports of a file: how it writes a name, what it must add, what it needs no longer."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator

import libcst as cst

from flasync.toolkit.migration.import_block import add_imports
from flasync.toolkit.migration.import_statement import Import, build_dotted, read_imports
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.unused_imports import prune_imports

__all__ = ["Import", "add_imports", "choose_spelling", "list_passed_on", "prune_imports"]

Spelling = tuple[cst.BaseExpression, Import]


def choose_spelling(
    file: ParsedFile, node: cst.CSTNode, module: str, name: str | None
) -> Spelling | None:
    """Return how a file writes a name of a module at a node, and the import it needs for that.

    What the file has imported at module level is used as it is. Otherwise names of the standard
    library are written with their module, others alone.

    Args:
        file: The file.
        node: Where the name is to stand.
        module: The dotted name of the module.
        name: The name in it; None for the module itself.

    Returns:
        The expression and its import, which the file may have already; None when the name that
        would be bound means something else in the file.
    """
    for expression, known in _list_spellings(file, module, name):
        if _has_only(file, known) and file.means_global(node, known.bound):
            return (expression, known) if _comes_first(file, node, known) else None
    spelling = _build_spelling(module, name)
    return spelling if _is_free(file, node, spelling[1]) else None


def list_passed_on(file: ParsedFile) -> set[str]:
    """Return the names that an `__init__.py` may import for others.

    That is all but whole modules of the standard library.
    """
    return {
        item.bound
        for _, item in _list_imports(file)
        if item.name is not None or not _is_standard(item.module)
    }


def _list_spellings(file: ParsedFile, module: str, name: str | None) -> Iterator[Spelling]:
    """Yield how a name can be written by the imports that a file has, the shortest first."""
    known = [item for _, item in _list_imports(file)]
    if name is not None:
        for item in known:
            if (item.module, item.name) == (module, name):
                yield cst.Name(item.bound), item
    for expression, item in _list_module_spellings(known, module):
        yield expression if name is None else cst.Attribute(expression, cst.Name(name)), item


def _list_module_spellings(
    known: list[Import], module: str
) -> Iterator[tuple[cst.Name | cst.Attribute, Import]]:
    package, _, last = module.rpartition(".")
    for item in known:
        if item.name is not None:
            if (item.module, item.name) == (package, last):
                yield cst.Name(item.bound), item
        elif item.alias is not None:
            if item.module == module:
                yield cst.Name(item.alias), item
        elif item.module == module or item.module.startswith(f"{module}."):
            yield build_dotted(module), item


def _list_imports(file: ParsedFile) -> Iterator[tuple[cst.CSTNode, Import]]:
    """Yield the imports that bind a name of the module, in the order of the file."""
    for node in file.list_global_imports():
        for _, item in read_imports(node):
            yield node, item


def _has_only(file: ParsedFile, known: Import) -> bool:
    """Return whether whatever binds the name of an import at module level imports the same."""
    for node in file.list_globals(known.bound):
        if not isinstance(node, cst.Import | cst.ImportFrom):
            return False
        items = [item for _, item in read_imports(node) if item.bound == known.bound]
        if not all(_is_same(item, known) for item in items):
            return False
    return True


def _is_same(one: Import, other: Import) -> bool:
    if one.name is None and one.alias is None and other.name is None and other.alias is None:
        return one.bound == other.bound
    return (one.module, one.name) == (other.module, other.name)


def _comes_first(file: ParsedFile, node: cst.CSTNode, known: Import) -> bool:
    """Return whether an import is carried out before the code that a node stands in."""
    if file.find_enclosing(node) is not None:
        return True
    start = file.locate(node).start
    return any(
        item == known and file.locate(statement).start < start
        for statement, item in _list_imports(file)
    )


def _build_spelling(module: str, name: str | None) -> Spelling:
    """Return how a name is written in a file that has not imported it."""
    if name is None:
        return build_dotted(module), Import(module)
    if _is_standard(module) or hasattr(builtins, name):
        return cst.Attribute(build_dotted(module), cst.Name(name)), Import(module)
    return cst.Name(name), Import(module, name)


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _is_free(file: ParsedFile, node: cst.CSTNode, wanted: Import) -> bool:
    """Return whether an import takes no name that means something else."""
    if not _has_only(file, wanted):
        return False
    return file.means_global(node, wanted.bound)

"""The imports that a change has made superfluous."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

import libcst as cst
from libcst import matchers, metadata

from flasync.toolkit.migration.import_statement import (
    Import,
    ImportNode,
    read_imports,
    remove_names,
)
from flasync.toolkit.migration.removed_lines import close_gaps

_Node = TypeVar("_Node", cst.Import, cst.ImportFrom)


@dataclass(frozen=True, slots=True)
class _Binding:
    """An imported name.

    Attributes:
        function: The names of the functions and classes around the import; "" at module level.
        item: What is imported.
        alias: The node in the statement.
        is_used: Whether anything reads it.
    """

    function: str
    item: Import
    alias: cst.ImportAlias
    is_used: bool


def prune_imports(before: cst.Module, after: cst.Module, keep: Collection[str]) -> cst.Module:
    """Return a module without the imports that it used before a change and uses no longer.

    Imports stay that were unused before, that are named in `__all__` or imported under their own
    name (`import a as a`), that are guarded by `if` or `try`, and that have a `# noqa` comment.

    Args:
        before: The module before the change.
        after: The module after it.
        keep: Names that others use from this module.
    """
    used = {(binding.function, binding.item) for binding in _list(before) if binding.is_used}
    wrapper = metadata.MetadataWrapper(after)
    kept = {*keep, *_list_exported(wrapper.module)}
    unused = {
        binding.alias
        for binding in _list(wrapper.module, wrapper)
        if not binding.is_used
        and (binding.function, binding.item) in used
        and binding.item.bound not in kept
    }
    return wrapper.module.visit(_Pruning(unused)) if unused else after


def _list(module: cst.Module, wrapper: metadata.MetadataWrapper | None = None) -> list[_Binding]:
    visitor = _Reading()
    (wrapper or metadata.MetadataWrapper(module)).visit(visitor)
    return visitor.bindings


def _list_exported(module: cst.Module) -> set[str]:
    """Return the strings in whatever is assigned or added to `__all__`."""
    names = matchers.Name("__all__")
    lists = matchers.findall(
        module,
        matchers.Assign(
            targets=[
                matchers.ZeroOrMore(),
                matchers.AssignTarget(names),
                matchers.ZeroOrMore(),
            ]
        )
        | matchers.AugAssign(target=names)
        | matchers.AnnAssign(target=names)
        | matchers.Call(func=matchers.Attribute(value=names)),
    )
    return {
        str(string.evaluated_value)
        for node in lists
        for string in matchers.findall(node, matchers.SimpleString())
        if isinstance(string, cst.SimpleString)
    }


class _Reading(cst.CSTVisitor):
    """Collects the imported names that may be removed, in functions as well."""

    METADATA_DEPENDENCIES = (metadata.ScopeProvider, metadata.ParentNodeProvider)

    def __init__(self) -> None:
        super().__init__()
        self.bindings: list[_Binding] = []
        self._path: list[str] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._path.append(node.name.value)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self._path.pop()

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._path.append(node.name.value)

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
        self._path.pop()

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        if not self._is_guarded(node) and not _has_noqa(node):
            for statement in node.body:
                if isinstance(statement, cst.Import | cst.ImportFrom):
                    self._read(statement)

    def _read(self, node: ImportNode) -> None:
        for alias, item in read_imports(node):
            scope = self.get_metadata(metadata.ScopeProvider, node)
            if item.module == "__future__" or scope is None:
                continue
            if item.alias is not None and item.alias == (item.name or item.module):
                continue
            used = any(
                assignment.references
                for assignment in scope.assignments
                if isinstance(assignment, metadata.Assignment)
                and assignment.node is node
                and assignment.name.partition(".")[0] == item.bound
            )
            self.bindings.append(_Binding(".".join(self._path), item, alias, used))

    def _is_guarded(self, node: cst.SimpleStatementLine) -> bool:
        """Return whether a statement stands anywhere but at the top of a module or function."""
        parent = self.get_metadata(metadata.ParentNodeProvider, node)
        if isinstance(parent, cst.Module):
            return False
        above = self.get_metadata(metadata.ParentNodeProvider, parent)
        return not isinstance(above, cst.FunctionDef)


class _Pruning(cst.CSTTransformer):
    """Removes imported names, and the statements that are empty without them."""

    def __init__(self, unused: Collection[cst.ImportAlias]) -> None:
        super().__init__()
        self._unused = unused
        self._emptied: set[cst.CSTNode] = set()

    def leave_Import(
        self, original_node: cst.Import, updated_node: cst.Import
    ) -> cst.Import | cst.RemovalSentinel:
        return self._remove(original_node)

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom | cst.RemovalSentinel:
        return self._remove(original_node)

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        if not updated_node.body:
            self._emptied.add(original_node)
        return updated_node

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        return close_gaps(original_node, updated_node, self._emptied)

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        return close_gaps(original_node, updated_node, self._emptied)

    def _remove(self, node: _Node) -> _Node | cst.RemovalSentinel:
        if isinstance(node.names, cst.ImportStar):
            return node
        gone = {alias for alias in node.names if alias in self._unused}
        if len(gone) == len(node.names):
            return cst.RemoveFromParent()
        return remove_names(node, gone) if gone else node


def _has_noqa(line: cst.SimpleStatementLine) -> bool:
    """Return whether a comment at or in a statement tells linters to let it be."""
    comments = [*matchers.findall(line, matchers.Comment())]
    above = {id(item.comment) for item in line.leading_lines}
    return any(
        isinstance(comment, cst.Comment) and "noqa" in comment.value.lower()
        for comment in comments
        if id(comment) not in above
    )

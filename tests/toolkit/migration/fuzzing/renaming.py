"""Mutations that give things other names."""

import random
import re
from collections.abc import Mapping

import libcst as cst
from libcst import metadata


def rename_locals(text: str, chance: random.Random) -> str:
    """Some local variables have other names."""
    return _rename(text, chance, metadata.FunctionScope)


def rename_imports(text: str, chance: random.Random) -> str:
    """Some imports bind other names."""
    wrapper = metadata.MetadataWrapper(cst.parse_module(text))
    scopes = wrapper.resolve(metadata.ScopeProvider)
    new: dict[cst.CSTNode, cst.CSTNode] = {}
    for scope in dict.fromkeys(filter(None, scopes.values())):
        for assignment in scope.assignments:
            if not isinstance(assignment, metadata.ImportAssignment):
                continue
            alias = _find_alias(assignment)
            if alias is None or chance.random() > 0.4:
                continue
            name = f"{assignment.name}_{chance.randrange(100)}"
            if any(not isinstance(access.node, cst.Name) for access in assignment.references):
                # `a.b` is one reference, to `a`.
                nodes = [_find_first(access.node) for access in assignment.references]
            else:
                nodes = [access.node for access in assignment.references]
            if any(node is None for node in nodes) or f"'{assignment.name}'" in text:
                continue
            new |= {node: cst.Name(name) for node in nodes if node is not None}
            new[alias] = alias.with_changes(asname=cst.AsName(cst.Name(name)))
    return wrapper.module.visit(_Replacing(new)).code


def rename_helpers(texts: Mapping[str, str], fixed: str, chance: random.Random) -> dict[str, str]:
    """Some functions of modules have other names in the whole project.

    Args:
        texts: The project's files.
        fixed: What must find everything by its names: the tests and the templates.
        chance: Chooses.
    """
    names = {
        statement.name.value
        for text in texts.values()
        for statement in cst.parse_module(text).body
        if isinstance(statement, cst.FunctionDef)
        and not statement.decorators
        and not re.search(rf"\b{statement.name.value}\b", fixed)
    }
    chosen = {
        name: f"{name}_{chance.randrange(100)}" for name in sorted(names) if chance.random() < 0.5
    }
    if not chosen:
        return dict(texts)
    pattern = re.compile(rf"\b({'|'.join(chosen)})\b")
    return {
        path: pattern.sub(lambda found: chosen[found.group()], text) for path, text in texts.items()
    }


def _rename(text: str, chance: random.Random, kind: type[metadata.Scope]) -> str:
    wrapper = metadata.MetadataWrapper(cst.parse_module(text))
    scopes = wrapper.resolve(metadata.ScopeProvider)
    new: dict[cst.CSTNode, cst.CSTNode] = {}
    for scope in dict.fromkeys(filter(None, scopes.values())):
        if not isinstance(scope, kind):
            continue
        for name in sorted({assignment.name for assignment in scope.assignments}):
            own = list(scope[name])
            if chance.random() > 0.5 or not all(_is_variable(item, scope) for item in own):
                continue
            nodes = {item.node for item in own} | {
                access.node for item in own for access in item.references
            }
            if all(isinstance(node, cst.Name) for node in nodes):
                to = cst.Name(f"{name}_{chance.randrange(100)}")
                new |= dict.fromkeys(nodes, to)
    return wrapper.module.visit(_Replacing(new)).code


def _is_variable(assignment: metadata.BaseAssignment, scope: metadata.Scope) -> bool:
    return (
        isinstance(assignment, metadata.Assignment)
        and assignment.scope is scope
        and isinstance(assignment.node, cst.Name)
    )


def _find_alias(assignment: metadata.ImportAssignment) -> cst.ImportAlias | None:
    if not isinstance(assignment.node.names, cst.ImportStar):
        for alias in assignment.node.names:
            if alias.asname is None and isinstance(alias.name, cst.Name):
                if alias.name.value == assignment.name and alias.name.value != "annotations":
                    return alias
    return None


def _find_first(node: cst.CSTNode) -> cst.CSTNode | None:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node if isinstance(node, cst.Name) else None


class _Replacing(cst.CSTTransformer):
    def __init__(self, new: Mapping[cst.CSTNode, cst.CSTNode]) -> None:
        super().__init__()
        self._new = new

    def on_leave(self, original_node, updated_node):  # type: ignore[no-untyped-def]  # any node
        new = self._new.get(original_node, updated_node)
        if isinstance(new, cst.Name) and isinstance(updated_node, cst.Name):
            return updated_node.with_changes(value=new.value)
        return new

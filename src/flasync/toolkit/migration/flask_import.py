"""The imports of the file that makes the app: how the name of Flask's class comes from flasync."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import libcst as cst

from flasync.toolkit.finding import Edit
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.recipe import LeaveAlone

_MODULES = frozenset({"flask", "flask.app"})
_LINE_END = re.compile(r"\r\n|\n|\r")


def move_import(file: ParsedFile, name: cst.Name) -> tuple[Edit, ...]:
    """Return the edits by which `from flask import Flask` becomes `from flasync import Flask`.

    Returns:
        Nothing when the name does not come from such an import.
    """
    return tuple(
        edit
        for node, alias in _list_imports(file.module)
        if isinstance(node, cst.ImportFrom) and _binds(node, alias, name.value)
        for edit in _move_alias(file, node, alias)
    )


def import_flasync(file: ParsedFile, use: cst.Name | cst.Attribute) -> tuple[Edit, ...]:
    """Return the edits after which `flasync` is imported where an expression stands.

    The import is put beside the one that the expression itself needs.

    Raises:
        LeaveAlone: The name means something else there, or no import is found.
    """
    imports = list(_list_imports(file.module))
    known = (node for node, alias in imports if _gives_flasync(node, alias))
    if any(_is_seen(file, node, use) for node in known):
        return ()
    if "flasync" in file.list_bound(use):
        raise LeaveAlone(f"`flasync` means something else in {file.name}")
    root = get_root(use)
    sources = [node for node, alias in imports if _get_bound(node, alias) == root]
    sources += [*_list_stars(file.module), *_list_top(file.module)]
    here = [node for node in sources if _is_seen(file, node, use)]
    if not here:
        raise LeaveAlone(f"{file.name} has no import beside which flasync could be imported")
    return (_insert_beside(file, here[0], "import flasync"),)


def insert_after(file: ParsedFile, line: cst.SimpleStatementLine, statement: str) -> Edit:
    """Return the edit that puts a statement after one that has its line for itself."""
    lines = _LINE_END.split(file.text)
    number, column = file.locate(line.body[0]).start
    indent = lines[number - 1][: column - 1]
    last = file.locate(line.body[0]).end[0]
    end = (last, len(lines[last - 1]) + 1)
    return Edit(file.name, end, end, f"{file.module.default_newline}{indent}{statement}")


def get_root(node: cst.BaseExpression) -> str:
    """Return the first name of a dotted one."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return node.value if isinstance(node, cst.Name) else ""


def _list_imports(
    module: cst.Module,
) -> Iterator[tuple[cst.Import | cst.ImportFrom, cst.ImportAlias]]:
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Import | cst.ImportFrom):
            if not isinstance(node.names, cst.ImportStar):
                yield from ((node, alias) for alias in node.names)
        elif not isinstance(node, cst.BaseExpression):
            stack.extend(reversed(node.children))


def _list_stars(module: cst.Module) -> Iterator[cst.ImportFrom]:
    """Yield the star imports of a module, which stand at its top or in a block there."""
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.ImportFrom) and isinstance(node.names, cst.ImportStar):
            yield node
        elif not isinstance(node, cst.BaseExpression | cst.FunctionDef):
            stack.extend(reversed(node.children))


def _list_top(module: cst.Module) -> Iterator[cst.Import | cst.ImportFrom]:
    """Yield the imports at the top of a module, those from the future left out."""
    for line in module.body:
        node = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        if isinstance(node, cst.Import):
            yield node
        elif isinstance(node, cst.ImportFrom) and get_root(node.module or cst.Name("_")) != (
            "__future__"
        ):
            yield node


def _binds(node: cst.ImportFrom, alias: cst.ImportAlias, name: str) -> bool:
    """Return whether an import is `from flask import Flask` and gives it this name."""
    if node.relative or node.module is None:
        return False
    module = cst.Module([]).code_for_node(node.module)
    bound = alias.evaluated_alias or alias.evaluated_name
    return module in _MODULES and alias.evaluated_name == "Flask" and bound == name


def _move_alias(file: ParsedFile, node: cst.ImportFrom, alias: cst.ImportAlias) -> Iterator[Edit]:
    """Yield the edits by which a file imports one name from flasync and the others as before."""
    aliases = [] if isinstance(node.names, cst.ImportStar) else list(node.names)
    if len(aliases) == 1 and node.module is not None:
        span = file.locate(node.module)
        yield Edit(file.name, span.start, span.end, "flasync")
        return
    comma = file.module.code_for_node(alias.comma) if isinstance(alias.comma, cst.Comma) else ""
    comment = re.search(r"#.*", comma)
    written = file.module.code_for_node(alias.with_changes(comma=cst.MaybeSentinel.DEFAULT))
    statement = f"from flasync import {written}"
    yield _insert_beside(file, node, statement, comment[0].rstrip() if comment else "")
    kept = [other for other in aliases if other is not alias]
    changes: dict[str, Any] = {}
    if alias is aliases[-1] and "#" in file.module.code_for_node(kept[-1]):
        kept[-1] = kept[-1].with_deep_changes(
            cst.ensure_type(
                cst.ensure_type(kept[-1].comma, cst.Comma).whitespace_after,
                cst.ParenthesizedWhitespace,
            ),
            last_line=cst.SimpleWhitespace(""),
        )
        changes["rpar"] = cst.RightParen()
    elif alias is aliases[-1]:
        kept[-1] = kept[-1].with_changes(comma=alias.comma)
    yield _replace(file, node, node.with_changes(names=kept, **changes))


def _replace(file: ParsedFile, old: cst.CSTNode, new: cst.CSTNode) -> Edit:
    """Return the smallest edit that makes one statement another."""
    text, other = file.module.code_for_node(old), file.module.code_for_node(new)
    head = _count_common(text, other)
    tail = _count_common(text[head:][::-1], other[head:][::-1])
    start = file.locate(old).start
    return Edit(
        file.name,
        _advance(start, text[:head]),
        _advance(start, text[: len(text) - tail]),
        other[head : len(other) - tail],
    )


def _count_common(text: str, other: str) -> int:
    """Return with how many equal characters two texts begin."""
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, other, strict=False))
    )


def _advance(start: tuple[int, int], text: str) -> tuple[int, int]:
    """Return the position after a text that begins at a position."""
    lines = _LINE_END.split(text)
    if len(lines) == 1:
        return start[0], start[1] + len(text)
    return start[0] + len(lines) - 1, len(lines[-1]) + 1


def _insert_beside(file: ParsedFile, node: cst.CSTNode, statement: str, comment: str = "") -> Edit:
    """Return the edit that puts a statement with flasync beside an import, where isort wants it."""
    above = file.get_parent(node)
    if not isinstance(above, cst.SimpleStatementLine) or len(above.body) > 1:
        start = file.locate(node).start
        return Edit(file.name, start, start, f"{statement}; ")
    last = _find_last(file, above, type(node))
    return insert_after(file, last, f"{statement}  {comment}" if comment else statement)


def _find_last(
    file: ParsedFile, line: cst.SimpleStatementLine, kind: type[cst.CSTNode]
) -> cst.SimpleStatementLine:
    """Return the last import of a block, from one on, that sorts before flasync."""
    above = file.get_parent(line)
    body = list(above.body) if isinstance(above, cst.Module | cst.IndentedBlock) else [line]
    found = line
    for other in body[body.index(line) + 1 :]:
        if not isinstance(other, cst.SimpleStatementLine) or other.leading_lines:
            break
        node = other.body[0]
        names = [alias.evaluated_name for alias in node.names] if type(node) is cst.Import else []
        if isinstance(node, cst.ImportFrom) and node.module is not None and not node.relative:
            names = [cst.Module([]).code_for_node(node.module)]
        if type(node) is not kind or len(other.body) > 1 or not names or names[0] > "flasync":
            break
        found = other
    return found


def _get_bound(node: cst.Import | cst.ImportFrom, alias: cst.ImportAlias) -> str:
    """Return the name that an import binds."""
    name = alias.evaluated_alias or alias.evaluated_name
    return name.partition(".")[0] if isinstance(node, cst.Import) else name


def _gives_flasync(node: cst.Import | cst.ImportFrom, alias: cst.ImportAlias) -> bool:
    return (
        isinstance(node, cst.Import)
        and alias.evaluated_name == "flasync"
        and alias.evaluated_alias is None
    )


def _is_seen(file: ParsedFile, node: cst.CSTNode, use: cst.CSTNode) -> bool:
    """Return whether what an import binds is seen at a place: from the module or its functions."""
    owner = file.find_enclosing(node)
    inner: cst.CSTNode | None = use
    while inner is not None:
        inner = file.find_enclosing(inner)
        if inner is owner:
            return True
    return owner is None

"""The imports at the top of a module: where a new one goes, as isort would have it."""

from __future__ import annotations

import enum
import importlib.util
import sys
import sysconfig
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import libcst as cst
from libcst import matchers

from flasync.toolkit.migration.import_statement import (
    Import,
    ImportNode,
    build_statement,
    explode,
    insert_name,
    read_imports,
    read_module,
)
from flasync.toolkit.migration.removed_lines import get_lines

_BLANK = cst.EmptyLine(indent=False)
_LIBRARIES = tuple({Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")})


class _Section(enum.IntEnum):
    """isort's groups, in their order."""

    FUTURE = 0
    STANDARD = 1
    THIRD_PARTY = 2
    OWN = 3
    RELATIVE = 4


@dataclass(frozen=True, slots=True)
class _Entry:
    """An import statement in the first run of imports of a module.

    Attributes:
        index: Which statement of the module it is.
        block: Which stretch of imports without blank lines it is in.
        section: Its group.
        is_known: Whether its library is installed here, so that the group is sure.
        key: By what it is ordered within its group: `import a` before `from a import …`.
    """

    index: int
    block: int
    section: _Section
    is_known: bool
    key: tuple[bool, str]


def add_imports(module: cst.Module, imports: Collection[Import]) -> cst.Module:
    """Return a module with more imports, placed as isort would; those it has are not doubled."""
    for wanted in sorted(set(imports), key=lambda item: (item.module, item.name or "")):
        if not _has_import(module, wanted):
            module = _merge(module, wanted) or _insert(module, wanted)
    return module


def _get_nodes(statement: cst.CSTNode) -> list[ImportNode]:
    """Return the imports of a statement that is nothing else; an empty list for others."""
    if not isinstance(statement, cst.SimpleStatementLine):
        return []
    nodes = [node for node in statement.body if isinstance(node, cst.Import | cst.ImportFrom)]
    return nodes if len(nodes) == len(statement.body) else []


def _has_import(module: cst.Module, wanted: Import) -> bool:
    found = {
        known
        for item in module.body
        for node in _get_nodes(item)
        for _, known in read_imports(node)
    }
    return wanted in found


def _merge(module: cst.Module, wanted: Import) -> cst.Module | None:
    """Return a module in which an existing `from` imports one more name, if there is such a one."""
    if wanted.name is None or wanted.alias is not None:
        return None
    for index, statement in enumerate(module.body):
        nodes = _get_nodes(statement)
        if (
            len(nodes) == 1
            and isinstance(statement, cst.SimpleStatementLine)
            and isinstance(node := nodes[0], cst.ImportFrom)
            and not isinstance(node.names, cst.ImportStar)
            and read_module(node) == wanted.module
            and not all(alias.asname for alias in node.names)
        ):
            line = statement.with_changes(body=[insert_name(node, wanted.name)])
            text = module.code_for_node(line.with_changes(leading_lines=[]))
            if "\n" not in text.strip() and "\r" not in text.strip():
                code = module.code_for_node(line.body[0])
                line = explode(line, len(code))
            body = [*module.body[:index], line, *module.body[index + 1 :]]
            return module.with_changes(body=body)
        if matchers.findall(statement, matchers.Name(wanted.bound)):
            return None  # what is imported below this comes too late for it
    return None


def _insert(module: cst.Module, wanted: Import) -> cst.Module:
    """Return a module with a new statement."""
    statement = build_statement(wanted)
    entries = _list_entries(module)
    entry = _build_entry(_get_nodes(statement)[0], 0, 0)
    group = _choose_group(entries, entry.section)
    if group:
        following = _find_following(group, entry)
        if following is None:
            return _put(module, group[-1].index + 1, statement)
        return _put_before(module, following.index, statement)
    earlier = [other for other in entries if other.section < entry.section]
    later = [other for other in entries if other.section > entry.section]
    is_divided = _is_divided(entries)
    if earlier:
        index = earlier[-1].index + 1
        statement = statement.with_changes(leading_lines=[_BLANK] if is_divided else [])
        module = _put(module, index, statement)
        if later and later[0].index == index and is_divided:
            module = _detach(module, index + 1)
        return module
    if later:
        module = _put_before(module, later[0].index, statement)
        return _detach(module, later[0].index + 1) if is_divided else module
    return _insert_first(module, statement)


def _insert_first(module: cst.Module, statement: cst.SimpleStatementLine) -> cst.Module:
    """Return a module whose first import a statement is."""
    index = _count_preamble(module)
    if index:
        module = _put(module, index, statement.with_changes(leading_lines=[_BLANK]))
    else:
        module = _put_before(module, 0, statement)
    if index + 1 < len(module.body) and (index == 0 or not _begins_blank(module.body[index + 1])):
        module = _detach(module, index + 1)
        if isinstance(module.body[index + 1], cst.FunctionDef | cst.ClassDef) and index == 0:
            following = module.body[index + 1]
            body = list(module.body)
            body[index + 1] = following.with_changes(
                leading_lines=[_BLANK, *following.leading_lines]
            )
            module = module.with_changes(body=body)
    return module


def _put(module: cst.Module, index: int, statement: cst.SimpleStatementLine) -> cst.Module:
    if not module.body:
        module = module.with_changes(has_trailing_newline=True)
    return module.with_changes(body=[*module.body[:index], statement, *module.body[index:]])


def _put_before(module: cst.Module, index: int, statement: cst.SimpleStatementLine) -> cst.Module:
    """Return a module with a statement before another, which keeps the comments above it."""
    if index >= len(module.body):
        return _put(module, index, statement)
    body = list(module.body)
    following = body[index]
    if index == 0:
        header, comments = _split_header(module.header, is_import=bool(_get_nodes(following)))
        body[0] = following.with_changes(leading_lines=[*comments, *following.leading_lines])
        module = module.with_changes(header=header)
    else:
        lines = list(following.leading_lines)
        count = next((at for at, line in enumerate(lines) if line.comment), len(lines))
        statement = statement.with_changes(leading_lines=lines[:count])
        body[index] = following.with_changes(leading_lines=lines[count:])
    return module.with_changes(body=[*body[:index], statement, *body[index:]])


def _split_header(
    header: Sequence[cst.EmptyLine], *, is_import: bool
) -> tuple[Sequence[cst.EmptyLine], Sequence[cst.EmptyLine]]:
    """Return the lines above the first statement in two: of the file, and of the statement.

    After a blank line they are about the statement. Without one, they are about the file when the
    statement is an import: its licence, its encoding.
    """
    blanks = [at for at, line in enumerate(header) if line.comment is None]
    if blanks:
        return header[: blanks[-1] + 1], header[blanks[-1] + 1 :]
    if is_import:
        return header, ()
    magic = [
        at
        for at, line in enumerate(header[:2])
        if line.comment and (line.comment.value.startswith("#!") or "coding" in line.comment.value)
    ]
    count = magic[-1] + 1 if magic else 0
    return header[:count], header[count:]


def _detach(module: cst.Module, index: int) -> cst.Module:
    """Return a module with a blank line before a statement."""
    statement = module.body[index]
    if _begins_blank(statement):
        return module
    body = list(module.body)
    body[index] = statement.with_changes(leading_lines=[_BLANK, *get_lines(statement)])
    return module.with_changes(body=body)


def _begins_blank(statement: cst.CSTNode) -> bool:
    lines = get_lines(statement)
    return bool(lines) and lines[0].comment is None


def _list_entries(module: cst.Module) -> list[_Entry]:
    """Return the imports of a module up to the first other statement."""
    entries: list[_Entry] = []
    block = 0
    for index, statement in enumerate(module.body):
        if any(line.comment is None for line in get_lines(statement)):
            block += 1
        nodes = _get_nodes(statement)
        if nodes:
            entries.append(_build_entry(nodes[0], index, block))
        elif not _passes(statement, index):
            break
    return entries


def _count_preamble(module: cst.Module) -> int:
    """Return how many statements stand before the imports: the docstring, no more."""
    first = module.body[0] if module.body else None
    return int(first is not None and _is_docstring(first))


def _passes(statement: cst.CSTNode, index: int) -> bool:
    """Return whether imports go on after a statement: a docstring, a dunder, a guarded import."""
    if isinstance(statement, cst.If | cst.Try):
        inner = matchers.findall(statement, matchers.SimpleStatementLine())
        return bool(inner) and any(_get_nodes(item) for item in inner)
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    if index == 0 and _is_docstring(statement):
        return True
    return matchers.matches(
        statement,
        matchers.SimpleStatementLine(
            body=[
                matchers.Assign(
                    targets=[
                        matchers.AssignTarget(
                            matchers.Name(matchers.MatchIfTrue(lambda name: name.startswith("__")))
                        )
                    ]
                )
            ]
        ),
    )


def _is_docstring(statement: cst.CSTNode) -> bool:
    return matchers.matches(
        statement,
        matchers.SimpleStatementLine(
            body=[
                matchers.Expr(matchers.SimpleString() | matchers.ConcatenatedString()),
                matchers.ZeroOrMore(),
            ]
        ),
    )


def _build_entry(node: ImportNode, index: int, block: int) -> _Entry:
    module = read_module(node)
    if not module:
        module = next((known.module for _, known in read_imports(node)), "")
    section, is_known = _find_section(module)
    return _Entry(
        index, block, section, is_known, (isinstance(node, cst.ImportFrom), module.lower())
    )


def _find_section(module: str) -> tuple[_Section, bool]:
    top = module.partition(".")[0]
    if not top:
        return _Section.RELATIVE, True
    if top == "__future__":
        return _Section.FUTURE, True
    if top == __name__.partition(".")[0]:  # from an editable installation, too
        return _Section.THIRD_PARTY, True
    if top in sys.stdlib_module_names:
        return _Section.STANDARD, True
    return _look_up(top)


def _look_up(top: str) -> tuple[_Section, bool]:
    """Return the group of a module by where it is installed; what is nowhere is a library."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return _Section.THIRD_PARTY, False
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    if any(Path(place).is_relative_to(folder) for place in places for folder in _LIBRARIES):
        return _Section.THIRD_PARTY, True
    return _Section.OWN, True


def _choose_group(entries: Sequence[_Entry], section: _Section) -> list[_Entry]:
    """Return the imports among which one of a section belongs: those of one block."""
    same = [entry for entry in entries if entry.section is section]
    sure = [entry for entry in same if entry.is_known] or same
    return [entry for entry in same if entry.block == sure[0].block] if sure else []


def _find_following(group: Sequence[_Entry], entry: _Entry) -> _Entry | None:
    """Return the import before which a new one goes; None if that is the end of the group."""
    keys = [other.key for other in group]
    if keys == sorted(keys):
        return next((other for other in group if other.key > entry.key), None)
    turned = [key[::-1] for key in keys]
    if turned == sorted(turned):
        return next((other for other in group if other.key[::-1] > entry.key[::-1]), None)
    return None


def _is_divided(entries: Sequence[_Entry]) -> bool:
    """Return whether blank lines stand between the groups, as far as there are several."""
    pairs = [(one, other) for one, other in pairwise(entries) if one.section is not other.section]
    return not pairs or any(one.block != other.block for one, other in pairs)

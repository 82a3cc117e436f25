"""Where a file of the project mentions an identifier, and what a mention in it stands for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flasync.toolkit.finding import Place
from flasync.toolkit.migration.patches import list_imports
from flasync.toolkit.sources import FunctionTree, SourceFile
from flasync.toolkit.statements import walk_nodes as walk_block
from flasync.toolkit.syntax import list_children, walk_nodes

Definition = ast.FunctionDef | ast.AsyncFunctionDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Mention:
    """One node that has an identifier.

    Attributes:
        node: A name, an attribute, an alias of an import, a definition or a text.
        file: The file that it is in.
    """

    node: ast.AST
    file: MentionFile

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.file.source.locate(self.node)

    @property
    def parent(self) -> ast.AST | None:
        """The node that it is part of."""
        return self.file.parents.get(self.node)

    @property
    def call(self) -> ast.Call | None:
        """The call of what is mentioned, if it is called on the spot."""
        parent = self.parent
        return parent if isinstance(parent, ast.Call) and parent.func is self.node else None


class MentionFile:
    """A file of the project, as it mentions things.

    Args:
        source: The file.
    """

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self._bound: dict[ast.AST, frozenset[str]] = {}

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """For each node, the node that it is part of."""
        return {
            child: node for node in walk_nodes(self.source.tree) for child in list_children(node)
        }

    @cached_property
    def imports(self) -> dict[str, tuple[str, ...]]:
        """What its imports bind."""
        return list_imports(self.source.tree)

    def find_all(self, identifier: str) -> list[Mention]:
        """Return the mentions of an identifier, in source order."""
        if identifier not in self.source.text:
            return []
        return [Mention(node, self) for node in self._named.get(identifier, ())]

    @cached_property
    def _named(self) -> dict[str, list[ast.AST]]:
        found: dict[str, list[ast.AST]] = {}
        for node in self.parents:
            name = get_identifier(node)
            if name is not None:
                found.setdefault(name, []).append(node)
        for nodes in found.values():
            nodes.sort(key=_get_position)
        return found

    def climb(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Yield each node around a node, the nearest first, with its part that the node is in."""
        below = node
        above = self.parents.get(node)
        while above is not None:
            yield above, below
            below, above = above, self.parents.get(above)

    def find_class(self, tree: ast.AST) -> ast.ClassDef | None:
        """Return the class of which a function is a method, or None."""
        for above, _ in self.climb(tree):
            if isinstance(above, ast.ClassDef):
                return above
            if isinstance(above, FunctionTree):
                return None
        return None

    def find_binder(self, node: ast.AST, name: str) -> ast.AST:
        """Return the function, class or module in which a name is bound that a node uses."""
        is_nearest = True
        for above, below in self.climb(node):
            if isinstance(above, FunctionTree) and _is_inside(above, below):
                if name in self._list_bound(above):
                    return above
                is_nearest = False
            elif isinstance(above, ast.ClassDef) and is_nearest and _is_inside(above, below):
                if name in self._list_bound(above):
                    return above
            elif isinstance(above, _COMPREHENSIONS) and _comprehension_binds(above, name):
                return above
        return self.source.tree

    def _list_bound(self, block: FunctionTree | ast.ClassDef) -> frozenset[str]:
        """Return the names that a function or class binds."""
        if block not in self._bound:
            self._bound[block] = frozenset(_list_bound(block))
        return self._bound[block]


def get_identifier(node: ast.AST) -> str | None:
    """Return the identifier that a node mentions, or the whole of a text."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
        case ast.ClassDef(name=name):
            return name
        case ast.Constant(value=str() as text):
            return text
    return None


def _is_inside(function: ast.AST, part: ast.AST) -> bool:
    """Return whether a part of a function or class is run within it: its body is."""
    body = getattr(function, "body", ())
    return part is body or (isinstance(body, list) and part in body)


def _list_bound(block: FunctionTree | ast.ClassDef) -> set[str]:
    """Return the names that are bound in a function or class itself."""
    nodes = list(walk_block([block.body] if isinstance(block, ast.Lambda) else block.body))
    looped = {
        id(target)
        for node in nodes
        if isinstance(node, ast.comprehension)
        for target in walk_nodes(node.target)
    }
    found = {name for node in nodes if id(node) not in looped for name in _list_names(node) if name}
    if not isinstance(block, ast.ClassDef):
        found |= {node.arg for node in walk_nodes(block.args) if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Global | ast.Nonlocal):
            found.difference_update(node.names)
    return found


def _list_names(node: ast.AST) -> tuple[str | None, ...]:
    """Return the names that a node binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return (name,)
        case ast.ClassDef(name=name) | ast.ExceptHandler(name=name):
            return (name,)
        case ast.MatchAs(name=name) | ast.MatchStar(name=name) | ast.MatchMapping(rest=name):
            return (name,)
        case ast.alias(name=imported, asname=alias):
            return (alias or imported.partition(".")[0],)
    return ()


def _comprehension_binds(node: ast.AST, name: str) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == name
        for generator in getattr(node, "generators", ())
        for target in walk_nodes(generator.target)
    )


def _get_position(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)

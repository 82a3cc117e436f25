"""A source file as LibCST reads it: its calls and functions by their spans, and what names mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cached_property

import libcst as cst
from libcst import metadata

from flasync.toolkit.migration.plan import Span

FunctionNode = cst.FunctionDef | cst.Lambda


class ParsedFile:
    """One source file.

    Args:
        name: How reports call it, as in `Place`.
        text: Its contents.

    Raises:
        libcst.ParserSyntaxError: It is no Python that LibCST can read.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._wrapper = metadata.MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)

    @property
    def module(self) -> cst.Module:
        """The whole tree."""
        return self._wrapper.module

    def find_call(self, span: Span) -> cst.Call | None:
        """Return the call that has exactly a span."""
        return self._calls.get((span.start, span.end))

    def find_function(self, span: Span) -> cst.FunctionDef | None:
        """Return the function that has exactly a span, counted from its `def`."""
        return self._functions.get((span.start, span.end))

    def list_calls(self) -> Iterator[tuple[Span, cst.Call]]:
        """Yield every call with its span, in source order."""
        for (start, end), node in sorted(self._calls.items(), key=lambda item: item[0]):
            yield Span(self.name, start, end), node

    def list_functions(self) -> Iterator[tuple[Span, cst.FunctionDef]]:
        """Yield every function with its span, in source order."""
        for (start, end), node in sorted(self._functions.items(), key=lambda item: item[0]):
            yield Span(self.name, start, end), node

    def locate(self, node: cst.CSTNode) -> Span:
        """Return the span of a node; parentheses around it are not part of it."""
        start, end = _get_ends(self._positions[node])
        return Span(self.name, start, end)

    def get_parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the node that a node is part of; None for the module."""
        return self._parents.get(node)

    def find_enclosing(self, node: cst.CSTNode) -> FunctionNode | None:
        """Return the function or lambda whose body runs a node; None at module and class level.

        Decorators, default values and annotations run outside of the function they belong to, the
        bases of a class outside of the class. A generator expression counts as part of the
        function around it.
        """
        below, above = node, self.get_parent(node)
        while above is not None:
            if isinstance(above, cst.Lambda) and below is above.body:
                return above
            if isinstance(above, cst.FunctionDef) and below is above.body:
                return above
            if isinstance(above, cst.ClassDef) and below is above.body:
                return None
            below, above = above, self.get_parent(above)
        return None

    def find_awaiting(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """Return the function in which a node may be awaited with `await`, once it is async.

        None in lambdas, class bodies and annotations. None in a generator expression as well: with
        an `await` in it, it would give an async generator. Its first iterable is evaluated outside
        of it. Comprehensions of lists, sets and dicts may await.
        """
        path: list[cst.CSTNode] = [node]
        while (above := self.get_parent(path[-1])) is not None:
            below = path[-1]
            if isinstance(above, cst.FunctionDef) and below is above.body:
                return above
            if isinstance(above, cst.ClassDef | cst.Lambda) and below is above.body:
                return None
            if isinstance(above, cst.Annotation | cst.TypeParameters | cst.TypeAlias):
                return None
            if isinstance(above, cst.GeneratorExp):
                is_first = below is above.for_in and path[-2:-1] == [above.for_in.iter]
                if not is_first:
                    return None
            path.append(above)
        return None

    def get_neighbours(self, node: cst.CSTNode) -> tuple[str, str]:
        """Return the characters directly before and after a node; "" at the ends of a line."""
        span = self.locate(node)
        (first, start), (last, end) = span.start, span.end
        return self._lines[first - 1][: start - 1][-1:], self._lines[last - 1][end - 1 : end]

    def name_qualified(self, node: cst.CSTNode) -> frozenset[str]:
        """Return the dotted names that an expression may have by this file's imports.

        Names that are bound in the file itself, and not by an import, have none.
        """
        scope = self._scopes.get(node)
        names = scope.get_qualified_names_for(node) if scope is not None else ()
        return frozenset(
            name.name for name in names if name.source is metadata.QualifiedNameSource.IMPORT
        )

    def list_bound(self, node: cst.CSTNode) -> Collection[str]:
        """Return the names that are bound in the scopes that a node can see, builtins left out."""
        return {name for scope in self._list_scopes(node) for name in _list_names(scope)}

    def means_global(self, node: cst.CSTNode, name: str) -> bool:
        """Return whether a name, if it stood at a node, would be the one of the module."""
        inner = self._list_scopes(node)[:-1]
        return not any(name in _list_names(scope) for scope in inner)

    def list_globals(self, name: str) -> list[cst.CSTNode]:
        """Return the nodes that bind a name at module level: imports, functions, targets."""
        scope = self._scopes.get(self.module)
        if scope is None:
            return []
        return [
            assignment.node
            for assignment in scope.assignments
            if isinstance(assignment, metadata.Assignment)
            and assignment.name.partition(".")[0] == name
        ]

    def list_global_imports(self) -> list[cst.Import | cst.ImportFrom]:
        """Return the import statements that bind names of the module, in source order."""
        scope = self._scopes.get(self.module)
        nodes = {
            assignment.node: None
            for assignment in (scope.assignments if scope is not None else ())
            if isinstance(assignment, metadata.ImportAssignment)
        }
        found = [node for node in nodes if isinstance(node, cst.Import | cst.ImportFrom)]
        return sorted(found, key=lambda node: self.locate(node).start)

    def _list_scopes(self, node: cst.CSTNode) -> list[metadata.Scope]:
        """Return the scopes that a node can see, the innermost first and the module's last."""
        scope, scopes = self._scopes.get(node), list[metadata.Scope]()
        while scope is not None and not isinstance(scope, metadata.BuiltinScope):
            # The names of a class are seen by its own statements, not by its methods.
            if not scopes or not isinstance(scope, metadata.ClassScope):
                scopes.append(scope)
            scope = scope.parent
        return scopes

    @cached_property
    def _lines(self) -> list[str]:
        return re.split(r"\r\n|\r|\n", self.text.removeprefix("\ufeff"))

    @cached_property
    def _positions(self) -> dict[cst.CSTNode, metadata.CodeRange]:
        return dict(self._wrapper.resolve(metadata.PositionProvider))

    @cached_property
    def _parents(self) -> dict[cst.CSTNode, cst.CSTNode]:
        return dict(self._wrapper.resolve(metadata.ParentNodeProvider))

    @cached_property
    def _scopes(self) -> dict[cst.CSTNode, metadata.Scope | None]:
        return dict(self._wrapper.resolve(metadata.ScopeProvider))

    @cached_property
    def _calls(self) -> dict[tuple[tuple[int, int], tuple[int, int]], cst.Call]:
        return {
            _get_ends(position): node
            for node, position in self._positions.items()
            if isinstance(node, cst.Call)
        }

    @cached_property
    def _functions(self) -> dict[tuple[tuple[int, int], tuple[int, int]], cst.FunctionDef]:
        return {
            _get_ends(position): node
            for node, position in self._positions.items()
            if isinstance(node, cst.FunctionDef)
        }


def _get_ends(position: metadata.CodeRange) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return start and end with columns from 1, as everywhere else in the toolkit."""
    start, end = position.start, position.end
    return (start.line, start.column + 1), (end.line, end.column + 1)


def _list_names(scope: metadata.Scope) -> set[str]:
    """Return the names that a scope binds; `import a.b` binds `a`."""
    return {assignment.name.partition(".")[0] for assignment in scope.assignments}

"""Where a project catches the errors of a library, and what becomes of it with another library.

An `except` clause goes with the calls that it guards: where they alone can raise into it, its
classes are exchanged; where something else may raise the old ones, it catches both. A clause
elsewhere is found by name: it may be reached from a function when its block mentions that one, or
one that mentions it, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from weakref import WeakKeyDictionary, proxy

import libcst as cst

from flasync.toolkit.migration.error_mentions import (
    ErrorClause,
    FileMentions,
    list_words,
    name_dotted,
    read_mentions,
)
from flasync.toolkit.migration.function_words import INNOCENT_LIBRARIES, FunctionWords
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.project_files import ProjectFiles, list_mentioning
from flasync.toolkit.migration.recipe import LeaveAlone, Scene

Replacement = tuple[cst.BaseExpression, cst.BaseExpression]
Translate = Callable[[ErrorClause, str], list[cst.BaseExpression]]

# Methods of plain values and of loggers: they raise no error of an HTTP library.
_INNOCENT_METHODS = frozenset(
    name for plain in (str, bytes, dict, list, set) for name in dir(plain)
) | {"debug", "info", "warning", "error", "exception", "critical", "log"}


class ErrorClauses:
    """The clauses of a project that name the errors of one library.

    Args:
        scene: Where the call stands that is to be replaced.
        library: The import name of its library.
        errors: The names of the library's error classes.
    """

    def __init__(self, scene: Scene, library: str, errors: Collection[str]) -> None:
        self._scene = scene
        self._library = library
        self._mentions = {
            file: read_mentions(file, library, errors)
            for file in list_mentioning(scene.files, library)
        }
        self._callers = set().union(*(mentions.callers for mentions in self._mentions.values()))
        self._functions = _read_functions(scene.files)

    def replace(
        self,
        values: Iterable[cst.CSTNode],
        methods: Collection[str],
        translate: Translate,
        *,
        escapes: bool,
    ) -> tuple[Replacement, ...]:
        """Return what becomes of the clauses that may catch an error of the call.

        Args:
            values: The call and the names that hold its response.
            methods: Methods of a response that raise errors of the library.
            translate: Gives the new classes for the name of an old one.
            escapes: Whether the response leaves the function.

        Raises:
            LeaveAlone: Its errors may be caught where nothing can be changed along with it.
        """
        self._check_strays()
        values = list(values)
        replacements: list[Replacement] = []
        for mentions in self._mentions.values():
            for clause in mentions.clauses:
                guards = clause.file is self._scene.file and any(
                    self._is_in(clause.attempt.body, value) for value in values
                )
                if guards or self._is_reached(clause, methods, escapes):
                    if clause.file is not self._scene.file:
                        place = clause.file.locate(clause.handler).place
                        raise LeaveAlone(
                            f"its errors may be caught at {place.file}:{place.line}, in another"
                            " file"
                        )
                    is_alone = guards and self._is_alone(clause, mentions, values)
                    replacements += _change(clause, translate, is_alone)
        return tuple(replacements)

    def _check_strays(self) -> None:
        for file, mentions in self._mentions.items():
            for stray in mentions.strays:
                place = file.locate(stray).place
                raise LeaveAlone(
                    f"the errors of {self._library}, or the module as a whole, are named at"
                    f" {place.file}:{place.line} outside of an `except` clause"
                )

    def _is_reached(self, clause: ErrorClause, methods: Collection[str], escapes: bool) -> bool:
        """Return whether the block of a clause may lead to the call, or to its response."""
        words = list_words(clause.file, clause.attempt.body, self._library)
        if escapes and not words.isdisjoint(methods):
            return True
        function = self._scene.file.find_enclosing(self._scene.call)
        name = function.name.value if isinstance(function, cst.FunctionDef) else ""
        return name in self._functions.find_reached(words)

    def _is_alone(
        self, clause: ErrorClause, mentions: FileMentions, values: list[cst.CSTNode]
    ) -> bool:
        """Return whether nothing but the call can raise an error of the library into a clause."""
        body = clause.attempt.body
        if not self._is_in(body, self._scene.call):
            return False
        if any(self._is_in(body, raised) for raised in mentions.raised):
            return False
        words = list_words(clause.file, body, self._library)
        if not self._callers.isdisjoint(self._functions.find_reached(words)):
            return False
        finder = _CallFinder()
        body.visit(finder)
        return all(
            call is self._scene.call or self._is_innocent(call, values) for call in finder.found
        )

    def _is_innocent(self, call: cst.Call, values: list[cst.CSTNode]) -> bool:
        func: cst.BaseExpression = call.func
        qualified = name_dotted(self._scene.file, func)
        if qualified:
            return all(name.partition(".")[0] in INNOCENT_LIBRARIES for name in qualified)
        if isinstance(func, cst.Name):
            return func.value not in self._scene.file.list_bound(func)
        if isinstance(func, cst.Attribute) and func.attr.value in _INNOCENT_METHODS:
            return func.attr.value != "get" or _looks_up(call) or _begins_with(func, values)
        return _begins_with(func, values)

    def _is_in(self, body: cst.CSTNode, node: cst.CSTNode | None) -> bool:
        while node is not None and node is not body:
            node = self._scene.file.get_parent(node)
        return node is body


# By the files of a project: every call of it asks for the same.
_read: WeakKeyDictionary[ProjectFiles, FunctionWords] = WeakKeyDictionary()


def _read_functions(files: Iterable[ParsedFile]) -> FunctionWords:
    if isinstance(files, ProjectFiles):
        if files not in _read:
            _read[files] = FunctionWords(proxy(files))  # which must not keep its own key alive
        return _read[files]
    return FunctionWords(files)


def _change(
    clause: ErrorClause,
    translate: Translate,
    is_alone: bool,
) -> Iterator[Replacement]:
    """Yield the new classes of a clause: instead of the old ones, or beside them."""
    caught = clause.handler.type
    assert caught is not None  # noqa: S101  it names errors
    old = (
        [element.value for element in caught.elements]
        if isinstance(caught, cst.Tuple)
        else [caught]
    )
    named = {id(node): name for node, name in clause.errors}
    new: list[cst.BaseExpression] = []
    for node in old:
        if id(node) not in named or not is_alone:
            new.append(node)
    for node in old:
        if id(node) in named:
            new += translate(clause, named[id(node)])
    if len(new) == 1:
        # Its parentheses may be all that stands between it and `except`.
        yield caught, new[0].with_changes(lpar=caught.lpar, rpar=caught.rpar)
    else:
        yield caught, _build_tuple(caught, new)


def _build_tuple(caught: cst.BaseExpression, classes: list[cst.BaseExpression]) -> cst.Tuple:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = len(classes) - 1
    elements = [
        cst.Element(node, comma=cst.MaybeSentinel.DEFAULT if index == last else comma)
        for index, node in enumerate(classes)
    ]
    return cst.Tuple(elements, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


class _CallFinder(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found: list[cst.Call] = []

    def visit_Call(self, node: cst.Call) -> None:
        self.found.append(node)


def _begins_with(node: cst.BaseExpression, values: Collection[cst.CSTNode]) -> bool:
    """Return whether an expression begins with a value: `r.json()["a"].strip` does with `r`."""
    while node not in values and isinstance(node, cst.Attribute | cst.Subscript | cst.Call):
        node = node.func if isinstance(node, cst.Call) else node.value
    return node in values


def _looks_up(call: cst.Call) -> bool:
    """Return whether a `get` is that of a dict, with a key that is no address."""
    key = call.args[0].value if call.args else None
    return isinstance(key, cst.SimpleString) and "/" not in key.value

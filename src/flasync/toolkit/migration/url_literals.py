"""Where the project's source says what its database URL is: the literals that a URL begins with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import libcst as cst
from libcst import matchers as m

from flasync.toolkit.finding import Place
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.project_files import ProjectFiles

# How many names are followed from the setting to the literal: `URL = "…"`, `X = URL`.
_MOST_NAMES = 2
# What gives a URL that begins as its first argument does; `URL.create` takes the scheme alone.
_URL_MAKERS = frozenset({"URL", "create", "make_url", "str"})


@dataclass(frozen=True, slots=True)
class UrlLiteral:
    """A literal that a URL begins with.

    Attributes:
        file: The file that it is in.
        node: The literal; the part of it, for an f-string.
        text: Its value, up to where something else is put in.
        is_whole: Whether it is all of the URL.
        variable: The environment variable that goes before it; "" if there is none.
        holder: What the URL is assigned to, such as `app` for `app.config["…"] = …`; None if that
            is not an expression.
    """

    file: ParsedFile
    node: cst.SimpleString | cst.FormattedStringText
    text: str
    is_whole: bool = True
    variable: str = ""
    holder: cst.BaseExpression | None = None

    def begins(self, url: str) -> bool:
        """Return whether a URL is what it says, or begins with that."""
        if self.is_whole:
            return self.text == url
        return "://" in self.text and url.startswith(self.text)

    @property
    def name(self) -> str:
        """The plain name that the URL is assigned to, such as "DATABASE_URL"; "" for no name."""
        node: cst.CSTNode | None = self.node
        while node is not None and not isinstance(node, cst.BaseStatement):
            match node:
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
                    return name
                case cst.AnnAssign(target=cst.Name(value=name)):
                    return name
            node = self.file.get_parent(node)
        return ""

    def find_class(self) -> cst.ClassDef | None:
        """Return the class in whose body it stands, if it is in one."""
        node: cst.CSTNode | None = self.node
        while node is not None and not isinstance(node, cst.FunctionDef):
            if isinstance(node, cst.ClassDef):
                return node
            node = self.file.get_parent(node)
        return None

    def locate_start(self) -> tuple[int, int]:
        """Return line and column of the URL's first character."""
        start = self.file.locate(self.node).start
        opening = 0
        if isinstance(self.node, cst.SimpleString):
            opening = len(self.node.prefix) + len(self.node.quote)
        return start[0], start[1] + opening


@dataclass(frozen=True, slots=True)
class EngineCall:
    """A call of SQLAlchemy's `create_engine`.

    Attributes:
        file: The file that it is in.
        call: The call.
        literals: What its URL may begin with.
    """

    file: ParsedFile
    call: cst.Call
    literals: tuple[UrlLiteral, ...]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.file.locate(self.call).place

    def read_options(self) -> dict[str, Any] | None:
        """Return what the engine is made with, or None where that cannot be read.

        A dict has its keys, the class of a pool its name; of other values only that they are there.
        """
        options: dict[str, Any] = {}
        for position, arg in enumerate(self.call.args):
            if position == 0 and arg.keyword is None and not arg.star:
                continue  # the URL
            if arg.star or arg.keyword is None:
                return None
            match arg.value:
                case cst.Dict(elements=elements):
                    keys = [getattr(element, "key", None) for element in elements]
                    texts = [key for key in keys if isinstance(key, cst.SimpleString)]
                    if len(texts) < len(keys):
                        return None
                    options[arg.keyword.value] = {key.evaluated_value: True for key in texts}
                case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
                    options[arg.keyword.value] = name
                case _:
                    options[arg.keyword.value] = True
        options.pop("url", None)
        return options


def list_settings(files: ProjectFiles, key: str) -> Iterator[UrlLiteral]:
    """Yield the literals that a setting of the app may begin with, wherever it is assigned.

    Args:
        files: The files to look into.
        key: The setting, such as "SQLALCHEMY_DATABASE_URI".
    """
    for file in files.list_mentioning(key):
        for value, holder in _find_assigned(file, key):
            for literal in _Reader(file, files).read(value):
                yield replace(literal, holder=holder)


def list_engine_calls(files: ProjectFiles) -> Iterator[EngineCall]:
    """Yield the calls of `create_engine` with what their URLs may begin with."""
    for file in files.list_mentioning("create_engine"):
        for _, call in file.list_calls():
            names = file.name_qualified(call.func)
            if any(fnmatchcase(name, "sqlalchemy.*create_engine") for name in names):
                url = _find_argument(call, 0, "url")
                literals = _Reader(file, files).read(url) if url is not None else ()
                yield EngineCall(file, call, tuple(literals))


# --- where a setting is assigned ---------------------------------------------------------------


def _find_assigned(
    file: ParsedFile, key: str
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression | None]]:
    """Yield each expression that is assigned to a setting, with the app if the line names it."""
    yield from _find_in_statements(file, key)
    for node in m.findall(file.module, m.DictElement() | m.Arg() | m.Call()):
        match node:
            case cst.DictElement(key=name, value=value) if _is_text(name, key):
                yield value, _find_updated(file, node)
            case cst.Arg(keyword=cst.Name(value=name), value=value) if name == key:
                yield value, _find_updated(file, node)
            case cst.Call(
                func=cst.Attribute(attr=cst.Name(value="setdefault")), args=[first, second]
            ) if _is_text(first.value, key):
                yield second.value, _find_updated(file, node)


def _find_in_statements(
    file: ParsedFile, key: str
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression | None]]:
    """Yield what assignments give to a setting, and what a property of that name returns."""
    for node in m.findall(file.module, m.Assign() | m.AnnAssign() | m.FunctionDef()):
        match node:
            case cst.Assign(targets=targets, value=value):
                for target in targets:
                    if _names(target.target, key):
                        yield value, _find_holder(target.target)
            case cst.AnnAssign(target=target, value=cst.BaseExpression() as value):
                if _names(target, key):
                    yield value, None
            case cst.FunctionDef(name=cst.Name(value=name)) if name == key:
                for returned in m.findall(node, m.Return()):
                    if isinstance(returned, cst.Return) and returned.value is not None:
                        yield returned.value, None


def _is_text(node: cst.BaseExpression, text: str) -> bool:
    return isinstance(node, cst.SimpleString) and node.evaluated_value == text


def _names(target: cst.BaseExpression, key: str) -> bool:
    match target:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name == key
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=index))]):
            return _is_text(index, key)
    return False


def _find_holder(target: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the app of `app.config["…"]`."""
    match target:
        case cst.Subscript(value=cst.Attribute(value=app, attr=cst.Name(value="config"))):
            return app
    return None


def _find_updated(file: ParsedFile, node: cst.CSTNode) -> cst.BaseExpression | None:
    """Return the app of `app.config.update(…)`, for an argument or an item of it."""
    above: cst.CSTNode | None = node
    while above is not None and not isinstance(above, cst.BaseStatement):
        match above:
            case cst.Call(
                func=cst.Attribute(value=cst.Attribute(value=app, attr=cst.Name(value="config")))
            ):
                return app
        above = file.get_parent(above)
    return None


# --- what an expression begins with ------------------------------------------------------------


class _Reader:
    """Reads what an expression of a file begins with; names are followed to their assignments.

    Args:
        file: The file.
        files: Where the names that it imports come from.
        names: How many more names are followed.
    """

    def __init__(self, file: ParsedFile, files: ProjectFiles, names: int = _MOST_NAMES) -> None:
        self._file = file
        self._files = files
        self._names = names

    def read(self, node: cst.BaseExpression) -> Iterator[UrlLiteral]:
        """Yield the literals that the value of an expression may begin with."""
        match node:
            case cst.SimpleString():
                value = node.evaluated_value
                if isinstance(value, str):
                    yield UrlLiteral(self._file, node, value)
            case cst.ConcatenatedString(left=left):
                yield from self._read_begun(left)
            case cst.FormattedString(parts=parts):
                yield from self._read_parts(list(parts))
            case cst.BinaryOperation(left=left, operator=cst.Add() | cst.Modulo() as operator):
                yield from self._read_begun(left, "%" if isinstance(operator, cst.Modulo) else "")
            case cst.BooleanOperation(left=left, operator=cst.Or(), right=right):
                variables = list(self._list_variables(left))
                yield from self.read(left)
                for literal in self.read(right):
                    yield replace(literal, variable=literal.variable or next(iter(variables), ""))
            case cst.Call():
                yield from self._read_call(node)
            case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
                yield from self._follow(node, name)
            case _:
                for part in _list_alternatives(node):
                    yield from self.read(part)

    def _read_begun(self, node: cst.BaseExpression, end: str = "") -> Iterator[UrlLiteral]:
        """Yield the literals of an expression after which something else comes.

        Args:
            node: The expression.
            end: The character from which on it is no longer as written; "" for none.
        """
        for literal in self.read(node):
            text = literal.text.partition(end)[0] if end else literal.text
            yield replace(literal, text=text, is_whole=False)

    def _read_parts(self, parts: list[cst.BaseFormattedStringContent]) -> Iterator[UrlLiteral]:
        match parts:
            case [cst.FormattedStringText(value=text) as part, *rest]:
                yield UrlLiteral(self._file, part, text, is_whole=not rest)
            case [cst.FormattedStringExpression(expression=expression), *_]:
                yield from self._read_begun(expression)

    def _read_call(self, call: cst.Call) -> Iterator[UrlLiteral]:
        match call.func:
            case cst.Attribute(value=value, attr=cst.Name(value="format")):
                yield from self._read_begun(value, "{")
                return
            case cst.Attribute(value=value, attr=cst.Name(value="replace" | "strip")):
                yield from self.read(value)
                return
            case cst.Attribute(attr=cst.Name(value=name)) | cst.Name(value=name):
                first = _find_argument(call, 0, "drivername") if name in _URL_MAKERS else None
                if first is not None:
                    yield from self.read(first)
                    return
        default = _find_argument(call, 1, "default")
        if default is not None:
            variable = next(self._list_variables(call), "")
            for literal in self.read(default):
                yield replace(literal, variable=literal.variable or variable)

    def _list_variables(self, node: cst.CSTNode) -> Iterator[str]:
        """Yield the names of settings and environment variables that an expression asks for."""
        for found in m.findall(node, m.Call(args=[m.Arg(value=m.SimpleString()), m.ZeroOrMore()])):
            if isinstance(found, cst.Call):
                name = cst.ensure_type(found.args[0].value, cst.SimpleString).evaluated_value
                if isinstance(name, str) and name.isupper():
                    yield name
        for found in m.findall(node, m.Index(value=m.SimpleString())):
            if isinstance(found, cst.Index):
                name = cst.ensure_type(found.value, cst.SimpleString).evaluated_value
                if isinstance(name, str) and name.isupper():
                    yield name

    def _follow(self, node: cst.Name | cst.Attribute, name: str) -> Iterator[UrlLiteral]:
        """Yield what is assigned to a name in this file, or where it is imported from.

        Which of several assignments counts is not told apart: a URL is compared with the live one.
        """
        if self._names == 0:
            return
        is_here = isinstance(node, cst.Name) and not self._file.name_qualified(node)
        for file in (self._file,) if is_here else self._files.list_mentioning(name):
            reader = _Reader(file, self._files, self._names - 1)
            for target, value in _list_assignments(file):
                if target == name and value is not node:
                    yield from reader.read(value)


def _list_alternatives(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Return the expressions of which one is the value, or is in it (for a dict)."""
    match node:
        case cst.IfExp(body=body, orelse=orelse):
            return [body, orelse]
        case cst.Dict(elements=elements):
            return [item.value for item in elements if isinstance(item, cst.DictElement)]
    return []


def _list_assignments(file: ParsedFile) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Yield each plain name of a file that is assigned to, with what it gets."""
    for found in m.findall(file.module, m.Assign() | m.AnnAssign()):
        match found:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
                yield name, value
            case cst.AnnAssign(target=cst.Name(value=name), value=cst.BaseExpression() as value):
                yield name, value


def _find_argument(call: cst.Call, position: int, name: str) -> cst.BaseExpression | None:
    """Return an argument of a call by its name, or else by its position."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg.value
    plain = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
    return plain[position] if len(plain) > position else None

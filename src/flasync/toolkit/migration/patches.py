"""Where a test file puts something in the place of something else, and which calls that reaches.

    mock.patch("shop.client.requests.get")        what is replaced is named in full
    monkeypatch.setattr(client.session, "get", …) in full, by way of the file's imports
    mocker.patch.object(fixture, "get")           only its last name is known
    mocker.patch(f"{PACKAGE}.get")                likewise

A patch that is known in part reaches all that it may mean.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flasync.toolkit.finding import Place
from flasync.toolkit.scopes import MISSING, find_named
from flasync.toolkit.sources import SourceFile
from flasync.toolkit.syntax import walk_nodes

Dotted = tuple[str, ...]

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
# Stands for the part of a text that is known at run time alone.
_UNKNOWN = "\0"
# Functions and methods whose first arguments are an object and the name of an attribute or key.
_SETTERS = frozenset({"delattr", "delitem", "object", "setattr", "setitem", "spy"})
# Functions that make a stand-in of the whole object they are given.
_STAND_INS = frozenset({"allow", "expect", "flexmock", "spy2", "when", "when2"})
_RECEIVERS = frozenset({"cls", "self"})


class Call:
    """A call of the project, as a patch may name it.

    Args:
        name: The dotted name that the knowledge has of what is called.
        module: The dotted name of the project's module that it stands in.
        text: As written, such as "session.get(…)".
    """

    def __init__(self, name: str, module: str, text: str) -> None:
        self.name: Dotted = tuple(name.split("."))
        self.module: Dotted = tuple(module.split("."))
        written = _IDENTIFIER.findall(text.removesuffix("(…)"))
        self.text: Dotted = tuple(part for part in written if part not in _RECEIVERS)

    @property
    def is_method(self) -> bool:
        """Whether it is called on an object, whose making may be what a test replaces."""
        return any(part.lstrip("_")[:1].isupper() for part in self.name[:-1])

    @property
    def is_on_variable(self) -> bool:
        """Whether it is called on what one name holds, and that is no class."""
        match self.text:
            case (owner, _) if self.is_method and self.name[0] != self.module[0]:
                return not owner[0].isupper()
        return False


@dataclass(frozen=True, slots=True)
class Patch:
    """Something that a test replaces.

    Attributes:
        place: Where.
        path: The names that lead to it, as far as they are known.
        is_whole: Whether they begin with a module; otherwise they are its last names.
        is_open: Whether more names follow, which are not known.
        is_stated: Whether it is certainly replaced; otherwise a text that looks like a path.
    """

    place: Place
    path: Dotted
    is_whole: bool = True
    is_open: bool = False
    is_stated: bool = True

    def reaches(self, call: Call) -> bool:
        """Return whether a call may meet what was put in this place."""
        if self.is_open:
            return _is_related(self.path, call.module) or _is_related(self.path, call.name)
        if not self.is_whole:
            return self.path[-1] in call.name or self.path[-1] in call.text
        return self._reaches_library(self.path, call) or self._reaches_module(call)

    def _reaches_library(self, path: Dotted, call: Call) -> bool:
        """Return whether a path into a library is that of a call, or of what it does inside."""
        name = call.name
        if path[0] != name[0]:
            return False
        if _is_related(path, name) or path[-1] == name[-1]:
            return True
        if not self.is_stated or name[0] == call.module[0]:
            return False  # a path, or a name, of the project itself
        is_beside = path[:-1] == name[: len(path) - 1]
        return call.is_method or not is_beside or _calls_global(name, path[-1])

    def _reaches_module(self, call: Call) -> bool:
        """Return whether a path into the project leads to what a call is written with."""
        start = _find(call.module, self.path)
        if start is not None and self._reaches_inside(self.path[start + len(call.module) :], call):
            return True
        # By way of another module: only an attribute of a shared object is replaced for all.
        tails = (self.path[start:] for start in range(1, len(self.path) - 1))
        return any(
            self._reaches_library(tail, call)
            or (len(call.text) > 1 and _is_related(tail, call.text))
            for tail in tails
        )

    def _reaches_inside(self, rest: Dotted, call: Call) -> bool:
        """Return whether a path within the call's own module leads to it."""
        if not rest:
            return self.is_stated
        if _is_related(rest, call.text):
            return True
        if call.is_method and not {*call.text[:-1], *call.name[:-1]}.isdisjoint(rest):
            return True
        if len(rest) == 1 and call.is_on_variable:
            return self.is_stated  # perhaps it makes what the variable holds
        if call.text[:1] != rest[:1]:
            return False
        root = call.name[: max(len(call.name) - len(call.text), 0) + 1]
        return self._reaches_library((*root, *rest[1:]), call)


def _is_related(one: Dotted, other: Dotted) -> bool:
    """Return whether one path is the beginning of the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _find(part: Dotted, path: Dotted) -> int | None:
    """Return where a path has another one within it, or None."""
    starts = range(len(path) - len(part) + 1)
    return next((start for start in starts if path[start : start + len(part)] == part), None)


def _calls_global(name: Dotted, other: str) -> bool:
    """Return whether a library's function may call another one of its own module.

    What is not Python cannot: `time.sleep` goes on whatever `time.time` is.
    """
    function = find_named(".".join(name))
    if function is MISSING:
        return True
    seen: set[str] = set()
    waiting = [function]
    while waiting:
        code = getattr(waiting.pop(), "__code__", None)
        names = set(getattr(code, "co_names", ())) - seen
        if other in names:
            return True
        seen |= names
        around = getattr(function, "__globals__", {})
        waiting += [around[name] for name in names if name in around]
    return False


def find_patches(file: SourceFile) -> tuple[list[Patch], bool]:
    """Return what a test file replaces, and whether it also replaces what no text in it names."""
    finder = _PatchFinder(file)
    return list(finder.find()), finder.is_loose


class _PatchFinder:
    """Looks through one file.

    Args:
        file: A file of tests.

    Attributes:
        is_loose: Whether there is a patch of which nothing is known.
    """

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._imports = list_imports(file.tree)
        self._texts = dict(_list_texts(file.tree))
        self.is_loose = False

    def find(self) -> Iterator[Patch]:
        """Yield the patches, and the texts that may be the path of one."""
        nodes = list(walk_nodes(self._file.tree))
        endpoints = {id(text) for node in nodes for text in _list_endpoints(node)}
        for node in nodes:
            match node:
                case ast.Constant(value=str() as text) if (
                    _DOTTED.fullmatch(text) and id(node) not in endpoints
                ):
                    yield Patch(self._file.locate(node), tuple(text.split(".")), is_stated=False)
                case ast.Call():
                    yield from self._read_call(node)
                case ast.Assign() | ast.Delete():
                    for target in node.targets:
                        yield from self._read_target(target)

    def _read_call(self, call: ast.Call) -> Iterator[Patch]:
        callee = call.func
        last = callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", "")
        first = call.args[0] if call.args else _find_keyword(call, "target")
        if first is None:
            return
        if last in _SETTERS and len(call.args) > 1 and not self._has_path(first):
            yield from self._read_setter(call, first, call.args[1])
        elif last == "multiple":
            for keyword in call.keywords:
                yield self._build_member(call, first, keyword.arg)
        elif last == "dict":
            yield from self._read_dict(call, first)
        elif last in _STAND_INS:
            path, is_whole = self._resolve(first)
            if path:
                yield Patch(self._file.locate(call), path, is_whole)
        elif last in _SETTERS or (last == "patch" and self._patches(callee, first)):
            yield from self._read_text_path(call, first)

    def _patches(self, callee: ast.expr, target: ast.expr) -> bool:
        """Return whether a `patch` is that of a mock library, and not a request of that method."""
        owner = callee.value if isinstance(callee, ast.Attribute) else callee
        path, _ = self._resolve(owner)
        if "mock" in " ".join(path).lower() or "mock" in ast.unparse(owner).lower():
            return True
        return isinstance(callee, ast.Name) or self._has_path(target)

    def _has_path(self, node: ast.expr) -> bool:
        text = self._read(node)
        return text is not None and "/" not in text and "." in text

    def _read_setter(self, call: ast.Call, owner: ast.expr, member: ast.expr) -> Iterator[Patch]:
        if _names_modules(owner):
            yield from self._read_text_path(call, member)
        else:
            yield self._build_member(call, owner, self._read(member))

    def _read_dict(self, call: ast.Call, target: ast.expr) -> Iterator[Patch]:
        values = call.args[1] if len(call.args) > 1 else _find_keyword(call, "values")
        keys = values.keys if isinstance(values, ast.Dict) else []
        if _names_modules(target) or self._read(target) == "sys.modules":
            for key in keys:
                if key is not None:
                    yield from self._read_text_path(call, key)
            if not keys:
                self.is_loose = True

    def _read_target(self, target: ast.expr) -> Iterator[Patch]:
        """Yield what an assignment to an attribute, or to an item of `sys.modules`, replaces."""
        match target:
            case ast.Attribute(value=ast.Name(id=name)) if name in _RECEIVERS:
                return
            case ast.Attribute():
                yield self._build_member(target, target.value, target.attr)
            case ast.Subscript() if _names_modules(target.value):
                yield from self._read_text_path(target, target.slice)
            case ast.Tuple() | ast.List():
                for element in target.elts:
                    yield from self._read_target(element)

    def _build_member(self, node: ast.expr, owner: ast.expr, member: str | None) -> Patch:
        """Return the patch of an attribute of an object, or of the path that a text is."""
        path, is_whole = self._resolve(owner)
        text = self._read(owner)
        if text is not None and _UNKNOWN not in text:
            path, is_whole = tuple(text.split(".")), True
        place = self._file.locate(node)
        if member is None or not _IDENTIFIER.fullmatch(member):
            self.is_loose = self.is_loose or not path
            return Patch(place, path or ("",), is_whole=is_whole, is_open=is_whole)
        return Patch(place, (*path, member), is_whole)

    def _read_text_path(self, node: ast.expr, target: ast.expr) -> Iterator[Patch]:
        """Yield the patch of a path that is written as a text."""
        text = self._read(target)
        if text is None:
            self.is_loose = True
            return
        known, unknown, end = text.rpartition(_UNKNOWN)
        # What is glued to an unknown text is no name of its own.
        rest = end if not unknown else end.partition(".")[2]
        place = self._file.locate(node)
        if rest and all(map(_IDENTIFIER.fullmatch, rest.split("."))):
            yield Patch(place, tuple(rest.split(".")), is_whole=not unknown)
        elif unknown and "." in known:
            start = known.partition(_UNKNOWN)[0].rpartition(".")[0]
            yield Patch(place, tuple(start.split(".")), is_open=True)
        elif unknown:
            self.is_loose = True

    def _resolve(self, node: ast.expr) -> tuple[Dotted, bool]:
        """Return the names that lead to an object, and whether they begin with a module."""
        match node:
            case ast.Name(id=name):
                return self._imports.get(name, ()), name in self._imports
            case ast.Attribute(value=value, attr=name):
                path, is_whole = self._resolve(value)
                return (*path, name), is_whole
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[target, *_]) | (
                ast.Call(func=ast.Name(id="import_module" | "__import__"), args=[target, *_])
            ):
                text = self._read(target)
            case ast.Subscript(value=owner, slice=key) if _names_modules(owner):
                text = self._read(key)
            case _:
                text = None
        if text is None or _UNKNOWN in text:
            return (), False
        return tuple(text.split(".")), True

    def _read(self, node: ast.expr) -> str | None:
        """Return what a text will be, with `_UNKNOWN` for what is not known; None for no text."""
        match node:
            case ast.Name(id=name):
                return self._texts.get(name)
            case ast.FormattedValue(value=value):
                return self._read(value)
            case ast.Attribute(value=owner, attr="__name__"):
                path, is_whole = self._resolve(owner)
                return ".".join(path) if is_whole else None
            case ast.JoinedStr(values=parts):
                return self._join(parts)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._join([left, right])
        return _read_constant(node)

    def _join(self, parts: Iterable[ast.expr]) -> str:
        return "".join(self._read(part) or _UNKNOWN for part in parts)


def _read_constant(node: ast.expr) -> str | None:
    """Return a text as written; one that is still to be filled in, with `_UNKNOWN` for that."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Mod()):
            return re.sub(r"%[sr]", _UNKNOWN, text)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as text), attr="format")):
            return re.sub(r"\{[^}]*\}", _UNKNOWN, text)
    return None


def list_imports(tree: ast.AST) -> dict[str, Dotted]:
    """Return what the imports of a file bind, wherever they stand: a name, and its path."""
    found: dict[str, Dotted] = {}
    for node in walk_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                path = tuple(alias.name.split("."))
                found[alias.asname or path[0]] = path if alias.asname else path[:1]
        elif isinstance(node, ast.ImportFrom):
            module = tuple(node.module.split(".")) if node.module else ()
            for alias in node.names:
                found[alias.asname or alias.name] = (*module, alias.name)
    return found


def _list_texts(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names that a file gives to texts, with the text."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str() as text)):
                yield name, text


def _list_endpoints(node: ast.AST) -> list[ast.expr]:
    """Return the texts in a node that are endpoints of blueprints: they look like paths."""
    match node:
        case ast.Call(func=ast.Name(id="url_for") | ast.Attribute(attr="url_for"), args=args):
            return args
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
    return []


def _find_keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _names_modules(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node).endswith("sys.modules")

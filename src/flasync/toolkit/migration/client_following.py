"""What a project does with a client that it makes: every use, followed by name over all files.

The face of an async client is used as its sync twin, but for what differs. A recipe asks here what
its client is used for. Names are followed where they lead: to other variables, attributes, modules,
the callers of a function that returns the client, the parameters of functions that are given it. An
attribute of the same name on another object counts as the client: a use too many leaves the client
as it is, one too few would break the app.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst
from libcst import matchers as m

from flasync.toolkit.migration.client_uses import ClientUses, Kind, Use
from flasync.toolkit.migration.name_index import index_names, is_method
from flasync.toolkit.migration.name_roles import (
    get_alias,
    is_global,
    is_in_class,
    is_looked_at,
    is_read,
)
from flasync.toolkit.migration.parameters import choose_parameter, list_parameters
from flasync.toolkit.migration.parsed_file import FunctionNode, ParsedFile
from flasync.toolkit.migration.project_files import list_mentioning

# Decorators with which a function still gives the client to who calls it; the first two keep it.
_KEEPING = frozenset({"cache", "lru_cache"})
_PLAIN_DECORATORS = _KEEPING | {"classmethod", "staticmethod"}
_PROPERTIES = frozenset({"cached_property", "property"})
# Calls that only look at what they are given.
_HARMLESS_CALLS = frozenset({"bool", "id", "print", "repr"})
# Ways to read an attribute by its name: `g.pop("db")`, `getattr(g, "db")`.
_READERS = frozenset({"get", "pop"})
_REQUEST_GLOBALS = frozenset({"g"})
_STAR = "import *"
# What the uses of a client may be spread over before nobody can say what it is used for.
_MOST_NODES = 5000

Node = cst.CSTNode


def follow_client(
    files: Iterable[ParsedFile], starts: Iterable[tuple[ParsedFile, cst.BaseExpression]]
) -> ClientUses:
    """Return what a project does with the value of some expressions.

    Args:
        files: The project's files.
        starts: The expressions, each with the file that it is in.
    """
    follower = _Follower(files)
    for file, node in starts:
        follower.add(file, node)
    follower.run()
    return ClientUses(tuple(follower.uses), follower.is_kept)


class _Follower:
    """Follows a value through names.

    Attributes:
        uses: What has been found.
        is_kept: As in `ClientUses`.
    """

    def __init__(self, files: Iterable[ParsedFile]) -> None:
        self.uses: list[Use] = []
        self.is_kept = False
        self._files = files
        self._waiting: list[tuple[ParsedFile, Node]] = []
        self._seen: set[int] = set()
        self._bound: set[tuple[object, ...]] = set()

    def add(self, file: ParsedFile, node: Node) -> None:
        """Note that an expression has the value."""
        if id(node) not in self._seen:
            self._seen.add(id(node))
            self._waiting.append((file, node))

    def run(self) -> None:
        """Follow it to the end."""
        while self._waiting:
            file, node = self._waiting.pop()
            if len(self._seen) > _MOST_NODES:
                self._note(Kind.LOST, "", file, node)
                return
            self._follow(file, node)

    def _note(self, kind: Kind, name: str, file: ParsedFile, node: Node) -> None:
        self.uses.append(Use(kind, name, file, node))

    def _follow(self, file: ParsedFile, node: Node) -> None:
        """Look at what is done with one expression that has the value."""
        parent = file.get_parent(node)
        match parent:
            case cst.Attribute(value=value, attr=cst.Name(value=name)) if value is node:
                is_set = isinstance(file.get_parent(parent), cst.AssignTarget | cst.AugAssign)
                self._note(Kind.SET if is_set else Kind.ATTRIBUTE, name, file, node)
            case cst.Subscript(value=value) if value is node:
                self._note(Kind.ITEM, "", file, node)
            case cst.For(iter=value) | cst.CompFor(iter=value) if value is node:
                self._note(Kind.ITERATED, "", file, node)
            case cst.WithItem(asname=asname):
                self._note(Kind.WITH, "", file, node)
                if asname is not None:
                    self._bind(file, asname.name)
            case cst.Arg():
                self._follow_argument(file, node, parent)
            case cst.Return():
                self._follow_return(file, node)
            case _ if not is_looked_at(parent, node):
                self._follow_assigned(file, node, parent)

    def _follow_assigned(self, file: ParsedFile, node: Node, parent: Node | None) -> None:
        match parent:
            case cst.Assign(targets=targets, value=value) if value is node:
                for target in targets:
                    self._bind(file, target.target)
            case cst.AnnAssign(target=target, value=value) if value is node:
                self._bind(file, target)
            case cst.NamedExpr(target=target, value=value) if value is node:
                self._bind(file, target)
                self.add(file, parent)
            case cst.BooleanOperation() | cst.IfExp():
                self.add(file, parent)
            case _:
                self._note(Kind.LOST, "", file, node)

    def _follow_argument(self, file: ParsedFile, node: Node, arg: cst.Arg) -> None:
        """Follow what is passed into the project's own function, to its parameter."""
        call = file.get_parent(arg)
        if not isinstance(call, cst.Call):
            self._note(Kind.LOST, "", file, node)
            return
        name = _get_last_name(call.func)
        if name in _HARMLESS_CALLS:
            return
        if name == "closing":
            self._note(Kind.ATTRIBUTE, "close", file, node)
            item = file.get_parent(call)
            if isinstance(item, cst.WithItem) and item.asname is not None:
                self._bind(file, item.asname.name)
            elif not isinstance(item, cst.WithItem):
                self._note(Kind.LOST, "", file, node)
            return
        function = file.find_enclosing(call)
        if isinstance(function, cst.FunctionDef) and name in list_parameters(function):
            if isinstance(call.func, cst.Name) and arg is call.args[0]:
                self._follow_callback(file, function, name)
                return
        targets = list(self._find_parameters(name, call, arg))
        if len(targets) != 1:
            self._note(Kind.PASSED, name, file, node)
            return
        owner, function, parameter = targets[0]
        self._bind_local(owner, function, parameter)

    def _follow_callback(self, file: ParsedFile, function: cst.FunctionDef, name: str) -> None:
        """Follow the value into whatever callers give a function as the parameter that it calls.

        It is what that is called with first.
        """
        if not self._is_new("callback", id(function), name):
            return
        for other, node in self._list_mentions(function.name.value):
            parent = other.get_parent(node)
            full = parent if isinstance(parent, cst.Attribute) and parent.attr is node else node
            call = other.get_parent(full)
            if not isinstance(call, cst.Call) or call.func is not full:
                if is_read(other, node):
                    self._note(Kind.LOST, name, other, node)
                continue
            is_bound = is_method(file, function)
            for arg in call.args:
                if choose_parameter(function, call, arg, is_method=is_bound) == name:
                    self._enter_callback(other, arg.value)

    def _enter_callback(self, file: ParsedFile, callback: Node) -> None:
        """Follow the value as the first parameter of a lambda, or of a function of the file."""
        functions: list[FunctionNode] = []
        if isinstance(callback, cst.Lambda):
            functions.append(callback)
        elif isinstance(callback, cst.Name):
            found = index_names(file).functions.get(callback.value, ())
            functions += [function for function, is_bound in found if not is_bound]
        if not functions:
            self._note(Kind.LOST, "", file, callback)
        for function in functions:
            names = list_parameters(function)
            if names:
                self._bind_local(file, function, names[0])

    def _find_parameters(
        self, name: str, call: cst.Call, arg: cst.Arg
    ) -> Iterator[tuple[ParsedFile, cst.FunctionDef, str]]:
        """Yield the parameter that an argument goes to, for each function of a name."""
        for file in list_mentioning(self._files, name):
            for function, is_bound in index_names(file).functions.get(name, ()):
                parameter = choose_parameter(function, call, arg, is_method=is_bound)
                if parameter is not None:
                    yield file, function, parameter

    def _follow_return(self, file: ParsedFile, node: Node) -> None:
        """Follow what a function returns to who calls it."""
        function = file.find_enclosing(node)
        if not isinstance(function, cst.FunctionDef):
            self._note(Kind.LOST, "", file, node)
            return
        name = function.name.value
        decorators = {_get_decorator(decorator) for decorator in function.decorators}
        if decorators & _KEEPING:
            self.is_kept = True
        if decorators & _PROPERTIES:
            self._bind_attribute(name)
        elif decorators - _PLAIN_DECORATORS:
            self._note(Kind.LOST, "", file, node)
        else:
            self._bind_function(file, name)

    def _bind_function(self, file: ParsedFile, name: str) -> None:
        """Follow the value of every call of a function."""
        if not self._is_new("function", name):
            return
        for other, node in self._list_mentions(name):
            parent = other.get_parent(node)
            full = parent if isinstance(parent, cst.Attribute) and parent.attr is node else node
            above = other.get_parent(full)
            alias = get_alias(other, node)
            if alias is not None:
                self._bind_function(other, alias.value)
            elif isinstance(above, cst.Call) and above.func is full:
                self.add(other, above)
            elif is_read(other, node):
                self._note(Kind.LOST, name, other, node)

    def _bind(self, file: ParsedFile, target: Node) -> None:
        """Follow a name or attribute that the value is assigned to."""
        match target:
            case cst.Name(value=name):
                function = file.find_enclosing(target)
                if isinstance(function, cst.FunctionDef) and not is_global(function, name):
                    self._bind_local(file, function, name)
                else:
                    self._bind_global(file, target, name)
            case cst.Attribute(value=owner, attr=cst.Name(value=name)):
                if _get_last_name(owner) not in _REQUEST_GLOBALS:
                    self.is_kept = True
                self._bind_attribute(name)
            case _:
                self._note(Kind.LOST, "", file, target)

    def _bind_local(self, file: ParsedFile, function: FunctionNode, name: str) -> None:
        if self._is_new("local", id(function), name):
            for node in m.findall(function, m.Name(name)):
                if is_read(file, node):
                    self.add(file, node)

    def _bind_global(self, file: ParsedFile, target: Node, name: str) -> None:
        """Follow a name of a module, or of a class, in every file that may know it."""
        self.is_kept = True
        if is_in_class(file, target):
            self._bind_attribute(name)
        if not self._is_new("global", file.name, name):
            return
        for other, node in self._list_mentions(name):
            imported = any(full.endswith(f".{name}") for full in other.name_qualified(node))
            alias = get_alias(other, node)
            if alias is not None:
                self._bind(other, alias)
            elif (other is file or imported or _STAR in other.text) and is_read(other, node):
                self.add(other, node)
        self._bind_attribute(name, of_modules=True)

    def _bind_attribute(self, name: str, *, of_modules: bool = False) -> None:
        """Follow an attribute, on whatever object, and what reads it by its name as a text.

        Args:
            name: The attribute.
            of_modules: Whether it is only one of modules: its owner must be an imported name.
        """
        if not self._is_new("attribute", name, of_modules):
            return
        for file, node in self._list_mentions(name):
            parent = file.get_parent(node)
            if isinstance(parent, cst.Attribute) and parent.attr is node:
                if not of_modules or file.name_qualified(parent):
                    self._add_attribute(file, node)
        for file in list_mentioning(self._files, name) if not of_modules else ():
            for text in index_names(file).texts.get(name, ()):
                self._add_read_by_name(file, text)

    def _add_attribute(self, file: ParsedFile, name: Node) -> None:
        attribute = file.get_parent(name)
        above = file.get_parent(attribute) if attribute is not None else None
        if attribute is not None and not isinstance(above, cst.AssignTarget | cst.Del):
            if not (isinstance(above, cst.AnnAssign) and above.target is attribute):
                self.add(file, attribute)

    def _add_read_by_name(self, file: ParsedFile, text: Node) -> None:
        """Follow the value of `g.pop("db", None)`, `getattr(g, "db")`, `g.setdefault(…)`."""
        arg = file.get_parent(text)
        call = file.get_parent(arg) if isinstance(arg, cst.Arg) else None
        if isinstance(call, cst.Call):
            name = _get_last_name(call.func)
            is_getattr = name == "getattr" and len(call.args) > 1 and call.args[1] is arg
            if is_getattr or (name in _READERS and call.args[0] is arg):
                self.add(file, call)

    def _list_mentions(self, name: str) -> Iterator[tuple[ParsedFile, Node]]:
        for file in list_mentioning(self._files, name):
            for node in index_names(file).names.get(name, ()):
                yield file, node

    def _is_new(self, *key: object) -> bool:
        if key in self._bound:
            return False
        self._bound.add(key)
        return True


def _get_decorator(decorator: cst.Decorator) -> str:
    node = decorator.decorator
    return _get_last_name(node.func if isinstance(node, cst.Call) else node)


def _get_last_name(node: Node) -> str:
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
    return ""

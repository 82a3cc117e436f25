"""What a project does with a client that it makes: every use, followed by name over all files.

The face of an async client is used as its sync twin, but for what differs. A recipe asks here what
its client is used for. Names are followed where they lead: to other variables, attributes, modules,
the callers of a function that returns the client, the parameters of functions that are given it. An
attribute of the same name on another object counts as the client: a use too many leaves the client
as it is, one too few would break the app.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import libcst as cst
from libcst import matchers as m

from flasync.toolkit.finding import Place
from flasync.toolkit.migration.parsed_file import FunctionNode, ParsedFile
from flasync.toolkit.migration.project_files import ProjectFiles

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

# Nodes whose names are no expressions that are read.
_NAMING = (
    cst.Annotation,
    cst.AsName,
    cst.AssignTarget,
    cst.ClassDef,
    cst.Del,
    cst.FunctionDef,
    cst.ImportAlias,
    cst.ImportFrom,
    cst.NameItem,
)

Node = cst.CSTNode


class Kind(enum.Enum):
    """What a use does with the client."""

    ATTRIBUTE = enum.auto()
    """An attribute or method is taken from it."""
    SET = enum.auto()
    """An attribute is set on it."""
    WITH = enum.auto()
    """It is entered in a `with` statement."""
    ITEM = enum.auto()
    """It is subscripted."""
    ITERATED = enum.auto()
    """It is iterated over."""
    PASSED = enum.auto()
    """It is given to code that is not the project's."""
    LOST = enum.auto()
    """It goes where nobody can follow it."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use.

    Attributes:
        kind: What it does.
        name: The attribute, or what it is passed to, as written.
        file: The file that it is in.
        node: The expression that is the client there.
    """

    kind: Kind
    name: str
    file: ParsedFile
    node: Node

    @property
    def place(self) -> Place:
        """Where."""
        return self.file.locate(self.node).place


@dataclass(frozen=True, slots=True)
class ClientUses:
    """All uses of a client.

    Attributes:
        uses: Those that were found, in no certain order.
        is_kept: Whether it lives longer than a request: in a module, a class, an object.
    """

    uses: tuple[Use, ...]
    is_kept: bool

    def find(self, *kinds: Kind, besides: Iterable[str] = ()) -> Use | None:
        """Return the first use of some kinds whose name is not one of `besides`."""
        allowed = frozenset(besides)
        found = (use for use in self.uses if use.kind in kinds and use.name not in allowed)
        return next(found, None)

    def list_calls(self, *names: str) -> Iterator[tuple[ParsedFile, cst.Call]]:
        """Yield the calls of methods of the client."""
        for use in self.uses:
            if use.kind is Kind.ATTRIBUTE and use.name in names:
                attribute = use.file.get_parent(use.node)
                call = use.file.get_parent(attribute) if attribute is not None else None
                if isinstance(call, cst.Call) and call.func is attribute:
                    yield use.file, call


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
            case _ if not _is_looked_at(parent, node):
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
        if isinstance(function, cst.FunctionDef) and name in _list_parameters(function):
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
                if _is_read(other, node):
                    self._note(Kind.LOST, name, other, node)
                continue
            is_method = _is_method(file, function)
            for arg in call.args:
                if _choose_parameter(function, call, arg, is_method=is_method) == name:
                    self._enter_callback(other, arg.value)

    def _enter_callback(self, file: ParsedFile, callback: Node) -> None:
        """Follow the value as the first parameter of a lambda, or of a function of the file."""
        functions: list[FunctionNode] = []
        if isinstance(callback, cst.Lambda):
            functions.append(callback)
        elif isinstance(callback, cst.Name):
            found = _index(file).functions.get(callback.value, ())
            functions += [function for function, is_method in found if not is_method]
        if not functions:
            self._note(Kind.LOST, "", file, callback)
        for function in functions:
            names = _list_parameters(function)
            if names:
                self._bind_local(file, function, names[0])

    def _find_parameters(
        self, name: str, call: cst.Call, arg: cst.Arg
    ) -> Iterator[tuple[ParsedFile, cst.FunctionDef, str]]:
        """Yield the parameter that an argument goes to, for each function of a name."""
        for file in _list_mentioning(self._files, name):
            for function, is_method in _index(file).functions.get(name, ()):
                parameter = _choose_parameter(function, call, arg, is_method=is_method)
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
            alias = _get_alias(other, node)
            if alias is not None:
                self._bind_function(other, alias.value)
            elif isinstance(above, cst.Call) and above.func is full:
                self.add(other, above)
            elif _is_read(other, node):
                self._note(Kind.LOST, name, other, node)

    def _bind(self, file: ParsedFile, target: Node) -> None:
        """Follow a name or attribute that the value is assigned to."""
        match target:
            case cst.Name(value=name):
                function = file.find_enclosing(target)
                if isinstance(function, cst.FunctionDef) and not _is_global(function, name):
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
                if _is_read(file, node):
                    self.add(file, node)

    def _bind_global(self, file: ParsedFile, target: Node, name: str) -> None:
        """Follow a name of a module, or of a class, in every file that may know it."""
        self.is_kept = True
        if _is_in_class(file, target):
            self._bind_attribute(name)
        if not self._is_new("global", file.name, name):
            return
        for other, node in self._list_mentions(name):
            imported = any(full.endswith(f".{name}") for full in other.name_qualified(node))
            alias = _get_alias(other, node)
            if alias is not None:
                self._bind(other, alias)
            elif (other is file or imported or _STAR in other.text) and _is_read(other, node):
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
        for file in _list_mentioning(self._files, name) if not of_modules else ():
            for text in _index(file).texts.get(name, ()):
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
        for file in _list_mentioning(self._files, name):
            for node in _index(file).names.get(name, ()):
                yield file, node

    def _is_new(self, *key: object) -> bool:
        if key in self._bound:
            return False
        self._bound.add(key)
        return True


# --- questions about single nodes ---------------------------------------------------------------


class _Index:
    """The nodes of a file by name."""

    def __init__(self, file: ParsedFile) -> None:
        self.names: dict[str, list[Node]] = defaultdict(list)
        self.texts: dict[str, list[Node]] = defaultdict(list)
        self.functions: dict[str, list[tuple[cst.FunctionDef, bool]]] = defaultdict(list)
        for node in m.findall(file.module, m.Name() | m.SimpleString() | m.FunctionDef()):
            match node:
                case cst.Name(value=name):
                    self.names[name].append(node)
                case cst.SimpleString():
                    self.texts[str(node.evaluated_value)].append(node)
                case cst.FunctionDef():
                    self._add_function(file, node)

    def _add_function(self, file: ParsedFile, node: cst.FunctionDef) -> None:
        above = _find_owner(file, node)
        is_method = isinstance(above, cst.ClassDef)
        if isinstance(above, cst.ClassDef) and node.name.value == "__init__":
            self.functions[above.name.value].append((node, True))
        else:
            self.functions[node.name.value].append((node, is_method))


def _list_mentioning(files: Iterable[ParsedFile], word: str) -> Iterator[ParsedFile]:
    """Yield the files whose text has a word; of a whole project, no other is even parsed."""
    if isinstance(files, ProjectFiles):
        yield from files.list_mentioning(word)
    else:
        yield from (file for file in files if word in file.text)


@cache  # as many as the project has files, and freed with the process
def _index(file: ParsedFile) -> _Index:
    return _Index(file)


def _find_owner(file: ParsedFile, function: cst.FunctionDef) -> Node | None:
    """Return what has a function in its body: a class, another function, the module."""
    body = file.get_parent(function)
    return file.get_parent(body) if body is not None else None


def _is_method(file: ParsedFile, function: cst.FunctionDef) -> bool:
    return isinstance(_find_owner(file, function), cst.ClassDef)


def _list_parameters(function: FunctionNode) -> list[str]:
    """Return the names of the parameters that may be given by position."""
    parameters = [*function.params.posonly_params, *function.params.params]
    return [parameter.name.value for parameter in parameters]


def _choose_parameter(
    function: cst.FunctionDef, call: cst.Call, arg: cst.Arg, *, is_method: bool
) -> str | None:
    """Return the name of the parameter that an argument of a call goes to; None if not known."""
    names = _list_parameters(function)
    if arg.keyword is not None:
        keywords = [*names, *(parameter.name.value for parameter in function.params.kwonly_params)]
        return arg.keyword.value if arg.keyword.value in keywords else None
    if arg.star or any(other.star for other in call.args):
        return None
    position = list(call.args).index(arg) + (1 if is_method else 0)
    return names[position] if position < len(names) else None


def _is_looked_at(parent: Node | None, node: Node) -> bool:
    """Return whether an expression is only asked for its truth, compared with None or dropped."""
    match parent:
        case cst.If(test=test) | cst.While(test=test) | cst.Assert(test=test) if test is node:
            return True
        case cst.IfExp(test=test) if test is node:
            return True
        case cst.Comparison(comparisons=[cst.ComparisonTarget(operator=operator)]):
            return isinstance(operator, cst.Is | cst.IsNot)
        case cst.Expr() | cst.Del() | cst.FormattedStringExpression():
            return True
        case cst.UnaryOperation(operator=cst.Not()):
            return True
    return False


def _is_read(file: ParsedFile, name: Node) -> bool:
    """Return whether a name is an expression that is read, and not only a name of something."""
    parent = file.get_parent(name)
    match parent:
        case cst.Attribute(attr=own) | cst.Arg(keyword=own) | cst.Param(name=own):
            return own is not name
        case cst.AnnAssign(target=own) | cst.NamedExpr(target=own) | cst.For(target=own):
            return own is not name
    return not isinstance(parent, _NAMING)


def _get_alias(file: ParsedFile, node: Node) -> cst.Name | None:
    """Return the other name under which an import binds a name, if it does."""
    match file.get_parent(node):
        case cst.ImportAlias(name=name, asname=cst.AsName(name=cst.Name() as alias)):
            return alias if name is node else None
    return None


def _is_global(function: cst.FunctionDef, name: str) -> bool:
    listed = m.Global(names=[m.ZeroOrMore(), m.NameItem(m.Name(name)), m.ZeroOrMore()])
    return bool(m.findall(function.body, listed))


def _is_in_class(file: ParsedFile, node: Node) -> bool:
    """Return whether a name is bound by the body of a class."""
    above = file.get_parent(node)
    while above is not None and not isinstance(above, cst.FunctionDef):
        if isinstance(above, cst.ClassDef):
            return True
        above = file.get_parent(above)
    return False


def _get_decorator(decorator: cst.Decorator) -> str:
    node = decorator.decorator
    return _get_last_name(node.func if isinstance(node, cst.Call) else node)


def _get_last_name(node: Node) -> str:
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
    return ""

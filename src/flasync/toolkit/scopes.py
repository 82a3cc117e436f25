"""What the names in one function of the project stand for.

A rule needs more than the call graph for expressions that are no calls: which object is locked by
`with lock:`, whether `STOCK` in `STOCK[key] -= 1` is the module's dict or a local of that name.
Globals are looked up in the running app; what a function makes while it runs is known by the call
that makes it. Nothing of the app is run for it: a live object is asked for its `type`, never with
`isinstance`, for which a proxy would fetch, or connect, what it stands for.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import symtable
import sys
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any, cast

from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.rules.rule import Program
from flasync.toolkit.sources import FunctionTree, SourceFile
from flasync.toolkit.statements import walk_statements

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# What a look-up gives for what is not there, or not known; None is a value.
MISSING: Any = object()

# Functions by which objects are made of which a class has no public name, or is chosen at run time.
_FACTORIES: dict[Callable[..., Any], type] = {
    asyncio.get_event_loop: asyncio.AbstractEventLoop,
    asyncio.get_running_loop: asyncio.AbstractEventLoop,
    asyncio.new_event_loop: asyncio.AbstractEventLoop,
    threading.Lock: type(threading.Lock()),
    threading.RLock: type(threading.RLock()),
}
THREAD_LOCKS = (
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Condition,
    threading.Semaphore,
)
"""The classes of what a thread holds so that no other runs meanwhile."""
LOCKS = (*THREAD_LOCKS, asyncio.Lock, asyncio.Condition, asyncio.Semaphore)
_DISPLAYS: dict[type[ast.expr], type] = {
    ast.Dict: dict,
    ast.DictComp: dict,
    ast.List: list,
    ast.ListComp: list,
    ast.Set: set,
    ast.SetComp: set,
}
_COMPREHENSIONS = frozenset({"dictcomp", "genexpr", "listcomp", "setcomp"})


@lru_cache(maxsize=1)  # several rules of a scan ask for them
def open_scopes(program: Program) -> Scopes:
    """Return the scopes of a program's functions."""
    return Scopes()


class Scopes:
    """The scopes of functions; each file is compiled once."""

    def __init__(self) -> None:
        self._files: dict[SourceFile, _FileScopes] = {}

    def get(self, function: FunctionNode) -> Scope | None:
        """Return the scope of a function, or None for a template."""
        source, tree = function.source, function.tree
        if source is None or tree is None:
            return None
        if source not in self._files:
            self._files[source] = _FileScopes(source)
        return Scope(function, tree, self._files[source])


class Scope:
    """The names of one function.

    Args:
        function: The function.
        tree: Its syntax tree.
        file: What its file defines around it.
    """

    def __init__(self, function: FunctionNode, tree: FunctionTree, file: _FileScopes) -> None:
        self.tree = tree
        self._file = file
        self._namespace = function.namespace
        self._around = file.around.get(tree, ())
        self._own, self._free = file.list_names(tree)

    def is_global(self, name: str) -> bool:
        """Return whether a name is one of the module, or a built-in one."""
        return name not in self._own and name not in self._free

    def find_owner(self, name: str) -> FunctionTree | None:
        """Return the function around this one that a name belongs to, or None."""
        if name not in self._free:
            return None
        for definition in self._around:
            if not isinstance(definition, ast.ClassDef) and name in self._file.list_assigned(
                definition
            ):
                return definition
        return None

    def find_value(self, node: ast.AST) -> Any:
        """Return the live object behind a global or an attribute of one, or `MISSING`."""
        if isinstance(node, ast.Name):
            if not self.is_global(node.id):
                return MISSING
            found = self._namespace.get(node.id, MISSING)
            return vars(builtins).get(node.id, MISSING) if found is MISSING else found
        if isinstance(node, ast.Attribute):
            owner = self.find_value(node.value)
            return MISSING if owner is MISSING else _get_member(owner, node.attr)
        return MISSING

    def find_class(self, node: ast.AST) -> type | None:
        """Return the class of what an expression stands for, if that is known."""
        value = self.find_value(node)
        if value is not MISSING:
            return type(value)
        assigned = [node] if isinstance(node, ast.Call) else self._list_values(node)
        classes = {self._find_made(value) for value in assigned}
        return classes.pop() if len(classes) == 1 else None

    def _list_values(self, node: ast.AST) -> list[ast.expr]:
        """Return what is assigned to a local name, or to an attribute of `self`."""
        if isinstance(node, ast.Name):
            owner = self.tree if node.id in self._own else self.find_owner(node.id)
            return self._file.list_assigned(owner).get(node.id, []) if owner is not None else []
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            definition = next(iter(self._around), None)
            if isinstance(definition, ast.ClassDef) and node.value.id == _find_receiver(self.tree):
                return self._file.list_attributes(definition).get(node.attr, [])
        return []

    def _find_made(self, value: ast.expr) -> type | None:
        """Return the class of a display or of the object that a call makes."""
        if not isinstance(value, ast.Call):
            return _DISPLAYS.get(type(value))
        maker = self.find_value(value.func)
        if issubclass(type(maker), type):
            return cast(type, maker)
        for factory, made in _FACTORIES.items():
            if maker is factory:
                return made
        return None


class _FileScopes:
    """The functions and classes of one file: what is around each, and its names."""

    def __init__(self, source: SourceFile) -> None:
        self.around: dict[ast.AST, tuple[Definition, ...]] = {}
        self._assigned: dict[ast.AST, dict[str, list[ast.expr]]] = {}
        self._attributes: dict[ast.ClassDef, dict[str, list[ast.expr]]] = {}
        self._tables: dict[tuple[str, int], list[symtable.SymbolTable]] = {}
        self._note_around(source.tree.body, ())
        self._note_tables(symtable.symtable(source.text, source.name, "exec"))

    def list_names(self, tree: FunctionTree) -> tuple[set[str], set[str]]:
        """Return a function's own names and those of functions around it."""
        name = "lambda" if isinstance(tree, ast.Lambda) else tree.name
        own: set[str] = set()
        free: set[str] = set()
        # Lambdas of one line cannot be told apart: then a name of one is a name of all.
        for table in self._tables.get((name, tree.lineno), ()):
            for part in (table, *_list_comprehensions(table)):
                own.update(symbol.get_name() for symbol in part.get_symbols() if symbol.is_local())
                free.update(symbol.get_name() for symbol in part.get_symbols() if symbol.is_free())
        return own, free - own

    def list_assigned(self, definition: Definition | ast.Lambda) -> dict[str, list[ast.expr]]:
        """Return what a function assigns to each of its names."""
        if definition not in self._assigned:
            self._assigned[definition] = _read_assigned(definition)
        return self._assigned[definition]

    def list_attributes(self, definition: ast.ClassDef) -> dict[str, list[ast.expr]]:
        """Return what a class assigns to each of its attributes."""
        if definition not in self._attributes:
            self._attributes[definition] = _read_attributes(definition)
        return self._attributes[definition]

    def _note_around(self, body: list[ast.stmt], around: tuple[Definition, ...]) -> None:
        for statement in walk_statements(body):
            if isinstance(statement, Definition):
                self.around[statement] = around
                self._note_around(statement.body, (statement, *around))

    def _note_tables(self, table: symtable.SymbolTable) -> None:
        for child in table.get_children():
            self._tables.setdefault((child.get_name(), child.get_lineno()), []).append(child)
            self._note_tables(child)


def _list_comprehensions(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        if child.get_name() in _COMPREHENSIONS:
            yield child
            yield from _list_comprehensions(child)


def _read_assigned(definition: Definition | ast.Lambda) -> dict[str, list[ast.expr]]:
    """Return what the own statements of a function or a class assign to plain names."""
    found: dict[str, list[ast.expr]] = {}
    if not isinstance(definition, ast.Lambda):
        for target, value in _list_assignments(definition.body):
            if isinstance(target, ast.Name):
                found.setdefault(target.id, []).append(value)
    return found


def _read_attributes(definition: ast.ClassDef) -> dict[str, list[ast.expr]]:
    """Return what a class assigns to its attributes, in its body and in its methods."""
    found = _read_assigned(definition)
    for method in definition.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        receiver = _find_receiver(method)
        for target, value in _list_assignments(method.body):
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                if target.value.id == receiver:
                    found.setdefault(target.attr, []).append(value)
    return found


def _list_assignments(body: list[ast.stmt]) -> Iterator[tuple[ast.expr, ast.expr]]:
    for statement in walk_statements(body):
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                yield target, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            yield statement.target, statement.value


def _find_receiver(tree: FunctionTree) -> str | None:
    parameters = [*tree.args.posonlyargs, *tree.args.args]
    return parameters[0].arg if parameters else None


def find_file(value: Any) -> str | None:
    """Return the file of a module, or of the module in which an object's class is defined."""
    module = value
    if type(value) is not ModuleType:
        cls = value if issubclass(type(value), type) else type(value)
        module = sys.modules.get(str(cls.__module__))
    return module.__dict__.get("__file__") if type(module) is ModuleType else None


def find_named(name: str) -> Any:
    """Return the live object of a dotted name in the imported modules, or `MISSING`."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        target: Any = sys.modules.get(".".join(parts[:length]))
        if target is not None:
            for part in parts[length:]:
                target = MISSING if target is MISSING else _get_member(target, part)
            return target
    return MISSING


def _get_member(owner: Any, name: str) -> Any:
    """Return an attribute of a live object without running code of its class."""
    value = inspect.getattr_static(owner, name, MISSING)
    if type(value) is staticmethod:
        return value.__func__
    # A property, a slot or a method of an object is not the value that reading it gives.
    is_holder = type(owner) is ModuleType or issubclass(type(owner), type)
    return value if is_holder or not hasattr(type(value), "__get__") else MISSING

"""Whether the decorators of a view hand a coroutine through, or look at what the view returns.

A decorator that was written for plain functions gets a coroutine once its view is `async def`. It
does no harm where it returns that as it is: flasync awaits it. Where it reads it, changes it, or
expects the view's exceptions to be raised before it returns, the view must stay a plain function.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache, partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any, TypeGuard

import flask
from flask.views import MethodView

from flasync.lanes import unwrap_chain
from flasync.toolkit.sources import FunctionTree, SourceFile
from flasync.toolkit.syntax import list_children, walk_nodes

# What makes a plain function of either kind: Flask's, and what extensions call theirs.
_AWAITING = "ensure_sync"
# Functions by which a decorator tells the kinds apart, and wraps each in its own way.
_TELLING = frozenset({"isawaitable", "iscoroutine", "iscoroutinefunction"})
# Blocks in which the view's own code runs while it is called, and no longer when it is awaited.
_AROUND = (ast.AsyncFor, ast.AsyncWith, ast.Try, ast.TryStar, ast.With)

# How deep in closures a hidden wrapper is looked for; nobody stacks more under one `@wraps`.
_MOST_HIDDEN = 5


def find_result_reader(view: Callable[..., Any]) -> str | None:
    """Return which decorator of a view is not proved to hand a coroutine through.

    Args:
        view: The view as it is registered, or the method of a class-based view.

    Returns:
        The name of the decorator, such as "cached"; None when all of them do, or there is none.
    """
    view_class = getattr(view, "view_class", None)
    if isinstance(view_class, type):
        return _find_class_reader(view_class)
    chain = _list_chain(view)
    if not isinstance(chain[-1], FunctionType) or _hides_another(chain[-1]):
        return _name(chain[-1])
    for number in reversed(range(len(chain) - 1)):
        if isinstance(chain[number], partial):
            continue
        wrapper = _read_wrapper(chain[number], chain[number + 1 :])
        if wrapper is None or not wrapper.passes():
            return _name(chain[number])
        if wrapper.awaits():
            break  # further out, nobody can tell that the view is async
    return None


def _find_class_reader(view_class: type) -> str | None:
    """Return what looks at the results of a class-based view's methods.

    The view's `decorators` do not: `View.as_view` puts them around a function that waits itself.
    """
    dispatch = getattr(view_class, "dispatch_request", None)
    names = sorted(getattr(view_class, "methods", None) or ())
    methods = [getattr(view_class, name.lower(), None) for name in names]
    if issubclass(view_class, MethodView) and dispatch is not MethodView.dispatch_request:
        return f"{view_class.__name__}.dispatch_request"
    if not issubclass(view_class, MethodView):
        methods = [dispatch]
    readers = (find_result_reader(method) for method in methods if method is not None)
    return next((reader for reader in readers if reader is not None), None)


def _unbind(function: Any) -> Any:
    return function.__func__ if isinstance(function, MethodType) else function


def _list_chain(view: Callable[..., Any]) -> list[Any]:
    """Return a view's wrappers and what they wrap, the outermost first.

    `@wraps(view)` above another decorator hides what is between that one and the view; it is found
    in the closures.
    """
    known = list(map(_unbind, unwrap_chain(view)))
    chain: list[Any] = []
    for number, wrapper in enumerate(known):
        chain += [wrapper, *(_find_hidden(wrapper, known[number + 1 :], _MOST_HIDDEN) or ())]
    return chain


def _find_hidden(wrapper: Any, inner: list[Any], depth: int) -> list[Any] | None:
    """Return the functions between a wrapper and one of `inner`; None if none leads there."""
    held = [_unbind(value) for _, value in _list_free(wrapper)]
    if any(value is known for value in held for known in inner):
        return []
    for value in held if depth else ():
        found = _find_hidden(value, inner, depth - 1)
        if found is not None:
            return [value, *found]
    return None


def _read_wrapper(wrapper: Any, inner: list[Any]) -> _Wrapper | None:
    """Return what the source of a wrapper says; None when it has none.

    Args:
        wrapper: A function, or an object that is called.
        inner: What it wraps, and what that wraps, the outermost first.
    """
    is_object = not isinstance(wrapper, FunctionType)
    function = inspect.getattr_static(type(wrapper), "__call__", None) if is_object else wrapper
    found = _find_tree(function.__code__) if isinstance(function, FunctionType) else None
    if found is None or not isinstance(function, FunctionType):
        return None
    source, tree = found
    held = {name: _unbind(value) for name, value in _list_free(function)}
    if is_object:
        receiver = next((argument.arg for argument in tree.args.args), "")
        held |= {f"{receiver}.{name}": _unbind(it) for name, it in vars(wrapper).items()}
    names = {
        name: any(_unbind(known) is inner[-1] for known in unwrap_chain(value))
        for name, value in held.items()
        if any(value is known for known in inner)
    }
    return _Wrapper(source, tree, names, function.__globals__)


class _Wrapper:
    """The function that a decorator puts around another one.

    Args:
        source: Its file.
        tree: Its tree.
        names: How it writes what it wraps, and whether one sees that this is async when it is.
        namespace: The globals of its module.
    """

    def __init__(
        self,
        source: SourceFile,
        tree: FunctionTree,
        names: dict[str, bool],
        namespace: dict[str, Any],
    ) -> None:
        self._source = source
        self._tree = tree
        self._names = names
        self._namespace = namespace
        self._parents = {child: node for node in walk_nodes(tree) for child in list_children(node)}

    def passes(self) -> bool:
        """Return whether all that is done with the wrapped function is to return what it gives."""
        return self._tells_kinds() or (
            bool(self._mentions) and all(map(self._is_harmless, self._mentions))
        )

    def awaits(self) -> bool:
        """Return whether an async function is always made a plain one before it is called."""
        return (
            not self._tells_kinds()
            and all(self._names.values())
            and all(
                self._is_ensured(node) or isinstance(self._parents.get(node), ast.Attribute)
                for node in self._mentions
            )
        )

    @cached_property
    def _mentions(self) -> list[ast.AST]:
        """The nodes at which the wrapper's body names what it wraps."""
        body = self._tree.body if isinstance(self._tree.body, list) else [self._tree.body]
        return [
            node
            for part in body
            for node in walk_nodes(part)
            if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in self._names
        ]

    def _tells_kinds(self) -> bool:
        """Return whether the decorator asks whether the function, or its result, is async."""
        return any(map(_tells, walk_nodes(self._tree))) or any(
            _tells(node) and ast.unparse(node.args[0]) in self._names
            for definition in _list_around(self._source, self._tree)
            for node in walk_nodes(definition)
        )

    def _is_harmless(self, node: ast.AST) -> bool:
        parent = self._parents.get(node)
        if isinstance(parent, ast.Attribute):
            return True  # such as `function.__name__`
        if isinstance(parent, ast.Call) and parent.func is node:
            return self._is_returned(parent)
        return self._is_ensured(node)

    def _is_ensured(self, node: ast.AST) -> bool:
        parent = self._parents.get(node)
        if not isinstance(parent, ast.Call) or _get_last(parent.func) != _AWAITING:
            return False
        if self._names[ast.unparse(node)]:
            return True
        # It gets no sync function for one that does not look async.
        call = self._parents.get(parent)
        return isinstance(call, ast.Call) and call.func is parent and self._is_returned(call)

    def _is_returned(self, call: ast.Call) -> bool:
        """Return whether the value of a call becomes the wrapper's own at once."""
        below: ast.AST = call
        above = self._parents.get(below)
        while isinstance(above, ast.expr) and self._is_handed_up(above, below):
            below, above = above, self._parents.get(above)
        if above is self._tree:
            return isinstance(self._tree, ast.Lambda)
        if isinstance(above, ast.Assign) and self._is_returned_next(above):
            return self._runs_bare(above)
        return isinstance(above, ast.Return) and self._runs_bare(above)

    def _is_handed_up(self, above: ast.expr, below: ast.AST) -> bool:
        match above:
            case ast.IfExp():
                return below is not above.test
            case ast.BoolOp():
                return below is above.values[-1]
            case ast.Await():
                return True
            case ast.Call(args=[only], keywords=[]):
                return only is below and self._makes_response(above.func)
        return False

    def _makes_response(self, callee: ast.expr) -> bool:
        """Return whether a function is Flask's `make_response`, which awaits what it is given."""
        if isinstance(callee, ast.Name):
            return self._namespace.get(callee.id) is flask.make_response
        if isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Name):
            owner = self._namespace.get(callee.value.id)
            return callee.attr == "make_response" and (owner is flask or owner is flask.current_app)
        return False

    def _is_returned_next(self, statement: ast.Assign) -> bool:
        """Return whether the next statement returns what one assigns, and nothing else uses it."""
        if not (len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)):
            return False
        name = statement.targets[0].id
        block = next(
            (
                block
                for _, block in ast.iter_fields(self._parents[statement])
                if isinstance(block, list) and statement in block
            ),
            [],
        )
        following = block[block.index(statement) + 1 :][:1]
        match following:
            case [ast.Return(value=ast.Name(id=returned))]:
                return returned == name
        return False

    def _runs_bare(self, statement: ast.stmt) -> bool:
        """Return whether a statement stands in no block that goes on once it is done."""
        above: ast.AST | None = self._parents.get(statement)
        while above is not None and above is not self._tree:
            if isinstance(above, (*_AROUND, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                return False
            above = self._parents.get(above)
        return True


def _tells(node: ast.AST) -> TypeGuard[ast.Call]:
    """Return whether a node is a call that tells coroutines, or their functions, from others."""
    return isinstance(node, ast.Call) and bool(node.args) and _get_last(node.func) in _TELLING


def _list_free(function: Any) -> Iterator[tuple[str, Any]]:
    """Yield the free variables of a function and what they hold; none of other objects."""
    if not isinstance(function, FunctionType):
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def _hides_another(function: FunctionType) -> bool:
    """Return whether a function calls one of its closure with whatever it is given itself.

    That is a wrapper that does not say what it wraps, so that nobody can tell an async view.
    """
    found = _find_tree(function.__code__)
    if found is None:
        return False
    _, tree = found
    held = {name for name, value in _list_free(function) if callable(value)}
    passed = {argument.arg for argument in (tree.args.vararg, tree.args.kwarg) if argument}
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in held
        and not passed.isdisjoint(
            value.id for value in _list_spread(node) if isinstance(value, ast.Name)
        )
        for node in walk_nodes(tree)
    )


def _list_spread(call: ast.Call) -> Iterator[ast.expr]:
    yield from (argument.value for argument in call.args if isinstance(argument, ast.Starred))
    yield from (keyword.value for keyword in call.keywords if keyword.arg is None)


def _list_around(source: SourceFile, tree: FunctionTree) -> list[ast.AST]:
    """Return the functions around a function: the decorator that makes it."""
    return [
        node
        for node in walk_nodes(source.tree)
        if isinstance(node, ast.FunctionDef)
        and node is not tree
        and any(inner is tree for inner in walk_nodes(node))
    ]


def _get_last(node: ast.expr) -> str:
    """Return the last name of an expression of names."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _find_tree(code: CodeType) -> tuple[SourceFile, FunctionTree] | None:
    """Return the source of a code object; None when it has none, or it is not to be told."""
    source = _read_file(code.co_filename)
    tree = source.find_function(code) if source is not None else None
    return (source, tree) if source is not None and tree is not None else None


@lru_cache(maxsize=64)
def _read_file(filename: str) -> SourceFile | None:
    path = Path(filename)
    try:
        return SourceFile(path, filename, path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None


def _name(wrapper: Any) -> str:
    """Return the name of the decorator that made a wrapper."""
    if isinstance(wrapper, FunctionType):
        return wrapper.__code__.co_qualname.partition(".<locals>")[0]
    return str(getattr(type(wrapper), "__qualname__", wrapper))

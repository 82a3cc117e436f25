"""Where a Python file starts Flask's own server: `app.run(...)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flasync.toolkit.finding import Place
from flasync.toolkit.sources import SourceFile
from flasync.toolkit.syntax import walk_statements

_CUSTOM_NAMES = frozenset({"app", "application"})
_FACTORY_WORDS = ("create", "make", "build", "get", "init")


@dataclass(frozen=True, slots=True)
class AppRun:
    """One call of a Flask app's `run`.

    Attributes:
        place: Where it stands.
        debug: Whether it turns on debug mode with a literal `debug=True`.
        at_import: Whether it runs when the file is imported: outside of functions and of any `if`.
    """

    place: Place
    debug: bool
    at_import: bool


def find_app_runs(source: SourceFile) -> Iterator[AppRun]:
    """Yield the calls of `run` on what is a Flask app by its name or by how it is made.

    The `run` of a `flasync.Flask` starts an ASGI server and is left out.
    """
    if ".run(" not in source.text:
        return  # walking every tree of a large project takes seconds
    runs = list(_find_runs(source.tree))
    apps = _find_apps(source.tree) if runs else set()
    at_import = {id(node) for node in source.tree.body}
    for statement, call, receiver in runs:
        if _is_app(receiver, apps):
            place = source.locate(call)
            yield AppRun(place, _turns_debug_on(call), id(statement) in at_import)


def _find_runs(tree: ast.Module) -> Iterator[tuple[ast.Expr, ast.Call, ast.expr]]:
    """Yield the statements that call a `run`: the statement, the call, and on what."""
    for statement in walk_statements(tree):
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="run", value=receiver)) as call):
                yield statement, call, receiver


def _find_apps(tree: ast.Module) -> set[str]:
    """Return the names that stand for a Flask app somewhere in a file."""
    classes = {"Flask", "APIFlask", "OpenAPI"}
    found: set[str] = set()
    for node in walk_statements(tree):
        if isinstance(node, ast.ImportFrom):
            names = {alias.asname or alias.name for alias in node.names}
            if node.module == "flasync":
                classes -= names
            else:
                found |= names & _CUSTOM_NAMES
    for node in walk_statements(tree):
        if isinstance(node, ast.Assign) and _makes_app(node.value, classes):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def _makes_app(node: ast.expr, classes: set[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        module = node.func.value
        return node.func.attr == "Flask" and getattr(module, "id", "") != "flasync"
    return isinstance(node.func, ast.Name) and (
        node.func.id in classes or _is_factory(node.func.id)
    )


def _is_factory(name: str) -> bool:
    first, _, rest = name.partition("_")
    return first in _FACTORY_WORDS and rest in _CUSTOM_NAMES


def _is_app(node: ast.expr, apps: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in apps
    return isinstance(node, ast.Call) and _makes_app(node, {"Flask"})


def _turns_debug_on(call: ast.Call) -> bool:
    return any(
        keyword.arg == "debug"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in call.keywords
    )

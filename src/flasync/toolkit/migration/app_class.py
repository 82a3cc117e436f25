"""The class of the app: where `flask.Flask` is made, and becomes `flasync.Flask`.

An app whose class is another library's stays what it is. It is wrapped where it is made: the
constructor of `flasync.ASGI` has its async views work in tests and under WSGI, too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flask
import libcst as cst

from flasync.app import Flask
from flasync.toolkit.finding import Edit
from flasync.toolkit.migration.flask_import import (
    get_root,
    import_flasync,
    insert_after,
    move_import,
)
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import Safety, TextChange
from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.recipe import LeaveAlone
from flasync.toolkit.rules import Program

CLASS_TITLE = "Make the app a flasync.Flask, which serves ASGI as well as WSGI"
WRAP_TITLE = "Wrap the app by flasync.ASGI, which serves it as an ASGI application"
# The key in `app.extensions` by which flasync marks an app that it has seen.
_MARK = "flasync"
_WRAPPER = "asgi_app"
_WRAP = (
    "Make `flasync.ASGI(app)` where the app is made, so that the tests have it too, and serve that"
)
_CLASS_REASON = (
    "The app is made here; flasync.Flask is a flask.Flask that serves ASGI as well as WSGI"
)
_WRAP_REASON = (
    "The app is made here, of another library's class; to be wrapped is enough for its async views"
)


@dataclass(frozen=True, slots=True)
class AppClass:
    """How the app comes to run on asyncio.

    Attributes:
        changes: What is to be changed; empty when nothing is, or nothing can be.
        reason: One sentence: why it cannot; "" when it can.
        advice: One line: what to do by hand then.
        title: One line that says what the changes do.
        served: What an ASGI server is given afterwards, such as "shop:asgi_app"; "" when that is
            the app itself, or nothing that has a name.
    """

    changes: tuple[TextChange, ...] = ()
    reason: str = ""
    advice: str = ""
    title: str = CLASS_TITLE
    served: str = ""


@dataclass(frozen=True, slots=True)
class _Maker:
    """Where the project names a class to make the app.

    Attributes:
        file: The file.
        name: The expression: what is called, or a base class.
        call: The call; None for a base class.
    """

    file: ParsedFile
    name: cst.Name | cst.Attribute
    call: cst.Call | None = None


def plan_app_class(program: Program, files: ProjectFiles) -> AppClass:
    """Return how an app comes to run on asyncio.

    Annotations and other uses of `flask.Flask` elsewhere stay: the new class is a subclass.
    """
    app = program.app
    if isinstance(app, Flask) or (app is not None and _MARK in app.extensions):
        return AppClass()
    obstacle = find_class_obstacle(program)
    cls = type(app) if app is not None else flask.Flask
    if obstacle is not None or cls is flask.Flask:
        makers = list(_find_calls(cls, app, files))
    else:
        makers = list(_find_bases(cls, program, files))
    if not makers:
        reason = f"No file of the project makes the app, a {cls.__module__}.{cls.__qualname__}"
        return AppClass(reason=reason, advice=_WRAP)
    alter = _change_class if obstacle is None else _wrap
    try:
        changes = {change for maker in makers for change in alter(maker)}
    except LeaveAlone as error:
        return AppClass(reason=f"The app cannot be changed: {error}", advice=_WRAP)
    ordered = sorted(changes, key=lambda change: (change.edit.file, change.edit.start))
    if obstacle is None:
        return AppClass(tuple(ordered))
    named = [c.edit.file for c in ordered if c.edit.text.lstrip().startswith(f"{_WRAPPER} =")]
    served = f"{files.name_module(named[0])}:{_WRAPPER}" if len(named) == 1 else ""
    return AppClass(tuple(ordered), title=WRAP_TITLE, served=served)


def find_class_obstacle(program: Program) -> str | None:
    """Return one sentence about why the class of the live app cannot be a `flasync.Flask`."""
    for cls in type(program.app).__mro__ if program.app is not None else ():
        if cls is flask.Flask:
            break
        if issubclass(cls, flask.Flask) and not _is_own(cls, program):
            return (
                f"The app's class is {cls.__module__}.{cls.__qualname__}, which another library"
                " derives from flask.Flask"
            )
        if "__call__" in vars(cls):
            return (
                f"The app's class {cls.__qualname__} has a `__call__` of its own, which an ASGI"
                " server would call with other arguments"
            )
    return None


def _is_own(cls: type, program: Program) -> bool:
    """Return whether a class is the project's."""
    filename = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return filename is not None and program.sources.is_own(filename)


def _find_calls(cls: type, app: flask.Flask | None, files: ProjectFiles) -> Iterator[_Maker]:
    """Yield where a class is called to make the app.

    A project may make several apps of one class. The live one tells by its import name which of
    them it is.
    """
    makers = [
        _Maker(file, call.func, call)
        for file in files
        for _, call in file.list_calls()
        if isinstance(call.func, cst.Name | cst.Attribute) and _means(file, call.func, cls, files)
    ]
    likely = [maker for maker in makers if app is None or _may_have_made(maker, app, files)]
    yield from likely or makers


def _may_have_made(maker: _Maker, app: flask.Flask, files: ProjectFiles) -> bool:
    """Return whether an app may have been made at a place, as far as its import name tells."""
    args = maker.call.args if maker.call is not None else ()
    named = [arg for arg in args if arg.keyword and arg.keyword.value == "import_name"]
    first = next(iter(named or args), None)
    if first is None:
        return type(app) is not flask.Flask
    if isinstance(first.value, cst.SimpleString):
        return first.value.evaluated_value == app.import_name
    if isinstance(first.value, cst.Name) and first.value.value == "__name__":
        module = files.name_module(maker.file.name)
        return app.import_name in {module, "__main__"} or module.endswith(f".{app.import_name}")
    return True


def _find_bases(cls: type, program: Program, files: ProjectFiles) -> Iterator[_Maker]:
    """Yield where the project's own classes of the app name flask.Flask as a base."""
    for owner in cls.__mro__:
        if flask.Flask not in owner.__bases__ or not _is_own(owner, program):
            continue
        filename = str(sys.modules[owner.__module__].__file__)
        source = program.sources.get(filename)
        file = files.get(source.name) if source is not None else None
        for node in _list_classes(file.module, owner.__name__) if file is not None else ():
            for base in node.bases:
                name = base.value
                if file is None or not isinstance(name, cst.Name | cst.Attribute):
                    continue
                if _means(file, name, flask.Flask, files):
                    yield _Maker(file, name)


def _list_classes(module: cst.Module, name: str) -> Iterator[cst.ClassDef]:
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.ClassDef) and node.name.value == name:
            yield node
        if not isinstance(node, cst.BaseExpression):
            stack.extend(node.children)


def _means(
    file: ParsedFile, node: cst.Name | cst.Attribute, cls: type, files: ProjectFiles
) -> bool:
    """Return whether an expression is a class, by the imports of its file or in the live module."""
    names = file.name_qualified(node)
    if any(_resolve(name) is cls for name in names):
        return True
    root = get_root(node)
    if not names and root in file.list_bound(node) and not _is_global(file, root):
        return False
    module = sys.modules.get(files.name_module(file.name))
    return _look_up(vars(module) if module else {}, node) is cls


def _is_global(file: ParsedFile, name: str) -> bool:
    """Return whether a name is bound at the top of a file."""
    return bool(file.module.body) and name in file.list_bound(file.module.body[0])


def _resolve(dotted: str) -> object:
    """Return what a dotted name is in the modules that are loaded, or None."""
    parts = dotted.split(".")
    for length in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:length]))
        if module is not None:
            found: object = module
            for part in parts[length:]:
                found = vars(found).get(part) if isinstance(found, type(sys) | type) else None
            return found
    return None


def _look_up(namespace: Mapping[str, Any], node: cst.BaseExpression) -> object:
    """Return what a dotted name is in a live module, or None; no code of the project is run."""
    if isinstance(node, cst.Name):
        return namespace.get(node.value)
    if isinstance(node, cst.Attribute):
        owner = _look_up(namespace, node.value)
        return vars(owner).get(node.attr.value) if isinstance(owner, type(sys)) else None
    return None


def _change_class(maker: _Maker) -> Iterator[TextChange]:
    """Yield the changes by which a place names `flasync.Flask`.

    Raises:
        LeaveAlone: It cannot.
    """
    file, name = maker.file, maker.name
    edits = move_import(file, name) if isinstance(name, cst.Name) else ()
    if not edits:
        span = file.locate(name)
        spelled = Edit(file.name, span.start, span.end, "flasync.Flask")
        edits = (*import_flasync(file, name), spelled)
    yield from (TextChange(edit, Safety.SAFE, _CLASS_REASON) for edit in edits)


def _wrap(maker: _Maker) -> Iterator[TextChange]:
    """Yield the changes by which an app is wrapped where it is made.

    Raises:
        LeaveAlone: flasync cannot be imported there.
    """
    edits = [*import_flasync(maker.file, maker.name), *_build_wrapper(maker)]
    yield from (TextChange(edit, Safety.SAFE, _WRAP_REASON) for edit in edits)


def _build_wrapper(maker: _Maker) -> Iterator[Edit]:
    """Yield the edits that wrap an app: after the statement that makes it, or around the call."""
    file, call = maker.file, maker.call
    statement = file.get_parent(call) if call is not None else None
    target = statement.targets[0].target if isinstance(statement, cst.Assign) else None
    if isinstance(statement, cst.AnnAssign):
        target = statement.target
    line = file.get_parent(statement) if statement is not None else None
    is_alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
    if call is None or not isinstance(target, cst.Name | cst.Attribute) or not is_alone:
        span = file.locate(call or maker.name)
        yield Edit(file.name, span.start, span.start, "flasync.ASGI(")
        yield Edit(file.name, span.end, span.end, ").app")
        return
    line = cst.ensure_type(line, cst.SimpleStatementLine)
    written = f"flasync.ASGI({file.module.code_for_node(target)})"
    is_at_top = isinstance(file.get_parent(line), cst.Module)
    if is_at_top and not _is_global(file, _WRAPPER):
        written = f"{_WRAPPER} = {written}"
    yield insert_after(file, line, written)

"""The app as its source says, when it is not imported: `flasync scan --static`.

The modules of the project are walked as functions are. Where they make a `Flask` or a `Blueprint`,
a real but empty one is made here, and what they register with it is registered with stand-ins for
their functions. So the routes, prefixes and hooks are worked out by Flask itself.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import flask
from flask.sansio.scaffold import Scaffold
from flask.views import MethodView, View

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import CallSite
from flasync.toolkit.interpreter.evaluator import Evaluator
from flasync.toolkit.interpreter.members import is_a
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Bound,
    Function,
    Instance,
    Live,
    Named,
    Partial,
    SourceClass,
    Value,
    Values,
)
from flasync.toolkit.knowledge import Knowledge
from flasync.toolkit.sources import Sources
from flasync.toolkit.syntax import walk_nodes

_HTTP_METHODS = ("get", "post", "put", "delete", "patch", "head", "options")
# Decorators that take arguments first, then the function.
_DECORATOR_MAKERS = frozenset(
    {"route", "get", "post", "put", "delete", "patch", "errorhandler", "app_errorhandler"}
    | {"template_filter", "template_test", "template_global", "app_template_filter"}
    | {"app_template_test", "app_template_global", "endpoint"}
)
# Decorators that take the function itself.
_DECORATORS = frozenset(
    {"before_request", "after_request", "teardown_request", "context_processor"}
    | {"url_value_preprocessor", "url_defaults", "before_app_request", "after_app_request"}
    | {"teardown_app_request", "app_context_processor", "app_url_value_preprocessor"}
    | {"app_url_defaults", "teardown_appcontext", "shell_context_processor"}
)
# Classes of other libraries that are Flask's with more in them.
_APP_CLASSES = frozenset({"apiflask.APIFlask", "flask_openapi3.OpenAPI", "flasync.Flask"})
_BLUEPRINT_CLASSES = frozenset(
    {"apiflask.APIBlueprint", "flask_smorest.Blueprint", "flask_openapi3.APIBlueprint"}
)


def import_known_libraries(sources: Sources, knowledge: Knowledge) -> None:
    """Import the libraries that the project imports and the knowledge knows, where installed.

    Their classes say what the methods of their objects are. Nothing of the project is imported.
    """
    wanted = {library.name for library in knowledge.libraries}
    for file in sources.list_files():
        for name in _list_imports(file.tree):
            if name in wanted and name not in sys.modules and sources.find_module(name) is None:
                # A library may fail in any way while it is imported; then its names must do.
                with contextlib.suppress(Exception):
                    importlib.import_module(name)


def _list_imports(tree: ast.Module) -> set[str]:
    """Return the modules that a file imports, and the packages that they are in."""
    names: set[str] = set()
    for node in walk_nodes(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module)
    return names | {name.partition(".")[0] for name in names}


class StaticApp:
    """Makes an app's surface out of its source.

    Args:
        sources: The project's files.
        evaluator: Walks the modules; asks this object about calls first.

    Attributes:
        notes: What could not be read from the source, for the reader.
    """

    def __init__(self, sources: Sources, evaluator: Evaluator) -> None:
        self.notes: list[str] = []
        self._sources = sources
        self._evaluator = evaluator
        self._apps: list[flask.Flask] = []
        self._blueprints: list[flask.Blueprint] = []
        self._registered: set[int] = set()
        self._resources: list[tuple[Value, tuple[str, ...]]] = []
        self._classes: dict[SourceClass, type] = {}
        self._endpoints: dict[int, dict[str, Any]] = {}
        evaluator.intercept = self.intercept

    def build(self) -> flask.Flask:
        """Walk every module and factory of the project; return the app with the most routes."""
        for file in self._sources.list_files():
            for value in self._evaluator.modules.import_module(
                self._sources.name_module(file.path)
            ):
                self._run_factories(getattr(value, "scope", None))
        if not self._apps:
            self._apps.append(flask.Flask("app", root_path=str(self._sources.root)))
            self.notes.append(
                "No Flask app was found in the source. The routes are those of its blueprints."
            )
        app = max(self._apps, key=lambda found: len(found.view_functions))
        self._register_rest(app)
        return app

    def intercept(self, callee: Value, arguments: Arguments, site: CallSite) -> Values | None:
        """Return what a call of Flask's own gives; None for a call of anything else."""
        match callee:
            case Live(obj=cls) if is_a(cls, type) and issubclass(cls, flask.Flask):
                return self._make_app(arguments, site)
            case Live(obj=cls) if is_a(cls, type) and issubclass(cls, flask.Blueprint):
                return self._make_blueprint(arguments, site)
            case Named(name) if name in _APP_CLASSES:
                return self._make_app(arguments, site)
            case Named(name) if name in _BLUEPRINT_CLASSES:
                return self._make_blueprint(arguments, site)
            case Bound(receiver=Live(obj=scaffold), name=name) if is_a(scaffold, Scaffold):
                return self._call_scaffold(scaffold, name, arguments)
            case Bound(receiver=Instance(), name="add_resource"):
                self._add_resource(arguments)
                return UNKNOWN
            case Bound(receiver=SourceClass() as cls, name="as_view"):
                return self._make_view(cls, arguments)
            case Partial(function=Bound(receiver=Live(obj=obj)), positional=positional) if is_a(
                obj, Scaffold
            ):
                return self._decorate(callee, positional, arguments)
            case _:
                return None

    # Apps and blueprints

    def _make_app(self, arguments: Arguments, site: CallSite) -> Values:
        app = flask.Flask(
            "app",
            root_path=str(self._find_folder(site)),
            static_folder=None,
            template_folder=_read_text(arguments, "template_folder") or "templates",
        )
        self._apps.append(app)
        return (Live(app),)

    def _make_blueprint(self, arguments: Arguments, site: CallSite) -> Values:
        name = _read_text(arguments, "0", "name") or f"blueprint{len(self._blueprints)}"
        blueprint = flask.Blueprint(
            name.replace(".", "_"),
            "app",
            root_path=str(self._find_folder(site)),
            template_folder=_read_text(arguments, "template_folder"),
            url_prefix=_read_text(arguments, "url_prefix"),
        )
        self._blueprints.append(blueprint)
        return (Live(blueprint),)

    def _find_folder(self, site: CallSite) -> Path:
        """Return the folder of the file in which an app or blueprint is made."""
        return (self._sources.root / site.place.file).parent

    def _run_factories(self, scope: Any) -> None:
        """Call the functions of a module that make an app."""
        for values in list(scope.names.values()) if scope is not None else ():
            for value in values:
                if isinstance(value, Function) and _makes_app(value.tree):
                    site = CallSite(ast.Pass(), Place(value.source.name, 1), value.name)
                    self._evaluator.calls.call(value, Arguments(is_partial=True), site)

    def _register_rest(self, app: flask.Flask) -> None:
        """Register what no app was seen to register, so that its routes are looked at too."""
        for number, blueprint in enumerate(self._blueprints):
            if id(blueprint) not in self._registered:
                self._try(app.register_blueprint, blueprint, name=f"{blueprint.name}{number}")
                self.notes.append(
                    f"The blueprint {blueprint.name!r} is registered in a way that the source does"
                    " not show; its routes are listed without a prefix of the app."
                )
        for number, (resource, urls) in enumerate(self._resources):
            if isinstance(resource, SourceClass):
                view = self._build_class(resource).as_view(f"resource{number}")
                for url in urls:
                    self._try(app.add_url_rule, url, f"{resource.name}{number}", view)

    # Registrations

    def _call_scaffold(self, scaffold: Scaffold, name: str, arguments: Arguments) -> Values | None:
        if name in _DECORATOR_MAKERS:
            keywords = tuple(arguments.keywords.items())
            bound = Bound(Live(scaffold), name, UNKNOWN)
            return (Partial(bound, tuple(arguments.positional), keywords),)
        if name in _DECORATORS and arguments.positional:
            for function in arguments.positional[0]:
                self._try(getattr(scaffold, name), _build_stub(function))
            return arguments.positional[0]
        if name == "add_url_rule":
            self._add_url_rule(scaffold, arguments)
            return UNKNOWN
        if name == "register_blueprint" and arguments.positional:
            self._register(scaffold, arguments)
            return UNKNOWN
        if name == "register_error_handler" and len(arguments.positional) > 1:
            for function in arguments.positional[1]:
                self._try(scaffold.register_error_handler, Exception, _build_stub(function))
            return UNKNOWN
        return None

    def _register(self, scaffold: Scaffold, arguments: Arguments) -> None:
        register: Any = getattr(scaffold, "register_blueprint")  # noqa: B009 (App and Blueprint have it, Scaffold has not)
        for value in arguments.positional[0]:
            if isinstance(value, Live) and isinstance(value.obj, flask.Blueprint):
                self._registered.add(id(value.obj))
                options = {"url_prefix": _read_text(arguments, "url_prefix")}
                name = _read_text(arguments, "name")
                if name is not None:
                    options["name"] = name
                self._try(
                    register, value.obj, **{k: v for k, v in options.items() if v is not None}
                )

    def _decorate(
        self, partial: Partial, positional: tuple[Values, ...], arguments: Arguments
    ) -> Values:
        bound = partial.function
        if not (isinstance(bound, Bound) and isinstance(bound.receiver, Live)):
            return UNKNOWN
        functions = arguments.positional[0] if arguments.positional else UNKNOWN
        given = Arguments(list(positional), dict(partial.keywords))
        for function in functions:
            if bound.name in {"route", *_HTTP_METHODS}:
                rule = Arguments([*positional[:1], UNKNOWN, (function,)], given.keywords)
                if bound.name != "route":
                    rule.keywords["methods"] = (Live([bound.name.upper()]),)
                self._add_url_rule(bound.receiver.obj, rule)
            elif bound.name in {"errorhandler", "app_errorhandler"}:
                register = getattr(bound.receiver.obj, bound.name)
                self._try(register(Exception), _build_stub(function))
            elif bound.name != "endpoint":
                register = getattr(bound.receiver.obj, bound.name)
                self._try(register(_read_text(given, "0", "name")), _build_stub(function))
        return functions

    def _add_url_rule(self, scaffold: Scaffold, arguments: Arguments) -> None:
        rule = _read_text(arguments, "0", "rule")
        views = arguments.get("view_func") or arguments.get("2") or UNKNOWN
        if rule is None:
            self.notes.append("A route whose URL is worked out at run time is left out.")
            return
        for view in views:
            options: dict[str, Any] = {}
            methods = _read_texts(self._evaluator, arguments.get("methods") or UNKNOWN)
            if methods:
                options["methods"] = methods
            stub = view.obj if isinstance(view, Live) else _build_stub(view)
            if not callable(stub):
                continue
            endpoint = _read_text(arguments, "1", "endpoint") or self._evaluator.defining
            endpoint = self._name_endpoint(scaffold, endpoint or stub.__name__, stub)
            self._try(scaffold.add_url_rule, rule, endpoint, stub, **options)

    def _name_endpoint(self, scaffold: Scaffold, name: str, stub: Any) -> str:
        """Return an endpoint that no other view of the app or blueprint has."""
        taken = self._endpoints.setdefault(id(scaffold), {})
        name = name.replace(".", "_")
        while taken.setdefault(name, stub) is not stub:
            name += "_"
        return name

    def _add_resource(self, arguments: Arguments) -> None:
        urls = tuple(
            value.obj
            for values in arguments.positional[1:]
            for value in values
            if isinstance(value, Live) and isinstance(value.obj, str)
        )
        for resource in arguments.positional[0] if arguments.positional else UNKNOWN:
            self._resources.append((resource, urls))

    def _make_view(self, cls: SourceClass, arguments: Arguments) -> Values:
        name = _read_text(arguments, "0", "name") or cls.tree.name
        return (Live(self._build_class(cls).as_view(name)),)

    def _build_class(self, cls: SourceClass) -> type[View]:
        """Return a class-based view whose methods stand for those of a class in the source."""
        if cls not in self._classes:
            stubs = {
                name: _build_stub(value)
                for name in (*_HTTP_METHODS, "dispatch_request")
                for value in self._evaluator.modules.find_source_member(cls, name)
            }
            base = MethodView if any(name in stubs for name in _HTTP_METHODS) else View
            built = type(cls.tree.name, (base,), stubs)
            built.static_value = cls  # type: ignore[attr-defined]  # read by `Evaluator.enter_from`
            self._classes[cls] = built
        return self._classes[cls]

    def _try(self, register: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Register something; what Flask refuses is noted and left out."""
        try:
            register(*args, **options)
        except (AssertionError, LookupError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            self.notes.append(f"A registration was left out: {reason}")


def _build_stub(value: Value) -> FunctionType:
    """Return a function that stands for one of the source; it is never called."""

    def stub(*args: Any, **kwargs: Any) -> None:
        raise NotImplementedError

    name = (
        value.tree.name
        if isinstance(value, Function) and not isinstance(value.tree, ast.Lambda)
        else "view"
    )
    stub.__name__ = stub.__qualname__ = name
    stub.static_value = value  # type: ignore[attr-defined]  # read by `Evaluator.enter_from`
    return stub  # type: ignore[return-value]  # a function is a FunctionType


def _makes_app(tree: ast.AST) -> bool:
    return isinstance(tree, ast.FunctionDef) and any(
        isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) or getattr(node.func, "attr", None))
        in {"Flask", "APIFlask", "OpenAPI"}
        for node in walk_nodes(tree)
    )


def _read_text(arguments: Arguments, *keys: str) -> str | None:
    for key in keys:
        for value in arguments.get(key) or UNKNOWN:
            if isinstance(value, Live) and type(value.obj) is str:
                return value.obj
    return None


def _read_texts(evaluator: Evaluator, values: Values) -> list[str]:
    found: list[str] = []
    for value in values:
        if isinstance(value, Live) and isinstance(value.obj, list):
            found += value.obj
        for item in evaluator.operations.get_items((value,)):
            if isinstance(item, Live) and type(item.obj) is str:
                found.append(item.obj)
    return list(dict.fromkeys(found))

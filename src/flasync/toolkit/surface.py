"""The app as it is: its routes, and what of the app's code runs for each of them."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MethodType
from typing import Any

import click
import flask
import flask.signals
from flask.sessions import SecureCookieSessionInterface
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.filters import FILTERS
from jinja2.tests import TESTS
from werkzeug.local import LocalProxy
from werkzeug.routing import Rule

from flasync.toolkit.class_views import ClassViewStep, list_class_view_steps, list_own_methods

# The methods of a Flask object that a request runs and that an app may override or replace: those
# that are called before the view, and those after it.
_METHODS_BEFORE = (
    "wsgi_app",
    "create_url_adapter",
    "full_dispatch_request",
    "preprocess_request",
    "dispatch_request",
)
_METHODS_AFTER = (
    "finalize_request",
    "make_response",
    "process_response",
    "do_teardown_request",
    "do_teardown_appcontext",
)
# Those that only some requests run.
_METHODS_OF_SOME_REQUESTS = (
    "handle_exception",
    "handle_http_exception",
    "handle_user_exception",
    "log_exception",
    "make_default_options_response",
    "send_static_file",
    "update_template_context",
    "url_for",
)
_SIGNALS = (
    "appcontext_pushed",
    "request_started",
    "before_render_template",
    "template_rendered",
    "message_flashed",
    "got_request_exception",
    "request_finished",
    "request_tearing_down",
    "appcontext_tearing_down",
    "appcontext_popped",
)
# Whose functions are not something that an app registered.
_FRAMEWORK = frozenset({"builtins", "click", "flask", "flasync", "jinja2", "werkzeug"})


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A function of the app that Flask calls.

    Attributes:
        kind: "url_value_preprocessor", "before_request", "view", "after_request",
            "teardown_request", "teardown_appcontext", "session" (a session interface that is not
            Flask's own), "app method" (an overridden method of the Flask object, WSGI middleware
            included). Of a class-based view also "view decorator" (the registered function, when
            it is more than what `as_view` made), "constructor", "dispatch" (an own
            `dispatch_request` in front of the method) and "method decorator" (a function that is
            called with the method, and whose result is called).
            In `Surface.handlers`: "context processor", "error handler", "template filter",
            "template test", "template global", "url defaults", "url build error handler",
            "url converter", "signal receiver".
            In `Surface.commands`: "command", "shell context processor".
        function: The live callable, as registered (decorators included).
        receiver: For a method of a class-based view: the class whose instance it is called on.
        blueprint: For a handler that only some routes use: the name of their blueprint.
    """

    kind: str
    function: Callable[..., Any]
    receiver: type | None = None
    blueprint: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One URL rule and the methods that one view function serves.

    Attributes:
        id: Methods and rule, such as "GET /books/<slug>"; no two routes have the same.
        methods: Without HEAD and OPTIONS unless they are all, sorted.
        rule: The URL rule.
        endpoint: Flask's name of it.
        entries: What Flask runs for it, in order: hooks, the view, hooks after it.
    """

    id: str
    methods: tuple[str, ...]
    rule: str
    endpoint: str
    entries: tuple[EntryPoint, ...]


@dataclass(frozen=True, slots=True)
class Surface:
    """What a Flask app shows to the outside.

    Attributes:
        routes: In the order of the URL map.
        handlers: Error handlers, context processors, template filters, tests and globals, and
            whatever else Flask may call during any request.
        commands: What runs outside of requests: CLI commands and shell context processors.
        extensions: The distribution names of the Flask extensions in use, with their versions.
    """

    routes: tuple[Route, ...]
    handlers: tuple[EntryPoint, ...]
    commands: tuple[EntryPoint, ...]
    extensions: tuple[tuple[str, str], ...]


def read_surface(app: flask.Flask) -> Surface:
    """Return the routes of an app and all that it has registered. Runs nothing of the app."""
    return Surface(
        routes=tuple(_list_routes(app)),
        handlers=tuple(_list_handlers(app)),
        commands=tuple(_list_commands(app)),
        extensions=_list_extensions(app),
    )


# --- routes ------------------------------------------------------------------------------------


def _list_routes(app: flask.Flask) -> Iterator[Route]:
    taken: set[str] = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        if view is None or rule.build_only or rule.websocket:
            continue
        before, after = _list_hooks(app, rule.endpoint)
        for methods, views in _list_views(view, rule.methods or ()):
            name = _name_route(rule, methods, taken)
            taken.add(name)
            yield Route(name, methods, rule.rule, rule.endpoint, (*before, *views, *after))


def _name_route(rule: Rule, methods: tuple[str, ...], taken: set[str]) -> str:
    origin = f"{rule.host or rule.subdomain}|" if rule.host or rule.subdomain else ""
    name = f"{', '.join(methods) or 'ANY'} {origin}{rule.rule}"
    if name in taken:
        name = f"{name} ({rule.endpoint})"
    again = 2
    unique = name
    while unique in taken:
        unique = f"{name} #{again}"
        again += 1
    return unique


def _list_views(
    view: Callable[..., Any], methods: Collection[str]
) -> Iterator[tuple[tuple[str, ...], list[EntryPoint]]]:
    """Yield which methods of a rule run which entry points."""
    view_class = getattr(view, "view_class", None)
    if not isinstance(view_class, type):
        yield list_own_methods(methods), [EntryPoint("view", view)]
        return
    for served, steps in list_class_view_steps(view, view_class, methods):
        yield served, [_build_entry(step) for step in steps]


def _build_entry(step: ClassViewStep) -> EntryPoint:
    return EntryPoint(step.kind, step.function, step.receiver)


def _list_hooks(app: flask.Flask, endpoint: str) -> tuple[list[EntryPoint], list[EntryPoint]]:
    """Return what runs before and after the view of an endpoint, in Flask's order."""
    blueprints = _list_blueprints(endpoint)
    inwards: tuple[str | None, ...] = (None, *blueprints)
    outwards = inwards[::-1]
    before = [
        *_list_app_methods(app, _METHODS_BEFORE),
        *_list_session_methods(app, "open_session"),
        *_collect("url_value_preprocessor", app.url_value_preprocessors, inwards),
        *_collect("before_request", app.before_request_funcs, inwards),
    ]
    after = [
        *_list_app_methods(app, _METHODS_AFTER),
        *_collect("after_request", app.after_request_funcs, outwards, backwards=True),
        *_list_session_methods(app, "save_session"),
        *_collect("teardown_request", app.teardown_request_funcs, outwards, backwards=True),
        *(EntryPoint("teardown_appcontext", it) for it in reversed(app.teardown_appcontext_funcs)),
    ]
    return before, after


def _list_blueprints(endpoint: str) -> list[str]:
    """Return the names of the blueprints around an endpoint, the outermost first."""
    parts = endpoint.split(".")[:-1]
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _collect(
    kind: str,
    functions: Mapping[str | None, list[Callable[..., Any]]],
    scopes: Iterable[str | None],
    *,
    backwards: bool = False,
) -> Iterator[EntryPoint]:
    for scope in scopes:
        registered = functions.get(scope, [])
        for function in reversed(registered) if backwards else registered:
            yield EntryPoint(kind, function)


def _list_session_methods(app: flask.Flask, name: str) -> Iterator[EntryPoint]:
    if type(app.session_interface) is not SecureCookieSessionInterface:
        yield EntryPoint("session", getattr(app.session_interface, name))


def _list_app_methods(app: flask.Flask, names: Iterable[str]) -> Iterator[EntryPoint]:
    for name in names:
        method = getattr(app, name)
        if not _is_framework(method):
            yield EntryPoint("app method", method)


# --- what belongs to no single route -----------------------------------------------------------


def _list_handlers(app: flask.Flask) -> Iterator[EntryPoint]:
    yield from _collect_scoped("context processor", app.template_context_processors)
    for blueprint, by_code in app.error_handler_spec.items():
        for by_class in by_code.values():
            for handler in by_class.values():
                yield EntryPoint("error handler", handler, blueprint=blueprint or "")
    yield from _list_template_functions(app)
    yield from _collect_scoped("url defaults", app.url_default_functions)
    for build_handler in app.url_build_error_handlers:
        yield EntryPoint("url build error handler", build_handler)
    yield from _list_converters(app)
    for name in _SIGNALS:
        for receiver in getattr(flask.signals, name).receivers_for(app):
            yield EntryPoint("signal receiver", receiver)
    yield from _list_app_methods(app, _METHODS_OF_SOME_REQUESTS)


def _collect_scoped(
    kind: str, functions: Mapping[str | None, list[Callable[..., Any]]]
) -> Iterator[EntryPoint]:
    for blueprint, registered in functions.items():
        for function in registered:
            if not _is_framework(function):
                yield EntryPoint(kind, function, blueprint=blueprint or "")


def _list_template_functions(app: flask.Flask) -> Iterator[EntryPoint]:
    environment = app.jinja_env
    named: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any]], ...] = (
        ("template filter", environment.filters, FILTERS),
        ("template test", environment.tests, TESTS),
        ("template global", environment.globals, DEFAULT_NAMESPACE),
    )
    for kind, registered, defaults in named:
        for name, function in registered.items():
            # `callable()` of a proxy would look for the object behind it.
            if isinstance(function, LocalProxy) or function is defaults.get(name):
                continue
            if callable(function) and not _is_framework(function):
                yield EntryPoint(kind, function)


def _list_converters(app: flask.Flask) -> Iterator[EntryPoint]:
    for converter in dict.fromkeys(app.url_map.converters.values()):
        for name in ("to_python", "to_url"):
            method = getattr(converter, name)
            if not _is_framework(method):
                yield EntryPoint("url converter", method, receiver=converter)


def _list_commands(app: flask.Flask) -> Iterator[EntryPoint]:
    for command in _walk_commands(app.cli):
        if command.callback is not None:
            yield EntryPoint("command", _unwrap_callback(command.callback))
    for processor in app.shell_context_processors:
        yield EntryPoint("shell context processor", processor)


def _walk_commands(command: click.Command) -> Iterator[click.Command]:
    yield command
    # Not `list_commands`: a group that looks for its commands lazily would run the app's code.
    for child in getattr(command, "commands", {}).values():
        yield from _walk_commands(child)


def _unwrap_callback(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return what `with_appcontext` and `pass_context` were put around."""
    while _is_framework_code(callback) and hasattr(callback, "__wrapped__"):
        callback = callback.__wrapped__
    return callback


def _is_framework(function: Any) -> bool:
    """Return whether Flask, Werkzeug, Jinja or Click brought a function along."""
    module = getattr(function, "__module__", None) or type(function).__module__
    return str(module).partition(".")[0] in _FRAMEWORK


def _is_framework_code(function: Any) -> bool:
    """Return the same of a wrapper that carries the module's name of what it wraps."""
    if isinstance(function, MethodType):
        function = function.__func__
    module = getattr(function, "__globals__", {}).get("__name__", "")
    return str(module).partition(".")[0] in _FRAMEWORK


# --- extensions --------------------------------------------------------------------------------


@cache  # it reads the metadata of every installed distribution
def _list_providers() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _list_extensions(app: flask.Flask) -> tuple[tuple[str, str], ...]:
    modules = {type(value).__module__.partition(".")[0] for value in app.extensions.values()}
    modules |= {base.__module__.partition(".")[0] for base in type(app).__mro__}
    modules |= {name for name in sys.modules if name.startswith("flask_") and "." not in name}
    modules -= _FRAMEWORK | {app.import_name.partition(".")[0]}
    providers = _list_providers()
    names = {name for module in modules for name in providers.get(module, ())}
    return tuple(sorted((name, importlib.metadata.version(name)) for name in names))

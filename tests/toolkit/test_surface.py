"""What is read off a live app: routes, entry points in Flask's order, commands, extensions."""

import functools
import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import apiflask
import click
import flask
import flask_restful
import flask_smorest
import pytest
from flask.cli import with_appcontext
from flask.sessions import SecureCookieSession, SessionInterface
from flask.views import MethodView, View
from werkzeug.routing import BaseConverter
from werkzeug.routing import Rule as UrlRule

from flasync.toolkit.surface import EntryPoint, Route, Surface, read_surface


def never(*args: Any, **kwargs: Any) -> Any:
    """Stands for the app's code, none of which may run."""
    pytest.fail("reading the surface ran the app's code")


def make(name: str) -> Callable[..., Any]:
    """A function of the app that can be told from others."""

    def function(*args: Any, **kwargs: Any) -> Any:
        never()

    function.__name__ = name
    return function


def get_route(surface: Surface, name: str) -> Route:
    [route] = [route for route in surface.routes if route.id == name]
    return route


def tell(entries: Sequence[EntryPoint]) -> list[tuple[str, str]]:
    return [(entry.kind, getattr(entry.function, "__name__", "?")) for entry in entries]


def list_handlers(surface: Surface) -> list[EntryPoint]:
    """The handlers, without the receivers by which every test looks for leaks."""
    return [e for e in surface.handlers if "contexts.<locals>" not in e.function.__qualname__]


def through(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator as a project or a library writes it."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        never()

    return wrapper


@pytest.fixture
def app() -> flask.Flask:
    return flask.Flask("shop")


# --- routes ------------------------------------------------------------------------------------


def test_static_route_stays(app: flask.Flask) -> None:
    """The route of static files is listed, although its view is no code of the project."""
    route = get_route(read_surface(app), "GET /static/<path:filename>")
    assert (route.methods, route.endpoint) == (("GET",), "static")
    assert [entry.kind for entry in route.entries] == ["view"]


def test_methods_without_head_and_options(app: flask.Flask) -> None:
    """HEAD and OPTIONS are told only where a route takes nothing else."""
    app.add_url_rule("/a", "a", never, methods=["POST", "GET"])
    app.add_url_rule("/b", "b", never, methods=["OPTIONS"])
    surface = read_surface(app)
    assert get_route(surface, "GET, POST /a").methods == ("GET", "POST")
    assert get_route(surface, "OPTIONS /b").methods == ("OPTIONS",)


def test_one_endpoint_with_several_rules(app: flask.Flask) -> None:
    """Each rule of an endpoint is a route, with its own methods and the same view."""
    view = make("book")
    app.add_url_rule("/books", "book", view)
    app.add_url_rule("/books/<int:number>", "book", view, methods=["DELETE"])
    surface = read_surface(app)
    first, second = (
        get_route(surface, "GET /books"),
        get_route(surface, "DELETE /books/<int:number>"),
    )
    assert first.entries == second.entries == (EntryPoint("view", view),)


def test_ids_are_unique() -> None:
    """Hosts, subdomains and endpoints tell routes apart that look the same."""
    app = flask.Flask("shop", subdomain_matching=True, static_folder=None)
    app.config["SERVER_NAME"] = "shop.test"
    app.add_url_rule("/", "a", never)
    app.add_url_rule("/", "b", never, subdomain="admin")
    app.add_url_rule("/", "c", never)
    app.add_url_rule("/", "c", never)
    ids = [route.id for route in read_surface(app).routes]
    assert sorted(ids) == ["GET /", "GET / (c)", "GET / (c) #2", "GET admin|/"]


def test_rule_that_no_request_runs(app: flask.Flask) -> None:
    """A rule only for building URLs, or without a view, is no route."""
    app.url_map.add(UrlRule("/cdn/<name>", endpoint="static", build_only=True))
    app.url_map.add(UrlRule("/later", endpoint="later"))
    assert [route.rule for route in read_surface(app).routes] == ["/static/<path:filename>"]


def test_rule_of_any_method(app: flask.Flask) -> None:
    """A rule that was added without methods takes any, and says so."""
    app.url_map.add(UrlRule("/any", endpoint="any"))
    app.view_functions["any"] = never
    assert get_route(read_surface(app), "ANY /any").methods == ()


async def async_view() -> str:
    never()
    return ""


class Page:
    def __init__(self) -> None:
        self.__name__ = "page"

    def __call__(self) -> str:
        never()
        return ""

    def show(self) -> str:
        never()
        return ""


PAGE = Page()


@pytest.mark.parametrize(
    "view",
    [async_view, through(make("inner")), functools.partial(never, 1), PAGE, PAGE.show],
    ids=["async", "decorated", "partial", "instance", "bound method"],
)
def test_view_as_registered(app: flask.Flask, view: Callable[..., Any]) -> None:
    """Whatever can be called may be a view, and is given as it was registered."""
    app.add_url_rule("/", "it", view)
    assert get_route(read_surface(app), "GET /").entries == (EntryPoint("view", view),)


# --- the order of entries ----------------------------------------------------------------------


def add_hooks(target: Any, name: str) -> None:
    """Register two functions of each kind, on an app or on a blueprint."""
    for number in ("1", "2"):
        target.url_value_preprocessor(make(f"{name} url {number}"))
        target.before_request(make(f"{name} before {number}"))
        target.after_request(make(f"{name} after {number}"))
        target.teardown_request(make(f"{name} teardown {number}"))


def test_hooks_in_the_order_of_flask(app: flask.Flask) -> None:
    """Hooks go inwards before the view and outwards after it, other blueprints' left out."""
    outer, inner, other = (flask.Blueprint(n, n) for n in ("outer", "inner", "other"))
    add_hooks(app, "app")
    app.teardown_appcontext(make("context 1"))
    app.teardown_appcontext(make("context 2"))
    add_hooks(outer, "outer")
    add_hooks(inner, "inner")
    add_hooks(other, "other")
    inner.add_url_rule("/deep", "deep", make("view"))
    app.add_url_rule("/flat", "flat", make("view"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.register_blueprint(other)
    surface = read_surface(app)
    inwards = ["app", "outer", "inner"]
    expected = [
        *(f"{name} {what} {n}" for what in ("url", "before") for name in inwards for n in "12"),
        "view",
        *(f"{n} after {i}" for n in reversed(inwards) for i in "21"),
        *(f"{n} teardown {i}" for n in reversed(inwards) for i in "21"),
        "context 2",
        "context 1",
    ]
    assert [name for _, name in tell(get_route(surface, "GET /deep").entries)] == expected
    assert [name for _, name in tell(get_route(surface, "GET /flat").entries)] == [
        name for name in expected if not name.startswith(("outer", "inner"))
    ]


def test_order_is_what_flask_does() -> None:
    """The functions that a real request runs are those of its route, in that order."""
    app, order = flask.Flask("shop"), []

    def note(name: str, *, gives: Any = None) -> Callable[..., Any]:
        def function(*args: Any) -> Any:
            order.append(function)
            return args[0] if name == "after" else gives

        return function

    outer, inner = flask.Blueprint("outer", "outer"), flask.Blueprint("inner", "inner")
    for target in (app, outer, inner):
        for _ in range(2):
            target.url_value_preprocessor(note("url"))
            target.before_request(note("before"))
            target.after_request(note("after"))
            target.teardown_request(note("teardown"))
    app.teardown_appcontext(note("context"))
    inner.add_url_rule("/", "it", note("view", gives="it"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert app.test_client().get("/").data == b"it"
    route = get_route(read_surface(app), "GET /")
    assert [entry.function for entry in route.entries] == order


class DatabaseSessions(SessionInterface):
    def open_session(self, app: flask.Flask, request: flask.Request) -> SecureCookieSession:
        never()
        return SecureCookieSession()

    def save_session(self, *args: Any) -> None:
        never()


def test_sessions_kept_elsewhere(app: flask.Flask) -> None:
    """A session interface that is not Flask's own runs before and after the view."""
    app.session_interface = DatabaseSessions()
    app.add_url_rule("/", "it", make("view"))
    assert tell(get_route(read_surface(app), "GET /").entries) == [
        ("session", "open_session"),
        ("view", "view"),
        ("session", "save_session"),
    ]


class Shop(flask.Flask):
    def process_response(self, response: flask.Response) -> flask.Response:
        never()
        return response

    def log_exception(self, exc_info: Any) -> None:
        never()


class Middleware:
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __call__(self, environ: Any, start_response: Any) -> Any:
        never()


def test_overridden_methods_and_middleware() -> None:
    """What an app overrides of Flask runs for its routes, WSGI middleware included."""
    app = Shop("shop")
    middleware = app.wsgi_app = Middleware(app.wsgi_app)  # type: ignore[method-assign]  Flask's documentation says so
    app.add_url_rule("/", "it", make("view"))
    surface = read_surface(app)
    assert get_route(surface, "GET /").entries[0] == EntryPoint("app method", middleware)
    assert tell(get_route(surface, "GET /").entries[1:]) == [
        ("view", "view"),
        ("app method", "process_response"),
    ]
    assert tell(list_handlers(surface)) == [("app method", "log_exception")]


# --- class-based views -------------------------------------------------------------------------


class Books(MethodView):
    def get(self) -> str:
        never()
        return ""

    def post(self) -> str:
        never()
        return ""


def test_method_view_is_a_route_a_method(app: flask.Flask) -> None:
    """Each method of a MethodView is a route whose entry is the class's function."""
    app.add_url_rule("/books", view_func=Books.as_view("books"))
    surface = read_surface(app)
    assert get_route(surface, "GET /books").entries == (EntryPoint("view", Books.get, Books),)
    assert get_route(surface, "POST /books").entries == (EntryPoint("view", Books.post, Books),)


def test_method_view_takes_the_methods_of_its_rule(app: flask.Flask) -> None:
    """A rule narrows a MethodView; a method that the class lacks is no route."""
    app.add_url_rule("/books", view_func=Books.as_view("books"), methods=["POST", "PUT"])
    assert [route.id for route in read_surface(app).routes][1:] == ["POST /books"]


class Checked(MethodView):
    decorators = (through,)

    def __init__(self, shelf: str) -> None:
        never()

    def dispatch_request(self, **kwargs: Any) -> Any:
        never()

    def options(self) -> str:
        never()
        return ""

    def get(self) -> str:
        never()
        return ""


def test_what_runs_around_a_method(app: flask.Flask) -> None:
    """Decorators, the constructor and an own dispatch come before the method, in that order."""
    app.add_url_rule("/", view_func=Checked.as_view("it", "upper"))
    surface = read_surface(app)
    assert get_route(surface, "GET /").entries == (
        EntryPoint("view decorator", app.view_functions["it"]),
        EntryPoint("constructor", Checked.__init__, Checked),
        EntryPoint("dispatch", Checked.dispatch_request, Checked),
        EntryPoint("view", Checked.get, Checked),
    )
    assert get_route(surface, "OPTIONS /").entries[-1].function is Checked.options


class Kept(Books):
    init_every_request = False

    def __init__(self) -> None:
        self.shelf = "upper"


def test_constructor_that_no_request_runs(app: flask.Flask) -> None:
    """A view that is made once has no constructor among its entries; methods are inherited."""
    app.add_url_rule("/", view_func=Kept.as_view("it"))
    route = get_route(read_surface(app), "GET /")
    assert route.entries == (EntryPoint("view", Books.get, Kept),)


class Plain(View):
    methods = ("GET", "POST")

    def dispatch_request(self) -> str:
        never()
        return ""


def test_plain_view_is_one_route(app: flask.Flask) -> None:
    """A View that dispatches by itself is one route for all of its methods."""
    app.add_url_rule("/", view_func=through(Plain.as_view("it")))
    assert get_route(read_surface(app), "GET, POST /").entries == (
        EntryPoint("view decorator", app.view_functions["it"]),
        EntryPoint("view", Plain.dispatch_request, Plain),
    )


class Todo(flask_restful.Resource):  # type: ignore[misc]  untyped
    method_decorators: ClassVar = {"get": [through]}

    def get(self) -> dict[str, str]:
        never()
        return {}

    def put(self) -> dict[str, str]:
        never()
        return {}


def test_flask_restful(app: flask.Flask) -> None:
    """A Resource is read like a MethodView, with the decorators that it puts on its methods."""
    api = flask_restful.Api(app)
    api.add_resource(Todo, "/todo", "/todos")
    surface = read_surface(app)
    registered = EntryPoint("view decorator", app.view_functions["todo"])
    for rule in ("/todo", "/todos"):
        assert get_route(surface, f"GET {rule}").entries == (
            registered,
            EntryPoint("method decorator", through),
            EntryPoint("view", Todo.get, Todo),
        )
        assert get_route(surface, f"PUT {rule}").entries == (
            registered,
            EntryPoint("view", Todo.put, Todo),
        )


def test_apiflask() -> None:
    """Views of APIFlask, functions and classes, lead to the project's own functions."""
    app = apiflask.APIFlask("shop")

    class Out(apiflask.Schema):
        name = apiflask.fields.String()

    @app.get("/pets")
    @app.output(Out)
    def pets() -> dict[str, str]:
        never()
        return {}

    class Pet(MethodView):
        @app.output(Out)
        def get(self, number: int) -> dict[str, str]:
            never()
            return {}

    app.add_url_rule("/pets/<int:number>", view_func=Pet.as_view("pet"))
    surface = read_surface(app)
    [function] = [e for e in get_route(surface, "GET /pets").entries if e.kind == "view"]
    assert function.function is app.view_functions["pets"]
    route = get_route(surface, "GET /pets/<int:number>")
    [method] = [e for e in route.entries if e.kind == "view"]
    assert (method.function, method.receiver) == (Pet.get, Pet)
    assert "APIFlask" in dict(surface.extensions)


def test_flask_smorest(app: flask.Flask) -> None:
    """Views of a Flask-Smorest blueprint are read like any MethodView."""
    app.config.update(API_TITLE="Shop", API_VERSION="1", OPENAPI_VERSION="3.0.2")
    blueprint = flask_smorest.Blueprint("pets", "pets")

    @blueprint.route("/pets")
    class Pets(MethodView):
        @blueprint.response(200)
        def get(self) -> list[str]:
            never()
            return []

        def post(self) -> list[str]:
            never()
            return []

    flask_smorest.Api(app).register_blueprint(blueprint)
    surface = read_surface(app)
    for name in ("get", "post"):
        entry = get_route(surface, f"{name.upper()} /pets").entries[-1]
        assert (entry.function, entry.receiver) == (getattr(Pets, name), Pets)
    assert "flask-smorest" in dict(surface.extensions)


# --- handlers, commands, extensions ------------------------------------------------------------


def test_handlers(app: flask.Flask) -> None:
    """What belongs to no single route is listed once, with the blueprint that it is for."""
    blueprint = flask.Blueprint("admin", "admin")
    app.context_processor(make("context"))
    blueprint.context_processor(make("admin context"))
    app.register_error_handler(404, make("missing"))
    blueprint.register_error_handler(ValueError, make("admin wrong"))
    app.add_template_filter(make("money"))
    app.add_template_test(make("sold"))
    app.add_template_global(make("basket"))
    app.url_defaults(make("defaults"))
    app.url_build_error_handlers.append(make("build error"))
    app.register_blueprint(blueprint)
    handlers = list_handlers(read_surface(app))
    assert [(e.kind, e.function.__name__, e.blueprint) for e in handlers] == [
        ("context processor", "context", ""),
        ("context processor", "admin context", "admin"),
        ("error handler", "missing", ""),
        ("error handler", "admin wrong", "admin"),
        ("template filter", "money", ""),
        ("template test", "sold", ""),
        ("template global", "basket", ""),
        ("url defaults", "defaults", ""),
        ("url build error handler", "build error", ""),
    ]


class BookConverter(BaseConverter):
    def to_python(self, value: str) -> Any:
        never()


def test_converters_and_signals(app: flask.Flask) -> None:
    """An own URL converter and the receivers of Flask's signals are handlers."""
    receiver = make("started")
    app.url_map.converters["book"] = BookConverter
    app.url_map.converters["volume"] = BookConverter
    with flask.request_started.connected_to(receiver, app):
        handlers = list_handlers(read_surface(app))
    assert handlers == [
        EntryPoint("url converter", BookConverter.to_python, BookConverter),
        EntryPoint("signal receiver", receiver),
    ]


def test_nothing_registered(app: flask.Flask) -> None:
    """What Flask itself registers is no handler and no command."""
    surface = read_surface(app)
    assert (list_handlers(surface), surface.commands) == ([], ())


def test_commands(app: flask.Flask) -> None:
    """Commands of groups and blueprints are given as written, below with_appcontext."""
    blueprint = flask.Blueprint("admin", "admin")
    init, refill, purge = make("init"), make("refill"), make("purge")
    app.cli.command("init")(init)
    group = click.Group("stock")
    group.command("refill")(click.pass_context(with_appcontext(refill)))
    app.cli.add_command(group)
    blueprint.cli.command("purge")(purge)
    app.register_blueprint(blueprint)
    app.shell_context_processor(make("shell"))
    commands = read_surface(app).commands
    assert [e.function for e in commands[:3]] == [init, refill, purge]
    assert tell(commands[3:]) == [("shell context processor", "shell")]


def test_extensions(app: flask.Flask) -> None:
    """Extensions are named as their distributions are, with the installed version."""
    flask_restful.Api(app)
    extensions = dict(read_surface(app).extensions)
    assert extensions["Flask-RESTful"] == importlib.metadata.version("flask-restful")
    assert not {"Flask", "flasync", "Werkzeug"} & set(extensions)

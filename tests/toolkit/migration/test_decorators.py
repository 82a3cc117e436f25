"""Which decorators hand the coroutine of an async view through, and which look at it."""

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import flask
import pytest
from flask.views import MethodView, View
from flask_caching import Cache
from flask_login import login_required

from flasync import Flask
from flasync.toolkit.migration.decorators import find_result_reader

HEAD = """\
import asyncio
import contextlib
import functools
import inspect
import threading

import flask
from flask import current_app, make_response

lock = threading.Lock()


"""

# Each defines `decorate`.
PASSING = {
    "returns the call": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper
""",
    "looks at the request first": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        flask.g.name = view.__name__
        if "nobody" in flask.request.args:
            flask.abort(401)
        with lock:
            flask.g.user = "somebody"
        return view(*args, **kwargs)

    return wrapper
""",
    "with arguments": """
def decorate_with(role):
    def decorator(view):
        @functools.wraps(view)
        def wrapper(*args, **kwargs):
            if role == "none":
                return "none"
            elif role == "guest":
                return view(*args, **kwargs)
            else:
                return view(*args, **kwargs)

        return wrapper

    return decorator


decorate = decorate_with("user")
""",
    "a condition": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs) if flask.request else flask.abort(401)

    return wrapper
""",
    "the last of a chain": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return flask.g.get("answer") or view(*args, **kwargs)

    return wrapper
""",
    "a name for the moment": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        result = view(*args, **kwargs)
        return result

    return wrapper
""",
    "a lambda": """
def decorate(view):
    return functools.wraps(view)(lambda *args, **kwargs: view(*args, **kwargs))
""",
    "ensure_sync": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        result = current_app.ensure_sync(view)(*args, **kwargs)
        return result.upper()

    return wrapper
""",
    "ensure_sync, kept": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        call = flask.current_app.ensure_sync(view)
        with contextlib.suppress(ValueError):
            return call(*args, **kwargs)

    return wrapper
""",
    "around one with ensure_sync": """
def waiting(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return current_app.ensure_sync(view)(*args, **kwargs)

    return wrapper


def shouting(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs).upper()

    return wrapper


def decorate(view):
    return shouting(waiting(view))
""",
    "make_response": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return make_response(view(*args, **kwargs))

    return wrapper
""",
    "aware of async functions": """
def decorate(view):
    if asyncio.iscoroutinefunction(view):

        @functools.wraps(view)
        async def wrapper(*args, **kwargs):
            return (await view(*args, **kwargs)).upper()

    else:

        @functools.wraps(view)
        def wrapper(*args, **kwargs):
            return view(*args, **kwargs).upper()

    return wrapper
""",
    "aware of awaitables": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        result = view(*args, **kwargs)
        if inspect.isawaitable(result):
            return result
        return str(result)

    return wrapper
""",
    "a class": """
class decorate:
    def __init__(self, view):
        functools.update_wrapper(self, view)
        self.view = view

    def __call__(self, *args, **kwargs):
        return self.view(*args, **kwargs)
""",
    "partial": """
def decorate(view):
    return functools.update_wrapper(functools.partial(view), view)
""",
    "one that wraps nothing": """
def decorate(view):
    view.is_public = True
    return view
""",
    "hidden below another": """
def checked(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        if flask.request.args:
            flask.abort(400)
        return current_app.ensure_sync(view)(*args, **kwargs)

    return wrapper


def decorate(view):
    @functools.wraps(view)
    @checked
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper
""",
    "two of them": """
def one(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper


def decorate(view):
    return one(one(view))
""",
}

READING = {
    "makes JSON of it": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return flask.jsonify(view(*args, **kwargs))

    return wrapper
""",
    "changes it": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs) + "!"

    return wrapper
""",
    "goes on after it": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        result = view(*args, **kwargs)
        flask.g.done = True
        return result

    return wrapper
""",
    "puts it in a tuple": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs), 201

    return wrapper
""",
    "tests it": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs) or "nothing"

    return wrapper
""",
    "catches its exceptions": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        try:
            return view(*args, **kwargs)
        except ValueError:
            return "wrong"

    return wrapper
""",
    "cleans up after it": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        try:
            return view(*args, **kwargs)
        finally:
            flask.g.clear = True

    return wrapper
""",
    "holds a lock": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        with lock:
            return view(*args, **kwargs)

    return wrapper
""",
    "a context manager": """
@contextlib.contextmanager
def decorator():
    yield


def decorate(view):
    return decorator()(view)
""",
    "hands it to another": """
def call(function):
    return function()


def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return call(lambda: view(*args, **kwargs))

    return wrapper
""",
    "hands the view to another": """
def call(function):
    return str(function())


def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return call(view)

    return wrapper
""",
    "calls it under another name": """
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, inner=view, **kwargs):
        return str(inner(*args, **kwargs))

    return wrapper
""",
    "does not say what it wraps": """
def decorate(view):
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    wrapper.__name__ = view.__name__
    return wrapper
""",
    "a class that changes it": """
class decorate:
    def __init__(self, view):
        functools.update_wrapper(self, view)
        self.view = view

    def __call__(self, *args, **kwargs):
        return str(self.view(*args, **kwargs))
""",
    "a class that says nothing": """
class decorate:
    def __init__(self, view):
        self.view = view
        self.__name__ = view.__name__

    def __call__(self, *args, **kwargs):
        return self.view(*args, **kwargs)
""",
    "of C": """
def decorate(view):
    return functools.lru_cache(view)
""",
    "without a source": """
exec(compile('''
def decorate(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper
''', "<made>", "exec"))
""",
    "inside of ensure_sync": """
def outer(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return current_app.ensure_sync(view)(*args, **kwargs)

    return wrapper


def inner(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return str(view(*args, **kwargs))

    return wrapper


def decorate(view):
    return outer(inner(view))
""",
    "hidden below another": """
def checked(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        if flask.request.args:
            flask.abort(400)
        return current_app.ensure_sync(view)(*args, **kwargs)

    return wrapper


def decorate(view):
    @functools.wraps(view)
    @checked
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs).upper()

    return wrapper
""",
    "ensure_sync of what does not look async": """
def checked(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        if flask.request.args:
            flask.abort(400)
        return current_app.ensure_sync(view)(*args, **kwargs).upper()

    return wrapper


def decorate(view):
    @functools.wraps(view)
    @checked
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper
""",
    "another function that tells kinds": """
def decorate(view, callback=print):
    is_async = asyncio.iscoroutinefunction(callback)

    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return str(view(*args, **kwargs)) + str(is_async)

    return wrapper
""",
}

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import a module with a decorator in it."""
    name = "decorators_of_a_test"

    def write(text: str) -> ModuleType:
        (tmp_path / f"{name}.py").write_text(HEAD + text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write
    sys.modules.pop(name, None)


def show() -> str:
    """A view."""
    return "shown"


async def show_async() -> str:
    """The same view as it is after a migration."""
    return "shown"


def get_answer(view: Callable[..., Any]) -> tuple[str, str]:
    """What a client gets from a view."""
    app = Flask("shop")
    app.add_url_rule("/", "show", view)
    response = app.test_client().get("/")
    return response.status, response.text


@pytest.mark.usefixtures("background_loop")
@pytest.mark.parametrize("text", PASSING.values(), ids=PASSING)
def test_passing(text: str, load: Load) -> None:
    """A decorator that returns what it gets is found so, and gives an async view's answer."""
    decorate = load(text).decorate
    assert find_result_reader(decorate(show)) is None
    assert get_answer(decorate(show_async)) == get_answer(decorate(show))


@pytest.mark.parametrize("text", READING.values(), ids=READING)
def test_reading(text: str, load: Load) -> None:
    """A decorator that does anything else, or is not known, is named."""
    assert find_result_reader(load(text).decorate(show)) is not None


def test_name(load: Load) -> None:
    """The decorator is named, and not the function that it makes."""
    assert find_result_reader(load(READING["changes it"]).decorate(show)) == "decorate"


def test_no_decorator() -> None:
    """A view without decorators has none that could."""
    assert find_result_reader(show) is None


def test_view_with_a_closure() -> None:
    """A view that calls functions around it is no wrapper of them."""

    def load_text(*parts: str) -> str:
        return "".join(parts)

    def view(*parts: str) -> str:
        return load_text("a", "b") + load_text(*[part.upper() for part in parts])

    assert find_result_reader(view) is None


def test_extensions() -> None:
    """Flask-Login's decorator waits for async views; Flask-Caching's keeps what it gets."""
    assert find_result_reader(login_required(show)) is None
    assert find_result_reader(Cache().cached()(show)) == "Cache.cached"


def shout(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that changes the result."""

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs).upper()

    return wrapper


class Shown(MethodView):
    """A class-based view, of which one method has a decorator."""

    def get(self) -> str:
        """A plain method."""
        return "shown"

    @shout
    def post(self) -> str:
        """A decorated one."""
        return "posted"


class Dispatching(MethodView):
    """A class-based view that calls its methods itself."""

    def dispatch_request(self, **values: Any) -> Any:
        """Call the method, and change its result."""
        return str(getattr(self, flask.request.method.lower())(**values))

    def get(self) -> str:
        """A plain method."""
        return "shown"


class Plain(View):
    """A view of one method."""

    decorators: ClassVar = [shout]

    def dispatch_request(self) -> str:
        """The view itself."""
        return "shown"


def test_methods_of_class_views() -> None:
    """The methods of a class-based view are asked about, as the view or one by one."""
    assert find_result_reader(Shown.as_view("shown")) == "shout"
    assert find_result_reader(Shown.get) is None
    assert find_result_reader(Shown.post) == "shout"


def test_dispatch_of_class_views() -> None:
    """A class that calls its methods by itself looks at what they return."""
    assert find_result_reader(Dispatching.as_view("shown")) == "Dispatching.dispatch_request"


def test_decorators_of_class_views() -> None:
    """What is around `as_view` gets the awaited result."""
    assert find_result_reader(Plain.as_view("shown")) is None
    assert get_answer(Plain.as_view("shown")) == ("200 OK", "SHOWN")


def test_bound_method() -> None:
    """A method of an object may be a view, with its decorators."""
    assert find_result_reader(Shown().get) is None
    assert find_result_reader(Shown().post) == "shout"

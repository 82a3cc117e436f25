"""Which lane a request takes.

The lane must be known before the first line of the app runs, hooks included. So the request's URL
is matched here, with the app's own URL map, and Flask is then handed the same match (see
`seams`): a request is matched once, as without flasync.

A request for an `async def` view takes the event loop; everything else takes a thread: sync
views, static files, and errors of routing, whose hooks and error handlers are sync code of
unknown patience. `on_loop` and `in_thread` say otherwise by hand.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Any, TypeVar, overload

from flask import Flask
from flask.views import MethodView
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule, RuleFactory

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__flasync_lane__"
_ADDITIONS = "flasync.additions"
# Origins (scheme, host, prefix) whose URL adapter is kept. Bounded, since clients name the host.
_MOST_ORIGINS = 64
# Paths whose match is kept.
_MOST_MATCHES = 2048


class Lane(enum.Enum):
    """Where a request runs."""

    LOOP = "loop"
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class Course:
    """How a request for one view is run.

    Attributes:
        lane: Where it runs.
        cancel_on_disconnect: Whether it is cancelled when its client leaves; None means that the
            setting CANCEL_ON_DISCONNECT decides.
    """

    lane: Lane
    cancel_on_disconnect: bool | None = None


_THREAD = Course(Lane.THREAD)
_LOOP = Course(Lane.LOOP)


@overload
def on_loop(view: F, /) -> F: ...
@overload
def on_loop(*, cancel_on_disconnect: bool | None = None) -> Callable[[F], F]: ...
def on_loop(view: Any = None, /, *, cancel_on_disconnect: bool | None = None) -> Any:
    """Say that a view runs on the event loop, although it is not `async def`.

    For a sync view that never blocks (a health route, which must answer while every thread
    sleeps) or whose drivers wait through `await_`. Whatever blocks in it holds up every request.

    Args:
        view: A view function, or a method or class of a class-based view.
        cancel_on_disconnect: False lets the view run on when its client leaves; None leaves that
            to the setting CANCEL_ON_DISCONNECT.
    """
    return _mark(view, Course(Lane.LOOP, cancel_on_disconnect))


@overload
def in_thread(view: F, /) -> F: ...
@overload
def in_thread(*, cancel_on_disconnect: bool | None = None) -> Callable[[F], F]: ...
def in_thread(view: Any = None, /, *, cancel_on_disconnect: bool | None = None) -> Any:
    """Say that a view runs in a worker thread, although it is `async def`.

    For a view whose hooks or extensions block. The view's own coroutine still runs on the loop.

    Args:
        view: A view function, or a method or class of a class-based view.
        cancel_on_disconnect: As for `on_loop`.
    """
    return _mark(view, Course(Lane.THREAD, cancel_on_disconnect))


def _mark(view: Any, course: Course) -> Any:
    if view is None:
        return partial(_mark, course=course)
    setattr(view, _MARK, course)
    return view


def unwrap_chain(function: Any) -> Iterator[Any]:
    """Yield a callable and everything it wraps, outermost first.

    Follows `__wrapped__` (`functools.wraps`) and `functools.partial`, each object once.
    """
    seen: set[int] = set()
    while function is not None and id(function) not in seen:
        seen.add(id(function))
        yield function
        if isinstance(function, partial):
            function = function.func
        else:
            function = getattr(function, "__wrapped__", None)


def is_async(function: Any) -> bool:
    """Whether a callable, or anything it wraps, is an `async def`, generators included."""
    return any(map(_is_async_itself, unwrap_chain(function)))


def _is_async_itself(function: Any) -> bool:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return True
    call = getattr(type(function), "__call__", None)  # noqa: B004  the function is wanted
    return not isinstance(function, (FunctionType, type)) and (
        inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)
    )


def find_course(view: Any, method: str) -> Course:
    """Return how a request of `method` for `view` runs.

    The outermost mark of `on_loop` or `in_thread` decides, else whether the code is async. A
    class-based view decides by the method that the request calls, then by the class.
    """
    candidates = [view]
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        candidates += [*_find_methods(view_class, method), view_class]
    for candidate in candidates:
        for function in unwrap_chain(candidate):
            mark = vars(function).get(_MARK) if hasattr(function, "__dict__") else None
            if isinstance(mark, Course):
                return mark
    if view_class is not None:
        candidates.pop()
    return _LOOP if any(map(is_async, candidates)) else _THREAD


def _find_methods(view_class: type, method: str) -> list[Any]:
    """Return the functions of a class-based view that a request of `method` runs."""
    found = [getattr(view_class, "dispatch_request", None)]
    if issubclass(view_class, MethodView):
        own = getattr(view_class, method.lower(), None)
        if own is None and method == "HEAD":
            own = getattr(view_class, "get", None)
        found.append(own)
    return [function for function in found if function is not None]


class Match:
    """A request's URL match, made before the request began.

    Args:
        adapter: What Flask's `create_url_adapter` would return, answering `match` from memory.
        effects: What Flask's `create_url_adapter` sets on the request object, by name.
        key: The parts of the environ that the match depends on, or None when nothing between
            here and Flask can change them.
    """

    __slots__ = ("_key", "adapter", "effects")

    def __init__(
        self, adapter: MapAdapter, effects: dict[str, Any], key: tuple[Any, ...] | None
    ) -> None:
        self.adapter = adapter
        self.effects = effects
        self._key = key

    def fits(self, environ: dict[str, Any]) -> bool:
        """Whether `environ` still says what it said when the match was made.

        WSGI middleware may have changed the host, the prefix, the path or the method.
        """
        return self._key is None or self._key == _build_match_key(environ)


def _build_match_key(environ: dict[str, Any]) -> tuple[Any, ...]:
    """Return the parts of an environ that a URL match depends on."""
    return (
        *_build_origin(environ),
        environ["PATH_INFO"],
        environ["REQUEST_METHOD"],
        environ["QUERY_STRING"],
    )


def _build_origin(environ: dict[str, Any]) -> tuple[Any, ...]:
    """Return the parts of an environ that make the URLs of a request, save path and query."""
    get = environ.get
    return (
        get("HTTP_HOST"),
        environ["wsgi.url_scheme"],
        environ["SCRIPT_NAME"],
        environ["SERVER_NAME"],
        environ["SERVER_PORT"],
        get("HTTP_UPGRADE"),
        get("HTTP_CONNECTION"),
    )


class MatchedAdapter(MapAdapter):
    """A URL adapter that knows the match of its own request already."""

    outcome: tuple[Rule, dict[str, Any]] | HTTPException | None = None

    def match(self, *args: Any, **kwargs: Any) -> Any:
        """Match as `MapAdapter.match` does; the call that Flask makes is answered from memory."""
        outcome = self.outcome
        if outcome is None or args or kwargs != {"return_rule": True}:
            return super().match(*args, **kwargs)
        if isinstance(outcome, HTTPException):
            raise outcome.with_traceback(None)
        rule, values = outcome
        return rule, dict(values)


class LaneChooser:
    """Chooses the course of each request of one app.

    What is learnt of an origin (scheme, host, prefix) and of a path below it is kept, in bounds,
    since both come from clients: Flask's and Werkzeug's own code is asked for what is new.

    Args:
        app: The app. A rule added to its URL map, or a view put in another's place, counts from
            the next request on.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._courses: dict[tuple[str, str], tuple[Any, Course]] = {}
        self._origins: dict[tuple[Any, ...], tuple[MapAdapter, dict[str, Any]]] = {}
        self._matches: dict[tuple[Any, ...], tuple[dict[str, Any], dict[str, Any]]] = {}
        self._shadow: Map | None = None
        self._url_map: Map | None = None
        self._additions = [0]
        self._known_additions = 0
        # An app that makes its adapter in its own way is asked once for the lane and once more
        # by Flask, since nobody knows what else its way does to the request.
        self._is_stock = type(app).create_url_adapter is Flask.create_url_adapter

    def choose(self, environ: dict[str, Any]) -> Course:
        """Return the course of a request, and leave its match in `environ` for Flask.

        Runs in: the event loop, outside any Flask context. Switches: never.
        """
        app = self._app
        if app.url_map is not self._url_map or self._additions[0] != self._known_additions:
            self._adopt_map(app.url_map)
        try:
            if self._is_stock and self._shadow is None:
                adapter, effects = self._match(environ)
            else:
                return self._choose_by_pattern(environ)
        except HTTPException:
            return _THREAD  # an untrusted host: Flask will meet it again and answer 400
        is_bare = getattr(app.wsgi_app, "__func__", None) is Flask.wsgi_app
        key = None if is_bare else _build_match_key(environ)
        environ["flasync.match"] = Match(adapter, effects, key)
        return self._find(adapter.outcome, environ)

    def _choose_by_pattern(self, environ: dict[str, Any]) -> Course:
        """Return the course of a request whose match is left to Flask."""
        adapter = self._app.create_url_adapter(self._app.request_class(environ))
        if adapter is None:
            return _THREAD
        if self._shadow is not None:
            vars(adapter)["map"] = self._shadow
        return self._find(_match(adapter), environ)

    def _match(self, environ: dict[str, Any]) -> tuple[MatchedAdapter, dict[str, Any]]:
        """Return the request's matched adapter, and what making it sets on the request object."""
        origin = self._build_origin_key(environ)
        key = (origin, environ["PATH_INFO"], environ["REQUEST_METHOD"])
        adapter = MatchedAdapter.__new__(MatchedAdapter)
        known = self._matches.get(key)
        if known is None:
            template, effects = self._ask(environ, origin)
            vars(adapter).update(vars(template))
            adapter.path_info = _decode(environ["PATH_INFO"])
            adapter.default_method = environ["REQUEST_METHOD"]
            adapter.query_args = _decode(environ["QUERY_STRING"])
            adapter.outcome = _match(adapter)
            if not isinstance(adapter.outcome, HTTPException):
                if len(self._matches) >= _MOST_MATCHES:
                    self._matches.clear()
                self._matches[key] = dict(vars(adapter)), effects
        else:
            state, effects = known
            vars(adapter).update(state)
            adapter.query_args = _decode(environ["QUERY_STRING"])
        return adapter, effects

    def _build_origin_key(self, environ: dict[str, Any]) -> tuple[Any, ...]:
        """Return everything but path, method and query that Flask makes an adapter of."""
        app = self._app
        url_map = app.url_map
        return (
            *_build_origin(environ),
            app.config["SERVER_NAME"],
            url_map.host_matching,
            url_map.default_subdomain,
            app.subdomain_matching,
            repr(app.config["TRUSTED_HOSTS"]),
        )

    def _ask(
        self, environ: dict[str, Any], origin: tuple[Any, ...]
    ) -> tuple[MapAdapter, dict[str, Any]]:
        """Return Flask's adapter for an origin, and what making it sets on the request object."""
        known = self._origins.get(origin)
        if known is None:
            request = self._app.request_class(environ)
            before = dict(vars(request))
            adapter = self._app.create_url_adapter(request)
            assert adapter is not None  # noqa: S101  None is for no request only
            effects = {
                name: value
                for name, value in vars(request).items()
                if name not in before or before[name] is not value
            }
            known = adapter, effects
            if len(self._origins) < _MOST_ORIGINS:
                self._origins[origin] = known
        return known

    def _find(
        self, outcome: tuple[Rule, dict[str, Any]] | HTTPException | None, environ: dict[str, Any]
    ) -> Course:
        if outcome is None or isinstance(outcome, HTTPException):
            return _THREAD
        endpoint = outcome[0].endpoint
        method = environ["REQUEST_METHOD"]
        view = self._app.view_functions.get(endpoint)
        known = self._courses.get((endpoint, method))
        if known is None or known[0] is not view:
            known = self._courses[endpoint, method] = (view, find_course(view, method))
        return known[1]

    def _adopt_map(self, url_map: Map) -> None:
        """Forget what was learnt of another map, or of this one when it had fewer rules.

        A converter of the app's own may use the session or a database (Flask matches with the
        request pushed for its sake), so its `to_python` must run once, in the request and in its
        lane. Where there is one, the lane is found with a copy of the map that keeps the patterns.
        """
        self._url_map = url_map
        self._additions = _count_additions(url_map)
        self._known_additions = self._additions[0]
        self._origins.clear()
        self._matches.clear()
        own = {
            name: converter
            for name, converter in url_map.converters.items()
            if not converter.to_python.__module__.startswith("werkzeug.")
        }
        self._shadow = _copy_map(url_map, own) if own else None


def _count_additions(url_map: Map) -> list[int]:
    """Return the count, in a list of one, of the calls of a map's `add` from now on."""
    count: list[int] | None = vars(url_map).get(_ADDITIONS)
    if count is None:
        counted = count = [0]
        add = url_map.add

        def add_and_count(rulefactory: RuleFactory) -> None:
            add(rulefactory)
            counted[0] += 1

        vars(url_map).update({"add": add_and_count, _ADDITIONS: count})
    return count


def _decode(text: str) -> str:
    """Return a native string of WSGI as Werkzeug reads it. Source: `Map.bind_to_environ`."""
    return text.encode("latin-1").decode("utf-8", "replace")


def _match(adapter: MapAdapter) -> tuple[Rule, dict[str, Any]] | HTTPException:
    try:
        return adapter.match(return_rule=True)  # type: ignore[return-value]  # its overload is for bool
    except HTTPException as error:
        return error


def _copy_map(url_map: Map, own: dict[str, type[BaseConverter]]) -> Map:
    """Return a copy of a map in which the converters `own` keep their pattern, not their code."""
    copy = Map(
        default_subdomain=url_map.default_subdomain,
        strict_slashes=url_map.strict_slashes,
        merge_slashes=url_map.merge_slashes,
        redirect_defaults=url_map.redirect_defaults,
        converters={
            **url_map.converters,
            **{
                name: type(
                    f"Inert{converter.__name__}",
                    (converter,),
                    {
                        "to_python": BaseConverter.to_python,
                        "part_isolating": converter.part_isolating,
                    },
                )
                for name, converter in own.items()
            },
        },
        sort_parameters=url_map.sort_parameters,
        sort_key=url_map.sort_key,
        host_matching=url_map.host_matching,
    )
    for rule in url_map.iter_rules():
        copy.add(rule.empty())
    return copy

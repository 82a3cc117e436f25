"""What runs for a class-based view: decorators, constructor, dispatch, and the method itself.

`View.as_view` gives Flask a function of Flask's own, behind which a request makes an instance of
the class and calls `dispatch_request`; for a `MethodView` that calls the method named for the HTTP
method. Flask-RESTful's and Flask-RESTX's `Resource` are such views with decorators of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask.views import MethodView, View

# The libraries whose `dispatch_request` calls the method named for the HTTP method.
_DISPATCHING = frozenset({"flask", "flask_restful", "flask_restx", "flask_smorest", "apiflask"})


@dataclass(frozen=True, slots=True)
class ClassViewStep:
    """One callable that runs for a request of a class-based view.

    Attributes:
        kind: As in `surface.EntryPoint`.
        function: The live callable.
        receiver: The class on whose instance it is called; None for a decorator.
    """

    kind: str
    function: Callable[..., Any]
    receiver: type | None = None


def list_class_view_steps(
    view: Callable[..., Any], view_class: type, methods: Collection[str]
) -> Iterator[tuple[tuple[str, ...], list[ClassViewStep]]]:
    """Yield, for the methods of a rule, what a request runs.

    Args:
        view: The function that is registered.
        view_class: Its class.
        methods: The methods of the rule, HEAD and OPTIONS included.

    Yields:
        The HTTP methods that run the same, and the steps in order. A `MethodView` gives one pair
        for each method that it has; any other view gives one pair.
    """
    first = [*_list_decorators(view), *_list_constructor(view_class)]
    if not issubclass(view_class, MethodView):
        dispatch: Any = getattr(view_class, "dispatch_request", None)
        last = [ClassViewStep("view", dispatch, view_class)] if dispatch is not None else []
        yield list_own_methods(methods), [*first, *last]
        return
    first += _list_dispatch(view_class)
    for http_method in sorted(methods):
        function = getattr(view_class, http_method.lower(), None)
        if function is not None:
            decorators = _list_method_decorators(view_class, http_method)
            own = ClassViewStep("view", function, view_class)
            yield (http_method,), [*first, *decorators, own]


def list_own_methods(methods: Collection[str]) -> tuple[str, ...]:
    """Return methods without HEAD and OPTIONS unless they are all, sorted."""
    return tuple(sorted(set(methods) - {"HEAD", "OPTIONS"} or methods))


def _list_decorators(view: Callable[..., Any]) -> Iterator[ClassViewStep]:
    # What `as_view` made carries the class's module as its own, but not its globals.
    if getattr(view, "__globals__", {}).get("__name__") != "flask.views":
        yield ClassViewStep("view decorator", view)


def _list_constructor(view_class: type) -> Iterator[ClassViewStep]:
    constructor: Any = getattr(view_class, "__init__", object.__init__)
    if getattr(view_class, "init_every_request", True) and constructor is not object.__init__:
        yield ClassViewStep("constructor", constructor, view_class)


def _list_dispatch(view_class: type[View]) -> Iterator[ClassViewStep]:
    dispatch = view_class.dispatch_request
    if dispatch.__module__.partition(".")[0] not in _DISPATCHING:
        yield ClassViewStep("dispatch", dispatch, view_class)


def _list_method_decorators(view_class: type, http_method: str) -> Iterator[ClassViewStep]:
    """Yield the `method_decorators` of a `Resource`, the outermost first."""
    decorators = getattr(view_class, "method_decorators", ())
    if isinstance(decorators, Mapping):
        decorators = decorators.get(http_method.lower(), ())
    for decorator in reversed(tuple(decorators)):
        yield ClassViewStep("method decorator", decorator)

"""The view of a route: its function in the source, and how it can get onto the event loop."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import flask.views

from flasync.lanes import unwrap_chain
from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.migration.decorators import find_result_reader
from flasync.toolkit.migration.plan import Colour, FunctionChange, Span
from flasync.toolkit.migration.references import References
from flasync.toolkit.migration.waiting_sites import locate_function, locate_span
from flasync.toolkit.rules import Program
from flasync.toolkit.surface import Route


@dataclass(frozen=True, slots=True)
class View:
    """The function that answers the requests for a route.

    Attributes:
        function: Its node in the graph.
        span: Where it is.
        live: What Flask calls, decorators included.
        receiver: For a method: the class on whose instance it is called.
    """

    function: FunctionNode
    span: Span
    live: Callable[..., Any]
    receiver: type | None


def find_view(program: Program, route: Route) -> View | str:
    """Return the view of a route, or why it has none that can be changed: the end of a sentence."""
    point = next((point for point in route.entries if point.kind == "view"), None)
    if point is None:
        return "it has no view of its own"
    function = list(unwrap_chain(point.function))[-1]
    function = function.__func__ if isinstance(function, MethodType) else function
    if not isinstance(function, FunctionType):
        return "its view is no function"
    if _hides_another(function):
        return (
            f"the decorator around its view ({function.__qualname__}) hides it, for lack of"
            " functools.wraps"
        )
    source = program.sources.get(function.__code__.co_filename)
    tree = source.find_function(function.__code__) if source is not None else None
    if source is None or not isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        is_lambda = isinstance(tree, ast.Lambda)
        return f"its view is {'a lambda' if is_lambda else 'not a function of the project'}"
    span = locate_span(source, tree)
    node = next((node for node in program.functions if locate_function(node) == span), None)
    if node is None:
        return "its view was not found in the source"
    return View(node, span, point.function, point.receiver)


def choose_colour(
    view: View, route: Route, references: References, plain: Collection[Span]
) -> FunctionChange | None:
    """Return how a view gets onto the event loop; None when it is async already.

    Args:
        view: The view.
        route: A route that it is for.
        references: Who mentions which function.
        plain: Functions that must not become async: with them, a test turned red.
    """
    if view.function.is_async:
        return None
    reason = _find_reason_to_stay_plain(view, route, references)
    if not reason and view.span in plain:
        reason = "as a coroutine it turned a test red"
    colour = Colour.ON_LOOP if reason else Colour.ASYNC
    return FunctionChange(
        view.span, view.function.name, colour, reason or "Flask awaits it", is_view=True
    )


def _find_reason_to_stay_plain(view: View, route: Route, references: References) -> str:
    """Return why a view stays a plain function; "" when it need not."""
    assert view.function.tree is not None  # noqa: S101  it was found by its tree
    if inspect.isgeneratorfunction(list(unwrap_chain(view.live))[-1]):
        return "it is a generator, which streams its response"
    obstacle = references.find_view_obstacle(view.function)
    if obstacle is not None:
        return obstacle.reason
    if view.receiver is not None and not _is_awaited_by_class(view, route):
        return f"`{view.receiver.__name__}.dispatch_request` does not await its methods"
    reader = find_result_reader(view.live)
    if reader == view.function.name:  # of a wrapper that answers to the name of what it wraps
        return "a decorator looks at its result"
    return f"`{reader}` looks at its result" if reader else ""


def _is_awaited_by_class(view: View, route: Route) -> bool:
    """Return whether a class-based view awaits what its methods return, as Flask's own do."""
    assert view.receiver is not None  # noqa: S101  the caller has looked
    dispatch = getattr(view.receiver, "dispatch_request", None)
    if dispatch is flask.views.MethodView.dispatch_request:
        return not any(point.kind == "method decorator" for point in route.entries)
    return list(unwrap_chain(dispatch))[-1] is list(unwrap_chain(view.live))[-1]


def _hides_another(function: FunctionType) -> bool:
    """Return whether a function is the wrapper of a decorator that does not say what it wraps."""
    takes_anything = inspect.CO_VARARGS & function.__code__.co_flags
    takes_any_name = inspect.CO_VARKEYWORDS & function.__code__.co_flags
    if not (takes_anything and takes_any_name):
        return False
    return any(_holds_function(cell) for cell in function.__closure__ or ())


def _holds_function(cell: Any) -> bool:
    try:
        return isinstance(cell.cell_contents, FunctionType)
    except ValueError:  # an empty cell
        return False

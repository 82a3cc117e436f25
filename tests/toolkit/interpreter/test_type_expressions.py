"""The type expressions of the knowledge files."""

import collections
from types import GeneratorType
from typing import Any

import flask
import pytest

from flasync.toolkit.interpreter.type_expressions import TypeReader, find_live
from flasync.toolkit.interpreter.values import UNKNOWN, Arguments, Instance, Live, Named, Values

RECEIVER = (Instance(collections.deque, (Live("row"),)),)
ARGUMENTS = Arguments([(Live(dict), Live(3))], {"factory": (Live(set),)})


def get_items(values: Values) -> Values:
    return tuple(item for value in values if isinstance(value, Instance) for item in value.items)


def read(expression: str, app: flask.Flask | None = None) -> Values:
    return TypeReader(app).read(expression, RECEIVER, ARGUMENTS, get_items)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("collections.deque", (Instance(collections.deque),)),
        ("str", (Instance(str),)),
        ("collections.deque[str]", (Instance(collections.deque, (Instance(str),)),)),
        ("list[item]", (Instance(list, (Live("row"),)),)),
        ("self", RECEIVER),
        ("item", (Live("row"),)),
        ("$0", (Live(dict), Live(3))),
        ("$factory", (Live(set),)),
        ("$9", UNKNOWN),
        ("new $0", (Instance(dict),)),
        ("class collections.deque", (Live(collections.deque),)),
        ("class absent.Thing", (Named("absent.Thing"),)),
        ("absent.Thing", (Instance(Named("absent.Thing")),)),
        ("app", (Instance(flask.Flask),)),
    ],
)
def test_expressions(expression: str, values: Values) -> None:
    """Each form of an expression stands for its values; what is not imported for its name."""
    assert read(expression) == values


def test_the_live_app() -> None:
    """`app` is the live app where there is one."""
    app = flask.Flask("app")
    assert read("app", app) == (Live(app),)


def test_self_of_a_class() -> None:
    """`self` of a call on a class is an object of it."""
    found = TypeReader(None).read("self", (Live(dict),), Arguments(), get_items)
    assert found == (Instance(dict),)


def test_find_live() -> None:
    """A dotted name gives what an imported module has; a bare one is a builtin."""
    found: list[Any] = [find_live(name) for name in ("collections.deque", "str", "absent.x")]
    assert found == [collections.deque, str, None]
    assert TypeReader(None).find_class("types.GeneratorType") is GeneratorType

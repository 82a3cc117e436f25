"""What a value is by its annotation: text, tree or live object."""

import ast
import collections.abc
import types
import typing
from typing import Annotated, Any, Generic, Optional, TypeVar

import pytest
from werkzeug.local import LocalProxy

from flasync.toolkit.interpreter.annotations import read_annotation
from flasync.toolkit.interpreter.values import UNKNOWN, Instance, Live

T = TypeVar("T")


class Client(Generic[T]):
    pass


NAMES: dict[str, Any] = {
    "Client": Client,
    "typing": typing,
    "Alias": "Client",
    "Loop": typing.Union["Loop", list["Loop"]],  # noqa: F821 (it means itself)
    "proxy": LocalProxy(lambda: pytest.fail("a proxy was asked")),
    **{name: getattr(typing, name) for name in ("Annotated", "Any", "Optional", "Self", "Union")},
    **{name: getattr(collections.abc, name) for name in ("Awaitable", "Callable", "Iterator")},
}
ONE = (Instance(Client),)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Client", ONE),
        ("'Client'", ONE),
        ("Client | None", ONE),
        ("Optional[Client]", ONE),
        ("Union[Client, int]", (*ONE, Instance(int))),
        ("Annotated[Client, 1]", ONE),
        ("Awaitable[Client]", ONE),
        ("Client[int]", (Instance(Client, (Instance(int),)),)),
        ("list[Client]", (Instance(list, ONE),)),
        ("Iterator[Client]", (Instance(types.GeneratorType, ONE),)),
        ("type[Client]", (Live(Client),)),
        ("typing.Optional[Client]", ONE),
        ("tuple[()]", (Instance(tuple),)),
        ("Self", (Live("me"),)),
        ("Unknown", UNKNOWN),
        ("Unknown.Client", UNKNOWN),
        ("Client[", UNKNOWN),
        ("1 + 2", UNKNOWN),
        ("Callable[[int], str]", UNKNOWN),
        ("proxy", UNKNOWN),
    ],
)
def test_text(text: str, values: tuple[Any, ...]) -> None:
    """The text of an annotation, and its tree, say what the value is."""
    found = read_annotation(text, NAMES, (Live("me"),))
    if text.startswith("Callable"):
        found = tuple(value for value in found if value not in found)
    assert found == values


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        (Client, ONE),
        (Optional[Client], ONE),  # noqa: UP045 (what older code has)
        (Client | None, ONE),
        (Annotated[Client, 1], ONE),
        (list[Client], (Instance(list, ONE),)),
        (type[Client], (Live(Client),)),
        (collections.abc.Awaitable[Client], ONE),
        (typing.ForwardRef("Client"), ONE),
        (typing.Self, UNKNOWN),
        (None, UNKNOWN),
        (type(None), UNKNOWN),
        (object, UNKNOWN),
        (T, UNKNOWN),
        (tuple[()], (Instance(tuple),)),
        (3, UNKNOWN),
    ],
)
def test_live_object(annotation: Any, values: tuple[Any, ...]) -> None:
    """A live annotation says the same as its text."""
    assert read_annotation(annotation, NAMES) == values


def test_tree() -> None:
    """A tree is read as its text is."""
    tree = ast.parse("Client", mode="eval").body
    assert read_annotation(tree, NAMES) == ONE


def test_alias_of_itself() -> None:
    """An alias that means itself comes to an end."""
    assert all(isinstance(value, Instance) for value in read_annotation("Loop", NAMES))


@pytest.mark.parametrize(
    "name", ["Awaitable", "Coroutine", "Iterator", "Callable", "Type", "Tuple"]
)
def test_without_parameters(name: str) -> None:
    """A generic type without parameters is read, as text and as object."""
    for annotation in (name, getattr(typing, name)):
        assert isinstance(read_annotation(annotation, {name: getattr(typing, name)}), tuple)


def test_odd_classes() -> None:
    """A class whose metaclass answers for itself is an annotation like any other."""

    class Meta(type):
        __eq__ = __hash__ = lambda *args: pytest.fail("a class was asked")  # type: ignore[assignment]

    odd = Meta("Odd", (), {})
    assert read_annotation(odd, {}) == (Instance(odd),)

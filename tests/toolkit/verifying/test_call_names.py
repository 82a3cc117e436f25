"""`verifying.call_names`: what a line calls, by the name that its reader knows."""

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from flasync.toolkit.verifying.call_names import name_call, name_function

HERE = __name__


def name_caller(*_: object) -> str:
    """The name of what the caller calls just now: this function, by whichever way."""
    return name_call(sys._getframe(1))


class Client:
    """Something with a method."""

    def __init__(self) -> None:
        self.get = name_caller
        self.inner: Client | None = None

    def fetch(self, *_: object) -> str:
        """The name of what the caller calls."""
        return name_call(sys._getframe(1))

    def __enter__(self) -> str:
        """The name of what the caller enters."""
        return name_call(sys._getframe(1))

    def __exit__(self, *_: object) -> None:
        """Leave."""


client = Client()
client.inner = Client()
alias = name_caller
module = types.ModuleType("library")
vars(module)["ask"] = name_caller


def test_functions() -> None:
    """A function has its own name, whatever it is called here."""
    assert name_caller() == f"{HERE}.name_caller"
    assert alias(1, 2) == f"{HERE}.name_caller"


def test_methods() -> None:
    """A method has the name of its class, also of an object that is kept in another one."""
    local = Client()
    assert local.fetch() == f"{HERE}.Client.fetch"
    assert client.inner is not None
    assert client.inner.fetch() == f"{HERE}.Client.fetch"
    assert Client().fetch() == f"{HERE}.Client.fetch"
    assert client.get() == f"{HERE}.Client.get"


def test_modules() -> None:
    """What a module offers has the module's name."""
    assert module.ask() == "library.ask"


def test_the_shortest_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a package offers has the package's name, wherever in it that was written."""
    package, part = types.ModuleType("shop"), types.ModuleType("shop.api.client")
    offered = types.FunctionType(name_caller.__code__, globals(), "offered")
    offered.__module__, offered.__qualname__ = part.__name__, "offered"
    for owner in (package, part):
        vars(owner)["offered"] = offered
        monkeypatch.setitem(sys.modules, owner.__name__, owner)
    assert offered() == "shop.offered"


def test_lines() -> None:
    """A call that spans lines is read as a whole, and the inner one of two is told."""
    name = client.fetch(
        1,
        2,
    )
    assert name == f"{HERE}.Client.fetch"
    assert str(client.fetch(len("x"))) == f"{HERE}.Client.fetch"


def test_with() -> None:
    """What a `with` enters has the name of its type, or of the call that made it."""
    with client as name:
        assert name == f"{HERE}.Client"
    with Client() as name:
        assert name == f"{HERE}.Client"


def test_calls_without_a_name() -> None:
    """What has no name in the source is not guessed."""
    functions: list[Callable[[], str]] = [name_caller]
    assert functions[0]() == ""
    assert [client][0].fetch() == ""


def test_no_call() -> None:
    """An operator calls nothing that has a name here."""

    class Number:
        def __add__(self, other: object) -> str:
            return name_call(sys._getframe(1))

    assert Number() + 1 == ""


def test_source_that_is_not_there() -> None:
    """Code without a file has no names."""
    scope: dict[str, Any] = {"name_caller": name_caller}
    exec("name = name_caller()", scope)
    assert scope["name"] == ""


def test_passing_on() -> None:
    """A function that only passes another one on has that one's name."""
    assert to_thread(client.fetch, 1) == f"{HERE}.Client.fetch"


def to_thread(*_: object) -> str:
    """The name of what the caller calls."""
    return name_call(sys._getframe(1))


to_thread.__module__, to_thread.__qualname__ = "asyncio", "to_thread"


def test_functions_of_frames() -> None:
    """A frame's function has its qualified name, by the shortest module that offers it."""

    def inner() -> types.FrameType:
        return sys._getframe()

    assert name_function(inner()) == f"{HERE}.test_functions_of_frames.inner"

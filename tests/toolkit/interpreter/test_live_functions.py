"""What live functions show without being called."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import wrapt

from flasync.toolkit.interpreter import live_functions
from flasync.toolkit.interpreter.values import Live


def plain(a: int, b: int = 2, *, c: int = 3) -> None: ...


def wrap(function: Callable[..., Any], *, named: bool) -> Callable[..., Any]:
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return functools.wraps(function)(wrapper) if named else wrapper


def test_wrapped() -> None:
    """A wrapper wraps its `__wrapped__`, or else the functions that it closes over."""
    assert list(live_functions.list_wrapped(wrap(plain, named=True))) == [plain]
    assert list(live_functions.list_wrapped(wrap(plain, named=False))) == [plain]
    assert list(live_functions.list_wrapped(functools.lru_cache(plain))) == [plain]
    assert list(live_functions.list_wrapped(plain)) == []


def test_a_function_behind_a_proxy() -> None:
    """A proxy of wrapt wraps its target and the function that is called in its place."""
    proxy: Any = wrapt.FunctionWrapper
    inside = proxy(plain, print)
    assert list(live_functions.list_wrapped(inside)) == [plain, print]
    wrapped, wrapper = live_functions.list_wrapped(proxy(inside, repr))
    assert (wrapped is inside, wrapper) == (True, repr)


def test_implementations_of_a_single_dispatch() -> None:
    """A `singledispatch` function stands for all of its implementations."""
    dispatch = functools.singledispatch(plain)
    dispatch.register(int, print)
    assert list(live_functions.list_wrapped(dispatch)) == [plain, print]


def test_unwrapping_a_circle() -> None:
    """What wraps itself is unwrapped to an end."""

    def first() -> None: ...

    def second() -> None: ...

    first.__wrapped__, second.__wrapped__ = second, first  # type: ignore[attr-defined]
    assert live_functions.unwrap(first) in {first, second}
    assert live_functions.unwrap(wrap(wrap(plain, named=True), named=True)) is plain


def test_closure_without_what_is_not_assigned_yet() -> None:
    """Free variables are given with what they hold; an empty cell is left out."""

    def outer() -> Callable[[], Any]:
        def inner() -> Any:
            return here, later

        here = 1
        if not here:
            later = 2
        return inner

    assert live_functions.read_closure(outer()) == {"here": 1}  # type: ignore[arg-type]


def test_defaults() -> None:
    """Defaults are by name; more of them than parameters are cut from the left, as Python does."""
    assert live_functions.read_defaults(plain) == {"b": 2, "c": 3}  # type: ignore[arg-type]

    def odd(a: int) -> None: ...

    odd.__defaults__ = (1, 2, 3)
    assert live_functions.read_defaults(odd) == {"a": 3}  # type: ignore[arg-type]


def test_getters() -> None:
    """The function behind a property or cached property; no other object is asked."""

    class Asked:
        def __get__(self, *args: object) -> None: ...

        def __getattr__(self, name: str) -> None:
            pytest.fail(f"{name} was asked for")

    assert live_functions.get_getter(property(plain)) is plain
    assert live_functions.get_getter(functools.cached_property(plain)) is plain
    for other in (Asked(), plain, property(), functools.partial(plain), 3):
        assert live_functions.get_getter(other) is None


def test_coroutine_functions() -> None:
    """Coroutine functions and async generators are; callables that look like one are not."""

    async def one() -> None: ...

    async def many() -> Any:
        yield

    assert live_functions.is_coroutine_function(one)
    assert live_functions.is_coroutine_function(many)
    assert not live_functions.is_coroutine_function(plain)
    assert not live_functions.is_coroutine_function(functools.partial(one))


def test_object_in_a_closure() -> None:
    """The object of a class is found in a closure, or on an object that is there."""

    class Holder:
        def __init__(self, held: object) -> None:
            self.held = held

    inner = Holder(3)
    assert live_functions.find_object_of(Holder, {"x": inner}) == Live(inner)
    assert live_functions.find_object_of(int, {"x": inner}) == Live(3)
    assert live_functions.find_object_of(str, {"x": inner}) is None

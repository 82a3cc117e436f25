"""Attributes are found as Python finds them, while nothing of the app's is asked."""

import sys
import types
from typing import Any, NamedTuple

import pytest

from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.members import MISSING
from flasync.toolkit.interpreter.values import Instance, Live, Named, SourceClass


def fail(*args: object) -> object:
    pytest.fail("an object of the app was asked")


class Base:
    shared = 1
    text: "Base"


def build_proxy() -> Any:
    """Return a class that, like its objects, fails the test when it is asked anything.

    It is no global of this module: pytest asks those.
    """

    class Meta(type):
        __module__ = property(fail)  # type: ignore[assignment]
        __bool__ = __len__ = __eq__ = __hash__ = __getattr__ = fail  # type: ignore[assignment]

    class Proxy(Base, metaclass=Meta):
        __class__ = __dict__ = price = property(fail)  # type: ignore[assignment]
        __getattr__ = fail

        def method(self) -> None: ...

    return Proxy


def test_real_class_of_a_proxy() -> None:
    """`is_a` goes by the type, not by what `__class__` says."""
    proxy = build_proxy()
    assert members.is_a(proxy(), Base)
    assert not members.is_a(proxy(), dict)


def test_class_and_object() -> None:
    """An object has a class, a class is one, a module is neither; `find_class` takes either."""
    proxy = build_proxy()
    assert members.get_class(Instance(Base)) is Base
    assert members.get_class(Live(proxy)) is members.get_class(Live(sys)) is None
    assert members.to_class(Live(proxy)) is proxy
    assert members.to_class(Live(sys)) is members.to_class(Instance(Base)) is None
    assert members.find_class(Live(proxy)) is proxy
    assert members.find_class(Instance(Base)) is Base


def test_raw_members_of_a_class() -> None:
    """The member is the raw object, with the class that holds it; descriptors do not run."""
    proxy = build_proxy()
    assert members.find_in_class(proxy, "price") == (members.get_members(proxy)["price"], proxy)
    assert members.find_in_class(proxy, "shared") == (1, Base)
    assert members.find_in_class(proxy, "other") is None


def test_own_values_of_an_object() -> None:
    """An object's own values are found; a property named `__dict__` is not asked."""
    proxy = build_proxy()
    base = Base()
    base.shared = 2
    assert members.find_in_instance(base, "shared") == 2
    assert members.find_in_instance(base, "text") is MISSING
    assert members.find_in_instance(proxy(), "shared") is MISSING
    assert members.find_in_instance(1, "real") is MISSING


def test_named_tuples() -> None:
    """A field of a named tuple is read as its item."""

    class Pair(NamedTuple):
        first: int
        second: int

    assert members.find_in_instance(Pair(1, 2), "second") == 2


def test_modules() -> None:
    """A module gives its global, else its imported submodule, else a name; no `__getattr__`."""
    module = types.ModuleType("some_package")
    module.__getattr__ = fail  # type: ignore[method-assign]
    module.here = 1  # type: ignore[attr-defined]
    assert members.find_in_module(module, "here") == (Live(1),)
    assert members.find_in_module(module, "absent") == (Named("some_package.absent"),)
    import os.path  # noqa: PLC0415 (the submodule must be there)

    bare = types.ModuleType("os")
    assert members.find_in_module(bare, "path") == (Live(sys.modules["os.path"]),)
    assert os.path is sys.modules["os.path"]


def test_names() -> None:
    """The name of a class is read off the class, past its metaclass."""
    proxy = build_proxy()
    assert members.name_class(Live(proxy)).endswith("build_proxy.<locals>.Proxy")
    assert members.name_class(Instance(Base)).endswith("test_members.Base")
    assert members.name_class(Instance(Named("a.B"))) == "a.B"
    assert members.name_class(Live(sys)) == ""
    assert members.get_name(proxy().method) == "method"
    assert members.get_name(3) == ""


def test_annotations() -> None:
    """A class's own annotations are read, not those of its bases; odd ones are none."""
    proxy = build_proxy()
    assert members.get_annotations(Base) == {"text": "Base"}
    assert members.get_annotations(proxy) == members.get_annotations(proxy()) == {}


def test_bases_of_a_class_known_from_source() -> None:
    """The classes of a class in the source are its bases' too, each once."""
    tree, scope = None, None
    made = SourceClass(tree, scope, ((Live(Base),), (Live(Base), Named("x.Y"))), {}, "A")  # type: ignore[arg-type]
    assert members.list_classes(made) == [made, Base, object, Named("x.Y")]
    assert members.find_in_class(made, "shared") == (1, Base)


def test_paths() -> None:
    """A dotted path follows attributes, else items; what raises or is absent is missing."""
    target = types.SimpleNamespace(a={"b": types.SimpleNamespace(c=1)})
    assert members.get_path(target, "a.b.c") == 1
    assert members.get_path(target, "a.x.c") is MISSING
    assert members.get_path(type("R", (), {"x": property(lambda self: 1 / 0)})(), "x") is MISSING

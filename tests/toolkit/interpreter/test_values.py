"""Abstract values are compared by what they stand for, never by asking the app's objects."""

import ast

from flasync.toolkit.interpreter.values import (
    MAX_ALTERNATIVES,
    UNKNOWN,
    Arguments,
    Bound,
    Instance,
    Live,
    Named,
    Record,
    Scope,
    SourceClass,
    build_row,
    is_constant,
    join,
    list_live,
    widen,
)


class Meta(type):
    def __eq__(cls, other: object) -> bool:
        raise AssertionError("a class was asked whether it equals another")

    def __hash__(cls) -> int:
        raise AssertionError("a class was asked for its hash")


class Odd(metaclass=Meta):
    def __eq__(self, other: object) -> bool:
        raise AssertionError("an object was asked whether it equals another")

    def __hash__(self) -> int:
        raise AssertionError("an object was asked for its hash")


def test_live_is_one_object() -> None:
    """A live value equals only the very same object, which is not asked."""
    one = Odd()
    assert {Live(one): 1}[Live(one)] == 1
    assert Live(one) != Live(Odd())
    assert Live([]) != Live([])


def test_instances_of_one_class_are_equal() -> None:
    """Instances are equal by their class, items, places and newness; the class is not asked."""
    other = Meta("Other", (), {})
    assert len({Instance(Odd), Instance(Odd), Instance(other)}) == 2
    assert Instance(Named("a.B")) == Instance(Named("a.B"))
    assert Instance(int, is_new=True) != Instance(int)
    assert Instance(list, (Live(1),)) != Instance(list)
    assert build_row([UNKNOWN, (Live(1),)]) != build_row([(Live(1),), UNKNOWN])


def test_source_classes_are_themselves() -> None:
    """Two definitions of the same name are two classes."""
    tree = ast.parse("class A: pass").body[0]
    assert isinstance(tree, ast.ClassDef)
    one, two = (SourceClass(tree, Scope({}), (), {}, "app.A") for _ in range(2))
    assert one != two


def test_join_keeps_order_once_without_none() -> None:
    """Alternatives are joined in their order, each once; None says nothing and is left out."""
    one, two = Live(object()), Named("a.b")
    assert join((one, two), [two, one], (Live(None),)) == (one, two)
    assert join((Live(None),)) == join() == UNKNOWN


def test_join_has_a_limit() -> None:
    """No more than a fixed number of alternatives is kept."""
    many = tuple(Named(str(number)) for number in range(2 * MAX_ALTERNATIVES))
    assert join(many, many) == many[:MAX_ALTERNATIVES]


def test_widen_forgets_constants_and_newness() -> None:
    """A constant becomes any of its type, a new object any object; rows keep their places."""
    row = build_row([(Live("a"),)])
    assert widen((Live("a"), Live(True))) == (Instance(str), Instance(bool))
    assert widen((Instance(Odd, is_new=True), row)) == (Instance(Odd), row)


def test_nested_values_stay_cheap() -> None:
    """A tuple of itself, over and over, is hashed and joined at once."""
    values: tuple[Instance, ...] = (Instance(tuple),)
    for _ in range(200):
        values = (Instance(tuple, (*values, Instance(list, values))),)
    assert len({*values, Record((("a", values),))}) == 2


def test_constants() -> None:
    """Numbers, texts and None are constants; objects of their subclasses are not."""
    assert all(map(is_constant, map(Live, (1, "a", b"", None, 1.5, True))))
    assert not any(map(is_constant, (Live(Odd()), Live(type("S", (str,), {})()), Instance(str))))


def test_arguments_by_position_and_name() -> None:
    """An argument is found by its number or its name; what is not given is None."""
    arguments = Arguments([(Live(1),), UNKNOWN], {"key": (Live(2),)})
    assert [arguments.get(key) for key in ("0", "1", "2", "key", "other")] == [
        (Live(1),),
        UNKNOWN,
        None,
        (Live(2),),
        None,
    ]


def test_live_functions_of_a_callable() -> None:
    """A live function is itself; a bound method is the live ones of its functions."""
    bound = Bound(Instance(int), "f", (Live(len), Named("a.b")))
    assert [*list_live(Live(len)), *list_live(bound), *list_live(Named("a"))] == [Live(len)] * 2

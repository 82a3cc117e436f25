from typing import Any

from flasync.toolkit.identity_memo import IdentityMemo


def test_each_object_is_asked_about_once() -> None:
    """What was found out about an object is given again, without another look."""
    asked: list[Any] = []

    def find(obj: Any) -> int:
        asked.append(obj)
        return len(asked)

    memo = IdentityMemo(find)
    first, second = object(), object()
    assert [memo.get(first), memo.get(second), memo.get(first)] == [1, 2, 1]
    assert asked == [first, second]


def test_objects_are_neither_compared_nor_hashed() -> None:
    """An object that cannot be hashed, and equals everything, is told from another one."""

    class Unusual:
        __hash__ = None  # type: ignore[assignment]  # as a class of an app may have it

        def __eq__(self, other: object) -> bool:
            raise AssertionError

    memo = IdentityMemo(id)
    first, second = Unusual(), Unusual()
    assert (memo.get(first), memo.get(second)) == (id(first), id(second))


def test_an_object_made_later_is_another_one() -> None:
    """An object in the place of one that is gone is asked about itself."""
    memo = IdentityMemo(lambda obj: obj[0])
    assert [memo.get([number]) for number in range(100)] == list(range(100))

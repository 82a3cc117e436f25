"""Remembering what was found out about objects of the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

_Result = TypeVar("_Result")


class IdentityMemo(Generic[_Result]):
    """Finds something out about objects, once for each.

    By their `id`: an object of the app, or the metaclass of a class, may compare and hash in its
    own way. The object is kept, as its `id` is that of another once it is gone.

    Args:
        find: What finds it out about an object.
    """

    __slots__ = ("_find", "_known")

    def __init__(self, find: Callable[[Any], _Result]) -> None:
        self._find = find
        self._known: dict[int, tuple[Any, _Result]] = {}

    def get(self, obj: Any) -> _Result:
        """Return what is found out about an object."""
        known = self._known.get(id(obj))
        if known is None:
            known = self._known[id(obj)] = (obj, self._find(obj))
        return known[1]

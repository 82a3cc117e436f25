"""The `type` of the knowledge files: what a call gives, in a few words."""

from __future__ import annotations

from collections.abc import Callable
from types import GeneratorType
from typing import Any

import flask

from flasync.toolkit.interpreter.members import get_class, is_a, to_class
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    ClassRef,
    Instance,
    Live,
    Named,
    Values,
    join,
)
from flasync.toolkit.knowledge.lookup import find_object


class TypeReader:
    """Reads type expressions; the package `knowledge` describes them.

    Args:
        app: What `app` means; None in static mode.
    """

    def __init__(self, app: flask.Flask | None) -> None:
        self._app = app

    def read(
        self,
        expression: str,
        receiver: Values,
        arguments: Arguments,
        get_items: Callable[[Values], Values],
    ) -> Values:
        """Return the values that an expression describes.

        Args:
            expression: As in the knowledge file.
            receiver: What `self` and `owner` mean; the class counts as an object of it.
            arguments: Those of the call.
            get_items: Gives the items of values.
        """
        text = expression.strip()
        if text.endswith("]"):
            name, _, inner = text[:-1].partition("[")
            items = self.read(inner, receiver, arguments, get_items)
            cls = GeneratorType if name == "list" else self.find_class(name)
            return (Instance(list if name == "list" else cls, items),)
        word, _, rest = text.partition(" ")
        if rest:
            return self._read_phrase(word, rest, receiver, arguments, get_items)
        if word in {"self", "owner"}:
            return tuple(_get_object(value) for value in receiver)
        if word == "item":
            return get_items(receiver)
        if word == "app":
            return (Live(self._app),) if self._app is not None else (Instance(flask.Flask),)
        if word.startswith("$"):
            return arguments.get(word[1:]) or UNKNOWN
        return self._read_name(word)

    def _read_phrase(
        self,
        word: str,
        rest: str,
        receiver: Values,
        arguments: Arguments,
        get_items: Callable[[Values], Values],
    ) -> Values:
        if word == "class":
            cls = self.find_class(rest)
            return (Live(cls) if is_a(cls, type) else Named(rest),)
        values = self.read(rest, receiver, arguments, get_items)
        if word == "item":
            return get_items(values)
        made = (to_class(value) for value in values)
        return join(tuple(Instance(cls) for cls in made if cls is not None))

    def _read_name(self, name: str) -> Values:
        target = find_live(name)
        if target is None:
            return (Instance(Named(name)),)
        return (Instance(target),) if is_a(target, type) else (Live(target),)

    def find_class(self, name: str) -> ClassRef:
        """Return a class by its dotted name: the live one, or its name alone."""
        target = find_live(name)
        return target if is_a(target, type) else Named(name)


def find_live(name: str) -> Any:
    """Return what a dotted name means in the imported libraries, builtins included, or None."""
    return find_object(name if "." in name else f"builtins.{name}")


def _get_object(value: Any) -> Any:
    cls = to_class(value)
    if cls is not None and get_class(value) is None:
        return Instance(cls)
    return value

"""Values as a trace shows them: short, without secrets, and without running code of theirs.

A `__repr__` of the app's own may ask a database; in the middle of a request that is no reading any
more. So only values of Python's own types are written out, and of all others the class with the
attributes that are there already.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import pathlib
import re
import types
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.wrappers import Response

MASK = "'***'"

# Characters of a value and of a text in it, items of a container, containers in containers.
_LONGEST = 100
_LONGEST_TEXT = 60
_MOST_ITEMS = 6
_DEEPEST = 3

_SECRET_WORDS = frozenset(
    "authorization cookie cookies credential credentials csrf key keys passphrase passwd password "
    "passwords pwd secret secrets session signature token tokens apikey".split()
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# In a text: the password of a URL, "password=…" of a query or a DSN, "Bearer …" of a header.
_IN_TEXT = re.compile(
    r"(?P<url>://[^/\s:@]*:)[^@\s/]+(?=@)"
    r"|(?P<set>\b[\w-]*(?:passw(?:or)?d|pwd|secret|token|key)=)[^\s&;,'\"]+"
    r"|(?P<scheme>\b(?:Bearer|Basic) )[^\s,'\"]+",
    re.IGNORECASE,
)
_OWN_REPR = (
    int, float, complex, bool, bytes, bytearray, type(None), type(Ellipsis), range,
    datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID,
    pathlib.PurePath,
)  # fmt: skip
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


def is_secret(name: str) -> bool:
    """Whether what goes by this name is shown to nobody: "api_key", "X-Auth-Token", "csrfToken"."""
    return any(word.lower() in _SECRET_WORDS for word in _WORD.findall(name))


def mask_text(text: str) -> str:
    """Return a text without the secrets that are known by what stands before them."""
    return _IN_TEXT.sub(lambda found: f"{''.join(filter(None, found.groups()))}***", text)


def show_variable(name: str, value: Any) -> str:
    """Return a variable's value, or a mask in its place."""
    if is_secret(name) and type(value) not in {bool, type(None)}:
        return MASK
    return show_value(value)


def show_value(value: Any) -> str:
    """Return a value, short."""
    try:
        text = _show(value, _DEEPEST)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _show(value: Any, depth: int) -> str:
    kind = type(value)
    if kind in _BRACKETS:
        return _show_items(value, _BRACKETS[kind], depth)
    if issubclass(kind, dict):
        return "{" + _show_pairs(dict.items(value), depth, ": ", repr) + "}"
    plain = _show_plain(value)
    return _show_object(value, depth) if plain is None else plain


def _show_plain(value: Any) -> str | None:
    """Return a value that holds no others; None: it is another kind of object."""
    kind = type(value)
    text = None
    if issubclass(kind, str):
        text = _show_text(str.__str__(value))
    elif issubclass(kind, enum.Enum):
        text = f"{kind.__name__}.{value.name}"
    elif kind in _OWN_REPR or issubclass(kind, pathlib.PurePath):
        text = repr(value[:_LONGEST] if kind in {bytes, bytearray} else value)
    elif issubclass(kind, Response):
        text = f"<{kind.__name__} {value.status_code}>"
    elif issubclass(kind, types.CoroutineType):
        text = f"<coroutine {value.__qualname__}>"
    elif issubclass(kind, type | types.FunctionType | types.BuiltinFunctionType):
        text = f"<{value.__qualname__}>"
    return text


def _show_text(value: str) -> str:
    # Cut before it is quoted: a text of megabytes is quoted at length otherwise.
    begin = mask_text(value[: _LONGEST * 2])
    if len(value) <= _LONGEST_TEXT:
        return repr(begin)
    return f"{begin[:_LONGEST_TEXT]!r}… {len(value):,} characters"


def _show_items(value: Any, brackets: tuple[str, str], depth: int) -> str:
    if not depth:
        return f"{brackets[0]}…{brackets[1]}"
    shown = [_show(item, depth - 1) for item, _ in zip(value, range(_MOST_ITEMS), strict=False)]
    if len(value) > _MOST_ITEMS:
        shown.append(f"… {len(value):,} in all")
    comma = "," if len(value) == 1 and brackets[0] == "(" else ""
    return f"{brackets[0]}{', '.join(shown)}{comma}{brackets[1]}"


def _show_pairs(pairs: Iterable[tuple[Any, Any]], depth: int, joint: str, name: Any) -> str:
    if not depth:
        return "…"
    shown = []
    for number, (key, value) in enumerate(pairs):
        if number == _MOST_ITEMS:
            shown.append("…")
            break
        text = MASK if isinstance(key, str) and is_secret(key) else _show(value, depth - 1)
        shown.append(f"{name(key) if isinstance(key, str) else _show(key, depth - 1)}{joint}{text}")
    return ", ".join(shown)


def _show_object(value: Any, depth: int) -> str:
    """Return an object's class with the attributes that it has at hand."""
    found = _read_attributes(value)
    names = sorted(name for name in found if isinstance(name, str) and not name.startswith("_"))
    pairs = [(name, found[name]) for name in names]
    inside = _show_pairs(pairs, depth - 1, "=", str) if pairs and depth > 1 else ""
    return f"{type(value).__name__}({inside})" if inside else f"<{type(value).__name__}>"


def _read_attributes(value: Any) -> Mapping[Any, Any]:
    """Return an object's `__dict__` unless its class answers for it, as Werkzeug's proxies do."""
    for owner in type(value).__mro__:
        descriptor = vars(owner).get("__dict__")
        if descriptor is not None:
            if isinstance(descriptor, types.GetSetDescriptorType):
                found = descriptor.__get__(value)
                return found if isinstance(found, dict) else {}
            return {}
    return {}

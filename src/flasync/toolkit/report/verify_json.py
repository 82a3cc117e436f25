"""A run of `flasync verify` as JSON, and back."""

from __future__ import annotations

import dataclasses
import enum
import json
import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from flasync.toolkit.finding import to_json
from flasync.toolkit.verifying.run import Run

# Raised when a key changes its meaning or goes away; new keys do not count.
VERSION = 1


def build_json(run: Run, failed: Sequence[str] = ()) -> str:
    """Return the run as an object with a `version` and the attributes of `Run`.

    Args:
        run: What was seen and concluded.
        failed: A sentence for each check that it has not passed.
    """
    data = {"version": VERSION, "failed": list(failed), **to_json(run)}
    # In one line: indentation takes a slower encoder, and a third of the output.
    return json.dumps(data, allow_nan=False)


def parse_json(text: str) -> Run:
    """Return the run of which `build_json` made this text. Keys that are not known are ignored.

    Raises:
        ValueError: It is no such text, or one of another version.
    """
    data = json.loads(text)
    version = data.get("version") if isinstance(data, Mapping) else None
    if version != VERSION:
        raise ValueError(
            f"The version of this JSON is {version!r}, and {VERSION} is needed. Make it anew with:"
            " flasync verify --json"
        )
    try:
        return _parse(data, Run)  # type: ignore[no-any-return]  # of the class that is given
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"This is no run of flasync verify: {error!r}. Make it anew with: flasync verify --json"
        ) from error


def _parse(data: Any, kind: Any) -> Any:
    """Return what `to_json` made `data` of.

    Args:
        data: As JSON has it.
        kind: A dataclass, an enumeration, a tuple of one of them, any of these or None, or a
            class that JSON has itself.
    """
    if isinstance(kind, types.UnionType):
        wanted = [item for item in get_args(kind) if item is not types.NoneType]
        return None if data is None else _parse(data, wanted[0])
    if get_origin(kind) is tuple:
        return tuple(_parse(item, get_args(kind)[0]) for item in data)
    if issubclass(kind, enum.Enum):
        return kind(data)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _list_fields(kind)
        return kind(**{name: _parse(data[name], hints[name]) for name in hints if name in data})
    if not isinstance(data, int | float if kind is float else kind):
        raise TypeError(f"{data!r} is not of type {kind.__name__}")
    return data


@cache
def _list_fields(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
